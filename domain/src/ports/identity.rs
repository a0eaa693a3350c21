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

/// A tenant's leave for the service to act in its name, in one project (SEC-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAsk {
    pub trustor: UserId,
    pub project: ProjectId,
    /// By name; all of them are the trustor's own there.
    pub roles: Vec<String>,
}

#[async_trait]
pub trait Identity: Send + Sync {
    /// Who bears `token`. `Ok(None)`: Keystone answered that it stands for nobody (D5, K9).
    async fn token_validate(&self, token: &secrecy::SecretString) -> PortResult<Option<TokenInfo>>;

    /// Takes a token as `acting`: proves that the delegation works (E8). `Denied`: it does not.
    async fn delegation_check(&self, acting: &Acting) -> PortResult<()>;

    /// A trust of the bearer of `token` to the service, without an end, that impersonates. One that is there
    /// already is taken over, so that asking twice is one trust. `Denied`: this login may make none (an
    /// application credential, or a trust itself), or the bearer is not the trustor.
    async fn trust_take(
        &self,
        token: &secrecy::SecretString,
        ask: &TrustAsk,
    ) -> PortResult<TrustId>;

    /// Ends a trust to the service. One that is gone is `Ok`.
    async fn trust_end(&self, trust: &TrustId) -> PortResult<()>;
}
