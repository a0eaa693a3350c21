//! What a test makes slow, small, forbidden or wrong. Deliberately absent: defaults that fail.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use super::wire::{Req, Resp, Service};

/// How long something takes: drawn evenly from `min_ms` to `max_ms`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Shortest, in milliseconds.
    pub min_ms: i64,
    /// Longest, in milliseconds.
    pub max_ms: i64,
}

impl Span {
    /// Always exactly `ms`.
    pub const fn exactly(ms: i64) -> Self {
        Self {
            min_ms: ms,
            max_ms: ms,
        }
    }

    /// From `min_ms` to `max_ms`.
    pub const fn between(min_ms: i64, max_ms: i64) -> Self {
        Self { min_ms, max_ms }
    }
}

/// Time from "accepted" to "done" per kind of work.
#[derive(Debug, Clone)]
pub struct Latencies {
    /// Server create to `ACTIVE` or `ERROR`.
    pub boot: Span,
    /// `os-start`.
    pub start: Span,
    /// `os-stop`.
    pub stop: Span,
    /// Server delete.
    pub server_delete: Span,
    /// Attach and detach of one disk.
    pub disk: Span,
    /// Volume create, and snapshot create and delete.
    pub volume_create: Span,
    /// Manage and unmanage.
    pub volume_manage: Span,
    /// Volume delete.
    pub volume_delete: Span,
    /// Extend.
    pub volume_extend: Span,
    /// Group create, update, delete.
    pub group: Span,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            boot: Span::between(1_200, 2_300),
            start: Span::between(300, 900),
            stop: Span::between(500, 2_000),
            server_delete: Span::between(300, 900),
            disk: Span::between(300, 800),
            volume_create: Span::between(200, 700),
            volume_manage: Span::between(300, 900),
            volume_delete: Span::between(200, 600),
            volume_extend: Span::between(200, 500),
            group: Span::between(200, 600),
        }
    }
}

/// Who passes a policy rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// Whoever has a role in the project at all.
    Anyone,
    /// `member` or more.
    Member,
    /// `admin` only.
    Admin,
    /// Any of these role names.
    Roles(Vec<String>),
    /// Nobody, not even `admin`.
    Nobody,
}

/// An answer forced on matching requests.
#[derive(Clone)]
pub struct FailRule {
    service: Option<Service>,
    method: Option<String>,
    path: Regex,
    skip: u32,
    left: u32,
    executed: bool,
    answer: Resp,
}

impl FailRule {
    /// Answers `status` once, without doing anything, to requests whose path matches `path_regex`
    /// (searched anywhere in `/compute/v2.1/...` without the query).
    ///
    /// Errors: the pattern is no regular expression.
    pub fn new(path_regex: &str, status: u16) -> Result<Self, regex::Error> {
        Ok(Self {
            service: None,
            method: None,
            path: Regex::new(path_regex)?,
            skip: 0,
            left: 1,
            executed: false,
            answer: Resp::empty(status),
        })
    }

    /// Only this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Lets the first `skip` matching requests pass.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Applies to `count` requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.left = count;
        self
    }

    /// Does what was asked and then answers this: the answer is a lie (fault `B2`).
    #[must_use]
    pub fn after(mut self) -> Self {
        self.executed = true;
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.answer.body = body;
        self
    }

    /// With a header, for example `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer = self.answer.header(name, value);
        self
    }

    fn matches(&self, service: Option<Service>, req: &Req) -> bool {
        let service_fits = self.service.is_none() || self.service == service;
        let method_fits = self
            .method
            .as_deref()
            .is_none_or(|method| method == req.method);
        self.left > 0 && service_fits && method_fits && self.path.is_match(&req.path)
    }
}

/// A forced answer and whether the request is carried out first.
pub(super) struct Forced {
    pub(super) executed: bool,
    pub(super) answer: Resp,
}

/// All knobs.
#[derive(Clone)]
pub struct Knobs {
    /// Life of a token, in seconds. Keystone's default is an hour.
    pub token_lifetime_s: i64,
    /// How long work takes.
    pub latency: Latencies,
    /// Servers the hosts hold together; the next one ends in `ERROR`, "No valid host" (fault `H12`).
    pub servers_max: Option<usize>,
    /// Every boot ends in `ERROR` with this fault text (fault `H2`).
    pub boots_refused: Option<String>,
    /// Only servers of these names are refused; `None`: every one.
    pub boots_refused_names: Option<BTreeSet<String>>,
    /// Every boot stays in `BUILD` for ever (fault `H3`).
    pub boots_stuck: bool,
    /// Accepted stops never finish (fault `I7`).
    pub stops_stuck: bool,
    /// Accepted manages stay `creating` for ever (fault `G1`).
    pub manages_stuck: bool,
    /// Accepted manages end in `error` (fault `G2`).
    pub manages_fail: bool,
    /// Refuse a bad manage reference at once with 400 or 404. Real Cinder accepts it and ends in `error`.
    pub manage_refs_checked_early: bool,
    /// Let `manage` take an array volume that another Cinder volume owns, as Cinder's Pure driver does.
    pub manage_may_steal: bool,
    /// Neutron answers this many authorised requests with a false 403 (fault `B9`).
    pub neutron_false_403: u32,
    /// Whether cinder-volume is up; down, it takes no manage and creates end in `error` (fault `G4`).
    pub cinder_volume_up: bool,
    /// Policy rules that differ from the defaults, by rule name.
    pub policies: BTreeMap<String, Allow>,
    /// Forced answers; the first that matches is used.
    pub fail_rules: Vec<FailRule>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            token_lifetime_s: 3_600,
            latency: Latencies::default(),
            servers_max: None,
            boots_refused: None,
            boots_refused_names: None,
            boots_stuck: false,
            stops_stuck: false,
            manages_stuck: false,
            manages_fail: false,
            manage_refs_checked_early: false,
            manage_may_steal: false,
            neutron_false_403: 0,
            cinder_volume_up: true,
            policies: BTreeMap::new(),
            fail_rules: Vec::new(),
        }
    }
}

impl Knobs {
    /// The answer forced on this request, if any; counts it.
    pub(super) fn forced(&mut self, service: Option<Service>, req: &Req) -> Option<Forced> {
        let rule = self
            .fail_rules
            .iter_mut()
            .find(|rule| rule.matches(service, req))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.left -= 1;
        Some(Forced {
            executed: rule.executed,
            answer: rule.answer.clone(),
        })
    }
}
