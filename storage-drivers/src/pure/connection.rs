//! One array over REST: version, session, and the one second try that is certain to be harmless.
//!
//! A session is shared by all calls and taken by one login at a time; a 401 means that it is dead,
//! so the call had no effect and is repeated once after a new login. Absent: every other retry; what
//! is asked.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use protector_runtime::Ctx;
use protector_runtime::remote::{
    Fresh, HttpService, Lease, PathTemplate, Remote, RemoteOptions, Session,
};
use secrecy::{ExposeSecret, SecretString};

use super::answer::not_understood;
use super::fault::{answer_error, call_error, clean, login_error, refused};
use super::request::Ask;
use super::version::RestVersion;
use super::wire::Versions;
use crate::link::LinkError;

const USER_AGENT: &str = concat!("protector/", env!("CARGO_PKG_VERSION"));

/// What a login brings.
#[derive(Clone)]
struct Live {
    version: RestVersion,
    token: SecretString,
}

/// The calls of one array.
pub(super) struct Connection {
    /// `https://array.example`, without a slash at the end.
    base: String,
    api_token: SecretString,
    remote: Remote,
    session: Session<Live, LinkError>,
    ctx: Ctx,
}

impl Connection {
    /// Sends nothing: the first call logs in.
    pub(super) fn new(
        url: &str,
        api_token: SecretString,
        http: HttpService,
        options: RemoteOptions,
        ctx: Ctx,
    ) -> Self {
        Self {
            base: url.trim_end_matches('/').to_owned(),
            api_token,
            remote: Remote::new(format!("array {url}"), http, options, ctx.clone()),
            session: Session::new(ctx.clock.clone(), 0),
            ctx,
        }
    }

    /// The version that is spoken; asked of the array at each login.
    pub(super) async fn version(&self) -> Result<RestVersion, LinkError> {
        self.lease().await.map(|lease| lease.value.version)
    }

    /// Sends `ask` and returns a success, or why there is none.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Response<Bytes>, LinkError> {
        let mut lease = self.lease().await?;
        let mut response = self.fly(ask, &lease.value).await?;
        if response.status().as_u16() == 401 {
            self.session.invalidate(lease.generation);
            lease = self.lease().await?;
            response = self.fly(ask, &lease.value).await?;
        }
        self.success(response, ask.path)
    }

    async fn lease(&self) -> Result<Lease<Live>, LinkError> {
        self.session.get(|| self.login()).await
    }

    async fn login(&self) -> Result<Fresh<Live>, LinkError> {
        self.try_login().await.map_err(login_error)
    }

    async fn try_login(&self) -> Result<Fresh<Live>, LinkError> {
        let version = self.version_find().await?;
        let path = format!("/api/{version}/login");
        let header = ("api-token", &self.api_token);
        let response = self
            .call(&Method::POST, &path, "/login", Some(header), None)
            .await?;
        let response = self
            .success(response, "/login")
            .map_err(|error| match error {
                // In whatever words: it does not take this token.
                LinkError::Refused(why) => LinkError::Denied(why.to_string()),
                other => other,
            })?;
        let token = response.headers().get("x-auth-token");
        let token = token.and_then(|value| value.to_str().ok());
        let without = || LinkError::Unknown("the answer has no session token".to_owned());
        Ok(Fresh {
            value: Live {
                version,
                token: SecretString::from(token.ok_or_else(without)?),
            },
            // The array's idle time ends it; a 401 says so.
            expires_at_ms: None,
        })
    }

    async fn version_find(&self) -> Result<RestVersion, LinkError> {
        let path = "/api/api_version";
        let response = self.call(&Method::GET, path, path, None, None).await?;
        let response = self.success(response, path)?;
        let offered: Result<Versions, _> = serde_json::from_slice(response.body());
        let offered = offered.map_err(|e| not_understood(&e))?.version;
        RestVersion::choose(&offered).ok_or_else(|| {
            let newest = clean(offered.last().map_or("none", String::as_str));
            let wanted = RestVersion::wanted();
            refused(
                format!("the array speaks up to {newest}, this driver REST {wanted}"),
                path,
            )
        })
    }

    async fn fly(&self, ask: &Ask, live: &Live) -> Result<Response<Bytes>, LinkError> {
        let path = format!("/api/{}{}", live.version, ask.path_and_query());
        let header = ("x-auth-token", &live.token);
        let body = ask.body.as_ref().map(|body| Bytes::from(body.to_string()));
        self.call(&ask.method, &path, ask.path, Some(header), body)
            .await
    }

    async fn call(
        &self,
        method: &Method,
        path_and_query: &str,
        template: &'static str,
        secret: Option<(&'static str, &SecretString)>,
        body: Option<Bytes>,
    ) -> Result<Response<Bytes>, LinkError> {
        let mut builder = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path_and_query}", self.base))
            .header("accept", "application/json")
            .header("user-agent", USER_AGENT)
            .header("x-request-id", self.ctx.uuid().to_string());
        if body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        if let Some((name, secret)) = secret {
            builder = builder.header(name, sensitive(secret)?);
        }
        let unsendable = |_| LinkError::NotSent("the request cannot be written".to_owned());
        let mut request = builder.body(body.unwrap_or_default()).map_err(unsendable)?;
        request.extensions_mut().insert(PathTemplate(template));
        let outcome = self.remote.call(request).await;
        outcome.map_err(|error| call_error(error, self.remote.view().circuit != "closed"))
    }

    /// Nothing but 200 and 201: a 207 would be half a success, and none is asked for.
    fn success(&self, response: Response<Bytes>, path: &str) -> Result<Response<Bytes>, LinkError> {
        match response.status().as_u16() {
            200 | 201 => Ok(response),
            other @ (100..=199 | 202..=299) => {
                Err(LinkError::Unknown(format!("{path} answered {other}")))
            }
            _ => Err(answer_error(&response, path, self.ctx.now_ms())),
        }
    }
}

/// Marked so that nothing that prints headers prints it (S15).
fn sensitive(secret: &SecretString) -> Result<HeaderValue, LinkError> {
    let unsendable = |_| LinkError::Denied("the token is not one that can be sent".to_owned());
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}
