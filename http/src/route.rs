//! The table of paths: the only list from which requests are dispatched and documented.
//!
//! Absent: what an endpoint does (`handlers`) and what its bodies look like (`openapi`, `wire`).

use crate::limits::{BODY_BYTES_MAX, SYNC_BODY_BYTES_MAX};
use crate::policy::Need;
use crate::request::is_name;
use http::Method;

/// Everything that can be asked for. Closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Versions,
    VersionShow,
    Health,
    OpenApi,
    ActorList,
    ActorStream,
    SiteList,
    SiteCreate,
    SiteShow,
    SiteUpdate,
    SiteDelete,
    SiteValidate,
    VolumeTypeList,
    PairShow,
    SitePair,
    SiteCredentialSet,
    ArrayList,
    ArrayCreate,
    ArrayUpdate,
    ArrayDelete,
    TenantMappingList,
    TenantMappingCreate,
    TenantMappingUpdate,
    TenantMappingDelete,
    TenantSiteList,
    GroupList,
    GroupCreate,
    GroupShow,
    GroupUpdate,
    GroupDelete,
    MemberList,
    MemberAdd,
    PolicyShow,
    PolicySet,
    MappingsShow,
    MappingsSet,
    ConsistencyGroupShow,
    RecoveryPointList,
    HealthShow,
    SyncShow,
    GroupAction,
    LockTicket,
    HeadTicket,
    SignHead,
    SyncAskRelease,
    SyncRelease,
    SyncWithdraw,
    OperationList,
    OperationShow,
    OperationAction,
    OperationEvents,
    SyncReserve,
    SyncCommit,
    SyncStore,
    SyncReceipt,
    SyncHead,
}

/// One method on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub endpoint: Endpoint,
    /// `GET` also answers `HEAD`.
    pub method: &'static str,
    /// Parts in braces match anything.
    pub template: &'static str,
    pub need: Need,
    /// Query parameters it knows.
    pub query: &'static [&'static str],
    pub summary: &'static str,
}

const fn get(
    endpoint: Endpoint,
    need: Need,
    template: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        endpoint,
        method: "GET",
        template,
        need,
        query: &[],
        summary,
    }
}

const fn write(
    endpoint: Endpoint,
    method: &'static str,
    template: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        endpoint,
        method,
        template,
        need: Need::Write,
        query: &[],
        summary,
    }
}

/// An administrator's change.
const fn admin(endpoint: Endpoint, template: &'static str, summary: &'static str) -> Route {
    Route {
        need: Need::Admin,
        ..write(endpoint, "POST", template, summary)
    }
}

/// An administrator's change by another method.
const fn admin_by(
    method: &'static str,
    endpoint: Endpoint,
    template: &'static str,
    summary: &'static str,
) -> Route {
    Route {
        method,
        ..admin(endpoint, template, summary)
    }
}

const fn asks(route: Route, query: &'static [&'static str]) -> Route {
    Route { query, ..route }
}

