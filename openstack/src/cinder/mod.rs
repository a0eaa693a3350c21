//! Cinder: the `Volumes` port. Absent: snapshots, backups, transfers, and every byte of data.

mod port;
mod volumes;
mod wire;
