//! The restore mark in a file beside the key that seals the identity: backups of the database do not contain
//! it, so that an older database is known by it (R13).
//!
//! Absent: the mark inside the database; what follows from a difference (`actors::restored`).

use protector_domain::ports::{MarkError, MarkKeeper};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What its name adds to the key's.
const SUFFIX: &str = ".mark";
const FORMAT: &str = "protector-restore-mark-1";
/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 256;

/// One file with one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkFile {
    path: PathBuf,
}

impl MarkFile {
    /// In the directory of `key_file`, under its name with `.mark` added.
    pub fn beside(key_file: &Path) -> Self {
        let mut path = key_file.as_os_str().to_owned();
        path.push(SUFFIX);
        Self { path: path.into() }
    }

    fn unreachable(&self, why: &std::io::Error) -> MarkError {
        MarkError::Unreachable {
            place: self.place(),
            why: why.to_string(),
        }
    }

    fn read(&self) -> std::io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(file) => {
                file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
        }
    }

    /// Whole or not at all: a new file takes the old one's place.
    fn write(&self, mark: u64) -> std::io::Result<()> {
        let new = self.path.with_extension("mark-new");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = file.open(&new)?;
        file.write_all(format!("{FORMAT} {mark}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => {
                File::open(directory)?.sync_all()
            }
            _ => Ok(()),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let number = text.strip_prefix(FORMAT)?.strip_prefix(' ')?;
    number.strip_suffix('\n')?.parse().ok()
}

impl MarkKeeper for MarkFile {
    fn fetch(&self) -> Result<u64, MarkError> {
        let Some(bytes) = self.read().map_err(|e| self.unreachable(&e))? else {
            return Ok(0);
        };
        let place = self.place();
        parse(&bytes).ok_or(MarkError::Damaged { place })
    }

    fn raise(&self, mark: u64) -> Result<(), MarkError> {
        match self.fetch() {
            Ok(known) if known >= mark => Ok(()),
            Ok(_) | Err(MarkError::Damaged { .. }) => {
                self.write(mark).map_err(|e| self.unreachable(&e))
            }
            Err(error) => Err(error),
        }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(directory: &tempfile::TempDir) -> MarkFile {
        MarkFile::beside(&directory.path().join("encryption.key"))
    }

    #[test]
    fn a_mark_is_kept_and_never_falls() {
        let directory = tempfile::tempdir().unwrap();
        let marks = in_directory(&directory);
        assert_eq!(marks.fetch(), Ok(0));
        marks.raise(7).unwrap();
        marks.raise(5).unwrap();
        assert_eq!(in_directory(&directory).fetch(), Ok(7));
        marks.raise(8).unwrap();
        assert_eq!(in_directory(&directory).fetch(), Ok(8));
    }

    #[test]
    fn damage_is_not_absence_and_is_mended_by_a_new_mark() {
        let directory = tempfile::tempdir().unwrap();
        let marks = in_directory(&directory);
        for text in [
            "",
            "7",
            "protector-restore-mark-1 7",
            "protector-restore-mark-1 -7\n",
        ] {
            std::fs::write(&marks.path, text).unwrap();
            let place = marks.place();
            assert_eq!(marks.fetch(), Err(MarkError::Damaged { place }), "{text:?}");
        }
        marks.raise(9).unwrap();
        assert_eq!(marks.fetch(), Ok(9));
    }

    #[test]
    fn a_place_that_cannot_be_read_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let marks = in_directory(&directory);
        std::fs::create_dir(&marks.path).unwrap();
        assert!(matches!(marks.fetch(), Err(MarkError::Unreachable { .. })));
        assert!(matches!(marks.raise(1), Err(MarkError::Unreachable { .. })));
    }
}