/// All of them. The first match counts, so literal parts stand before `{tenant}`.
pub const ROUTES: &[Route] = {
    use Endpoint as E;
    use Need::{Admin, Open, Read, Token};
    &[
        get(E::Versions, Open, "/", "API versions"),
        get(E::VersionShow, Token, "/v1", "This API version"),
        get(E::Health, Open, "/v1/health", "Whether the API listens"),
        get(E::OpenApi, Token, "/v1/openapi.json", "This document"),
        asks(
            get(
                E::ActorList,
                Admin,
                "/v1/admin/actors",
                "The live tree of actors",
            ),
            &["root", "kind", "depth", "format"],
        ),
        asks(
            get(
                E::ActorStream,
                Admin,
                "/v1/admin/actors/stream",
                "The live tree, again and again",
            ),
            &["root", "kind", "depth"],
        ),
        get(
            E::SiteList,
            Admin,
            "/v1/admin/sites",
            "List registered sites",
        ),
        admin(E::SiteCreate, "/v1/admin/sites", "Register a site"),
        get(
            E::SiteShow,
            Admin,
            "/v1/admin/sites/{site}",
            "Show a registered site",
        ),
        admin_by(
            "PATCH",
            E::SiteUpdate,
            "/v1/admin/sites/{site}",
            "Change a registered site",
        ),
        admin_by(
            "DELETE",
            E::SiteDelete,
            "/v1/admin/sites/{site}",
            "Forget a site that nothing uses",
        ),
        admin(
            E::SiteValidate,
            "/v1/admin/sites/{site}/validate",
            "Look at a site's cloud, check by check",
        ),
        get(
            E::VolumeTypeList,
            Admin,
            "/v1/admin/sites/{site}/volume-types",
            "List a site's volume types, and why some cannot be protected",
        ),
        get(
            E::PairShow,
            Admin,
            "/v1/admin/pair",
            "What this site shows of itself, for another to pin",
        ),
        admin(
            E::SitePair,
            "/v1/admin/sites/{site}/pair",
            "Pin the keys of a registered site",
        ),
        admin_by(
            "PUT",
            E::SiteCredentialSet,
            "/v1/admin/sites/{site}/credential",
            "Seal a login at a paired site's OpenStack",
        ),
        get(
            E::ArrayList,
            Admin,
            "/v1/admin/arrays",
            "List registered arrays",
        ),
        admin(E::ArrayCreate, "/v1/admin/arrays", "Register an array"),
        admin_by(
            "PATCH",
            E::ArrayUpdate,
            "/v1/admin/arrays/{array}",
            "Change a registered array",
        ),
        admin_by(
            "DELETE",
            E::ArrayDelete,
            "/v1/admin/arrays/{array}",
            "Forget an array that no policy uses",
        ),
        get(
            E::TenantMappingList,
            Admin,
            "/v1/admin/tenant-mappings",
            "List tenant mappings",
        ),
        admin(
            E::TenantMappingCreate,
            "/v1/admin/tenant-mappings",
            "Map a project to one of a paired site",
        ),
        admin_by(
            "PATCH",
            E::TenantMappingUpdate,
            "/v1/admin/tenant-mappings/{mapping}",
            "Change a tenant mapping",
        ),
        admin_by(
            "DELETE",
            E::TenantMappingDelete,
            "/v1/admin/tenant-mappings/{mapping}",
            "Forget a tenant mapping that no group uses",
        ),
        get(
            E::TenantSiteList,
            Read,
            "/v1/{tenant}/sites",
            "Names and status of the registered sites",
        ),
        asks(
            get(
                E::GroupList,
                Read,
                "/v1/{tenant}/protection-groups",
                "List protection groups",
            ),
            &["limit", "marker"],
        ),
        write(
            E::GroupCreate,
            "POST",
            "/v1/{tenant}/protection-groups",
            "Draft a protection group",
        ),
        get(
            E::GroupShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}",
            "Show a protection group",
        ),
        write(
            E::GroupUpdate,
            "PATCH",
            "/v1/{tenant}/protection-groups/{group}",
            "Draft another name or description",
        ),
        asks(
            write(
                E::GroupDelete,
                "DELETE",
                "/v1/{tenant}/protection-groups/{group}",
                "Draft the end of a protection group; no VM and no volume is deleted",
            ),
            &["abandon_peer"],
        ),
        get(
            E::MemberList,
            Read,
            "/v1/{tenant}/protection-groups/{group}/members",
            "List member VMs",
        ),
        write(
            E::MemberAdd,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/members",
            "Draft a new member VM",
        ),
        get(
            E::PolicyShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}/policy",
            "Show the replication policy",
        ),
        write(
            E::PolicySet,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/policy",
            "Draft the replication policy",
        ),
        get(
            E::MappingsShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}/mappings",
            "Show resource mappings",
        ),
        write(
            E::MappingsSet,
            "PUT",
            "/v1/{tenant}/protection-groups/{group}/mappings",
            "Draft resource mappings",
        ),
        get(
            E::ConsistencyGroupShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}/consistency-group",
            "Show what the group replicates as one, and its volumes",
        ),
        get(
            E::RecoveryPointList,
            Read,
            "/v1/{tenant}/protection-groups/{group}/recovery-points",
            "List recovery points at the array that the group replicates to",
        ),
        get(
            E::HealthShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}/health",
            "Replication, loss and whether a failover could begin",
        ),
        get(
            E::SyncShow,
            Read,
            "/v1/{tenant}/protection-groups/{group}/sync",
            "Head and envelope, for couriers",
        ),
        write(
            E::GroupAction,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/action",
            "Start an operation, or draft a change",
        ),
        write(
            E::LockTicket,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/sync/lock-tickets",
            "Offer the lead to a planned move at the peer site",
        ),
        write(
            E::HeadTicket,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/sync/head-tickets",
            "Ask, after a restore of this site, where the peer site stands",
        ),
        write(
            E::SignHead,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/sync/heads",
            "Sign where this site stands, for a head ticket of the peer site",
        ),
        asks(
            get(
                E::OperationList,
                Read,
                "/v1/{tenant}/operations",
                "List operations",
            ),
            &["group", "limit", "marker"],
        ),
        get(
            E::OperationShow,
            Read,
            "/v1/{tenant}/operations/{operation}",
            "Show an operation and its plan",
        ),
        write(
            E::OperationAction,
            "POST",
            "/v1/{tenant}/operations/{operation}/action",
            "Cancel, resume or unblock an operation",
        ),
        asks(
            get(
                E::OperationEvents,
                Read,
                "/v1/{tenant}/operations/{operation}/events",
                "What happened, or happens",
            ),
            &["after", "limit"],
        ),
        write(
            E::SyncAskRelease,
            "POST",
            "/v1/{tenant}/protection-groups/{group}/sync/release",
            "Sign that a planned move is over without having moved",
        ),
        write(
            E::SyncRelease,
            "POST",
            "/v1/{tenant}/sync/releases",
            "Take the lock back that a release frees",
        ),
        write(
            E::SyncWithdraw,
            "POST",
            "/v1/{tenant}/sync/rejections",
            "Take back what the peer site refused for good",
        ),
        write(
            E::SyncReserve,
            "POST",
            "/v1/{tenant}/sync/reservations",
            "Attest a ticket of the peer site",
        ),
        write(
            E::SyncCommit,
            "POST",
            "/v1/{tenant}/sync/commits",
            "Commit what the peer site attested",
        ),
        write(
            E::SyncStore,
            "POST",
            "/v1/{tenant}/sync/envelopes",
            "Store a record of the peer site",
        ),
        write(
            E::SyncReceipt,
            "POST",
            "/v1/{tenant}/sync/receipts",
            "Take home the peer's receipt",
        ),
        write(
            E::SyncHead,
            "POST",
            "/v1/{tenant}/sync/heads",
            "Compare this site, after a restore, with the peer's head",
        ),
    ]
};

