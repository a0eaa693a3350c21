//! Who this site is: its Ed25519 key, made once, sealed at rest, and the pinned keys of the others.
//!
//! Absent: the exchange itself (`site pair`); an admin carries public keys, here they are stored.

use protector_actors::Peers;
use protector_domain::ids::SiteId;
use protector_domain::sync::{KeyId, Peer, PinnedKey, SigningIdentity};
use protector_runtime::ctx::Ctx;
use protector_store::{Identity, Store, StoreError};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A pinned public key, as stored with its site and as shown for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    pub key_id: KeyId,
    /// Ed25519, hex.
    pub ed25519: String,
    pub retired: bool,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the stored signing key is damaged; import it again: protector-manage key import")]
    Damaged,
}

/// The stored identity; made at the first call (`db sync`).
///
/// # Errors
/// The store; a damaged key.
pub async fn ensure(
    store: &Store,
    ctx: &Ctx,
    site: SiteId,
) -> Result<SigningIdentity, IdentityError> {
    if let Some(known) = store.identity_fetch().await? {
        let seed: [u8; 32] = known
            .secret
            .expose_secret()
            .try_into()
            .map_err(|_| IdentityError::Damaged)?;
        return Ok(SigningIdentity::from_seed(known.site, &seed));
    }
    let mut seed = [0; 32];
    ctx.entropy.fill(&mut seed);
    let identity = SigningIdentity::from_seed(site, &seed);
    let row = Identity {
        site,
        installation: ctx.uuid(),
        key_id: identity.key_id.clone(),
        secret: SecretSlice::from(seed.to_vec()),
    };
    store.identity_put(row).await?;
    Ok(identity)
}

/// What another site pins of us.
pub fn public_keys(identity: &SigningIdentity) -> Vec<PublicKey> {
    let pinned = identity.as_peer().keys.into_iter();
    pinned
        .map(|(key_id, pinned)| PublicKey {
            key_id,
            ed25519: hex::encode(pinned.key.to_bytes()),
            retired: pinned.retired,
        })
        .collect()
}

/// Keys as stored with a site; what cannot be read is not pinned.
fn peer_of(site: SiteId, keys: &Value) -> Peer {
    let keys: Vec<PublicKey> = serde_json::from_value(keys.clone()).unwrap_or_default();
    let pinned = keys.into_iter().filter_map(|key| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&key.ed25519, &mut bytes).ok()?;
        let verifying = ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok()?;
        let is_its_own = KeyId::of(&verifying) == key.key_id;
        is_its_own.then_some((
            key.key_id,
            PinnedKey {
                key: verifying,
                retired: key.retired,
            },
        ))
    });
    Peer {
        site,
        keys: pinned.collect::<BTreeMap<_, _>>(),
    }
}

/// Every registered site that has pinned keys, but this one.
///
/// # Errors
/// The store.
pub async fn peers(store: &Store, me: SiteId) -> Result<Peers, StoreError> {
    let sites = store.site_list().await?.into_iter().filter(|s| s.id != me);
    let peers = sites.map(|s| (s.id, peer_of(s.id, &s.peer_keys)));
    Ok(peers.filter(|(_, peer)| !peer.keys.is_empty()).collect())
}
