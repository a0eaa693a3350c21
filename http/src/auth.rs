//! Who is calling: tokens are shown to Keystone, and its answer is believed for a short time.
//!
//! Absent: what the bearer may do (`policy`). Tokens are never kept: the cache knows their SHA-256.

use crate::error::ApiError;
use crate::limits::{TOKEN_BYTES_MAX, TOKEN_TTL_MS, TOKENS_MAX};
use crate::request::single_header;
use http::HeaderMap;
use protector_domain::ports::Identity;
use protector_domain::ports::identity::TokenInfo;
use protector_runtime::Ctx;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const TOKEN_HEADER: &str = "x-auth-token";
const US_PER_S: i64 = 1_000_000;

type Key = [u8; 32];

struct Known {
    info: TokenInfo,
    until: Instant,
}

/// Asks Keystone, and remembers for [`TOKEN_TTL_MS`] what it said of good tokens. Bad ones are not
/// remembered, so nobody without a token makes this grow (K18).
pub(crate) struct Auth {
    identity: Arc<dyn Identity>,
    ctx: Ctx,
    known: Mutex<BTreeMap<Key, Known>>,
}

/// The token of a request.
///
/// Errors: `Unauthorized` without exactly one that could be a token.
pub(crate) fn token_of(headers: &HeaderMap) -> Result<SecretString, ApiError> {
    let found = single_header(headers, TOKEN_HEADER).ok().flatten();
    let token = found.filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX);
    token.map(SecretString::from).ok_or(ApiError::Unauthorized)
}

impl Auth {
    pub fn new(identity: Arc<dyn Identity>, ctx: Ctx) -> Self {
        Self {
            identity,
            ctx,
            known: Mutex::new(BTreeMap::new()),
        }
    }

    /// Who bears `token`.
    ///
    /// Errors: `Unauthorized` if nobody does or it has run out, `IdentityUnavailable` if Keystone
    /// gave no answer; an old answer is not used instead (K9).
    pub async fn validate(&self, token: &SecretString) -> Result<TokenInfo, ApiError> {
        let key: Key = Sha256::digest(token.expose_secret()).into();
        if let Some(info) = self.recall(&key) {
            return Ok(info);
        }
        let asked = self.identity.token_validate(token).await;
        let answer = asked.map_err(|error| {
            tracing::warn!(%error, "a token could not be validated");
            ApiError::IdentityUnavailable
        })?;
        let info = answer
            .filter(|info| self.is_valid(info))
            .ok_or(ApiError::Unauthorized)?;
        self.remember(key, info.clone());
        Ok(info)
    }

    fn is_valid(&self, info: &TokenInfo) -> bool {
        info.expires_at_s.saturating_mul(US_PER_S) > self.ctx.now_us()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Key, Known>> {
        // Plain values: a panic elsewhere leaves them whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, key: &Key) -> Option<TokenInfo> {
        let mut known = self.known();
        let is_good = |found: &Known| found.until > Instant::now() && self.is_valid(&found.info);
        let info = known
            .get(key)
            .filter(|found| is_good(found))
            .map(|found| found.info.clone());
        if info.is_none() {
            known.remove(key);
        }
        info
    }

    fn remember(&self, key: Key, info: TokenInfo) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() >= TOKENS_MAX {
            known.retain(|_, found| found.until > now);
        }
        if known.len() >= TOKENS_MAX {
            let oldest = known
                .iter()
                .min_by_key(|(_, found)| found.until)
                .map(|(key, _)| *key);
            oldest.map(|key| known.remove(&key));
        }
        known.insert(
            key,
            Known {
                info,
                until: now + Duration::from_millis(TOKEN_TTL_MS),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    #[async_trait::async_trait]
    impl Identity for Nobody {
        async fn token_validate(
            &self,
            _token: &SecretString,
        ) -> protector_domain::ports::PortResult<Option<TokenInfo>> {
            Ok(None)
        }

        async fn delegation_check(
            &self,
            _acting: &protector_domain::ports::Acting,
        ) -> protector_domain::ports::PortResult<()> {
            Ok(())
        }

        async fn trust_take(
            &self,
            _token: &SecretString,
            _ask: &protector_domain::ports::identity::TrustAsk,
        ) -> protector_domain::ports::PortResult<protector_domain::ids::TrustId> {
            Ok("t".into())
        }

        async fn trust_end(
            &self,
            _trust: &protector_domain::ids::TrustId,
        ) -> protector_domain::ports::PortResult<()> {
            Ok(())
        }
    }

    fn info() -> TokenInfo {
        TokenInfo {
            user_id: "u".into(),
            user_name: "u".into(),
            project_id: Some("p".into()),
            project_name: None,
            roles: vec![],
            expires_at_s: 1_000,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_cache_drops_its_oldest_entry() {
        let auth = Auth::new(Arc::new(Nobody), Ctx::seeded("a", 1, 0));
        let key = |n: usize| -> Key { Sha256::digest(n.to_le_bytes()).into() };
        for n in 0..TOKENS_MAX {
            auth.remember(key(n), info());
            tokio::time::advance(Duration::from_micros(1)).await;
        }
        auth.remember(key(TOKENS_MAX), info());
        assert_eq!(auth.known().len(), TOKENS_MAX);
        assert!(auth.recall(&key(0)).is_none(), "the oldest one had to go");
        assert!(auth.recall(&key(1)).is_some() && auth.recall(&key(TOKENS_MAX)).is_some());
    }
}
