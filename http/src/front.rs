//! The way of every request: limits, token, role, version, query, handler; and of every answer.
//!
//! Absent: what single endpoints do (`handlers`).

use crate::answer::{Answer, REQUEST_ID_HEADER};
use crate::api::Api;
use crate::auth::{Auth, token_of};
use crate::cx::{Bearer, Cx};
use crate::error::ApiError;
use crate::handlers;
use crate::limits::{IN_FLIGHT_MAX, REQUEST_TIMEOUT_MS, STREAMS_MAX};
use crate::policy::{Need, Roles, Verdict, decide, is_own};
use crate::problem::{Asked, problem};
use crate::request::{BodyStream, Inbound, is_too_long, path_segments, query_params};
use crate::route::{Found, Params, Route, find};
use crate::version::check_version;
use futures::FutureExt;
use http::Method;
use protector_domain::ids::ProjectId;
use protector_domain::ports::admin::AdminError;
use protector_domain::ports::engine::{Caller, EngineError};
use protector_domain::ports::identity::TokenInfo;
use protector_domain::ports::{Admin, Engine};
use secrecy::SecretString;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;
use warp::reply::Response;

/// The API of one site, shared by all its requests.
pub(crate) struct Front {
    api: Api,
    auth: Auth,
    in_flight: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Where a request is bound for, decided before anything else is done with it.
struct Bound {
    found: Found,
    request_id: String,
}

impl Front {
    pub fn new(api: Api) -> Self {
        let auth = Auth::new(api.identity.clone(), api.ctx.clone());
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        Self {
            api,
            auth,
            in_flight,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        }
    }

    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.api.engine
    }

    pub fn admin(&self) -> &Arc<dyn Admin> {
        &self.api.admin
    }

    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    pub fn tree(&self) -> &protector_runtime::introspect::Tree {
        &self.api.ctx.tree
    }

    /// What stands before our paths in links: nothing, unless configured.
    pub fn base(&self) -> &str {
        self.api.options.public_endpoint.trim_end_matches('/')
    }

    pub fn stream_permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.streams
            .clone()
            .try_acquire_owned()
            .map_err(|_| ApiError::Overloaded)
    }

    /// Answers one request, whatever happens on the way.
    pub async fn answer(self: Arc<Self>, inbound: Inbound, body: BodyStream) -> Response {
        let segments = path_segments(&inbound.path);
        let found = segments.map_or(Found::Nothing, |segments| find(&inbound.method, &segments));
        let (method, path) = (inbound.method.clone(), inbound.path.clone());
        let group = params_of(&found)
            .and_then(|params| params.get("group"))
            .map(str::to_owned);
        let template = route_of(&found).map_or("-", |route| route.template);
        let allow = allowed(&found);
        let request_id = self.request_id(&inbound);

        let bound = Bound {
            found,
            request_id: request_id.clone(),
        };
        let outcome = self.clone().guard(inbound, body, bound).await;
        let answer = outcome.unwrap_or_else(|error| {
            if let ApiError::Engine(
                failed @ (EngineError::Unavailable { .. } | EngineError::Internal { .. }),
            ) = &error
            {
                tracing::warn!(request_id, error = %failed, "the engine failed");
            }
            if let ApiError::Admin(failed @ AdminError::Unavailable { .. }) = &error {
                tracing::warn!(request_id, error = %failed, "the admin port failed");
            }
            let asked = Asked {
                path: &path,
                group: group.as_deref(),
            };
            let problem = problem(&error, &asked);
            Answer::problem(
                &problem,
                &request_id,
                &allow,
                &self.api.options.keystone_uri,
            )
        });
        tracing::info!(%method, template, status = answer.status.as_u16(), request_id, "answered");
        answer.into_response(&request_id, method == Method::HEAD)
    }

    /// The work under a time limit; a panic becomes an error.
    async fn guard(
        self: Arc<Self>,
        inbound: Inbound,
        body: BodyStream,
        bound: Bound,
    ) -> Result<Answer, ApiError> {
        let request_id = bound.request_id.clone();
        let limit = Duration::from_millis(REQUEST_TIMEOUT_MS);
        let work = tokio::time::timeout(limit, self.work(inbound, body, bound));
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ApiError::Timeout),
            Err(_) => {
                tracing::error!(request_id, "a handler panicked");
                Err(ApiError::Internal)
            }
        }
    }

    async fn work(
        self: Arc<Self>,
        inbound: Inbound,
        body: BodyStream,
        bound: Bound,
    ) -> Result<Answer, ApiError> {
        if is_too_long(&inbound) {
            return Err(ApiError::UriTooLong);
        }
        let bearer = self.admit(&inbound, &bound).await?;
        let (route, params) = match bound.found {
            Found::Route(route, params) => (route, params),
            Found::OtherMethod(allow, _) => return Err(ApiError::MethodNotAllowed { allow }),
            Found::Nothing => return Err(ApiError::NotFound),
        };
        check_version(&inbound.headers)?;
        let query = query_params(&inbound.query, route.query)?;
        let Inbound { path, headers, .. } = inbound;
        let cx = Cx {
            front: self,
            route,
            headers,
            bearer,
            path,
            params,
            query,
        };
        handlers::dispatch(cx, body).await
    }

    /// Token and role. Open paths need neither; unknown ones need a token like all others (K18).
    async fn admit(&self, inbound: &Inbound, bound: &Bound) -> Result<Option<Bearer>, ApiError> {
        let need = need_of(&bound.found);
        if need == Need::Open {
            return Ok(None);
        }
        let permit = self
            .in_flight
            .clone()
            .try_acquire_owned()
            .map_err(|_| ApiError::Overloaded)?;
        let token = token_of(&inbound.headers)?;
        let info = self.auth.validate(&token).await?;
        let tenant = params_of(&bound.found).and_then(|params| params.get("tenant"));
        let own = tenant.is_none_or(|tenant| is_own(&info, tenant));
        match decide(need, Roles::of(&info.roles), own) {
            Verdict::Allow => {}
            Verdict::Hide => return Err(ApiError::NotFound),
            Verdict::Forbid => return Err(ApiError::Forbidden),
        }
        let lends = lends(&info, tenant, &self.api.options.trust_roles);
        let bearer = bearer(info, tenant, token, permit, &bound.request_id);
        Ok(Some(Bearer { lends, ..bearer }))
    }

    /// A caller's own `req-<uuid>` is taken over, so that one id follows a task through all
    /// services; anything else is replaced.
    fn request_id(&self, inbound: &Inbound) -> String {
        let given = inbound.header(REQUEST_ID_HEADER).ok().flatten();
        let given = given
            .and_then(|text| text.strip_prefix("req-"))
            .and_then(|text| Uuid::try_parse(text).ok());
        format!("req-{}", given.unwrap_or_else(|| self.api.ctx.uuid()))
    }
}

