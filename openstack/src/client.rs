//! Sends an [`Ask`]: with whose token, to which address, and the few second tries that are certain
//! to be harmless because the first answer was a definite "no". Absent: every other retry.
//!
//! Second tries: a 401 after one shared new login (E1), a 403 of Neutron after two seconds (B9). A 503
//! under a trust is looked into once, because it may mean that the delegation is dead (E3).

use crate::answer::Answer;
use crate::ask::Ask;
use crate::catalog::Catalog;
use crate::classify::{answer_error, call_error, login_error};
use crate::config::{CloudConfig, Credential};
use crate::fault::Fault;
use crate::keystone::login::{describe, login_body};
use crate::keystone::sessions::{Sessions, TokenSession};
use crate::keystone::token::{Token, read_login};
use crate::service::{Service, version_root};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use protector_domain::ports::{Acting, ErrorKind, PortError, PortResult};
use protector_runtime::Ctx;
use protector_runtime::remote::{
    Fresh, HttpService, Lease, Remote, RemoteOptions, RemoteView, retry_after_ms,
};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

const USER_AGENT: &str = concat!("protector/", env!("CARGO_PKG_VERSION"));
/// Neutron loads its policies while the first requests come in and refuses some of them wrongly.
const NEUTRON_FALSE_403_WAIT_MS: u64 = 2_000;
/// A catalog younger than this is not read again because something is missing in it (E5).
const CATALOG_FRESH_MS: i64 = 60_000;

/// The calls of one cloud.
pub(crate) struct Client {
    config: CloudConfig,
    remotes: Remotes,
    sessions: Sessions,
    ctx: Ctx,
}

struct Remotes {
    identity: Remote,
    compute: Remote,
    volume: Remote,
    network: Remote,
    image: Remote,
}

impl Remotes {
    fn of(&self, service: Service) -> &Remote {
        match service {
            Service::Identity => &self.identity,
            Service::Compute => &self.compute,
            Service::Volume => &self.volume,
            Service::Network => &self.network,
            Service::Image => &self.image,
        }
    }
}

/// A token and the address of the service it is for.
struct Door {
    lease: Lease<Token>,
    base: String,
}

impl Client {
    pub(crate) fn new(config: CloudConfig, http: &HttpService, ctx: Ctx) -> Self {
        let remote = |service: Service| {
            let mut options: RemoteOptions = config.remote.clone();
            // A service says 503 to a tenant whose trust is dead: that must not cut the others off.
            options.circuit_counts_5xx &= service == Service::Identity;
            Remote::new(service.name(), http.clone(), options, ctx.clone())
        };
        let remotes = Remotes {
            identity: remote(Service::Identity),
            compute: remote(Service::Compute),
            volume: remote(Service::Volume),
            network: remote(Service::Network),
            image: remote(Service::Image),
        };
        let sessions = Sessions::new(ctx.clock.clone());
        Self {
            config,
            remotes,
            sessions,
            ctx,
        }
    }

    /// How the five endpoints stand, Keystone first.
    pub(crate) fn view(&self) -> Vec<RemoteView> {
        let all = [
            Service::Identity,
            Service::Compute,
            Service::Volume,
            Service::Network,
            Service::Image,
        ];
        all.iter()
            .map(|service| self.remotes.of(*service).view())
            .collect()
    }

    /// Sends `ask` with the rights of `acting` and returns a success, or why there is none.
    pub(crate) async fn send(&self, acting: &Acting, ask: &Ask) -> PortResult<Answer> {
        let session = self.sessions.of(acting);
        let mut door = self.door(&session, acting, ask).await?;
        let mut response = self.knock(&door, ask).await?;
        if response.status().as_u16() == 401 {
            session.invalidate(door.lease.generation);
            door = self.door(&session, acting, ask).await?;
            response = self.knock(&door, ask).await?;
        }
        if ask.service == Service::Network && response.status().as_u16() == 403 {
            tokio::time::sleep(Duration::from_millis(NEUTRON_FALSE_403_WAIT_MS)).await;
            response = self.knock(&door, ask).await?;
        }
        let by_trust = matches!(acting, Acting::Trust { .. });
        if by_trust && response.status().as_u16() == 503 && self.is_dead(&door.lease.value).await {
            session.invalidate(door.lease.generation);
            let reason = "503, and Keystone says that the delegation is dead";
            return Err(ask.error(ErrorKind::Denied, reason));
        }
        self.settle(ask, response)
    }

