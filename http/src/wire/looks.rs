//! What a look has found: checks of a site, its volume types, a group's recovery points and health.
//!
//! Absent: what is only registered (`admin`) or recorded (`group`).

use crate::time::iso;
use protector_domain::admin::{CheckName, CheckResult, SiteCheck};
use protector_domain::health::HealthView;
use protector_domain::ports::admin::{SiteStatus, SiteValidation};
use protector_domain::ports::storage::RecoveryPoint;
use protector_domain::record::ReplicationType;
use protector_domain::refusal::{Finding, Severity};
use protector_domain::volume_type::Eligibility;
use serde::Serialize;
use utoipa::ToSchema;

const US_PER_MS: i64 = 1_000;

/// One thing that was looked at (SITE-08).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SiteCheckInfo {
    #[schema(value_type = String)]
    pub name: CheckName,
    /// `ok`, `failed` or `skipped`.
    #[schema(value_type = String)]
    pub result: CheckResult,
    pub cause: String,
    /// What to do about a failed one.
    pub remedy: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ValidationInfo {
    pub name: String,
    /// After the look; null: nobody could look, it stays as it was.
    #[schema(value_type = Option<String>)]
    pub status: Option<SiteStatus>,
    pub checks: Vec<SiteCheckInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ValidationAnswer {
    pub validation: ValidationInfo,
}

/// VT-03.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VolumeTypeInfo {
    pub id: String,
    pub name: String,
    pub replication_enabled: bool,
    /// `async` or `sync`.
    #[schema(value_type = Option<String>)]
    pub replication_type: Option<ReplicationType>,
    /// Its volumes can be protected.
    pub eligible: bool,
    /// Why they cannot.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VolumeTypesAnswer {
    pub volume_types: Vec<VolumeTypeInfo>,
}

/// A snapshot of the whole group at the array that it replicates to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecoveryPointInfo {
    /// Names it, within the group.
    pub suffix: String,
    /// By the source array's clock.
    pub created_at: String,
    /// By the target array's clock; null: it has not fully arrived, and is never recovered from.
    pub completed_at: Option<String>,
    /// Seconds, by the arrays' clocks; null: they make no sense of it.
    pub age_s: Option<u64>,
    pub complete: bool,
}

/// Newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecoveryPointsAnswer {
    pub recovery_points: Vec<RecoveryPointInfo>,
}

/// One thing that speaks against a failover, as an error would say it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FindingInfo {
    /// `warning` or `blocking`.
    #[schema(value_type = String)]
    pub severity: Severity,
    pub code: String,
    pub message: String,
    pub remedy: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthInfo {
    /// Null: the target array could not be asked.
    pub replicating: Option<bool>,
    /// The newest complete one.
    pub newest_recovery_point: Option<RecoveryPointInfo>,
    /// Most data loss that the policy accepts, minutes.
    pub rpo_minutes: Option<u64>,
    /// Null: nobody knows how old the newest point is.
    pub rpo_met: Option<bool>,
    /// The peer site has exactly this record.
    pub synced: bool,
    /// A failover could begin, as far as record and arrays say; a dry run asks the target's cloud, too.
    pub failover_ready: bool,
    pub findings: Vec<FindingInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GroupHealthAnswer)]
pub struct HealthAnswer {
    pub health: HealthInfo,
}

impl From<SiteValidation> for ValidationInfo {
    fn from(found: SiteValidation) -> Self {
        Self {
            name: found.name,
            status: found.status,
            checks: found.checks.into_iter().map(SiteCheckInfo::from).collect(),
        }
    }
}

impl From<SiteCheck> for SiteCheckInfo {
    fn from(check: SiteCheck) -> Self {
        Self {
            name: check.name,
            result: check.result,
            cause: check.cause,
            remedy: check.remedy,
        }
    }
}

impl From<Eligibility> for VolumeTypeInfo {
    fn from(found: Eligibility) -> Self {
        Self {
            id: found.id,
            name: found.name,
            replication_enabled: found.replication_enabled,
            replication_type: found.replication_type,
            eligible: found.against.is_none(),
            reason: found.against,
        }
    }
}

impl From<&RecoveryPoint> for RecoveryPointInfo {
    fn from(point: &RecoveryPoint) -> Self {
        let at = |ms: i64| iso(ms.saturating_mul(US_PER_MS));
        Self {
            suffix: point.suffix.to_string(),
            created_at: at(point.created_ms),
            completed_at: point.completed_ms.map(at),
            age_s: point.age_s,
            complete: point.completed_ms.is_some(),
        }
    }
}

impl From<&Finding> for FindingInfo {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            code: finding.refusal.code(),
            message: finding.refusal.to_string(),
            remedy: finding.refusal.remedy().to_owned(),
        }
    }
}

impl From<&HealthView> for HealthInfo {
    fn from(health: &HealthView) -> Self {
        Self {
            replicating: health.replicating,
            newest_recovery_point: health.newest_point.as_ref().map(RecoveryPointInfo::from),
            rpo_minutes: health.rpo_max_s.map(|s| s / super::group::S_PER_MINUTE),
            rpo_met: health.rpo_met,
            synced: health.synced,
            failover_ready: health.failover_ready,
            findings: health.findings.iter().map(FindingInfo::from).collect(),
        }
    }
}
