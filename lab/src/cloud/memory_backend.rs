//! The smallest back end: named volumes in memory, for tests of the cloud alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::backend::{BackendError, BackendVolume, VolumeBackend};

#[derive(Debug, Clone)]
struct Disk {
    serial: String,
    size_bytes: u64,
    hosts: BTreeSet<String>,
}

#[derive(Default)]
struct Array {
    disks: BTreeMap<String, Disk>,
    made: u64,
    offline: bool,
}

/// Volumes by name, with hosts and serials.
#[derive(Default)]
pub struct MemoryBackend {
    array: Mutex<Array>,
}

impl MemoryBackend {
    /// An empty array.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the array away, or gives it back.
    pub fn set_offline(&self, offline: bool) {
        self.locked().offline = offline;
    }

    /// Every volume, by name.
    pub fn volumes(&self) -> Vec<BackendVolume> {
        let array = self.locked();
        array
            .disks
            .iter()
            .map(|(name, disk)| seen(name, disk))
            .collect()
    }

    fn locked(&self) -> MutexGuard<'_, Array> {
        self.array.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn online(&self) -> Result<MutexGuard<'_, Array>, BackendError> {
        let array = self.locked();
        if array.offline {
            return Err(BackendError::Unreachable("no route to host".to_owned()));
        }
        Ok(array)
    }
}

fn seen(name: &str, disk: &Disk) -> BackendVolume {
    BackendVolume {
        name: name.to_owned(),
        serial: disk.serial.clone(),
        size_bytes: disk.size_bytes,
        connected: !disk.hosts.is_empty(),
    }
}

fn missing(name: &str) -> BackendError {
    BackendError::Missing(name.to_owned())
}

impl Array {
    fn add(&mut self, name: &str, size_bytes: u64) -> Result<String, BackendError> {
        if self.disks.contains_key(name) {
            return Err(BackendError::Exists(name.to_owned()));
        }
        self.made += 1;
        let serial = format!("MEMORY{:018X}", self.made);
        let disk = Disk {
            serial: serial.clone(),
            size_bytes,
            hosts: BTreeSet::new(),
        };
        self.disks.insert(name.to_owned(), disk);
        Ok(serial)
    }

    fn disk(&mut self, name: &str) -> Result<&mut Disk, BackendError> {
        self.disks.get_mut(name).ok_or_else(|| missing(name))
    }
}

impl VolumeBackend for MemoryBackend {
    fn create(
        &self,
        _now_ms: i64,
        name: &str,
        size_bytes: u64,
        _volume_type: &str,
    ) -> Result<String, BackendError> {
        self.online()?.add(name, size_bytes)
    }

    fn clone_volume(
        &self,
        _now_ms: i64,
        source: &str,
        name: &str,
        size_bytes: u64,
        _volume_type: &str,
    ) -> Result<String, BackendError> {
        let mut array = self.online()?;
        let least = array.disk(source)?.size_bytes;
        array.add(name, size_bytes.max(least))
    }

    fn lookup(&self, _now_ms: i64, name: &str) -> Result<Option<BackendVolume>, BackendError> {
        let array = self.online()?;
        Ok(array.disks.get(name).map(|disk| seen(name, disk)))
    }

    fn rename(&self, _now_ms: i64, from: &str, to: &str) -> Result<(), BackendError> {
        let mut array = self.online()?;
        if array.disks.contains_key(to) {
            return Err(BackendError::Exists(to.to_owned()));
        }
        let disk = array.disks.remove(from).ok_or_else(|| missing(from))?;
        array.disks.insert(to.to_owned(), disk);
        Ok(())
    }

    fn destroy(&self, _now_ms: i64, name: &str) -> Result<(), BackendError> {
        let mut array = self.online()?;
        if !array.disk(name)?.hosts.is_empty() {
            return Err(BackendError::Busy(name.to_owned()));
        }
        array.disks.remove(name);
        Ok(())
    }

    fn extend(&self, _now_ms: i64, name: &str, size_bytes: u64) -> Result<(), BackendError> {
        let mut array = self.online()?;
        let disk = array.disk(name)?;
        disk.size_bytes = disk.size_bytes.max(size_bytes);
        Ok(())
    }

    fn connect(&self, _now_ms: i64, name: &str, host: &str) -> Result<(), BackendError> {
        let mut array = self.online()?;
        array.disk(name)?.hosts.insert(host.to_owned());
        Ok(())
    }

    fn disconnect(&self, _now_ms: i64, name: &str, host: &str) -> Result<(), BackendError> {
        let mut array = self.online()?;
        if let Some(disk) = array.disks.get_mut(name) {
            disk.hosts.remove(host);
        }
        Ok(())
    }
}
