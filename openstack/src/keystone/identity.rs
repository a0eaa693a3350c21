//! The `Identity` port.

use crate::answer::{optional, same};
use crate::ask::Ask;
use crate::cloud::OpenStackCloud;
use crate::keystone::token::read_validation;
use crate::keystone::trusts;
use crate::service::Service;
use async_trait::async_trait;
use http::HeaderValue;
use protector_domain::ids::TrustId;
use protector_domain::ports::identity::{Identity, TokenInfo, TrustAsk};
use protector_domain::ports::{Acting, PortResult};
use secrecy::{ExposeSecret, SecretString};

#[async_trait]
impl Identity for OpenStackCloud {
    async fn token_validate(&self, token: &SecretString) -> PortResult<Option<TokenInfo>> {
        let text = token.expose_secret();
        // Nothing Keystone ever issued; as a header it could not even be asked about.
        if text.is_empty() || HeaderValue::from_str(text).is_err() {
            return Ok(None);
        }
        let mut ask =
            Ask::get(Service::Identity, "token_validate", "/auth/tokens").query("nocatalog", "1");
        ask.subject = Some(token.clone());
        let Some(answer) = optional(self.client.send(&Acting::Service, &ask).await)? else {
            return Ok(None);
        };
        match answer.header("x-subject-token") {
            "" => {}
            answered => same(&ask, "token", text, answered)?,
        }
        read_validation(&ask, &answer).map(Some)
    }

    /// Always a login of its own: a token taken earlier proves nothing about now.
    async fn delegation_check(&self, acting: &Acting) -> PortResult<()> {
        self.client.login(acting).await.map(drop)
    }
    async fn trust_take(&self, token: &SecretString, ask: &TrustAsk) -> PortResult<TrustId> {
        trusts::take(&self.client, token, ask).await
    }

    async fn trust_end(&self, trust: &TrustId) -> PortResult<()> {
        trusts::end(&self.client, trust).await
    }
}
