//! Sessions: an API token buys one, an idle one dies, and 401 stands for nothing else.

use protector_runtime::ctx::Ctx;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Sessions at once; the one idle for longest goes first.
const SESSIONS_MAX: usize = 1_024;
/// How long a session may idle.
const IDLE_MAX_MS: i64 = 30 * 60 * 1_000;

pub(super) struct Sessions {
    api_token: SecretString,
    /// When each was used last, Unix milliseconds.
    used_ms: Mutex<BTreeMap<String, i64>>,
}

impl Sessions {
    pub fn new(api_token: SecretString) -> Self {
        Self {
            api_token,
            used_ms: Mutex::default(),
        }
    }

    /// A new session's token, if `api_token` is this array's.
    pub fn login(&self, api_token: &str, ctx: &Ctx) -> Option<String> {
        if api_token != self.api_token.expose_secret() {
            return None;
        }
        let token = ctx.uuid().to_string();
        let mut used = self.used_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= SESSIONS_MAX {
            let oldest = used
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(t, _)| t.clone());
            oldest.and_then(|token| used.remove(&token));
        }
        used.insert(token.clone(), ctx.now_ms());
        Some(token)
    }

    /// True while it lives; using it keeps it alive.
    pub fn is_alive(&self, token: &str, now_ms: i64) -> bool {
        let mut used = self.used_ms.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(token) {
            Some(at) if now_ms - *at <= IDLE_MAX_MS => {
                *at = now_ms;
                true
            }
            Some(_) => {
                used.remove(token);
                false
            }
            None => false,
        }
    }

    pub fn logout(&self, token: &str) {
        let mut used = self.used_ms.lock().unwrap_or_else(PoisonError::into_inner);
        used.remove(token);
    }
}
