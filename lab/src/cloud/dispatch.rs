//! From a request to an answer: whose service, whose token, which microversion, whose words.
//!
//! Deliberately absent: what the services do. Each has its own `answer` below this one.

use serde_json::{Value, json};

use super::ids::IdSource;
use super::keystone::TokenCheck;
use super::knobs::Allow;
use super::log::CallRecord;
use super::policy::Who;
use super::wire::{Answer, Fault, Req, Resp, Service, decode};
use super::{Cloud, versions};

/// Path segments looked at; a longer path is unknown anyway.
const SEGMENTS_MAX: usize = 16;

/// What a service's handler is given besides the path.
pub(super) struct Call<'a> {
    pub(super) req: &'a Req,
    pub(super) who: &'a Who,
    pub(super) now_ms: i64,
    /// Minor part of the negotiated microversion; 0 where the service has none.
    pub(super) minor: u32,
    pub(super) body: Value,
    pub(super) base_url: String,
}

impl Call<'_> {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.req.query_value(name)
    }
}

impl Cloud {
    /// Answers one request at `now_ms`. The whole HTTP behaviour of the cloud; no I/O.
    pub fn handle(&mut self, req: &Req, now_ms: i64) -> Resp {
        self.advance(now_ms);
        let decoded: Vec<String> = req
            .path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .take(SEGMENTS_MAX)
            .map(|segment| decode(segment, false))
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let (service, rest) = match segments.split_first() {
            Some((first, rest)) => (Service::of_prefix(first), rest),
            None => (None, [].as_slice()),
        };
        let mut seen = None;
        let resp = match self.knobs.forced(service, req) {
            Some(forced) => {
                if forced.executed {
                    self.answer(service, rest, req, now_ms, &mut seen);
                }
                forced.answer
            }
            None => self.answer(service, rest, req, now_ms, &mut seen),
        };
        self.sign_off(service, req, resp, seen, now_ms)
    }

    fn answer(
        &mut self,
        service: Option<Service>,
        rest: &[&str],
        req: &Req,
        now_ms: i64,
        seen: &mut Option<Who>,
    ) -> Resp {
        let Some(service) = service else {
            return Resp::json(
                404,
                json!({"error": {"code": 404, "message": "no such service"}}),
            );
        };
        if let Some(resp) = versions::discover(service, rest, req, &self.config.base_url) {
            return resp;
        }
        let minor = match versions::negotiate(service, req) {
            Ok(minor) => minor,
            Err(fault) => return render(service, &fault),
        };
        let answer = match service {
            Service::Identity => self.keystone_answer(rest, req, now_ms, seen),
            _ => self.guarded(service, rest, req, (now_ms, minor), seen),
        };
        let resp = answer.unwrap_or_else(|fault| render(service, &fault));
        versions::stamp(service, minor, resp)
    }

    /// Every service but Keystone: token first, then the service itself.
    fn guarded(
        &mut self,
        service: Service,
        rest: &[&str],
        req: &Req,
        (now_ms, minor): (i64, u32),
        seen: &mut Option<Who>,
    ) -> Answer {
        let token = req.header_value("x-auth-token").unwrap_or_default();
        let who = match self.token_check(token, now_ms) {
            TokenCheck::Valid(who) => who,
            TokenCheck::Gone => return Ok(unauthorized(&self.config.base_url)),
            TokenCheck::Forbidden => return Ok(keystone_unavailable()),
        };
        *seen = Some(who.clone());
        if service == Service::Network && self.knobs.neutron_false_403 > 0 {
            self.knobs.neutron_false_403 -= 1;
            return Err(policy_denied(req));
        }
        let reads = matches!(req.method.as_str(), "GET" | "HEAD");
        let default = if reads { Allow::Anyone } else { Allow::Member };
        let rule = format!(
            "{}:{}",
            service.prefix(),
            if reads { "read" } else { "write" }
        );
        if !self.allows(&who, &rule, &default) {
            return Err(policy_denied(req));
        }
        let call = Call {
            req,
            who: &who,
            now_ms,
            minor,
            body: req.body_json()?,
            base_url: self.config.base_url.clone(),
        };
        match service {
            Service::Compute => self.nova_answer(rest, &call),
            Service::Volume => self.cinder_answer(rest, &call),
            Service::Network => self.neutron_answer(rest, &call),
            Service::Image => self.glance_answer(rest, &call),
            Service::Identity => Err(nowhere()),
        }
    }

