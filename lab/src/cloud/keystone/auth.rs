//! `POST /auth/tokens`: from proof and scope to a token.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::tokens::{Dead, Token};
use super::{DOMAIN_ID, DOMAIN_NAME, User};
use crate::cloud::Cloud;
use crate::cloud::json;
use crate::cloud::wire::{Answer, Fault, Resp};

/// Who proved to be there, and how.
struct Proof {
    user_id: String,
    methods: Vec<String>,
    app_credential_id: Option<String>,
    /// A trust token may not be turned into another one.
    from_trust: bool,
    expires_ms: Option<i64>,
}

enum Scope {
    Unscoped,
    Project(String),
    Trust(String),
}

pub(super) fn unauthorized() -> Fault {
    Fault::typed(
        401,
        "Unauthorized",
        "The request you have made requires authentication.",
    )
}

pub(super) fn forbidden() -> Fault {
    Fault::forbidden("You are not authorized to perform the requested action.")
}

/// Whether a `domain` object, where given, means the one domain.
fn domain_fits(holder: &Value) -> bool {
    let Some(domain) = holder.get("domain") else {
        return true;
    };
    json::text(domain, "id").is_none_or(|id| id == DOMAIN_ID)
        && json::text(domain, "name").is_none_or(|name| name.eq_ignore_ascii_case(DOMAIN_NAME))
}

impl Cloud {
    pub(super) fn auth(&mut self, body: &Value, now_ms: i64) -> Answer {
        let auth = json::need_object(body, "auth")?;
        let identity = json::need_object(auth, "identity")?;
        let proof = self.auth_prove(identity, now_ms)?;
        let scope = self.auth_scope(auth, &proof, now_ms)?;
        self.token_issue(&proof, scope, now_ms)
    }

    fn auth_prove(&self, identity: &Value, now_ms: i64) -> Result<Proof, Fault> {
        let methods = json::texts(identity, "methods");
        let method = methods.first().map(String::as_str).unwrap_or_default();
        match method {
            "password" => self.auth_password(json::need_object(identity, "password")?),
            "token" => self.auth_token(json::need_object(identity, "token")?, now_ms),
            "application_credential" => {
                let given = json::need_object(identity, "application_credential")?;
                self.auth_app_credential(given, now_ms)
            }
            _ => Err(unauthorized()),
        }
    }

    fn auth_user(&self, given: &Value) -> Result<&User, Fault> {
        let user = match (json::text(given, "id"), json::text(given, "name")) {
            (Some(id), _) => self.keystone.users.get(id),
            (None, Some(name)) if domain_fits(given) => self.keystone.user_named(name),
            _ => None,
        };
        user.filter(|user| user.enabled).ok_or_else(unauthorized)
    }

    fn auth_password(&self, method: &Value) -> Result<Proof, Fault> {
        let given = json::need_object(method, "user")?;
        let user = self.auth_user(given)?;
        if json::text(given, "password") != Some(user.password.expose_secret()) {
            return Err(unauthorized());
        }
        Ok(Proof {
            user_id: user.id.clone(),
            methods: vec!["password".to_owned()],
            app_credential_id: None,
            from_trust: false,
            expires_ms: None,
        })
    }

    fn auth_token(&self, method: &Value, now_ms: i64) -> Result<Proof, Fault> {
        let text = json::need(method, "id")?;
        let token = self.keystone.token(text).ok_or_else(unauthorized)?;
        self.keystone
            .token_roles(token, now_ms)
            .map_err(|_| unauthorized())?;
        let mut methods = token.methods.clone();
        methods.retain(|method| method != "token");
        methods.push("token".to_owned());
        Ok(Proof {
            user_id: token.user_id.clone(),
            methods,
            app_credential_id: token.app_credential_id.clone(),
            from_trust: token.trust_id.is_some(),
            expires_ms: Some(token.expires_ms),
        })
    }

    fn auth_app_credential(&self, given: &Value, now_ms: i64) -> Result<Proof, Fault> {
        let credential = match (json::text(given, "id"), json::text(given, "name")) {
            (Some(id), _) => self.keystone.app_credentials.get(id),
            (None, Some(name)) => {
                let owner = self.auth_user(json::need_object(given, "user")?)?;
                let mut all = self.keystone.app_credentials.values();
                all.find(|one| one.user_id == owner.id && one.name == name)
            }
            _ => None,
        };
        let credential = credential.ok_or_else(unauthorized)?;
        let expired = credential.expires_ms.is_some_and(|end_ms| now_ms >= end_ms);
        let wrong = json::text(given, "secret") != Some(credential.secret.expose_secret());
        if expired || wrong || !self.keystone.user_enabled(&credential.user_id) {
            return Err(unauthorized());
        }
        Ok(Proof {
            user_id: credential.user_id.clone(),
            methods: vec!["application_credential".to_owned()],
            app_credential_id: Some(credential.id.clone()),
            from_trust: false,
            expires_ms: credential.expires_ms,
        })
    }

