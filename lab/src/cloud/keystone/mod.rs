//! Keystone: who exists, who may what, and which token stands for whom.
//!
//! Deliberately absent: groups, federation, system and domain scope, domains but `default`, password
//! rules. A token is checked against the state of now, so what kills a user, role, trust or
//! credential kills its tokens at the next call.

mod app_credentials;
mod auth;
mod catalog;
mod directory;
mod grants;
mod http;
mod tokens;
mod trusts;

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Serialize;

use super::ids::IdSource;
pub(super) use catalog::CatalogService;
use tokens::Token;
pub(super) use tokens::TokenCheck;

/// The only domain.
pub(super) const DOMAIN_ID: &str = "default";
pub(super) const DOMAIN_NAME: &str = "Default";

/// A project.
#[derive(Debug, Clone, Serialize)]
pub struct Project {
    /// 32 hex digits.
    pub id: String,
    /// Unique in the domain.
    pub name: String,
    /// Free text.
    pub description: String,
    /// A disabled project has no valid tokens.
    pub enabled: bool,
}

/// A user.
#[derive(Debug, Clone, Serialize)]
pub struct User {
    /// 32 hex digits.
    pub id: String,
    /// Unique in the domain.
    pub name: String,
    /// A disabled user has no valid tokens, and neither have the trusts it gave.
    pub enabled: bool,
    /// Scope of a login that asks for none.
    pub default_project_id: Option<String>,
    #[serde(skip)]
    pub(super) password: SecretString,
}

/// A role and the roles it brings with it.
#[derive(Debug, Clone, Serialize)]
pub struct Role {
    /// 32 hex digits.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Ids of implied roles.
    pub implies: Vec<String>,
}

/// A role of a user in a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// Who.
    pub user_id: String,
    /// Where.
    pub project_id: String,
    /// What.
    pub role_id: String,
}

/// A trust: the trustee may act in the project with these roles of the trustor.
#[derive(Debug, Clone, Serialize)]
pub struct Trust {
    /// 32 hex digits.
    pub id: String,
    /// Who gives.
    pub trustor_user_id: String,
    /// Who acts.
    pub trustee_user_id: String,
    /// Where.
    pub project_id: String,
    /// Delegated roles.
    pub role_ids: Vec<String>,
    /// Whether the token speaks as the trustor.
    pub impersonation: bool,
    /// End of life, Unix milliseconds.
    pub expires_ms: Option<i64>,
    /// Tokens it is still good for.
    pub remaining_uses: Option<i64>,
}

/// An application credential.
#[derive(Debug, Clone, Serialize)]
pub struct AppCredential {
    /// 32 hex digits.
    pub id: String,
    /// Unique per user.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Owner.
    pub user_id: String,
    /// Its one project.
    pub project_id: String,
    /// Its roles, as far as the owner still has them.
    pub role_ids: Vec<String>,
    /// May make trusts and further credentials.
    pub unrestricted: bool,
    /// End of life, Unix milliseconds.
    pub expires_ms: Option<i64>,
    #[serde(skip)]
    pub(super) secret: SecretString,
}

/// All of Keystone's state.
#[derive(Default)]
pub(super) struct Keystone {
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) roles: BTreeMap<String, Role>,
    pub(super) grants: BTreeSet<Grant>,
    pub(super) trusts: BTreeMap<String, Trust>,
    pub(super) app_credentials: BTreeMap<String, AppCredential>,
    tokens: BTreeMap<String, Token>,
    pub(super) services: Vec<CatalogService>,
}

impl Keystone {
    /// What `keystone-manage bootstrap` leaves, without any user or project.
    pub(super) fn bootstrapped(ids: &mut IdSource) -> Self {
        let mut keystone = Self {
            services: catalog::standard(ids),
            ..Self::default()
        };
        let reader = keystone.role_add(ids, "reader", &[]);
        let member = keystone.role_add(ids, "member", &[&reader]);
        keystone.role_add(ids, "admin", &[&member]);
        keystone.role_add(ids, "service", &[]);
        keystone
    }

    pub(super) fn role_add(&mut self, ids: &mut IdSource, name: &str, implies: &[&str]) -> String {
        let id = ids.hex32();
        let role = Role {
            id: id.clone(),
            name: name.to_owned(),
            implies: implies.iter().map(|&implied| implied.to_owned()).collect(),
        };
        self.roles.insert(id.clone(), role);
        id
    }

    pub(super) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.name == name)
    }

    pub(super) fn project_named(&self, name: &str) -> Option<&Project> {
        self.projects.values().find(|project| project.name == name)
    }

    pub(super) fn user_named(&self, name: &str) -> Option<&User> {
        self.users.values().find(|user| user.name == name)
    }

    fn user_enabled(&self, id: &str) -> bool {
        self.users.get(id).is_some_and(|user| user.enabled)
    }

    /// `role_ids` and everything they imply.
    fn implied(&self, role_ids: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut open: Vec<String> = role_ids.into_iter().collect();
        let mut all = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(role) = self.roles.get(&id) else {
                continue;
            };
            if all.insert(id) {
                open.extend(role.implies.iter().cloned());
            }
        }
        all
    }

    /// Ids of the roles a user has in a project, implied ones included.
    pub(super) fn roles_in(&self, user_id: &str, project_id: &str) -> BTreeSet<String> {
        let direct = self
            .grants
            .iter()
            .filter(|grant| grant.user_id == user_id && grant.project_id == project_id)
            .map(|grant| grant.role_id.clone());
        self.implied(direct)
    }

    fn role_names(&self, role_ids: &BTreeSet<String>) -> BTreeSet<String> {
        role_ids
            .iter()
            .filter_map(|id| self.roles.get(id))
            .map(|role| role.name.clone())
            .collect()
    }
}
