//! Keystone, as far as we need it: whose rights a call uses, and who is calling us.
//! Absent: tokens. They stay inside the adapter (S15).

use super::PortResult;
use crate::ids::{ProjectId, TrustId, UserId};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// In whose name a call is made (SEC-03..05, C27; recorded for every call).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acting {
    /// The service user in its own project.
    Service,
    /// The service user, scoped to a tenant's project by the role the tenant mapping granted.
    ServiceIn(ProjectId),
    /// The tenant, by trust.
    Trust { trust: TrustId, project: ProjectId },
}

/// What a validated token says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    pub user_id: UserId,
    pub user_name: String,
    /// `None`: the token is not scoped to a project.
    pub project_id: Option<ProjectId>,
    pub project_name: Option<String>,
    pub roles: Vec<String>,
    /// Unix seconds by Keystone's clock.
    pub expires_at_s: i64,
}

#[async_trait]
pub trait Identity: Send + Sync {
    /// Who bears `token`. `Ok(None)`: Keystone answered that it stands for nobody (D5, K9).
    async fn token_validate(&self, token: &secrecy::SecretString) -> PortResult<Option<TokenInfo>>;

    /// Takes a token as `acting`: proves that the delegation works (E8). `Denied`: it does not.
    async fn delegation_check(&self, acting: &Acting) -> PortResult<()>;
}
