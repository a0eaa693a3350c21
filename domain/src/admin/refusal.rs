//! Why an administrator's request is refused: stable codes, the cause, the way out.
//!
//! Absent: HTTP statuses (`http`), and what only a group can be refused for (`refusal`).

use crate::ids::SiteId;
use serde::{Deserialize, Serialize};

/// What is wrong with a URL (fault `K11`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrlFault {
    #[error("it is no URL of a service: http or https with a host, plainly written")]
    Malformed,
    #[error("it carries a user name or a password")]
    Credentials,
    #[error("it has a query or a fragment")]
    Tail,
    #[error("its host is this machine")]
    Loopback,
    #[error(
        "its host is no address of one service: link-local, unspecified, multicast or metadata"
    )]
    Forbidden,
}

/// Closed. A new arm needs a code, a remedy and a status before it compiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum AdminRefusal {
    #[error("{field} is empty, too long, not printable, or looks like an id")]
    BadName { field: String },
    #[error("{field} is refused: {fault}")]
    BadUrl { field: String, fault: UrlFault },
    #[error("a {what} of this name or id exists: {name}")]
    Taken { what: String, name: String },
    #[error("the offer is not sound: {why}")]
    BadOffer { why: String },
    #[error("the fingerprint given is not the one of the offer given")]
    FingerprintMismatch,
    #[error("this is the offer of this very site")]
    OwnOffer,
    #[error("site {site} is pinned with other keys")]
    OtherKeys { site: String },
    #[error("site {site} is pinned as another installation")]
    OtherInstallation { site: String },
    #[error("the site of this offer ({offered}) is registered already, as {site}")]
    SiteTaken { site: String, offered: SiteId },
    #[error("{groups} protection groups refer to {site} by the id it has")]
    SiteInUse { site: String, groups: usize },
    #[error("site {site} is not paired yet")]
    NotPaired { site: String },
    #[error("{what} {name} is used by {by}")]
    InUse {
        what: String,
        name: String,
        by: String,
    },
    #[error(
        "{what} {name} would be called at another URL with the secret that it was given for the old one"
    )]
    SecretNeeded { what: String, name: String },
    #[error("no login at site {site} is sealed here")]
    NoCredential { site: String },
    #[error("site {site} could not be asked: {why}")]
    CouldNotAsk { site: String, why: String },
}

impl AdminRefusal {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadName { .. } => "bad_name",
            Self::BadUrl { .. } => "bad_url",
            Self::Taken { .. } => "name_taken",
            Self::BadOffer { .. } => "bad_offer",
            Self::FingerprintMismatch => "fingerprint_mismatch",
            Self::OwnOffer => "own_offer",
            Self::OtherKeys { .. } => "other_keys",
            Self::OtherInstallation { .. } => "other_installation",
            Self::SiteTaken { .. } => "site_taken",
            Self::SiteInUse { .. } => "site_in_use",
            Self::NotPaired { .. } => "not_paired",
            Self::InUse { .. } => "in_use",
            Self::SecretNeeded { .. } => "secret_needed",
            Self::NoCredential { .. } => "no_credential",
            Self::CouldNotAsk { .. } => "could_not_ask",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BadName { .. } => "give a printable name of up to 255 characters",
            Self::BadUrl { .. } => {
                "give the public http(s) URL of the service, without credentials"
            }
            Self::Taken { .. } => "choose another name, or use what is registered",
            Self::BadOffer { .. } | Self::FingerprintMismatch => {
                "read the offer again at the other site (GET /v1/admin/pair) and compare the fingerprints with your eyes"
            }
            Self::OwnOffer => "give the offer of the other site (GET /v1/admin/pair there)",
            Self::OtherKeys { .. } | Self::OtherInstallation { .. } => {
                "find out who answers there; if it is the right site made anew, pair again with replace"
            }
            Self::SiteTaken { .. } => "pair the site that is registered, or delete it first",
            Self::SiteInUse { .. } => {
                "register the new site under another name; these groups stay with the old one"
            }
            Self::NotPaired { .. } => "openstack protector site pair <site>",
            Self::InUse { .. } => {
                "openstack protector protection-group delete <group>, openstack protector tenant mapping delete <id>: first what uses it"
            }
            Self::SecretNeeded { .. } => {
                "repeat it and give the secret for the new place: --secret-file <file>, --api-token-file <file>"
            }
            Self::NoCredential { .. } => "openstack protector site credential set <site>",
            Self::CouldNotAsk { .. } => "openstack protector site validate <site>",
        }
    }
}
