//! Keystone's paths. Deliberately absent: what happens behind them.

use serde_json::{Value, json};

use super::auth::{forbidden, unauthorized};
use super::tokens::Dead;
use super::{DOMAIN_ID, DOMAIN_NAME, TokenCheck};
use crate::cloud::Cloud;
use crate::cloud::dispatch::nowhere;
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::wire::{Answer, Fault, Req, Resp};

fn domain_view() -> Value {
    json!({"id": DOMAIN_ID, "name": DOMAIN_NAME, "enabled": true, "description": "", "options": {}, "links": {}})
}

impl Cloud {
    pub(in crate::cloud) fn keystone_answer(
        &mut self,
        rest: &[&str],
        req: &Req,
        now_ms: i64,
        seen: &mut Option<Who>,
    ) -> Answer {
        let Some(("v3", rest)) = rest.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(nowhere());
        };
        let body = req.body_json()?;
        if let ("POST", ["auth", "tokens"]) = (req.method.as_str(), rest) {
            return self.auth(&body, now_ms);
        }
        let text = req.header_value("x-auth-token").unwrap_or_default();
        let who = match self.token_check(text, now_ms) {
            TokenCheck::Valid(who) => who,
            TokenCheck::Gone | TokenCheck::Forbidden => return Err(unauthorized()),
        };
        *seen = Some(who.clone());
        match rest.first().copied() {
            Some("auth") => self.auth_paths(rest, req, &who, now_ms),
            Some("OS-TRUST") => self.trust_paths(rest, req, &body, &who, now_ms),
            Some("users") => self.user_paths(rest, req, &body, &who),
            Some("projects") => self.project_paths(rest, req, &body, &who),
            _ => self.other_paths(rest, req, &body, &who),
        }
    }

    fn auth_paths(&mut self, rest: &[&str], req: &Req, who: &Who, now_ms: i64) -> Answer {
        match (req.method.as_str(), rest) {
            ("GET" | "HEAD", ["auth", "tokens"]) => self.token_show(req, who, now_ms),
            ("DELETE", ["auth", "tokens"]) => {
                let subject = req.header_value("x-subject-token").unwrap_or_default();
                self.keystone.token_revoke(subject);
                Ok(Resp::empty(204))
            }
            ("GET", ["auth", "projects"]) => self.project_list_of(req, &who.user_id),
            ("GET", ["auth", "catalog"]) => {
                let catalog = self.keystone.catalog(&self.config, who.project());
                Ok(Resp::json(200, json!({"catalog": catalog, "links": {}})))
            }
            ("GET", ["auth", "domains"]) => {
                Ok(Resp::json(200, json!({"domains": [domain_view()]})))
            }
            _ => Err(nowhere()),
        }
    }

    /// Token validation: own token, or any token for services and admins.
    fn token_show(&self, req: &Req, who: &Who, now_ms: i64) -> Answer {
        let subject = req.header_value("x-subject-token").unwrap_or_default();
        let own = req.header_value("x-auth-token") == Some(subject);
        if !own && !who.is_admin() && !who.roles.contains("service") {
            return Err(forbidden());
        }
        let gone = || Fault::not_found("Failed to validate token");
        let token = self.keystone.token(subject).ok_or_else(gone)?;
        let roles = self
            .keystone
            .token_roles(token, now_ms)
            .map_err(|dead| match dead {
                Dead::Gone => gone(),
                Dead::Forbidden => forbidden(),
            })?;
        let mut view = self.keystone.token_view(token, &roles);
        if let Some(project_id) = token
            .project_id
            .as_ref()
            .filter(|_| req.query_value("nocatalog").is_none())
        {
            let catalog = self.keystone.catalog(&self.config, project_id);
            json::put(&mut view, "catalog", catalog);
        }
        Ok(Resp::json(200, json!({"token": view})).header("X-Subject-Token", subject))
    }

    fn trust_paths(
        &mut self,
        rest: &[&str],
        req: &Req,
        body: &Value,
        who: &Who,
        now_ms: i64,
    ) -> Answer {
        match (req.method.as_str(), rest) {
            ("POST", ["OS-TRUST", "trusts"]) => self.trust_create(body, who),
            ("GET", ["OS-TRUST", "trusts"]) => self.trust_list(req, who, now_ms),
            ("GET", ["OS-TRUST", "trusts", id]) => self.trust_show(id, who, now_ms),
            ("DELETE", ["OS-TRUST", "trusts", id]) => self.trust_delete(id, who, now_ms),
            _ => Err(nowhere()),
        }
    }

    fn user_paths(&mut self, rest: &[&str], req: &Req, body: &Value, who: &Who) -> Answer {
        match (req.method.as_str(), rest) {
            ("GET", ["users", id]) => self.user_show(id, who),
            ("GET", ["users", id, "projects"]) if who.user_id == *id || who.is_admin() => {
                self.project_list_of(req, id)
            }
            ("POST", ["users", id, "application_credentials"]) => {
                self.app_credential_create(id, body, who)
            }
            ("GET", ["users", id, "application_credentials"]) => self.app_credential_list(id, who),
            ("GET", ["users", id, "application_credentials", one]) => {
                self.app_credential_show(id, one, who)
            }
            ("DELETE", ["users", id, "application_credentials", one]) => {
                self.app_credential_delete(id, one, who)
            }
            _ if !who.is_admin() => Err(forbidden()),
            ("GET", ["users"]) => self.user_list(req),
            ("POST", ["users"]) => self.user_create(body),
            ("PATCH", ["users", id]) => self.user_change(id, body),
            ("DELETE", ["users", id]) => self.user_delete(id),
            _ => Err(nowhere()),
        }
    }

    fn project_paths(&mut self, rest: &[&str], req: &Req, body: &Value, who: &Who) -> Answer {
        match (req.method.as_str(), rest) {
            ("GET", ["projects", id]) => self.project_show(id, who),
            _ if !who.is_admin() => Err(forbidden()),
            ("GET", ["projects"]) => self.project_list(req, |_| true),
            ("POST", ["projects"]) => self.project_create(body),
            ("PATCH", ["projects", id]) => self.project_change(id, body),
            ("DELETE", ["projects", id]) => self.project_delete(id),
            ("GET", ["projects", project, "users", user, "roles"]) => {
                self.grant_roles(project, user)
            }
            ("PUT", ["projects", project, "users", user, "roles", role]) => {
                self.grant_add(project, user, role)
            }
            ("HEAD" | "GET", ["projects", project, "users", user, "roles", role]) => {
                self.grant_check(project, user, role)
            }
            ("DELETE", ["projects", project, "users", user, "roles", role]) => {
                self.grant_remove(project, user, role)
            }
            _ => Err(nowhere()),
        }
    }

    fn other_paths(&mut self, rest: &[&str], req: &Req, body: &Value, who: &Who) -> Answer {
        let region = json!({"id": self.config.region, "description": "", "parent_region_id": null, "links": {}});
        match (req.method.as_str(), rest) {
            ("GET", ["regions"]) => Ok(Resp::json(200, json!({"regions": [region], "links": {}}))),
            ("GET", ["regions", id]) if *id == self.config.region => {
                Ok(Resp::json(200, json!({"region": region})))
            }
            _ if !who.is_admin() => Err(forbidden()),
            ("GET", ["roles"]) => self.role_list(req),
            ("GET", ["roles", id]) => self.role_show(id),
            ("POST", ["roles"]) => self.role_create(body),
            ("DELETE", ["roles", id]) => self.role_delete(id),
            ("GET", ["role_assignments"]) => self.grant_list(req),
            ("GET", ["services"]) => Ok(Resp::json(200, self.keystone.service_list())),
            ("GET", ["endpoints"]) => {
                Ok(Resp::json(200, self.keystone.endpoint_list(&self.config)))
            }
            ("GET", ["domains"]) => Ok(Resp::json(
                200,
                json!({"domains": [domain_view()], "links": {}}),
            )),
            ("GET", ["domains", DOMAIN_ID]) => {
                Ok(Resp::json(200, json!({"domain": domain_view()})))
            }
            _ => Err(nowhere()),
        }
    }
}