    /// The project that `acting` works in.
    pub(crate) async fn project_of(&self, acting: &Acting) -> PortResult<String> {
        let session = self.sessions.of(acting);
        let lease = self.token(&session, acting).await?;
        let project = lease.value.project_id.filter(|id| !id.is_empty());
        let without = || PortError::new(ErrorKind::Refused, "keystone: the token has no project");
        project.ok_or_else(without)
    }

    /// Sends a call to Keystone with somebody else's token. No second try: the token is not ours to renew.
    pub(crate) async fn send_as(&self, token: &SecretString, ask: &Ask) -> PortResult<Answer> {
        let base = self.keystone(ask)?;
        let response = self.fly(ask, &base, Some(token)).await?;
        self.settle(ask, response)
    }

    /// Our own user: whom a trust is given to. `Denied` where our login could not use one.
    pub(crate) async fn trustee(&self) -> PortResult<String> {
        if let Credential::ApplicationCredential { .. } = self.config.credential {
            let what = "keystone: the service logs in by an application credential, which cannot act by trust";
            return Err(PortError::new(ErrorKind::Denied, what));
        }
        let acting = Acting::Service;
        let session = self.sessions.of(&acting);
        let user = self.token(&session, &acting).await?.value.user_id;
        let nobody = || PortError::new(ErrorKind::Unknown, "keystone: our token names no user");
        (!user.is_empty()).then_some(user).ok_or_else(nobody)
    }

