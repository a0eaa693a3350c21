//! A secret that both sites of a group can open and nobody between them: the courier carries it, the record
//! keeps it (S15). Its key is wrapped for each site by that site's own identity key, taken to X25519.
//!
//! Pure: randomness comes as bytes. Absent: what is sealed, and where it is kept.

use super::frame::{Peer, SigningIdentity};
use super::order::Role;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ed25519_dalek::{SigningKey, VerifyingKey};
use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Says what a wrapping key is for, so that it is none for anything else.
const WRAP: &[u8] = b"protector/sealed/1";

/// Random bytes for one sealing, each used once.
pub struct SealEntropy {
    pub key: [u8; KEY_BYTES],
    pub nonce: [u8; NONCE_BYTES],
    /// One for each site.
    pub passing: [[u8; KEY_BYTES]; 2],
}

/// The sealed secret with its two wrapped keys, base64. Safe to show, and not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedForBoth {
    home: String,
    other: String,
    data: String,
}

impl SealedForBoth {
    /// Its length in a record.
    pub fn letters(&self) -> usize {
        self.home.len() + self.other.len() + self.data.len()
    }
}

impl fmt::Debug for SealedForBoth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedForBoth({} bytes)", self.data.len())
    }
}

/// Why it does not open. Says nothing of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("it is sealed for another key, or damaged")]
    NotOurs,
    #[error("the site has no key that it could be sealed for")]
    NoKey,
}

/// What is sealed where: it opens under the same words only.
pub struct SealPlace<'a> {
    /// For example `user_data/<group>/<member>`.
    pub name: &'a str,
}

fn cipher(key: [u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(key))
}

/// The key that wraps for `to`; both ends come to the same.
fn wrapping(shared: [u8; KEY_BYTES], passing: &[u8], to: &VerifyingKey) -> [u8; KEY_BYTES] {
    let mut hash = Sha256::new();
    for part in [WRAP, &shared, passing, to.as_bytes()] {
        hash.update(part);
    }
    hash.finalize().into()
}

/// `None`: a key under which everybody would agree on nothing.
fn shared(secret: &SigningKey, public: &VerifyingKey) -> Option<[u8; KEY_BYTES]> {
    let point = public.to_montgomery() * secret.to_scalar();
    let bytes = point.to_bytes();
    (bytes != [0; KEY_BYTES]).then_some(bytes)
}

fn wrap(key: &[u8; KEY_BYTES], passing: &[u8; KEY_BYTES], to: &VerifyingKey) -> Option<String> {
    let passing = SigningKey::from_bytes(passing);
    let public = passing.verifying_key().to_bytes();
    let wrapping = wrapping(shared(&passing, to)?, &public, to);
    // Its key is used for this one message, so that the nonce may be any.
    let nonce = XNonce::from([0; NONCE_BYTES]);
    let wrapped = cipher(wrapping).encrypt(&nonce, key.as_slice()).ok()?;
    Some(STANDARD.encode([public.as_slice(), &wrapped].concat()))
}

fn unwrap(wrapped: &str, identity: &SigningIdentity) -> Option<[u8; KEY_BYTES]> {
    let bytes = STANDARD.decode(wrapped).ok()?;
    let (public, wrapped) = bytes.split_first_chunk::<KEY_BYTES>()?;
    let passing = VerifyingKey::from_bytes(public).ok()?;
    let shared = shared(identity.key(), &passing)?;
    let wrapping = wrapping(shared, public, &identity.verifying_key());
    let nonce = XNonce::from([0; NONCE_BYTES]);
    let key = cipher(wrapping).decrypt(&nonce, wrapped).ok()?;
    key.try_into().ok()
}

/// A pinned key that is not retired.
fn key_of(site: &Peer) -> Option<&VerifyingKey> {
    let mut keys = site.keys.values().filter(|pinned| !pinned.retired);
    keys.next_back().map(|pinned| &pinned.key)
}

