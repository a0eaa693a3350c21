//! Encryption at rest (J11, S15): one key beside the database, XChaCha20-Poly1305, a fresh nonce for
//! each value, and the value's place as associated data, so that a row cannot lend its secret.
//!
//! Absent on purpose: a plaintext fallback, and key rotation (the key id is stored with each value,
//! so that rotation can be added without guessing).

use crate::error::SealError;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use protector_runtime::entropy::Entropy;
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Key id, then the key.
const FILE_BYTES: usize = 1 + KEY_BYTES;
/// The id of a key that this program makes.
const FIRST_KEY_ID: u8 = 1;

/// A sealed value as it is stored: key id, nonce, ciphertext with its tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub(crate) Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Where a sealed value lives. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub table: &'static str,
    pub row: &'a str,
    pub column: &'static str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.table, self.row, self.column)
    }
}

/// The key that seals a site's secrets. Never shown, never logged.
#[derive(Clone)]
pub struct SealingKey {
    id: u8,
    key: Arc<SecretBox<[u8; KEY_BYTES]>>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SealingKey {
    /// A key given directly; `id` is stored with every value it seals.
    pub fn new(id: u8, key: [u8; KEY_BYTES]) -> Self {
        Self {
            id,
            key: Arc::new(SecretBox::new(Box::new(key))),
        }
    }

    /// Reads a key file.
    ///
    /// Errors: `NoKey` if there is none, `BadKeyFile` if others may read it or it is no key.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let bad = |why: String| SealError::BadKeyFile {
            path: path.to_owned(),
            why,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .open(path)
            .map_err(|e| match e.kind() {
                ErrorKind::NotFound => SealError::NoKey {
                    path: path.to_owned(),
                },
                _ => bad(e.to_string()),
            })?;
        let mode = file
            .metadata()
            .map_err(|e| bad(e.to_string()))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(bad(format!("others may read it (mode {:o})", mode & 0o777)));
        }
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        // One byte more than a key file has: a longer file is not one.
        let limit = u64::try_from(FILE_BYTES + 1).unwrap_or(u64::MAX);
        (&mut file)
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| bad(e.to_string()))?;
        match bytes.split_first() {
            Some((id, key)) => match <[u8; KEY_BYTES]>::try_from(key) {
                Ok(key) => Ok(Self::new(*id, key)),
                Err(_) => Err(bad("it has not the size of a key".to_owned())),
            },
            None => Err(bad("it is empty".to_owned())),
        }
    }

    /// Makes a new key and its file, mode 0600, whole and flushed to disk before it has its name
    /// and before anything is sealed with it.
    ///
    /// Errors: `BadKeyFile`, also if the file is already there: a key is never overwritten.
    pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, SealError> {
        let mut key = [0; KEY_BYTES];
        entropy.fill(&mut key);
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".new-{:016x}", entropy.next_u64()));
        let draft = PathBuf::from(draft);
        let made = write_key(&draft, &key).and_then(|()| std::fs::hard_link(&draft, path));
        // Whether it became the key or not, the draft has done its work.
        let _ = std::fs::remove_file(&draft);
        match made {
            Ok(()) => Ok(Self::new(FIRST_KEY_ID, key)),
            Err(e) => Err(SealError::BadKeyFile {
                path: path.to_owned(),
                why: e.to_string(),
            }),
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key.expose_secret()))
    }

    pub(crate) fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let aad = associated(self.id, place);
        let body = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| SealError::WrongKey {
                what: place.to_string(),
            })?;
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + body.len());
        out.push(self.id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&body);
        Ok(Sealed(out))
    }

    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &Sealed,
    ) -> Result<SecretSlice<u8>, SealError> {
        let wrong = || SealError::WrongKey {
            what: place.to_string(),
        };
        let (id, rest) = sealed.0.split_first().ok_or_else(wrong)?;
        if *id != self.id {
            return Err(SealError::OtherKey {
                sealed_with: *id,
                have: self.id,
            });
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        let aad = associated(self.id, place);
        let plain = self
            .cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: &aad,
                },
            )
            .map_err(|_| wrong())?;
        Ok(plain.into())
    }

    pub(crate) fn open_text(
        &self,
        place: Place<'_>,
        sealed: &Sealed,
    ) -> Result<SecretString, SealError> {
        let plain = self.open(place, sealed)?;
        match std::str::from_utf8(plain.expose_secret()) {
            Ok(text) => Ok(SecretString::from(text.to_owned())),
            Err(_) => Err(SealError::WrongKey {
                what: place.to_string(),
            }),
        }
    }
}

