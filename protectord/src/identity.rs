//! Who this site is: its Ed25519 key, made once, sealed at rest.
//!
//! Absent: the keys of other sites, which administrators pin (`actors::admin`).

use protector_domain::ids::SiteId;
use protector_domain::sync::SigningIdentity;
use protector_runtime::ctx::Ctx;
use protector_store::{Identity, Store, StoreError};
use secrecy::{ExposeSecret, SecretSlice};

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
