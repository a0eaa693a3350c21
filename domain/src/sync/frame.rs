//! The signed frame of a message: `"protector/sync/1/" + type + 0x00 + canonical JSON`, Ed25519.
//!
//! Owns site identities, pinned peers, signing and verifying. Absent: storing keys, pairing, and
//! trust in whoever carried a message (a courier adds nothing that is believed).

use super::digest::{Digest, canonical_json};
use super::message::{Message, MessageContent, MessageType};
use super::record::Record;
use super::refusal::SyncRefusal;
use crate::ids::{GroupId, SiteId};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Largest payload that is parsed, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

const PREFIX: &str = "protector/sync/1/";
const KEY_ID_BYTES: usize = 8;

/// Names one signing key of a site: the start of its public key's SHA-256, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl KeyId {
    pub fn of(key: &VerifyingKey) -> Self {
        let full = Digest::of_bytes(key.as_bytes());
        Self(full.as_str().chars().take(KEY_ID_BYTES * 2).collect())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// This site as a signer. The private key never reaches logs or `Debug`.
#[derive(Clone)]
pub struct SigningIdentity {
    pub site: SiteId,
    pub key_id: KeyId,
    key: SigningKey,
}

impl SigningIdentity {
    /// From the 32 secret bytes that the caller drew once and keeps encrypted.
    pub fn from_seed(site: SiteId, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self {
            site,
            key_id: KeyId::of(&key.verifying_key()),
            key,
        }
    }

    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// This site as its peer would pin it, with its newest key only.
    pub fn as_peer(&self) -> Peer {
        Peer::with_key(self.site, self.verifying_key())
    }
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIdentity")
            .field("site", &self.site)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A public key of a site. A retired one verifies nothing any more, receipts included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedKey {
    pub key: VerifyingKey,
    pub retired: bool,
}

/// A site with its pinned public keys: the peer, or this site itself (R6 takes back own records).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub site: SiteId,
    pub keys: BTreeMap<KeyId, PinnedKey>,
}

impl Peer {
    pub fn with_key(site: SiteId, key: VerifyingKey) -> Self {
        let pinned = PinnedKey {
            key,
            retired: false,
        };
        Self {
            site,
            keys: BTreeMap::from([(KeyId::of(&key), pinned)]),
        }
    }
}

/// A signed message as it is stored and carried, byte for byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Canonical JSON.
    pub payload: String,
    pub key_id: KeyId,
    /// 64 bytes in hex.
    pub signature: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("type", &self.message_type)
            .field("key_id", &self.key_id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// A message whose frame and signature were checked. Only [`verify`] makes one, so the rules cannot
/// be handed anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    message: Message,
    signed: Signed,
}

impl Verified {
    pub fn message(&self) -> &Message {
        &self.message
    }

    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    pub fn into_parts(self) -> (Message, Signed) {
        (self.message, self.signed)
    }

    /// What this site has just signed itself, without checking its own signature.
    #[cfg(test)]
    pub(crate) fn trusted(signed: Signed) -> Result<Self, SyncRefusal> {
        let message = parse(&signed)?.message;
        Ok(Self { message, signed })
    }
}

/// The hash that names a pair of sites, the same seen from either.
pub fn pair_hash(one: SiteId, two: SiteId) -> Digest {
    let (low, high) = if one <= two { (one, two) } else { (two, one) };
    Digest::of_bytes(format!("protector/pair/1/{low}/{high}").as_bytes())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<T> {
    pair: Digest,
    group: GroupId,
    from: SiteId,
    to: SiteId,
    key_id: KeyId,
    content: T,
}

struct Parsed {
    pair: Digest,
    key_id: KeyId,
    message: Message,
}

/// Signs a message. The sender is the identity, whatever `message.from` says.
///
/// Errors: [`SyncRefusal::Malformed`] if the content has no canonical form,
/// [`SyncRefusal::TooLarge`] if the peer would refuse it for its size.
pub fn sign(identity: &SigningIdentity, message: &Message) -> Result<Signed, SyncRefusal> {
    let payload = match &message.content {
        MessageContent::Ticket(content) => payload_of(identity, message, content),
        MessageContent::Reservation(content) => payload_of(identity, message, content),
        MessageContent::Envelope(content) => payload_of(identity, message, content),
        MessageContent::Receipt(content) => payload_of(identity, message, content),
        MessageContent::Release(content) => payload_of(identity, message, content),
        MessageContent::Rejection(content) => payload_of(identity, message, content),
        MessageContent::Head(content) => payload_of(identity, message, content),
    }?;
    check_size(&payload, MAX_MESSAGE_BYTES)?;
    let message_type = message.content.message_type();
    let signature = identity.key.sign(&framed(message_type, &payload));
    let signature = hex::encode(signature.to_bytes());
    Ok(Signed {
        message_type,
        payload,
        key_id: identity.key_id.clone(),
        signature,
    })
}

fn payload_of<T: Serialize>(
    identity: &SigningIdentity,
    message: &Message,
    content: &T,
) -> Result<String, SyncRefusal> {
    canonical_json(&Payload {
        pair: pair_hash(identity.site, message.to),
        group: message.group,
        from: identity.site,
        to: message.to,
        key_id: identity.key_id.clone(),
        content,
    })
}

fn framed(message_type: MessageType, payload: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX.len() + payload.len() + 16);
    bytes.extend_from_slice(PREFIX.as_bytes());
    bytes.extend_from_slice(message_type.as_str().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(payload.as_bytes());
    bytes
}

/// Checks a message that a courier brought, in this order: size, form, addressee, sender and pair,
/// key, signature. `me` holds this site's own public keys: an envelope of ours may come back (R6).
///
/// Errors: `TooLarge`, `Malformed`, `WrongPair`, `UnknownKey`, `BadSignature` (X11).
pub fn verify(
    signed: &Signed,
    size_limit: usize,
    me: &Peer,
    peers: &BTreeMap<SiteId, Peer>,
) -> Result<Verified, SyncRefusal> {
    check_size(&signed.payload, size_limit)?;
    let parsed = parse(signed)?;
    let sender = find_sender(&parsed, me, peers)?;
    let pinned = sender
        .keys
        .get(&parsed.key_id)
        .filter(|pinned| !pinned.retired);
    let Some(pinned) = pinned.filter(|_| parsed.key_id == signed.key_id) else {
        return Err(SyncRefusal::UnknownKey {
            key_id: parsed.key_id,
        });
    };
    check_signature(signed, &pinned.key)?;
    Ok(Verified {
        message: parsed.message,
        signed: signed.clone(),
    })
}

fn check_size(payload: &str, size_limit: usize) -> Result<(), SyncRefusal> {
    if payload.len() > size_limit {
        return Err(SyncRefusal::TooLarge {
            bytes: payload.len(),
            max_bytes: size_limit,
        });
    }
    Ok(())
}

/// Who this claims to be from, if it is addressed to us, or is an envelope of ours coming back.
fn find_sender<'a>(
    parsed: &Parsed,
    me: &'a Peer,
    peers: &'a BTreeMap<SiteId, Peer>,
) -> Result<&'a Peer, SyncRefusal> {
    let (from, to) = (parsed.message.from, parsed.message.to);
    let is_envelope = matches!(parsed.message.content, MessageContent::Envelope(_));
    let sender = if to == me.site {
        peers.get(&from)
    } else if from == me.site && is_envelope && peers.contains_key(&to) {
        Some(me)
    } else {
        None
    };
    match sender {
        Some(sender) if from != to && parsed.pair == pair_hash(from, to) => Ok(sender),
        _ => Err(SyncRefusal::WrongPair { from, to }),
    }
}

