//! `GET /servers` and `/servers/detail`: filters, order, pages.
//!
//! The name filter is a regular expression, searched anywhere, without regard to case, as MySQL's
//! `REGEXP` does it: a server called `web.*` matches others (fault `H14`).

use regex::{Regex, RegexBuilder};

use super::Server;
use crate::cloud::Cloud;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::paging::{self, PAGE_MAX};
use crate::cloud::timefmt::parse_iso;
use crate::cloud::wire::{Answer, Fault, Resp};

const PATTERN_BYTES_MAX: usize = 1 << 16;
const ALL_TENANTS_RULE: &str = "os_compute_api:servers:index:get_all_tenants";
const DETAIL_ALL_TENANTS_RULE: &str = "os_compute_api:servers:detail:get_all_tenants";

/// Patterns of the query, made once per list.
struct Filters {
    name: Option<Regex>,
    ip: Option<Regex>,
    since_ms: Option<i64>,
    before_ms: Option<i64>,
    everybody: bool,
}

fn pattern(call: &Call<'_>, key: &str) -> Result<Option<Regex>, Fault> {
    let Some(text) = call.query(key) else {
        return Ok(None);
    };
    let made = RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    made.map(Some)
        .map_err(|_| Fault::bad_request(format!("Invalid filter value for '{key}'")))
}

fn moment(call: &Call<'_>, key: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = call.query(key) else {
        return Ok(None);
    };
    parse_iso(text).map(Some).ok_or_else(|| {
        Fault::bad_request(format!(
            "Invalid input for query parameters {key}. Value: {text}."
        ))
    })
}

impl Cloud {
    fn server_filters(&self, call: &Call<'_>, detail: bool) -> Result<Filters, Fault> {
        let everybody = match call.query("all_tenants") {
            None => false,
            Some("") => true,
            Some(text) => json::is_true(text),
        };
        if everybody {
            let rule = if detail {
                DETAIL_ALL_TENANTS_RULE
            } else {
                ALL_TENANTS_RULE
            };
            self.enforce(call.who, rule, &crate::cloud::knobs::Allow::Admin)?;
        }
        Ok(Filters {
            name: pattern(call, "name")?,
            ip: pattern(call, "ip")?,
            since_ms: moment(call, "changes-since")?,
            before_ms: moment(call, "changes-before")?,
            everybody,
        })
    }

    pub(super) fn server_list(&self, call: &Call<'_>, detail: bool) -> Answer {
        let filters = self.server_filters(call, detail)?;
        let all = self.nova.servers.values();
        let mut found: Vec<&Server> = all
            .filter(|server| self.server_fits(server, &filters, call))
            .collect();
        // Nova's own order: newest first, then id downwards.
        found
            .sort_by(|left, right| (right.created_ms, &right.id).cmp(&(left.created_ms, &left.id)));
        let views = found
            .into_iter()
            .map(|server| match detail {
                true => self.server_view(call, server),
                false => self.server_brief(call, server),
            })
            .collect();
        let page = paging::page(call, views, PAGE_MAX)?;
        Ok(Resp::json(
            200,
            paging::body("servers", "servers_links", page),
        ))
    }

    fn server_fits(&self, server: &Server, filters: &Filters, call: &Call<'_>) -> bool {
        let admin = call.who.is_admin();
        let owner = call.query("project_id").or_else(|| call.query("tenant_id"));
        let seen = match (filters.everybody, owner) {
            (true, Some(project)) => server.project_id == project,
            (true, None) => true,
            (false, _) => server.project_id == call.who.project(),
        };
        // `changes-since` shows deleted servers too, everything else hides them.
        let living = server.alive() || filters.since_ms.is_some();
        let timely = filters
            .since_ms
            .is_none_or(|since_ms| server.updated_ms >= since_ms)
            && filters
                .before_ms
                .is_none_or(|before_ms| server.updated_ms <= before_ms);
        let named = filters
            .name
            .as_ref()
            .is_none_or(|name| name.is_match(&server.name));
        let addressed = filters.ip.as_ref().is_none_or(|ip| {
            self.server_addresses(server)
                .iter()
                .any(|address| ip.is_match(address))
        });
        let tagged = call
            .query("tags")
            .is_none_or(|tags| tags.split(',').all(|tag| server.tags.contains(tag)));
        let host = call.query("host").filter(|_| admin);
        seen && living
            && timely
            && named
            && addressed
            && tagged
            && status_fits(server, call)
            && call
                .query("flavor")
                .is_none_or(|flavor| flavor == server.flavor.id)
            && call.query("uuid").is_none_or(|id| id == server.id)
            && host.is_none_or(|host| server.host.as_deref() == Some(host))
    }
}

/// Several `status` values are alternatives; an unknown one matches nothing.
fn status_fits(server: &Server, call: &Call<'_>) -> bool {
    let pairs = call.req.query.iter();
    let mut asked = pairs.filter(|(name, _)| name == "status").peekable();
    asked.peek().is_none() || asked.any(|(_, status)| status.eq_ignore_ascii_case(server.status()))
}
