//! Tokens: what they were issued for and whether they still stand.
//!
//! Deliberately absent: Fernet. A token is an opaque text whose meaning is looked up.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{DOMAIN_ID, DOMAIN_NAME, Keystone};
use crate::cloud::Cloud;
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::timefmt::iso_micros_z;

/// A token as issued.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) user_id: String,
    pub(super) methods: Vec<String>,
    pub(super) project_id: Option<String>,
    pub(super) trust_id: Option<String>,
    pub(super) app_credential_id: Option<String>,
    pub(super) audit_id: String,
    pub(super) issued_ms: i64,
    pub(super) expires_ms: i64,
    pub(super) revoked: bool,
}

/// What a service learns when it asks Keystone about a token.
pub(crate) enum TokenCheck {
    /// It stands for this identity.
    Valid(Who),
    /// Keystone answers 404: unknown, expired, revoked. The service answers 401.
    Gone,
    /// Keystone answers 403: the trustor is disabled or lost the role. The service answers 503.
    Forbidden,
}

/// Why a token does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dead {
    Gone,
    Forbidden,
}

impl Keystone {
    /// The role ids of a token now, or why it is dead.
    pub(super) fn token_roles(&self, token: &Token, now_ms: i64) -> Result<BTreeSet<String>, Dead> {
        if token.revoked || now_ms >= token.expires_ms || !self.user_enabled(&token.user_id) {
            return Err(Dead::Gone);
        }
        let Some(project_id) = &token.project_id else {
            return Ok(BTreeSet::new());
        };
        if !self
            .projects
            .get(project_id)
            .is_some_and(|project| project.enabled)
        {
            return Err(Dead::Gone);
        }
        if let Some(trust_id) = &token.trust_id {
            return self.trust_roles(trust_id, now_ms);
        }
        let mut roles = self.roles_in(&token.user_id, project_id);
        if let Some(credential_id) = &token.app_credential_id {
            let credential = self.app_credentials.get(credential_id).ok_or(Dead::Gone)?;
            let granted = self.implied(credential.role_ids.iter().cloned());
            roles.retain(|id| granted.contains(id));
        }
        if roles.is_empty() {
            return Err(Dead::Gone);
        }
        Ok(roles)
    }

    /// The roles a trust gives now. Gone: no such trust, or past its end. Forbidden: the trustor is
    /// disabled or no longer has every delegated role.
    pub(super) fn trust_roles(
        &self,
        trust_id: &str,
        now_ms: i64,
    ) -> Result<BTreeSet<String>, Dead> {
        let trust = self.trust_alive(trust_id, now_ms).ok_or(Dead::Gone)?;
        let delegated = self.implied(trust.role_ids.iter().cloned());
        let has = self.roles_in(&trust.trustor_user_id, &trust.project_id);
        if !self.user_enabled(&trust.trustor_user_id) || !delegated.is_subset(&has) {
            return Err(Dead::Forbidden);
        }
        Ok(delegated)
    }

    /// The token behind a text, if it was ever issued.
    pub(super) fn token(&self, text: &str) -> Option<&Token> {
        self.tokens.get(text)
    }

    /// Marks every token revoked that `hit` selects.
    pub(super) fn tokens_revoke(&mut self, hit: impl Fn(&Token) -> bool) {
        for token in self.tokens.values_mut().filter(|token| hit(token)) {
            token.revoked = true;
        }
    }

    pub(super) fn token_revoke(&mut self, text: &str) {
        if let Some(token) = self.tokens.get_mut(text) {
            token.revoked = true;
        }
    }

    pub(super) fn token_keep(&mut self, text: String, token: Token) {
        self.tokens.insert(text, token);
    }

    /// Who a token speaks for: the trustor when its trust impersonates.
    fn acting_user(&self, token: &Token) -> String {
        let trust = token.trust_id.as_ref().and_then(|id| self.trusts.get(id));
        match trust {
            Some(trust) if trust.impersonation => trust.trustor_user_id.clone(),
            _ => token.user_id.clone(),
        }
    }

    fn who(&self, token: &Token, roles: &BTreeSet<String>) -> Who {
        let credential = token.app_credential_id.as_ref();
        let restricted = credential
            .and_then(|id| self.app_credentials.get(id))
            .is_some_and(|credential| !credential.unrestricted);
        Who {
            user_id: self.acting_user(token),
            project_id: token.project_id.clone(),
            roles: self.role_names(roles),
            trust_id: token.trust_id.clone(),
            restricted,
        }
    }

    /// The `{"token": ...}` document of a living token.
    pub(super) fn token_view(&self, token: &Token, roles: &BTreeSet<String>) -> Value {
        let domain = json!({"id": DOMAIN_ID, "name": DOMAIN_NAME});
        let acting = self.acting_user(token);
        let name = self.users.get(&acting).map(|user| user.name.clone());
        let mut view = json!({
            "methods": token.methods, "audit_ids": [token.audit_id],
            "issued_at": iso_micros_z(token.issued_ms), "expires_at": iso_micros_z(token.expires_ms),
            "user": {"id": acting, "name": name, "domain": domain, "password_expires_at": null},
        });
        let Some(project) = token
            .project_id
            .as_ref()
            .and_then(|id| self.projects.get(id))
        else {
            return view;
        };
        let roles: Vec<Value> = roles
            .iter()
            .filter_map(|id| self.roles.get(id))
            .map(|role| json!({"id": role.id, "name": role.name}))
            .collect();
        json::put(&mut view, "roles", Value::Array(roles));
        json::put(&mut view, "is_domain", json!(false));
        json::put(
            &mut view,
            "project",
            json!({"id": project.id, "name": project.name, "domain": domain}),
        );
        self.token_view_delegation(token, &mut view);
        view
    }

    fn token_view_delegation(&self, token: &Token, view: &mut Value) {
        if let Some(trust) = token.trust_id.as_ref().and_then(|id| self.trusts.get(id)) {
            let shown = json!({
                "id": trust.id, "impersonation": trust.impersonation,
                "trustor_user": {"id": trust.trustor_user_id},
                "trustee_user": {"id": trust.trustee_user_id},
            });
            json::put(view, "OS-TRUST:trust", shown);
        }
        let credential = token.app_credential_id.as_ref();
        if let Some(credential) = credential.and_then(|id| self.app_credentials.get(id)) {
            let shown = json!({
                "id": credential.id, "name": credential.name,
                "restricted": !credential.unrestricted,
            });
            json::put(view, "application_credential", shown);
        }
    }
}

impl Cloud {
    /// What Keystone says of a token now.
    pub(in crate::cloud) fn token_check(&self, text: &str, now_ms: i64) -> TokenCheck {
        let Some(token) = self.keystone.token(text) else {
            return TokenCheck::Gone;
        };
        match self.keystone.token_roles(token, now_ms) {
            Ok(roles) => TokenCheck::Valid(self.keystone.who(token, &roles)),
            Err(Dead::Gone) => TokenCheck::Gone,
            Err(Dead::Forbidden) => TokenCheck::Forbidden,
        }
    }
}