fn check_signature(signed: &Signed, key: &VerifyingKey) -> Result<(), SyncRefusal> {
    let mut bytes = [0_u8; 64];
    hex::decode_to_slice(&signed.signature, &mut bytes).map_err(|_| SyncRefusal::BadSignature)?;
    let signature = Signature::from_bytes(&bytes);
    key.verify_strict(&framed(signed.message_type, &signed.payload), &signature)
        .map_err(|_| SyncRefusal::BadSignature)
}

/// Reads a payload that must be spelled canonically, so that parsing loses nothing of it.
fn parse(signed: &Signed) -> Result<Parsed, SyncRefusal> {
    use MessageContent as C;
    match signed.message_type {
        MessageType::Ticket => parse_as(signed, C::Ticket),
        MessageType::Reservation => parse_as(signed, C::Reservation),
        MessageType::Envelope => parse_as(signed, |record| C::Envelope(Box::new(record))),
        MessageType::Receipt => parse_as(signed, C::Receipt),
        MessageType::Release => parse_as(signed, C::Release),
        MessageType::Rejection => parse_as(signed, C::Rejection),
        MessageType::Head => parse_as(signed, C::Head),
    }
}

/// The record inside an envelope of our own store.
///
/// Errors: [`SyncRefusal::Malformed`] if it is no envelope.
pub(super) fn envelope_of(signed: &Signed) -> Result<Record, SyncRefusal> {
    match parse(signed)?.message.content {
        MessageContent::Envelope(record) => Ok(*record),
        _ => Err(SyncRefusal::malformed("not an envelope")),
    }
}

fn parse_as<T: Serialize + DeserializeOwned>(
    signed: &Signed,
    wrap: impl FnOnce(T) -> MessageContent,
) -> Result<Parsed, SyncRefusal> {
    let payload: Payload<T> =
        serde_json::from_str(&signed.payload).map_err(|error| SyncRefusal::Malformed {
            why: format!("line {}", error.line()),
        })?;
    if canonical_json(&payload)? != signed.payload {
        return Err(SyncRefusal::malformed("not in canonical form"));
    }
    let Payload {
        pair,
        group,
        from,
        to,
        key_id,
        content,
    } = payload;
    let message = Message {
        group,
        from,
        to,
        content: wrap(content),
    };
    Ok(Parsed {
        pair,
        key_id,
        message,
    })
}
