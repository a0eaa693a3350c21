//! The array as Cinder's driver sees it. Deliberately absent: replication, snapshots, content.
//!
//! An array model implements `VolumeBackend`; `MemoryBackend` is the smallest one, for tests here.

/// A volume on the back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendVolume {
    /// Name on the array; manage and unmanage change it.
    pub name: String,
    /// Serial, which no rename changes.
    pub serial: String,
    /// Provisioned size in bytes.
    pub size_bytes: u64,
    /// Whether any host is connected.
    pub connected: bool,
}

/// Why the back end did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendError {
    /// No volume of that name.
    Missing(String),
    /// The new name is taken.
    Exists(String),
    /// The volume is connected to a host.
    Busy(String),
    /// The array does not answer.
    Unreachable(String),
    /// Anything else it says.
    Refused(String),
}

impl std::fmt::Display for BackendError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(name) => write!(out, "Volume {name} does not exist"),
            Self::Exists(name) => write!(out, "Volume {name} already exists"),
            Self::Busy(name) => write!(out, "Volume {name} is connected to a host"),
            Self::Unreachable(reason) => write!(out, "the array does not answer: {reason}"),
            Self::Refused(reason) => write!(out, "the array refused: {reason}"),
        }
    }
}

impl std::error::Error for BackendError {}

/// What Cinder asks of its array. Names are the array's; times are Unix milliseconds.
pub trait VolumeBackend: Send + Sync {
    /// Makes an empty volume and gives its serial.
    fn create(
        &self,
        now_ms: i64,
        name: &str,
        size_bytes: u64,
        volume_type: &str,
    ) -> Result<String, BackendError>;

    /// Makes `name` as a copy of `source`, at least `size_bytes` large, and gives its serial.
    fn clone_volume(
        &self,
        now_ms: i64,
        source: &str,
        name: &str,
        size_bytes: u64,
        volume_type: &str,
    ) -> Result<String, BackendError>;

    /// The volume of that name. `Ok(None)`: the array answered and has none.
    fn lookup(&self, now_ms: i64, name: &str) -> Result<Option<BackendVolume>, BackendError>;

    /// Gives a volume another name.
    fn rename(&self, now_ms: i64, from: &str, to: &str) -> Result<(), BackendError>;

    /// Destroys a volume. `Missing` when there is none.
    fn destroy(&self, now_ms: i64, name: &str) -> Result<(), BackendError>;

    /// Makes a volume larger.
    fn extend(&self, now_ms: i64, name: &str, size_bytes: u64) -> Result<(), BackendError>;

    /// Connects a volume to a compute host; connecting twice is one connection.
    fn connect(&self, now_ms: i64, name: &str, host: &str) -> Result<(), BackendError>;

    /// Undoes `connect`; disconnecting what is not connected is no error.
    fn disconnect(&self, now_ms: i64, name: &str, host: &str) -> Result<(), BackendError>;
}