/// Seals `secret` for the group's two sites.
///
/// # Errors
/// `NoKey` if nothing can be sealed for one of them.
pub fn seal_for_both(
    secret: &[u8],
    place: &SealPlace<'_>,
    (home, other): (&Peer, &Peer),
    entropy: &SealEntropy,
) -> Result<SealedForBoth, OpenError> {
    let keys = key_of(home).zip(key_of(other)).ok_or(OpenError::NoKey)?;
    let [first, second] = &entropy.passing;
    let wrapped = wrap(&entropy.key, first, keys.0).zip(wrap(&entropy.key, second, keys.1));
    let (home, other) = wrapped.ok_or(OpenError::NoKey)?;
    let payload = Payload {
        msg: secret,
        aad: place.name.as_bytes(),
    };
    let nonce = XNonce::from(entropy.nonce);
    let data = cipher(entropy.key).encrypt(&nonce, payload);
    let data = data.map_err(|_| OpenError::NoKey)?;
    let data = STANDARD.encode([entropy.nonce.as_slice(), &data].concat());
    Ok(SealedForBoth { home, other, data })
}

/// Opens what was sealed for this site, which is `role` of the group.
///
/// # Errors
/// `NotOurs`.
pub fn open_sealed(
    sealed: &SealedForBoth,
    place: &SealPlace<'_>,
    role: Role,
    identity: &SigningIdentity,
) -> Result<SecretSlice<u8>, OpenError> {
    let wrapped = match role {
        Role::Home => &sealed.home,
        Role::Other => &sealed.other,
    };
    let open = || {
        let key = unwrap(wrapped, identity)?;
        let bytes = STANDARD.decode(&sealed.data).ok()?;
        let (nonce, data) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: data,
            aad: place.name.as_bytes(),
        };
        cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()
    };
    open().map(SecretSlice::from).ok_or(OpenError::NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SiteId;
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    const SECRET: &[u8] = b"#!/bin/sh\necho canary";
    const PLACE: SealPlace<'_> = SealPlace {
        name: "user_data/g/m",
    };

    fn site(number: u8) -> SigningIdentity {
        SigningIdentity::from_seed(SiteId(Uuid::from_u128(number.into())), &[number; 32])
    }

    fn entropy() -> SealEntropy {
        SealEntropy {
            key: [3; 32],
            nonce: [4; 24],
            passing: [[5; 32], [6; 32]],
        }
    }

    fn sealed() -> SealedForBoth {
        let (home, other) = (site(1).as_peer(), site(2).as_peer());
        seal_for_both(SECRET, &PLACE, (&home, &other), &entropy()).unwrap()
    }

    fn opens(sealed: &SealedForBoth, place: &str, role: Role, by: u8) -> bool {
        let place = SealPlace { name: place };
        match open_sealed(sealed, &place, role, &site(by)) {
            Ok(plain) => plain.expose_secret() == SECRET,
            Err(error) => error != OpenError::NotOurs,
        }
    }

    #[test]
    fn both_sites_open_it_and_nobody_else_nor_elsewhere() {
        let sealed = sealed();
        for (place, role, by, expected) in [
            (PLACE.name, Role::Home, 1, true),
            (PLACE.name, Role::Other, 2, true),
            (PLACE.name, Role::Home, 2, false),
            (PLACE.name, Role::Other, 1, false),
            (PLACE.name, Role::Home, 3, false),
            ("user_data/g/m2", Role::Home, 1, false),
        ] {
            assert_eq!(
                opens(&sealed, place, role, by),
                expected,
                "{place} {role:?} {by}"
            );
        }
    }

    #[test]
    fn it_shows_nothing_of_itself_and_no_letter_can_be_changed() {
        let sealed = sealed();
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("canary") && !text.contains(&STANDARD.encode(SECRET)));
        assert!(!format!("{sealed:?}").contains(&sealed.data));
        for at in 0..sealed.data.len() {
            let mut letters: Vec<char> = sealed.data.chars().collect();
            letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
            let data: String = letters.into_iter().collect();
            let changed = SealedForBoth {
                data,
                ..sealed.clone()
            };
            // The last letter of base64 may carry bits that mean nothing.
            assert!(
                !opens(&changed, PLACE.name, Role::Home, 1) || at + 3 > sealed.data.len(),
                "{at}"
            );
        }
    }

    #[test]
    fn a_site_whose_keys_are_all_retired_gets_none() {
        let (home, mut other) = (site(1).as_peer(), site(2).as_peer());
        other
            .keys
            .values_mut()
            .for_each(|pinned| pinned.retired = true);
        let refused = seal_for_both(SECRET, &PLACE, (&home, &other), &entropy());
        assert_eq!(refused, Err(OpenError::NoKey));
    }
}
