//! One authenticated request on its way to the engine: who asks, what was in the path and query.
//!
//! Absent: the body, which is read by the handler that wants one.

use crate::error::ApiError;
use crate::front::Front;
use crate::request::{is_name, single_header};
use crate::route::{Params, Route};
use http::HeaderMap;
use protector_domain::ids::OperationId;
use protector_domain::ports::Admin;
use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::{Caller, Command, GroupRef, GroupView, Query, Reply, View};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The bearer of a valid token.
pub(crate) struct Bearer {
    pub caller: Caller,
    /// To be shown to Keystone again while a stream is open.
    pub token: SecretString,
    /// Those of its roles that the service may be lent; none for a token of another project.
    pub lends: Vec<String>,
    /// Held by whatever is still at work for this request.
    pub permit: Arc<OwnedSemaphorePermit>,
}

/// What handlers get.
pub(crate) struct Cx {
    pub front: Arc<Front>,
    pub route: &'static Route,
    pub headers: HeaderMap,
    /// `None` on open paths only.
    pub bearer: Option<Bearer>,
    pub path: String,
    pub params: Params,
    pub query: BTreeMap<String, String>,
}

impl Cx {
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A path of ours as a client may call it.
    pub fn href(&self, path: &str) -> String {
        format!("{}{path}", self.front.base())
    }

    pub fn header(&self, name: &str) -> Result<Option<&str>, ApiError> {
        single_header(&self.headers, name)
            .map_err(|()| ApiError::bad(format!("{name} is wanted once, in plain text")))
    }

    pub fn bearer(&self) -> Result<&Bearer, ApiError> {
        self.bearer.as_ref().ok_or(ApiError::Unauthorized)
    }

    /// The group's name or id in the path. What can be no name does not exist (K1).
    pub fn group_ref(&self) -> Result<GroupRef, ApiError> {
        let text = self.params.get("group").filter(|text| is_name(text));
        text.map(|text| GroupRef(text.to_owned()))
            .ok_or(ApiError::NotFound)
    }

    /// The operation's id in the path.
    pub fn operation_id(&self) -> Result<OperationId, ApiError> {
        let text = self.params.get("operation");
        text.and_then(|text| text.parse().ok())
            .ok_or(ApiError::NotFound)
    }

    /// The group in the path.
    pub async fn group(&self) -> Result<GroupView, ApiError> {
        let group = self.group_ref()?;
        self.group_fetch(group).await
    }

    /// A group of the project, by name or id.
    pub async fn group_fetch(&self, group: GroupRef) -> Result<GroupView, ApiError> {
        match self.ask(Query::Group { group }).await? {
            View::Group { group } => Ok(*group),
            other => Err(unexpected(&other)),
        }
    }

    /// Puts a question to the engine.
    pub async fn ask(&self, query: Query) -> Result<View, ApiError> {
        let bearer = self.bearer()?;
        Ok(self.front.engine().query(&bearer.caller, query).await?)
    }

    /// Gives a command to the engine, in a task of its own: a client that hangs up, or a timeout,
    /// cuts this future anywhere, and must not cut the change.
    pub async fn tell(&self, command: Command) -> Result<Reply, ApiError> {
        let bearer = self.bearer()?;
        let (engine, caller) = (self.front.engine().clone(), bearer.caller.clone());
        let (token, lends) = (bearer.token.clone(), bearer.lends.clone());
        let permit = bearer.permit.clone();
        let task = tokio::spawn(async move {
            let _held = permit;
            if command.boots_servers() {
                engine.delegate(&caller, &lends, &token).await;
            }
            let brings = command.brings_a_group();
            let reply = engine.command(&caller, command).await;
            if brings && reply.is_ok() {
                engine.delegate(&caller, &lends, &token).await;
            }
            reply
        });
        task.await
            .map_err(|_| ApiError::Internal)?
            .map_err(ApiError::from)
    }

    /// An administrator's change, in a task of its own as a command is.
    pub async fn administer<T, Work, Done>(&self, work: Work) -> Result<T, ApiError>
    where
        T: Send + 'static,
        Work: FnOnce(Arc<dyn Admin>, Caller) -> Done,
        Done: Future<Output = Result<T, AdminError>> + Send + 'static,
    {
        let bearer = self.bearer()?;
        let permit = bearer.permit.clone();
        let work = work(self.front.admin().clone(), bearer.caller.clone());
        let task = tokio::spawn(async move {
            let _held = permit;
            work.await
        });
        task.await
            .map_err(|_| ApiError::Internal)?
            .map_err(ApiError::from)
    }
}

/// The engine answered another question than the one asked: a fault of ours.
pub(crate) fn unexpected(view: &impl serde::Serialize) -> ApiError {
    let tagged = serde_json::to_value(view).unwrap_or_default();
    let tag = tagged.get("view").or_else(|| tagged.get("reply"));
    tracing::error!(?tag, "the engine gave an answer of the wrong kind");
    ApiError::Internal
}