    fn sign_off(
        &mut self,
        service: Option<Service>,
        req: &Req,
        resp: Resp,
        seen: Option<Who>,
        now_ms: i64,
    ) -> Resp {
        let number = self.log.total().wrapping_mul(0x1000_0000_01b3);
        let id = IdSource::new(self.config.seed ^ number).uuid();
        let request_id = format!("req-{id}");
        self.log.push(CallRecord {
            at_ms: now_ms,
            service,
            method: req.method.clone(),
            path: req.path_and_query(),
            status: resp.status,
            request_id: request_id.clone(),
            user_id: seen.as_ref().map(|who| who.user_id.clone()),
            project_id: seen.as_ref().and_then(|who| who.project_id.clone()),
            trust_id: seen.and_then(|who| who.trust_id),
        });
        resp.header("X-OpenStack-Request-Id", &request_id)
    }
}

/// 404 for a path that no route knows.
pub(super) fn nowhere() -> Fault {
    Fault::not_found("The resource could not be found.")
}

fn policy_denied(req: &Req) -> Fault {
    let verb = match req.method.as_str() {
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "DELETE" => "delete",
        _ => "update",
    };
    let resource = req.path.rsplit('/').next().unwrap_or_default();
    Fault::typed(
        403,
        "PolicyNotAuthorized",
        format!("rule:{verb}_{resource} is disallowed by policy"),
    )
}

/// What keystonemiddleware answers to a token that Keystone does not know.
fn unauthorized(base_url: &str) -> Resp {
    let message = "The request you have made requires authentication.";
    Resp::json(
        401,
        json!({"error": {"code": 401, "title": "Unauthorized", "message": message}}),
    )
    .header(
        "WWW-Authenticate",
        &format!("Keystone uri=\"{base_url}/identity\""),
    )
}

/// What keystonemiddleware answers when Keystone refuses to validate a token (fault `E3`).
fn keystone_unavailable() -> Resp {
    let message = "The server is currently unavailable. Please try again later.<br /><br />\n\
                   The Keystone service is temporarily unavailable.\n\n";
    Resp::json(
        503,
        json!({"message": message, "code": "503 Service Unavailable", "title": "Service Unavailable"}),
    )
}

/// A refusal in the words of the service.
pub(super) fn render(service: Service, fault: &Fault) -> Resp {
    let (code, message) = (fault.status, &fault.message);
    let title = title_of(code);
    match service {
        Service::Identity => Resp::json(
            code,
            json!({"error": {"code": code, "message": message, "title": title}}),
        ),
        Service::Network => Resp::json(
            code,
            json!({"NeutronError": {"type": fault.kind, "message": message, "detail": ""}}),
        ),
        Service::Image => Resp::json(
            code,
            json!({"code": format!("{code} {title}"), "title": title, "message": message}),
        ),
        Service::Compute | Service::Volume => render_compute(code, message),
    }
}

fn render_compute(code: u16, message: &str) -> Resp {
    let mut inner = json!({"code": code, "message": message});
    let limited = matches!(code, 413 | 429);
    if limited {
        super::json::put(&mut inner, "retryAfter", json!("0"));
    }
    let mut body = json!({});
    super::json::put(&mut body, fault_name(code), inner);
    let resp = Resp::json(code, body);
    if limited {
        return resp.header("Retry-After", "0");
    }
    resp
}

fn fault_name(code: u16) -> &'static str {
    match code {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

fn title_of(code: u16) -> &'static str {
    http::StatusCode::from_u16(code)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Error")
}
