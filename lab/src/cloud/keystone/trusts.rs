//! Trusts. Deliberately absent: redelegation (refused, as for a trust that does not allow it).

use serde_json::{Value, json};

use super::auth::forbidden;
use super::{Keystone, Trust};
use crate::cloud::Cloud;
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::timefmt::{iso_micros_z, parse_iso};
use crate::cloud::wire::{Answer, Fault, Req, Resp};

fn trust_missing(id: &str) -> Fault {
    Fault::not_found(format!("Could not find trust: {id}."))
}

/// Application credentials may not touch trusts unless they are unrestricted (and Keystone of late
/// refuses even those).
fn refuse_app_credential(who: &Who) -> Result<(), Fault> {
    if who.restricted {
        return Err(Fault::forbidden(
            "You are not authorized to perform the requested action: Using method \
             'application_credential' is not allowed for managing trusts.",
        ));
    }
    Ok(())
}

impl Keystone {
    /// The trust, unless it was deleted or is past its end.
    pub(super) fn trust_alive(&self, id: &str, now_ms: i64) -> Option<&Trust> {
        let trust = self.trusts.get(id)?;
        let expired = trust.expires_ms.is_some_and(|end_ms| now_ms >= end_ms);
        (!expired).then_some(trust)
    }

    fn trust_view(&self, trust: &Trust, with_roles: bool) -> Value {
        let mut view = json!({
            "id": trust.id, "trustor_user_id": trust.trustor_user_id,
            "trustee_user_id": trust.trustee_user_id, "project_id": trust.project_id,
            "impersonation": trust.impersonation, "expires_at": trust.expires_ms.map(iso_micros_z),
            "remaining_uses": trust.remaining_uses, "deleted_at": null, "redelegation_count": 0,
            "links": {"self": format!("/v3/OS-TRUST/trusts/{}", trust.id)},
        });
        if with_roles {
            let roles: Vec<Value> = trust
                .role_ids
                .iter()
                .filter_map(|id| self.roles.get(id))
                .map(|role| json!({"id": role.id, "name": role.name}))
                .collect();
            json::put(&mut view, "roles", Value::Array(roles));
        }
        view
    }
}

impl Cloud {
    pub(super) fn trust_create(&mut self, body: &Value, who: &Who) -> Answer {
        let asked = json::need_object(body, "trust")?;
        refuse_app_credential(who)?;
        if who.trust_id.is_some() {
            return Err(forbidden());
        }
        let trustor = json::need(asked, "trustor_user_id")?;
        if trustor != who.user_id {
            return Err(Fault::forbidden(
                "You are not authorized to perform the requested action: The authenticated user \
                 should match the trustor.",
            ));
        }
        let trustee = json::need(asked, "trustee_user_id")?;
        if !self.keystone.users.contains_key(trustee) {
            return Err(Fault::not_found(format!("Could not find user: {trustee}.")));
        }
        let project_id = json::need(asked, "project_id")?.to_owned();
        let role_ids = self.trust_role_ids(asked, trustor, &project_id)?;
        let expires_ms = match json::text(asked, "expires_at") {
            None => None,
            Some(text) => Some(parse_iso(text).ok_or_else(|| {
                Fault::bad_request("Expiration time is not in the expected format.")
            })?),
        };
        let trust = Trust {
            id: self.ids.hex32(),
            trustor_user_id: trustor.to_owned(),
            trustee_user_id: trustee.to_owned(),
            project_id,
            role_ids,
            impersonation: json::truth(asked, "impersonation").unwrap_or(false),
            expires_ms,
            remaining_uses: json::number(asked, "remaining_uses"),
        };
        let view = self.keystone.trust_view(&trust, true);
        self.keystone.trusts.insert(trust.id.clone(), trust);
        Ok(Resp::json(201, json!({"trust": view})))
    }

    /// The asked roles by id or name; 404 for one that the trustor has not in the project.
    fn trust_role_ids(
        &self,
        asked: &Value,
        trustor: &str,
        project_id: &str,
    ) -> Result<Vec<String>, Fault> {
        let has = self.keystone.roles_in(trustor, project_id);
        let mut role_ids = Vec::new();
        for one in json::list(asked, "roles") {
            let (given, role) = match (json::text(one, "id"), json::text(one, "name")) {
                (Some(id), _) => (id, self.keystone.roles.get(id)),
                (None, Some(name)) => (name, self.keystone.role_named(name)),
                (None, None) => ("", None),
            };
            let role = role
                .filter(|role| has.contains(&role.id))
                .ok_or_else(|| Fault::not_found(format!("Could not find role: {given}.")))?;
            role_ids.push(role.id.clone());
        }
        if role_ids.is_empty() {
            return Err(Fault::forbidden(
                "You are not authorized to perform the requested action: At least one role should \
                 be specified.",
            ));
        }
        Ok(role_ids)
    }

    pub(super) fn trust_show(&self, id: &str, who: &Who, now_ms: i64) -> Answer {
        let trust = self
            .keystone
            .trust_alive(id, now_ms)
            .ok_or_else(|| trust_missing(id))?;
        let party = [&trust.trustor_user_id, &trust.trustee_user_id].contains(&&who.user_id);
        if !party && !who.is_admin() {
            return Err(forbidden());
        }
        Ok(Resp::json(
            200,
            json!({"trust": self.keystone.trust_view(trust, true)}),
        ))
    }

    pub(super) fn trust_list(&self, req: &Req, who: &Who, now_ms: i64) -> Answer {
        let trustor = req.query_value("trustor_user_id");
        let trustee = req.query_value("trustee_user_id");
        let own = trustor.or(trustee) == Some(who.user_id.as_str());
        if !own && !who.is_admin() {
            return Err(forbidden());
        }
        let views: Vec<Value> = self
            .keystone
            .trusts
            .values()
            .filter(|trust| trust.expires_ms.is_none_or(|end_ms| now_ms < end_ms))
            .filter(|trust| trustor.is_none_or(|id| id == trust.trustor_user_id))
            .filter(|trust| trustee.is_none_or(|id| id == trust.trustee_user_id))
            .map(|trust| self.keystone.trust_view(trust, false))
            .collect();
        Ok(Resp::json(200, json!({"trusts": views, "links": {}})))
    }

    pub(super) fn trust_delete(&mut self, id: &str, who: &Who, now_ms: i64) -> Answer {
        let trust = self
            .keystone
            .trust_alive(id, now_ms)
            .ok_or_else(|| trust_missing(id))?;
        if trust.trustor_user_id != who.user_id && !who.is_admin() {
            return Err(forbidden());
        }
        refuse_app_credential(who)?;
        self.keystone.trusts.remove(id);
        Ok(Resp::empty(204))
    }
}