/// Made of the token and of nothing else that the client sent, but for the project that an admin
/// chose by the path.
fn bearer(
    info: TokenInfo,
    tenant: Option<&str>,
    token: SecretString,
    permit: OwnedSemaphorePermit,
    request_id: &str,
) -> Bearer {
    let own = info.project_id.unwrap_or_else(|| ProjectId(String::new()));
    let caller = Caller {
        user: info.user_id,
        project: tenant.map_or(own, ProjectId::from),
        is_admin: Roles::of(&info.roles).admin,
        request_id: request_id.to_owned(),
    };
    Bearer {
        caller,
        token,
        lends: Vec::new(),
        permit: Arc::new(permit),
    }
}

/// Of the roles that trusts are to have, those that the bearer has in the project it acts in.
fn lends(info: &TokenInfo, tenant: Option<&str>, wanted: &[String]) -> Vec<String> {
    let own = info.project_id.as_ref().map(ProjectId::as_str);
    if own.is_none() || tenant.is_some_and(|tenant| own != Some(tenant)) {
        return Vec::new();
    }
    let has = |role: &&String| info.roles.contains(role);
    wanted.iter().filter(has).cloned().collect()
}

fn need_of(found: &Found) -> Need {
    match found {
        Found::Route(route, _) => route.need,
        // Who may not even read there must not learn which methods exist.
        Found::OtherMethod(_, params) if params.get("tenant").is_some() => Need::Read,
        Found::OtherMethod(..) | Found::Nothing => Need::Token,
    }
}

fn route_of(found: &Found) -> Option<&'static Route> {
    match found {
        Found::Route(route, _) => Some(route),
        Found::OtherMethod(..) | Found::Nothing => None,
    }
}

fn params_of(found: &Found) -> Option<&Params> {
    match found {
        Found::Route(_, params) | Found::OtherMethod(_, params) => Some(params),
        Found::Nothing => None,
    }
}

fn allowed(found: &Found) -> Vec<&'static str> {
    match found {
        Found::OtherMethod(allow, _) => allow.clone(),
        Found::Route(..) | Found::Nothing => Vec::new(),
    }
}