/// First parts that are never a project.
const RESERVED: &[&str] = &["admin", "health", "openapi.json"];

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Route(&'static Route, Params),
    /// The path is there, the method is not; with the methods that are, and the path's parts.
    OtherMethod(Vec<&'static str>, Params),
    Nothing,
}

/// What stood in the braces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Route {
    /// Largest body it reads, bytes.
    pub fn body_bytes_max(&self) -> usize {
        if self.template.contains("/sync/") {
            SYNC_BODY_BYTES_MAX
        } else {
            BODY_BYTES_MAX
        }
    }

    /// The names in braces, in order.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        parts(self.template).filter_map(brace)
    }

    fn matches(&self, segments: &[String]) -> Option<Params> {
        if parts(self.template).count() != segments.len() {
            return None;
        }
        let mut params = Params::default();
        for (part, segment) in parts(self.template).zip(segments) {
            match brace(part) {
                Some("tenant") if RESERVED.contains(&segment.as_str()) || !is_name(segment) => {
                    return None;
                }
                Some(name) => params.0.push((name, segment.clone())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(params)
    }
}

fn parts(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('/').filter(|part| !part.is_empty())
}

fn brace(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
}

/// Finds the route of a method and a decoded path.
pub(crate) fn find(method: &Method, segments: &[String]) -> Found {
    let method = if *method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let mut others = Vec::new();
    let mut seen = Params::default();
    for route in ROUTES {
        let Some(params) = route.matches(segments) else {
            continue;
        };
        if route.method == method {
            return Found::Route(route, params);
        }
        others.push(route.method);
        seen = params;
    }
    if others.is_empty() {
        Found::Nothing
    } else {
        Found::OtherMethod(others, seen)
    }
}

#[cfg(test)]
mod tests;
