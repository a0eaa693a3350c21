//! Projects, users and roles: made, shown, changed, deleted, and what dies with them.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::auth::forbidden;
use super::{DOMAIN_ID, Project, Role, User};
use crate::cloud::Cloud;
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::wire::{Answer, Fault, Req, Resp};

fn project_view(project: &Project) -> Value {
    json!({
        "id": project.id, "name": project.name, "description": project.description,
        "enabled": project.enabled, "domain_id": DOMAIN_ID, "parent_id": DOMAIN_ID,
        "is_domain": false, "tags": [], "options": {}, "links": {},
    })
}

fn user_view(user: &User) -> Value {
    json!({
        "id": user.id, "name": user.name, "enabled": user.enabled, "domain_id": DOMAIN_ID,
        "default_project_id": user.default_project_id, "password_expires_at": null,
        "options": {}, "links": {},
    })
}

fn role_view(role: &Role) -> Value {
    json!({"id": role.id, "name": role.name, "domain_id": null, "description": null, "options": {}, "links": {}})
}

fn missing(what: &str, id: &str) -> Fault {
    Fault::not_found(format!("Could not find {what}: {id}."))
}

fn duplicate(what: &str) -> Fault {
    Fault::conflict(format!(
        "Conflict occurred attempting to store {what} - Duplicate entry found."
    ))
}

fn name_fits(req: &Req, name: &str) -> bool {
    req.query_value("name").is_none_or(|asked| asked == name)
}

impl Cloud {
    pub(super) fn project_list(&self, req: &Req, keep: impl Fn(&Project) -> bool) -> Answer {
        let all = self.keystone.projects.values();
        let views: Vec<Value> = all
            .filter(|project| name_fits(req, &project.name) && keep(project))
            .map(project_view)
            .collect();
        Ok(Resp::json(200, json!({"projects": views, "links": {}})))
    }

    /// Projects in which a user has a role: `/auth/projects` and `/users/{id}/projects`.
    pub(super) fn project_list_of(&self, req: &Req, user_id: &str) -> Answer {
        self.project_list(req, |project| {
            !self.keystone.roles_in(user_id, &project.id).is_empty()
        })
    }

    pub(super) fn project_show(&self, id: &str, who: &Who) -> Answer {
        let found = self.keystone.projects.get(id);
        let own = who.sees(id) || !self.keystone.roles_in(&who.user_id, id).is_empty();
        if !own {
            return Err(forbidden());
        }
        let project = found.ok_or_else(|| missing("project", id))?;
        Ok(Resp::json(200, json!({"project": project_view(project)})))
    }

    pub(super) fn project_create(&mut self, body: &Value) -> Answer {
        let asked = json::need_object(body, "project")?;
        let name = json::need(asked, "name")?;
        if self.keystone.project_named(name).is_some() {
            return Err(duplicate("project"));
        }
        let id = self.seed_project(name);
        self.project_change(&id, body).map(|mut resp| {
            resp.status = 201;
            resp
        })
    }

    pub(super) fn project_change(&mut self, id: &str, body: &Value) -> Answer {
        let asked = json::need_object(body, "project")?;
        let project = self
            .keystone
            .projects
            .get_mut(id)
            .ok_or_else(|| missing("project", id))?;
        if let Some(name) = json::text(asked, "name") {
            name.clone_into(&mut project.name);
        }
        if let Some(text) = json::text(asked, "description") {
            text.clone_into(&mut project.description);
        }
        project.enabled = json::truth(asked, "enabled").unwrap_or(project.enabled);
        let view = project_view(project);
        if !project.enabled {
            self.keystone
                .tokens_revoke(|token| token.project_id.as_deref() == Some(id));
        }
        Ok(Resp::json(200, json!({"project": view})))
    }

    pub(super) fn project_delete(&mut self, id: &str) -> Answer {
        self.keystone
            .projects
            .remove(id)
            .ok_or_else(|| missing("project", id))?;
        self.keystone.grants.retain(|grant| grant.project_id != id);
        self.keystone
            .trusts
            .retain(|_, trust| trust.project_id != id);
        self.keystone
            .app_credentials
            .retain(|_, one| one.project_id != id);
        self.keystone
            .tokens_revoke(|token| token.project_id.as_deref() == Some(id));
        Ok(Resp::empty(204))
    }