    fn auth_scope(&self, auth: &Value, proof: &Proof, now_ms: i64) -> Result<Scope, Fault> {
        let credential = proof.app_credential_id.as_ref();
        if let Some(credential) = credential.and_then(|id| self.keystone.app_credentials.get(id)) {
            return Ok(Scope::Project(credential.project_id.clone()));
        }
        if proof.from_trust {
            return Err(forbidden());
        }
        let Some(scope) = auth.get("scope") else {
            return Ok(self.auth_default_scope(proof));
        };
        if scope.as_str() == Some("unscoped") || scope.get("unscoped").is_some() {
            return Ok(Scope::Unscoped);
        }
        if let Some(trust) = scope.get("OS-TRUST:trust") {
            return self.auth_trust_scope(json::need(trust, "id")?, proof, now_ms);
        }
        let given = json::need_object(scope, "project")?;
        let project = match (json::text(given, "id"), json::text(given, "name")) {
            (Some(id), _) => self.keystone.projects.get(id),
            (None, Some(name)) if domain_fits(given) => self.keystone.project_named(name),
            _ => None,
        };
        let project = project.ok_or_else(unauthorized)?;
        Ok(Scope::Project(project.id.clone()))
    }

    fn auth_default_scope(&self, proof: &Proof) -> Scope {
        let user = self.keystone.users.get(&proof.user_id);
        let project = user.and_then(|user| user.default_project_id.clone());
        match project {
            Some(id) if !self.keystone.roles_in(&proof.user_id, &id).is_empty() => {
                Scope::Project(id)
            }
            _ => Scope::Unscoped,
        }
    }

    fn auth_trust_scope(&self, id: &str, proof: &Proof, now_ms: i64) -> Result<Scope, Fault> {
        let trust = self
            .keystone
            .trust_alive(id, now_ms)
            .ok_or_else(|| Fault::not_found(format!("Could not find trust: {id}.")))?;
        let spent = trust.remaining_uses.is_some_and(|left| left <= 0);
        if spent || trust.trustee_user_id != proof.user_id {
            return Err(forbidden());
        }
        Ok(Scope::Trust(trust.id.clone()))
    }

    fn token_issue(&mut self, proof: &Proof, scope: Scope, now_ms: i64) -> Answer {
        let natural_ms = now_ms + self.knobs.token_lifetime_s * 1_000;
        let expires_ms = proof
            .expires_ms
            .map_or(natural_ms, |end_ms| end_ms.min(natural_ms));
        let (project_id, trust_id) = match scope {
            Scope::Unscoped => (None, None),
            Scope::Project(id) => (Some(id), None),
            Scope::Trust(id) => {
                let project_id = self
                    .keystone
                    .trusts
                    .get(&id)
                    .map(|trust| trust.project_id.clone());
                (project_id, Some(id))
            }
        };
        let token = Token {
            user_id: proof.user_id.clone(),
            methods: proof.methods.clone(),
            project_id,
            trust_id,
            app_credential_id: proof.app_credential_id.clone(),
            audit_id: self.ids.hex32(),
            issued_ms: now_ms,
            expires_ms,
            revoked: false,
        };
        let roles = self
            .keystone
            .token_roles(&token, now_ms)
            .map_err(|dead| match dead {
                Dead::Gone => unauthorized(),
                Dead::Forbidden => forbidden(),
            })?;
        if let Some(trust) = token
            .trust_id
            .as_ref()
            .and_then(|id| self.keystone.trusts.get_mut(id))
        {
            trust.remaining_uses = trust.remaining_uses.map(|left| left - 1);
        }
        let mut view = self.keystone.token_view(&token, &roles);
        if let Some(project_id) = &token.project_id {
            let catalog = self.keystone.catalog(&self.config, project_id);
            json::put(&mut view, "catalog", catalog);
        }
        let text = format!("gAAAAAB{}{}", self.ids.hex32(), self.ids.hex32());
        self.keystone.token_keep(text.clone(), token);
        Ok(Resp::json(201, json!({"token": view})).header("X-Subject-Token", &text))
    }

    /// A project token without a login, for seeds.
    pub(in crate::cloud) fn token_mint(
        &mut self,
        user_id: &str,
        project_id: &str,
        now_ms: i64,
        expires_ms: i64,
    ) -> String {
        let token = Token {
            user_id: user_id.to_owned(),
            methods: vec!["password".to_owned()],
            project_id: Some(project_id.to_owned()),
            trust_id: None,
            app_credential_id: None,
            audit_id: self.ids.hex32(),
            issued_ms: now_ms,
            expires_ms,
            revoked: false,
        };
        let text = format!("gAAAAAB{}{}", self.ids.hex32(), self.ids.hex32());
        self.keystone.token_keep(text.clone(), token);
        text
    }
}
