//! Versions, health, links, errors, the live tree. Absent: everything of the product.

use crate::wire::sync::SignedSchema;
use protector_domain::sync::Signed;
use serde::Serialize;
use utoipa::ToSchema;

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Link {
    /// `self` or `next`.
    pub rel: String,
    pub href: String,
}

/// One API version, in the words of OpenStack's version discovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionInfo {
    pub id: String,
    pub status: String,
    pub version: String,
    pub min_version: String,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionsAnswer {
    pub versions: Vec<VersionInfo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionAnswer {
    pub version: VersionInfo,
}

/// Says that the API listens, and nothing else: anybody may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthAnswer {
    pub health: Health,
}

/// The live tree: each actor's path, kind, phase, mailbox, restarts and last error.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ActorsAnswer {
    pub actors: Vec<serde_json::Value>,
}

/// One thing that speaks against a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorInfo {
    /// Stable, for programs.
    pub code: String,
    pub title: String,
    /// One sentence, for people.
    pub message: String,
    pub reason: Option<String>,
    /// What to do about it: a command wherever one exists.
    pub remedy: Option<String>,
    pub request_id: String,
}

/// Every answer of 400 and above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorAnswer {
    /// The first of them; there always is one.
    #[schema(value_type = ErrorInfo)]
    pub error: Option<ErrorInfo>,
    /// All of them, if there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ErrorInfo>>,
    /// With `older_version`: this site's newer record, to be taken to the other site (X2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SignedSchema>)]
    pub envelope: Option<Box<Signed>>,
}
