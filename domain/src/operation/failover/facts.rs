//! What a failover is decided from. Facts say what is *unknown* as well as what is absent.

use crate::ids::{GroupId, NetworkId, OperationId, PointSuffix, SiteId};
use crate::operation::OperationMode;
use crate::ports::Acting;
use crate::ports::compute::{ComputeQuota, Flavor, QuotaUse, Server};
use crate::ports::network::{NetworkInfo, Port, SecurityGroup, Subnet};
use crate::ports::storage::{GroupSpec, PointVolume, RecoveryPoint};
use crate::ports::volumes::{Volume, VolumePool, VolumeQuota, VolumeService, VolumeType};
use crate::record::GroupBody;
use crate::refusal::Refusal;
use crate::sync::{Epoch, RecordRef, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked<T> {
    Known(T),
    CouldNotAsk(String),
}

impl<T> Asked<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Asked::Known(value) => Some(value),
            Asked::CouldNotAsk(_) => None,
        }
    }
}

/// What could not be asked, as a finding: never the same as "there is none".
pub(super) fn unasked<T>(what: &str, asked: &Asked<T>) -> Option<Refusal> {
    match asked {
        Asked::Known(_) => None,
        Asked::CouldNotAsk(why) => Some(Refusal::CouldNotAsk {
            what: what.to_owned(),
            why: why.clone(),
        }),
    }
}

/// What the caller wants (C13, C14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverAsk {
    pub mode: OperationMode,
    /// Accept what a planned run would refuse (FO-08).
    pub force: bool,
    /// `None`: the newest complete one.
    pub recovery_point: Option<PointSuffix>,
}

/// What a drill is asked for (TF-01..03).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestAsk {
    /// Networks of the primary, and where they are for the drill: isolated from production (I9).
    pub networks: BTreeMap<NetworkId, NetworkId>,
    /// `None`: the newest complete one.
    pub recovery_point: Option<PointSuffix>,
}

/// The target cloud, as the acting identity sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The service's rights in the tenant's project (E8).
    pub delegation: Asked<()>,
    pub flavors: Asked<Vec<Flavor>>,
    /// Also those of other projects, as an administrator's token is shown them; so are security groups.
    pub networks: Asked<Vec<NetworkInfo>>,
    pub subnets: Asked<Vec<Subnet>>,
    pub security_groups: Asked<Vec<SecurityGroup>>,
    /// Of Nova.
    pub availability_zones: Asked<Vec<String>>,
    /// Ports that already exist there (H6, H7).
    pub ports: Asked<Vec<Port>>,
    pub volume_types: Asked<Vec<VolumeType>>,
    pub volume_services: Asked<Vec<VolumeService>>,
    pub volume_pools: Asked<Vec<VolumePool>>,
    pub compute_quota: Asked<ComputeQuota>,
    pub volume_quota: Asked<VolumeQuota>,
    pub port_quota: Asked<QuotaUse>,
    /// Those of the members' keypairs that whoever makes the servers has.
    pub keypairs: Asked<Vec<String>>,
}

/// What the members are at the source, read at the peer's cloud for a planned move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// With their attachments.
    pub servers: Asked<Vec<Server>>,
    /// Who stops and locks them there.
    pub acting: Acting,
}

/// What an earlier stay left of the members at the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftHere {
    pub servers: Vec<Server>,
    pub volumes: Vec<Volume>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverFacts {
    pub operation: OperationId,
    pub group: GroupId,
    pub site: SiteId,
    /// Our side of the group: the target.
    pub here: Role,
    /// The epoch that the move acts under: unplanned our next own one, planned the present one.
    pub fence: Epoch,
    /// The epoch after its commit.
    pub fence_after: Epoch,
    /// The record that all this was read for; a newer one makes it stale.
    pub base: RecordRef,
    /// `None`: unplanned; the source is not asked (FO-02).
    pub source: Option<SourceFacts>,
    pub left_here: LeftHere,
    pub body: GroupBody,
    /// `None`: the group has no policy.
    pub storage: Option<GroupSpec>,
    pub points: Asked<Vec<RecoveryPoint>>,
    /// Of the point that an unplanned move or a drill would take (`pick_point`): its volumes.
    pub point_volumes: Asked<Vec<PointVolume>>,
    pub target: TargetFacts,
    /// Who imports volumes and makes ports.
    pub volumes_as: Acting,
    /// Who looks at servers and changes their power: what must outlive the tenant's account (E3).
    pub servers_as: Acting,
    /// In whose name servers are made, by trust: keypair and owner are right then. If that is not to be had,
    /// and why, the service makes them without keypairs.
    pub tenant: Asked<Acting>,
}
