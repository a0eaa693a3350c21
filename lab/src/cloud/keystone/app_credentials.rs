//! Application credentials: a secret of a user for one project and some of its roles.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::auth::forbidden;
use super::{AppCredential, Keystone};
use crate::cloud::Cloud;
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::timefmt::{iso_micros, parse_iso};
use crate::cloud::wire::{Answer, Fault, Resp};

fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Could not find Application Credential: {id}."))
}

impl Keystone {
    fn app_credential_view(&self, credential: &AppCredential) -> Value {
        let roles: Vec<Value> = credential
            .role_ids
            .iter()
            .filter_map(|id| self.roles.get(id))
            .map(|role| json!({"id": role.id, "name": role.name}))
            .collect();
        json!({
            "id": credential.id, "name": credential.name, "description": credential.description,
            "project_id": credential.project_id, "user_id": credential.user_id, "roles": roles,
            "unrestricted": credential.unrestricted,
            "expires_at": credential.expires_ms.map(iso_micros),
        })
    }
}

impl Cloud {
    pub(super) fn app_credential_create(
        &mut self,
        user_id: &str,
        body: &Value,
        who: &Who,
    ) -> Answer {
        let asked = json::need_object(body, "application_credential")?;
        let Some(project_id) = who.project_id.clone() else {
            return Err(Fault::bad_request("A project-scoped token is required."));
        };
        if who.user_id != user_id || who.restricted || who.trust_id.is_some() {
            return Err(forbidden());
        }
        let name = json::need(asked, "name")?.to_owned();
        let mut all = self.keystone.app_credentials.values();
        if all.any(|one| one.user_id == user_id && one.name == name) {
            return Err(Fault::conflict(
                "Conflict occurred attempting to store application_credential - Duplicate entry found.",
            ));
        }
        let role_ids = self.app_credential_roles(asked, user_id, &project_id)?;
        let secret = match json::text(asked, "secret") {
            Some(secret) => secret.to_owned(),
            None => format!("{}{}", self.ids.hex32(), self.ids.hex32()),
        };
        let credential = AppCredential {
            id: self.ids.hex32(),
            name,
            description: json::text_or_empty(asked, "description"),
            user_id: user_id.to_owned(),
            project_id,
            role_ids,
            unrestricted: json::truth(asked, "unrestricted").unwrap_or(false),
            expires_ms: json::text(asked, "expires_at").and_then(parse_iso),
            secret: SecretString::from(secret),
        };
        let mut view = self.keystone.app_credential_view(&credential);
        // The one answer that shows the secret.
        json::put(
            &mut view,
            "secret",
            json!(credential.secret.expose_secret()),
        );
        self.keystone
            .app_credentials
            .insert(credential.id.clone(), credential);
        Ok(Resp::json(201, json!({"application_credential": view})))
    }

    fn app_credential_roles(
        &self,
        asked: &Value,
        user_id: &str,
        project_id: &str,
    ) -> Result<Vec<String>, Fault> {
        let has = self.keystone.roles_in(user_id, project_id);
        let listed = json::list(asked, "roles");
        if listed.is_empty() {
            return Ok(has.into_iter().collect());
        }
        let find = |one: &Value| {
            let role = match (json::text(one, "id"), json::text(one, "name")) {
                (Some(id), _) => self.keystone.roles.get(id),
                (None, Some(name)) => self.keystone.role_named(name),
                (None, None) => None,
            };
            role.filter(|role| has.contains(&role.id))
                .map(|role| role.id.clone())
                .ok_or_else(|| Fault::bad_request("Could not find role assignment for the user."))
        };
        listed.iter().map(find).collect()
    }

    fn app_credential_of(
        &self,
        user_id: &str,
        id: &str,
        who: &Who,
    ) -> Result<&AppCredential, Fault> {
        if who.user_id != user_id && !who.is_admin() {
            return Err(forbidden());
        }
        let found = self.keystone.app_credentials.get(id);
        found
            .filter(|credential| credential.user_id == user_id)
            .ok_or_else(|| missing(id))
    }

    pub(super) fn app_credential_show(&self, user_id: &str, id: &str, who: &Who) -> Answer {
        let credential = self.app_credential_of(user_id, id, who)?;
        let view = self.keystone.app_credential_view(credential);
        Ok(Resp::json(200, json!({"application_credential": view})))
    }

    pub(super) fn app_credential_list(&self, user_id: &str, who: &Who) -> Answer {
        if who.user_id != user_id && !who.is_admin() {
            return Err(forbidden());
        }
        let all = self.keystone.app_credentials.values();
        let views: Vec<Value> = all
            .filter(|credential| credential.user_id == user_id)
            .map(|credential| self.keystone.app_credential_view(credential))
            .collect();
        Ok(Resp::json(
            200,
            json!({"application_credentials": views, "links": {}}),
        ))
    }

    pub(super) fn app_credential_delete(&mut self, user_id: &str, id: &str, who: &Who) -> Answer {
        self.app_credential_of(user_id, id, who)?;
        if who.restricted {
            return Err(forbidden());
        }
        self.keystone.app_credentials.remove(id);
        Ok(Resp::empty(204))
    }
}
