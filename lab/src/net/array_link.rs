//! The way from a site to the arrays' management ports, over the same pretend network.

use super::fabric::{Fabric, Origin};
use async_trait::async_trait;
use futures::future::BoxFuture;
use protector_storage_drivers::link::{ArrayLink, LinkError};
use protector_storage_drivers::model::{Answer, Command};
use std::sync::Arc;
use std::time::Duration;

/// How long a caller waits for an array, milliseconds.
const TIMEOUT_MS: u64 = 10_000;

/// An `ArrayLink` that can be slow, cut, and lied to.
pub struct FabricArrayLink {
    pub fabric: Fabric,
    pub from: Origin,
    pub inner: Arc<dyn ArrayLink>,
}

#[async_trait]
impl ArrayLink for FabricArrayLink {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        let what = command.verb().to_owned();
        let (inner, name) = (self.inner.clone(), array.to_owned());
        let act = move || -> BoxFuture<'static, Result<Answer, LinkError>> {
            let (inner, name, command) = (inner.clone(), name.clone(), command.clone());
            Box::pin(async move { inner.call(&name, command).await })
        };
        let hop = self.fabric.hop(&self.from, array, &what, act);
        match tokio::time::timeout(Duration::from_millis(TIMEOUT_MS), hop).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(LinkError::NotSent(error.to_string())),
            Err(_) => Err(LinkError::Unknown(format!(
                "{array} did not answer in {TIMEOUT_MS} ms"
            ))),
        }
    }
}
