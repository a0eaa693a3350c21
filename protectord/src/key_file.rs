//! A site's identity in a file, sealed with a passphrase: the way to bring it back after its database
//! is lost (`protector-manage key export` and `key import`).
//!
//! Absent: the site's records; and any way to read the file without its passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use protector_domain::ids::SiteId;
use protector_domain::sync::SigningIdentity;
use protector_runtime::entropy::Entropy;
use protector_store::Identity;
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use uuid::Uuid;

const FORMAT: &str = "protector-identity-1";
/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 16_384;
/// Shortest passphrase that is taken, characters.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
/// Argon2id: what one guess costs (RFC 9106, second recommendation).
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// Why there is no file, or nothing was read from it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{path}: {cause}")]
    Io { path: String, cause: std::io::Error },
    #[error("{path} is no identity file of this program")]
    NoKeyFile { path: String },
    #[error("{path} does not open: the passphrase is wrong, or the file was changed")]
    DoesNotOpen { path: String },
    #[error("the passphrase is shorter than {PASSPHRASE_CHARS_MIN} characters")]
    ShortPassphrase,
    #[error("the passphrase cannot be turned into a key")]
    Derivation,
}

/// What people may read: who it is. The rest is sealed, and bound to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    format: String,
    site: SiteId,
    installation: Uuid,
    salt: String,
    nonce: String,
    sealed: String,
}

impl Shape {
    fn bound(&self) -> Vec<u8> {
        format!("{FORMAT}/{}/{}", self.site, self.installation).into_bytes()
    }
}

fn cipher(passphrase: &SecretString, salt: &[u8]) -> Result<XChaCha20Poly1305, KeyFileError> {
    if passphrase.expose_secret().chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(KeyFileError::ShortPassphrase);
    }
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(KEY_BYTES));
    let params = params.map_err(|_| KeyFileError::Derivation)?;
    let mut key = SecretBox::new(Box::new([0_u8; KEY_BYTES]));
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let phrase = passphrase.expose_secret().as_bytes();
    argon
        .hash_password_into(
            phrase,
            salt,
            secrecy::ExposeSecretMut::expose_secret_mut(&mut key),
        )
        .map_err(|_| KeyFileError::Derivation)?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key.expose_secret())))
}

/// Writes the identity to a new file, mode 0600. A file that is there is left alone.
///
/// # Errors
/// `Io`, also if the file exists; `ShortPassphrase`.
pub fn export(
    path: &Path,
    identity: &Identity,
    passphrase: &SecretString,
    entropy: &dyn Entropy,
) -> Result<(), KeyFileError> {
    let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
    entropy.fill(&mut salt);
    entropy.fill(&mut nonce);
    let mut shape = Shape {
        format: FORMAT.to_owned(),
        site: identity.site,
        installation: identity.installation,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce),
        sealed: String::new(),
    };
    let bound = shape.bound();
    let payload = Payload {
        msg: identity.secret.expose_secret(),
        aad: &bound,
    };
    let sealed = cipher(passphrase, &salt)?.encrypt(&XNonce::from(nonce), payload);
    shape.sealed = STANDARD.encode(sealed.map_err(|_| KeyFileError::Derivation)?);
    let text = serde_json::to_string_pretty(&shape).map_err(|_| KeyFileError::Derivation)?;
    let failed = |cause| KeyFileError::Io {
        path: path.display().to_string(),
        cause,
    };
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(failed)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(failed)
}

/// Reads an identity back.
///
/// # Errors
/// `Io`, `NoKeyFile`, `DoesNotOpen`, `ShortPassphrase`.
pub fn import(path: &Path, passphrase: &SecretString) -> Result<Identity, KeyFileError> {
    let name = || path.display().to_string();
    let mut text = String::new();
    let read = OpenOptions::new().read(true).open(path).and_then(|file| {
        let mut file = file.take(FILE_BYTES_MAX);
        file.read_to_string(&mut text)
    });
    read.map_err(|cause| KeyFileError::Io {
        path: name(),
        cause,
    })?;
    let odd = || KeyFileError::NoKeyFile { path: name() };
    let shape: Shape = serde_json::from_str(&text).map_err(|_| odd())?;
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| odd());
    let nonce = <[u8; NONCE_BYTES]>::try_from(bytes(&shape.nonce)?).map_err(|_| odd())?;
    let (salt, sealed) = (bytes(&shape.salt)?, bytes(&shape.sealed)?);
    if shape.format != FORMAT || salt.len() != SALT_BYTES {
        return Err(odd());
    }
    let bound = shape.bound();
    let payload = Payload {
        msg: &sealed,
        aad: &bound,
    };
    let opened = cipher(passphrase, &salt)?.decrypt(&XNonce::from(nonce), payload);
    let shut = || KeyFileError::DoesNotOpen { path: name() };
    let secret = SecretSlice::from(opened.map_err(|_| shut())?);
    let seed: &[u8; KEY_BYTES] = secret.expose_secret().try_into().map_err(|_| odd())?;
    let key_id = SigningIdentity::from_seed(shape.site, seed).key_id;
    Ok(Identity {
        site: shape.site,
        installation: shape.installation,
        key_id,
        secret,
    })
}
