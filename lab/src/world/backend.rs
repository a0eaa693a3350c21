//! Cinder's driver, as far as the array can tell: what a pretend Cinder asks, done on the array
//! model as Cinder's own Pure driver would. Absent: replication by Cinder itself; ours stands beside.

use crate::cloud::backend::{BackendError, BackendVolume, VolumeBackend};
use protector_storage_drivers::link::{LinkError, SharedWorld};
use protector_storage_drivers::model::{Answer, Command, Query, VolumePatch, VolumeSource};

/// One array, as the back end of one cloud.
pub struct ArrayBackend {
    pub world: SharedWorld,
    pub array: String,
}

/// The array's host object of a compute host.
fn host_object(host: &str) -> String {
    let letters = host
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let name: String = letters.take(40).collect();
    format!("{name}-cinder")
}

fn refused(name: &str, error: LinkError) -> BackendError {
    let LinkError::Refused(error) = error else {
        return BackendError::Unreachable(error.to_string());
    };
    match error {
        error if error.says("already exists") => BackendError::Exists(name.to_owned()),
        error if error.says("does not exist") => BackendError::Missing(name.to_owned()),
        error => BackendError::Refused(error.to_string()),
    }
}

impl ArrayBackend {
    /// The arrays live by the same clock as the cloud, so its idea of now is not needed.
    fn apply(&self, _now_ms: i64, name: &str, command: Command) -> Result<Answer, BackendError> {
        let done = self.world.apply(&self.array, command);
        done.map_err(|error| refused(name, error))
    }

    fn make(&self, now_ms: i64, name: &str, source: VolumeSource) -> Result<String, BackendError> {
        let command = Command::VolumesPost {
            names: vec![name.to_owned()],
            source,
            overwrite: false,
            add_to_groups: Vec::new(),
        };
        self.apply(now_ms, name, command)?;
        let made = self.lookup(now_ms, name)?;
        made.map(|v| v.serial)
            .ok_or_else(|| BackendError::Missing(name.to_owned()))
    }

    fn patch(&self, now_ms: i64, name: &str, patch: VolumePatch) -> Result<(), BackendError> {
        let command = Command::VolumesPatch {
            names: vec![name.to_owned()],
            patch,
        };
        self.apply(now_ms, name, command).map(|_| ())
    }
}

impl VolumeBackend for ArrayBackend {
    fn create(
        &self,
        now_ms: i64,
        name: &str,
        size_bytes: u64,
        _type: &str,
    ) -> Result<String, BackendError> {
        self.make(now_ms, name, VolumeSource::Provisioned(size_bytes))
    }

    fn clone_volume(
        &self,
        now_ms: i64,
        source: &str,
        name: &str,
        size_bytes: u64,
        _type: &str,
    ) -> Result<String, BackendError> {
        let serial = self.make(now_ms, name, VolumeSource::Name(source.to_owned()))?;
        self.extend(now_ms, name, size_bytes)?;
        Ok(serial)
    }

    fn lookup(&self, now_ms: i64, name: &str) -> Result<Option<BackendVolume>, BackendError> {
        let asked = self.apply(
            now_ms,
            name,
            Command::VolumesGet(Query::named([name]).live()),
        );
        let page = match asked {
            Ok(Answer::Volumes(page)) => page,
            Ok(_) => {
                return Err(BackendError::Refused(
                    "another answer than asked for".to_owned(),
                ));
            }
            Err(BackendError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = page
            .items
            .into_iter()
            .find(|v| !v.destroyed && v.name == name);
        Ok(found.map(|v| BackendVolume {
            name: v.name,
            serial: v.serial,
            size_bytes: v.provisioned,
            connected: v.connection_count > 0,
        }))
    }

    fn rename(&self, now_ms: i64, from: &str, to: &str) -> Result<(), BackendError> {
        self.patch(
            now_ms,
            from,
            VolumePatch {
                name: Some(to.to_owned()),
                ..VolumePatch::default()
            },
        )
    }

    fn destroy(&self, now_ms: i64, name: &str) -> Result<(), BackendError> {
        self.patch(
            now_ms,
            name,
            VolumePatch {
                destroyed: Some(true),
                ..VolumePatch::default()
            },
        )
    }

    fn extend(&self, now_ms: i64, name: &str, size_bytes: u64) -> Result<(), BackendError> {
        let known = self.lookup(now_ms, name)?;
        if known.is_some_and(|v| v.size_bytes >= size_bytes) {
            return Ok(());
        }
        self.patch(
            now_ms,
            name,
            VolumePatch {
                provisioned: Some(size_bytes),
                ..VolumePatch::default()
            },
        )
    }

    fn connect(&self, now_ms: i64, name: &str, host: &str) -> Result<(), BackendError> {
        let host = host_object(host);
        let names = vec![host.clone()];
        let iqns = vec![format!("iqn.1994-05.com.example:{host}")];
        match self.apply(now_ms, name, Command::HostsPost { names, iqns }) {
            Ok(_) | Err(BackendError::Exists(_)) => {}
            Err(error) => return Err(error),
        }
        let command = Command::HostConnectionsPost {
            host_names: vec![host],
            volume_names: vec![name.to_owned()],
        };
        match self.apply(now_ms, name, command) {
            Ok(_) | Err(BackendError::Exists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn disconnect(&self, now_ms: i64, name: &str, host: &str) -> Result<(), BackendError> {
        let command = Command::HostConnectionsDelete {
            host_names: vec![host_object(host)],
            volume_names: vec![name.to_owned()],
        };
        match self.apply(now_ms, name, command) {
            Ok(_) | Err(BackendError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