fn write_key(path: &Path, key: &[u8; KEY_BYTES]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&[FIRST_KEY_ID])?;
    file.write_all(key)?;
    file.sync_all()
}

fn associated(key_id: u8, place: Place<'_>) -> Vec<u8> {
    let mut aad = vec![key_id];
    for part in [place.table, place.row, place.column] {
        aad.extend_from_slice(part.as_bytes());
        aad.push(0);
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use protector_runtime::entropy::SeededEntropy;

    const HERE: Place<'static> = Place {
        table: "sites",
        row: "7",
        column: "credential",
    };

    fn sealed_here() -> (SealingKey, Sealed) {
        let key = SealingKey::new(3, [9; 32]);
        let sealed = key.seal(&SeededEntropy::new(1), HERE, b"hunter2").unwrap();
        (key, sealed)
    }

    #[test]
    fn opens_at_its_place_only() {
        let (key, sealed) = sealed_here();
        assert_eq!(key.open(HERE, &sealed).unwrap().expose_secret(), b"hunter2");
        for elsewhere in [
            Place { row: "8", ..HERE },
            Place {
                table: "arrays",
                ..HERE
            },
            Place {
                column: "token",
                ..HERE
            },
        ] {
            assert!(matches!(
                key.open(elsewhere, &sealed),
                Err(SealError::WrongKey { .. })
            ));
        }
    }

    #[test]
    fn another_key_says_which_it_is() {
        let (_, sealed) = sealed_here();
        let newer = SealingKey::new(4, [9; 32]).open(HERE, &sealed).unwrap_err();
        assert_eq!(
            newer,
            SealError::OtherKey {
                sealed_with: 3,
                have: 4
            }
        );
        let wrong = SealingKey::new(3, [8; 32]).open(HERE, &sealed).unwrap_err();
        assert!(matches!(wrong, SealError::WrongKey { .. }));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let (key, sealed) = sealed_here();
        for at in 0..sealed.0.len() {
            let mut bytes = sealed.0.clone();
            bytes[at] ^= 1;
            assert!(key.open(HERE, &Sealed(bytes)).is_err(), "byte {at}");
            assert!(
                key.open(HERE, &Sealed(sealed.0[..at].to_vec())).is_err(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let (key, entropy) = (SealingKey::new(1, [1; 32]), SeededEntropy::new(5));
        let one = key.seal(&entropy, HERE, b"x").unwrap();
        let two = key.seal(&entropy, HERE, b"x").unwrap();
        assert_ne!(one, two);
    }

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.key");
        assert_eq!(
            SealingKey::load(&path).unwrap_err(),
            SealError::NoKey { path: path.clone() }
        );
        let made = SealingKey::create(&path, &SeededEntropy::new(1)).unwrap();
        let sealed = made.seal(&SeededEntropy::new(2), HERE, b"x").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(SealingKey::create(&path, &SeededEntropy::new(3)).is_err());
        let read = SealingKey::load(&path).unwrap();
        assert_eq!(read.open(HERE, &sealed).unwrap().expose_secret(), b"x");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            SealingKey::load(&path),
            Err(SealError::BadKeyFile { .. })
        ));
    }

    #[test]
    fn debug_shows_no_key_and_no_secret() {
        let (key, sealed) = sealed_here();
        assert_eq!(
            format!("{key:?} {sealed:?}"),
            "SealingKey { id: 3, .. } Sealed(48 bytes)"
        );
    }
}