    /// Unix time of this site, milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.ctx.now_ms()
    }

    /// Takes a new token as `acting`; does not touch the one in use.
    pub(crate) async fn login(&self, acting: &Acting) -> PortResult<Fresh<Token>> {
        self.try_login(acting).await.map_err(login_error)
    }

    async fn try_login(&self, acting: &Acting) -> PortResult<Fresh<Token>> {
        let body = login_body(&self.config.credential, acting)?;
        let ask = Ask::post(Service::Identity, "login", "/auth/tokens")
            .on(describe(acting))
            .json(&body);
        let base = self.keystone(&ask)?;
        let response = self.fly(&ask, &base, None).await?;
        let answer = self.settle(&ask, response)?;
        read_login(&ask, acting, &answer, self.now_ms())
    }

    async fn token(&self, session: &TokenSession, acting: &Acting) -> PortResult<Lease<Token>> {
        session.get(|| self.login(acting)).await
    }

    /// Token and address; a catalog that misses the service is read once more (E5).
    async fn door(&self, session: &TokenSession, acting: &Acting, ask: &Ask) -> PortResult<Door> {
        let lease = self.token(session, acting).await?;
        let age_ms = self.now_ms().saturating_sub(lease.value.taken_ms);
        match self.base(&lease.value, ask) {
            Ok(base) => Ok(Door { lease, base }),
            Err(error) if age_ms < CATALOG_FRESH_MS => Err(error),
            Err(_) => {
                session.invalidate(lease.generation);
                let lease = self.token(session, acting).await?;
                let base = self.base(&lease.value, ask)?;
                Ok(Door { lease, base })
            }
        }
    }

    /// The address for `ask`. `Unreachable` when there is none: nothing is known about the object.
    fn base(&self, token: &Token, ask: &Ask) -> PortResult<String> {
        if ask.service == Service::Identity {
            return self.keystone(ask);
        }
        let url = self.catalog_url(&token.catalog, ask)?;
        let base = ask.service.base_url(url, token.project_id.as_deref());
        base.ok_or_else(|| {
            ask.error(
                ErrorKind::Unreachable,
                "its address in the catalog is no URL",
            )
        })
    }

    fn catalog_url<'a>(&self, catalog: &'a Catalog, ask: &Ask) -> PortResult<&'a str> {
        let (region, interface) = (self.config.region_name.as_deref(), self.config.interface);
        catalog.url(ask.service, region, interface).ok_or_else(|| {
            let (kind, face) = (ask.service.microversion_word(), interface.as_str());
            let place = region.map_or(String::new(), |name| format!(" in region {name}"));
            let reason = format!("the catalog has no {face} `{kind}` endpoint{place}");
            ask.error(ErrorKind::Unreachable, &reason)
        })
    }

    fn keystone(&self, ask: &Ask) -> PortResult<String> {
        let base = Service::Identity.base_url(&self.config.auth_url, None);
        base.ok_or_else(|| ask.error(ErrorKind::Refused, "the auth URL is no URL"))
    }

    async fn knock(&self, door: &Door, ask: &Ask) -> PortResult<Response<Bytes>> {
        self.fly(ask, &door.base, Some(&door.lease.value.secret))
            .await
    }

    /// True when Keystone says that the bearer of `token` is nobody any more. A token may always ask
    /// about itself, so a refusal is about the token and not about our rights.
    async fn is_dead(&self, token: &Token) -> bool {
        let mut ask = Ask::get(Service::Identity, "token_check", "/auth/tokens");
        ask.subject = Some(token.secret.clone());
        let Ok(base) = self.keystone(&ask) else {
            return false;
        };
        let response = self.fly(&ask, &base, Some(&token.secret)).await;
        response.is_ok_and(|r| matches!(r.status().as_u16(), 401 | 403 | 404))
    }

    async fn fly(
        &self,
        ask: &Ask,
        base: &str,
        token: Option<&SecretString>,
    ) -> PortResult<Response<Bytes>> {
        let request = self.request(ask, base, token)?;
        let remote = self.remotes.of(ask.service);
        let outcome = remote.call(request).await;
        outcome.map_err(|error| call_error(ask, &error, remote.view().circuit != "closed"))
    }

    fn request(
        &self,
        ask: &Ask,
        base: &str,
        token: Option<&SecretString>,
    ) -> PortResult<Request<Bytes>> {
        let uri = match ask.at_version_root {
            true => version_root(base),
            false => format!("{base}{}", ask.path_and_query()),
        };
        let mut builder = Request::builder()
            .method(ask.method.clone())
            .uri(uri)
            .header("accept", "application/json")
            .header("user-agent", USER_AGENT)
            .header("x-openstack-request-id", format!("req-{}", self.ctx.uuid()));
        if ask.body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        if let Some(version) = ask.version {
            let named = format!("{} {version}", ask.service.microversion_word());
            builder = builder.header("openstack-api-version", named);
        }
        for (name, secret) in [
            ("x-auth-token", token),
            ("x-subject-token", ask.subject.as_ref()),
        ] {
            if let Some(secret) = secret {
                builder = builder.header(name, secret_header(ask, secret)?);
            }
        }
        let body = ask.body.clone().unwrap_or_default();
        let unsendable = |_| ask.error(ErrorKind::Refused, "the request cannot be written");
        builder.body(body).map_err(unsendable)
    }

    fn settle(&self, ask: &Ask, response: Response<Bytes>) -> PortResult<Answer> {
        let status = response.status();
        let (parts, body) = response.into_parts();
        if status.is_success() {
            return Ok(Answer {
                headers: parts.headers,
                body,
            });
        }
        let wait_ms = retry_after_ms(&parts.headers, self.now_ms());
        Err(answer_error(
            ask,
            status.as_u16(),
            wait_ms,
            &Fault::read(&body),
        ))
    }
}

/// Marked so that nothing that prints headers prints it (S15).
fn secret_header(ask: &Ask, secret: &SecretString) -> Result<HeaderValue, PortError> {
    let unsendable = |_| ask.error(ErrorKind::Refused, "the token cannot be written");
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}