    pub(super) fn user_list(&self, req: &Req) -> Answer {
        let all = self.keystone.users.values();
        let views: Vec<Value> = all
            .filter(|user| name_fits(req, &user.name))
            .map(user_view)
            .collect();
        Ok(Resp::json(200, json!({"users": views, "links": {}})))
    }

    pub(super) fn user_show(&self, id: &str, who: &Who) -> Answer {
        if who.user_id != id && !who.is_admin() {
            return Err(forbidden());
        }
        let user = self
            .keystone
            .users
            .get(id)
            .ok_or_else(|| missing("user", id))?;
        Ok(Resp::json(200, json!({"user": user_view(user)})))
    }

    pub(super) fn user_create(&mut self, body: &Value) -> Answer {
        let asked = json::need_object(body, "user")?;
        let name = json::need(asked, "name")?;
        if self.keystone.user_named(name).is_some() {
            return Err(duplicate("user"));
        }
        let id = self.seed_user(name, json::text(asked, "password").unwrap_or_default());
        self.user_change(&id, body).map(|mut resp| {
            resp.status = 201;
            resp
        })
    }

    /// Changes a user. Disabling it, or a new password, revokes the tokens it has.
    pub(super) fn user_change(&mut self, id: &str, body: &Value) -> Answer {
        let asked = json::need_object(body, "user")?;
        let user = self
            .keystone
            .users
            .get_mut(id)
            .ok_or_else(|| missing("user", id))?;
        if let Some(name) = json::text(asked, "name") {
            name.clone_into(&mut user.name);
        }
        if let Some(project_id) = json::text(asked, "default_project_id") {
            user.default_project_id = Some(project_id.to_owned());
        }
        let password = json::text(asked, "password");
        if let Some(password) = password {
            user.password = SecretString::from(password.to_owned());
        }
        user.enabled = json::truth(asked, "enabled").unwrap_or(user.enabled);
        let (view, enabled) = (user_view(user), user.enabled);
        if !enabled || password.is_some() {
            self.keystone.tokens_revoke(|token| token.user_id == id);
        }
        Ok(Resp::json(200, json!({"user": view})))
    }

    /// Deletes a user with its trusts, both given and taken, and its application credentials.
    pub(super) fn user_delete(&mut self, id: &str) -> Answer {
        self.keystone
            .users
            .remove(id)
            .ok_or_else(|| missing("user", id))?;
        self.keystone.grants.retain(|grant| grant.user_id != id);
        self.keystone
            .trusts
            .retain(|_, trust| trust.trustor_user_id != id && trust.trustee_user_id != id);
        self.keystone
            .app_credentials
            .retain(|_, one| one.user_id != id);
        self.keystone.tokens_revoke(|token| token.user_id == id);
        Ok(Resp::empty(204))
    }

    pub(super) fn role_list(&self, req: &Req) -> Answer {
        let all = self.keystone.roles.values();
        let views: Vec<Value> = all
            .filter(|role| name_fits(req, &role.name))
            .map(role_view)
            .collect();
        Ok(Resp::json(200, json!({"roles": views, "links": {}})))
    }

    pub(super) fn role_show(&self, id: &str) -> Answer {
        let role = self
            .keystone
            .roles
            .get(id)
            .ok_or_else(|| missing("role", id))?;
        Ok(Resp::json(200, json!({"role": role_view(role)})))
    }

    pub(super) fn role_create(&mut self, body: &Value) -> Answer {
        let asked = json::need_object(body, "role")?;
        let name = json::need(asked, "name")?;
        if self.keystone.role_named(name).is_some() {
            return Err(duplicate("role"));
        }
        let id = self.seed_role(name);
        self.role_show(&id).map(|mut resp| {
            resp.status = 201;
            resp
        })
    }

    pub(super) fn role_delete(&mut self, id: &str) -> Answer {
        self.keystone
            .roles
            .remove(id)
            .ok_or_else(|| missing("role", id))?;
        self.keystone.grants.retain(|grant| grant.role_id != id);
        Ok(Resp::empty(204))
    }
}
