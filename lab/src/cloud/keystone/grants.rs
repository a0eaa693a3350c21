//! Role assignments, and what dies with one.

use serde_json::{Value, json};

use super::Grant;
use crate::cloud::Cloud;
use crate::cloud::wire::{Answer, Fault, Req, Resp};

impl Cloud {
    fn grant_of(&self, project_id: &str, user_id: &str, role_id: &str) -> Result<Grant, Fault> {
        let missing =
            |what: &str, id: &str| Fault::not_found(format!("Could not find {what}: {id}."));
        if !self.keystone.projects.contains_key(project_id) {
            return Err(missing("project", project_id));
        }
        if !self.keystone.users.contains_key(user_id) {
            return Err(missing("user", user_id));
        }
        if !self.keystone.roles.contains_key(role_id) {
            return Err(missing("role", role_id));
        }
        Ok(Grant {
            user_id: user_id.to_owned(),
            project_id: project_id.to_owned(),
            role_id: role_id.to_owned(),
        })
    }

    pub(super) fn grant_add(&mut self, project_id: &str, user_id: &str, role_id: &str) -> Answer {
        let grant = self.grant_of(project_id, user_id, role_id)?;
        self.keystone.grants.insert(grant);
        Ok(Resp::empty(204))
    }

    pub(super) fn grant_check(&self, project_id: &str, user_id: &str, role_id: &str) -> Answer {
        let grant = self.grant_of(project_id, user_id, role_id)?;
        if self.keystone.grants.contains(&grant) {
            return Ok(Resp::empty(204));
        }
        Err(Fault::not_found(format!("Could not find role: {role_id}.")))
    }

    /// Takes a role away. The user's tokens and application credentials for the project die at once;
    /// trusts stay listed, but their tokens are refused from now on.
    pub(super) fn grant_remove(
        &mut self,
        project_id: &str,
        user_id: &str,
        role_id: &str,
    ) -> Answer {
        let grant = self.grant_of(project_id, user_id, role_id)?;
        if !self.keystone.grants.remove(&grant) {
            return Err(Fault::not_found(format!("Could not find role: {role_id}.")));
        }
        self.keystone.tokens_revoke(|token| {
            token.user_id == user_id && token.project_id.as_deref() == Some(project_id)
        });
        self.keystone
            .app_credentials
            .retain(|_, one| one.user_id != user_id || one.project_id != project_id);
        Ok(Resp::empty(204))
    }

    pub(super) fn grant_roles(&self, project_id: &str, user_id: &str) -> Answer {
        let grants = self.keystone.grants.iter();
        let roles: Vec<Value> = grants
            .filter(|grant| grant.project_id == project_id && grant.user_id == user_id)
            .filter_map(|grant| self.keystone.roles.get(&grant.role_id))
            .map(|role| json!({"id": role.id, "name": role.name, "domain_id": null, "links": {}}))
            .collect();
        Ok(Resp::json(200, json!({"roles": roles, "links": {}})))
    }

    /// `GET /role_assignments` with its dotted filters; `effective` adds implied roles.
    pub(super) fn grant_list(&self, req: &Req) -> Answer {
        let effective = req.query.iter().any(|(name, _)| name == "effective");
        let user = req.query_value("user.id");
        let project = req.query_value("scope.project.id");
        let role = req.query_value("role.id");
        let mut found: Vec<Grant> = Vec::new();
        for grant in &self.keystone.grants {
            let direct = [grant.role_id.clone()];
            let role_ids = if effective {
                self.keystone.implied(direct)
            } else {
                direct.into_iter().collect()
            };
            for role_id in role_ids {
                let one = Grant {
                    role_id,
                    ..grant.clone()
                };
                let fits = user.is_none_or(|id| id == one.user_id)
                    && project.is_none_or(|id| id == one.project_id)
                    && role.is_none_or(|id| id == one.role_id);
                if fits && !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        let names = req.query.iter().any(|(name, _)| name == "include_names");
        let views: Vec<Value> = found
            .iter()
            .map(|grant| self.grant_view(grant, names))
            .collect();
        Ok(Resp::json(
            200,
            json!({"role_assignments": views, "links": {}}),
        ))
    }

    fn grant_view(&self, grant: &Grant, names: bool) -> Value {
        let mut role = json!({"id": grant.role_id});
        let mut user = json!({"id": grant.user_id});
        let mut project = json!({"id": grant.project_id});
        if names {
            let put = crate::cloud::json::put;
            let keystone = &self.keystone;
            put(
                &mut role,
                "name",
                json!(keystone.roles.get(&grant.role_id).map(|one| &one.name)),
            );
            put(
                &mut user,
                "name",
                json!(keystone.users.get(&grant.user_id).map(|one| &one.name)),
            );
            let named = keystone
                .projects
                .get(&grant.project_id)
                .map(|one| &one.name);
            put(&mut project, "name", json!(named));
        }
        json!({"role": role, "user": user, "scope": {"project": project}, "links": {}})
    }
}
