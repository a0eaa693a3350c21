//! Why we say no: a closed list, each with a stable code, its cause, and the command that helps
//! (DOC-02). *All* findings are collected, not only the first.
//!
//! Absent: HTTP statuses (`http::problem`) and the texts of ports.

use serde::{Deserialize, Serialize};

/// A refusal, or a warning that in another mode would be one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error, Serialize, Deserialize,
)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    #[error(
        "the other site leads this group under epoch {epoch}; this site has not heard of it yet"
    )]
    Overtaken { epoch: u64 },
    #[error("source servers have not been stopped since the forced failover: {servers}")]
    SplitBrain { servers: String },
    #[error("operation {operation} is {status}: it is over")]
    OperationEnded { operation: String, status: String },
    #[error("operation {operation} has passed its point of no return")]
    PastNoReturn { operation: String },
    #[error("operation {operation} does not wait for anybody")]
    NotStuck { operation: String },
    #[error("step {step} cannot be skipped: nothing else says who leads")]
    NotSkippable { step: String },
    #[error("nothing can be adopted for step {step}: {why}")]
    NotAdoptable { step: String, why: String },
    #[error("there is no object {object} in the group's project")]
    NoSuchObject { object: String },
    #[error("object {object} cannot be the step's: {why}")]
    NotItsObject { object: String, why: String },
    #[error("every member is up")]
    NobodyDown,
    #[error("operation {operation} is not the move that brought the group here")]
    NotTheMove { operation: String },
    #[error("the record says already where every member is")]
    NothingToSettle,
    #[error("the record does not say yet where the members are that another try has brought up")]
    NotSettled,
    #[error("a reason is needed: 1 to 1000 letters")]
    NoReason,
    #[error("the group has no member")]
    NoMembers,
    #[error("the group has no replication policy")]
    NoPolicy,
    #[error("no completely replicated recovery point exists at the target array")]
    NothingToRecover,
    #[error("recovery point {point} is not among the complete ones")]
    NoSuchPoint { point: String },
    #[error("Latest snapshot age ({age_min} min) exceeds RPO threshold ({max_min} min)")]
    RpoViolation { age_min: u64, max_min: u64 },
    #[error("an operation is running on this group: {operation}")]
    OperationInProgress { operation: String },
    #[error("the group is {status}; this needs {needed}")]
    WrongGroupStatus { status: String, needed: String },
    #[error("could not ask {what}: {why}")]
    CouldNotAsk { what: String, why: String },
    #[error("no cinder-volume service that is up serves volume type {volume_type}")]
    NoVolumeService { volume_type: String },
    #[error("volume type {volume_type} does not exist at {site}")]
    NoVolumeType { volume_type: String, site: String },
    #[error("{member}: no flavor at the target for {flavor}")]
    NoFlavor { member: String, flavor: String },
    #[error("{member}: flavor {flavor} at the target is smaller than at the source")]
    FlavorSmaller { member: String, flavor: String },
    #[error("{member}: no network at the target for {network}")]
    NoNetwork { member: String, network: String },
    #[error("{member}: no subnet at the target for {subnet}")]
    NoSubnet { member: String, subnet: String },
    #[error("{member}: no security group at the target for {security_group}")]
    NoSecurityGroup {
        member: String,
        security_group: String,
    },
    #[error("{member}: address {address} is taken at the target")]
    AddressTaken { member: String, address: String },
    #[error(
        "{member}: keypair {keypair} does not exist for the acting user; the VM is built without it"
    )]
    NoKeypair { member: String, keypair: String },
    #[error(
        "the tenant's leave is not to be had: {why}; the service boots the VMs and owns them, without keypairs"
    )]
    NoTrust { why: String },
    #[error("{member}: its user data is not given to the VM: {why}")]
    NoUserData { member: String, why: String },
    #[error("{member}: server group membership cannot be rebuilt")]
    ServerGroupDropped { member: String },
    #[error(
        "{member}: floating IP {address} belongs to the other cloud; the VM comes up without it"
    )]
    FloatingIpDropped { member: String, address: String },
    #[error("{member}: availability zone {zone} is not at the target; Nova chooses one")]
    ZoneDropped { member: String, zone: String },
    #[error(
        "quota for {resource} is too small: {wanted} more are needed, {used} of {limit} are used"
    )]
    QuotaExceeded {
        resource: String,
        wanted: i64,
        used: i64,
        limit: i64,
    },
    #[error("the service may not act in the tenant's project at the target: {why}")]
    DelegationBroken { why: String },
    #[error("{member}: {disk} is not in recovery point {point}; it joined later")]
    NotInPoint {
        member: String,
        disk: String,
        point: String,
    },
    #[error("the group is not protected from where it is now")]
    NotProtected,
    #[error(
        "nothing replicates to array {array}: the schedule is off, or the arrays are not connected"
    )]
    NotReplicating { array: String },
    #[error("{verb} runs at {site}")]
    WrongSite { verb: String, site: String },
    #[error("a planned move needs the lock ticket of the leading site")]
    TicketNeeded,
    #[error("{member}: network {network} has no isolated network for the drill")]
    NoTestNetwork { member: String, network: String },
    #[error("{member}: the drill's network {network} is the one of production")]
    TestNetworkNotIsolated { member: String, network: String },
    #[error("this Idempotency-Key was used for another request: operation {operation}")]
    IdempotencyKeyUsed { operation: String },
    #[error("there is no drill to clean up")]
    NoDrill,
    #[error("drill {operation} has not been cleaned up")]
    DrillIsUp { operation: String },
    #[error("the group is {status}; it can be deleted at home only")]
    NotHome { status: String },
    #[error("server {server} is no member of this group")]
    NotAMember { server: String },
    #[error("the group says so already")]
    NothingToChange,
    #[error("the server {server} does not exist in this project")]
    NoSuchServer { server: String },
    #[error("server {server} is {status}; only ACTIVE and SHUTOFF servers can join")]
    ServerState { server: String, status: String },
    #[error("server {server} boots from image; its root disk is not a volume")]
    RootNotAVolume { server: String },
    #[error("server {server} has ephemeral or swap disk")]
    EphemeralDisk { server: String },
    #[error("Volume type mismatch: volume {volume} is of type {actual}, the group's is {wanted}")]
    VolumeTypeMismatch {
        volume: String,
        actual: String,
        wanted: String,
    },
    #[error("Volume not replication-eligible: {volume}: {why}")]
    VolumeNotEligible { volume: String, why: String },
    #[error("Volume not replication-eligible: {volume} is encrypted")]
    VolumeEncrypted { volume: String },
    #[error("Volume not replication-eligible: {volume} can be attached to more than one server")]
    VolumeMultiattach { volume: String },
    #[error("Volume not replication-eligible: {volume} belongs to another project")]
    VolumeOfOtherProject { volume: String },
    #[error("volume {volume} is already protected in group {group}")]
    VolumeAlreadyProtected { volume: String, group: String },
    #[error("server {server}: port {port} cannot be rebuilt: its vnic_type is {vnic_type}")]
    PortNotRebuildable {
        server: String,
        port: String,
        vnic_type: String,
    },
    #[error("volume {volume} was not found on array {array}")]
    VolumeNotOnArray { volume: String, array: String },
    #[error("server {server} is already a member of group {group}")]
    AlreadyProtected { server: String, group: String },
    #[error("volume type does not support replication: {volume_type} at {site}")]
    TypeNotReplicated { volume_type: String, site: String },
    #[error("a name is needed: 1 to 255 letters without control characters")]
    BadName,
    #[error("a group named {name} already exists")]
    NameTaken { name: String },
    #[error("site {site} is not registered")]
    NoSuchSite { site: String },
    #[error("this project has no tenant mapping to site {site}")]
    NoTenantMapping { site: String },
    #[error("array {array} is not registered")]
    ArrayNotRegistered { array: String },
    #[error("replication policy: {why}")]
    BadPolicy { why: String },
    #[error("synchronous groups are not supported yet")]
    SyncNotSupported,
}

/// Remedies too long for their line.
const FREE_ADDRESS: &str = "free the address (openstack port list --fixed-ip ip-address=<ip>), or set the interface to take a new one";
const CHECK_ARRAY: &str = "openstack protector site validate <site>; check the policy's array";
const ASYNC_ONLY: &str =
    "openstack protector protection-group create <name> --replication-type async";
const FROM_VOLUMES: &str = "rebuild the server from volumes with a flavor without local disks";
const SERVER_GROUP: &str =
    "none needed; put the server into a group of the target by hand if it matters";
const FLOATING_IP: &str = "openstack floating ip create <network> there, and: openstack server add floating ip <server> <address>";
const FENCE: &str =
    "restore the link to the old site's Nova, or stop them there: openstack server stop <server>";
const MEMBER_ADD: &str =
    "openstack protector protection-group member-add <group> --instance-id <uuid>";
const POLICY_CREATE: &str = "openstack protector protection-group policy-create <group> ...";
const SYNC_OR_FORCE: &str =
    "openstack protector consistency-group sync <group>, or repeat with --force to accept the loss";
const MAP_FLAVOR: &str = "openstack flavor create, or map it: openstack protector protection-group mapping set <group> --flavor <here>=<there>";
const MAP_ZONE: &str =
    "openstack protector protection-group mapping set <group> --availability-zone <here>=<there>";
const MAP_NETWORK: &str = "openstack network create, or map it: openstack protector protection-group mapping set <group> --network <here>=<there>";
const REPLICATED_TYPE: &str = "openstack volume type set --property replication_enabled='<is> True' --property replication_type='<in> async' <type>, at both sites";
const SHOW_POINTS: &str = "openstack protector protection-group show <group>: recovery points; at the primary: openstack protector consistency-group sync <group>";
const MAP_TENANT: &str = "openstack dr tenant mapping create (admin)";
const SHOW_GROUP: &str = "openstack protector protection-group show <group>";
const TEST_CLEANUP: &str =
    "at the site of the drill: openstack protector protection-group test-cleanup <group>";
const TEST_NETWORK: &str = "openstack protector protection-group test-failover <group> --network-mapping <source>=<isolated>";

/// How much a finding weighs in the mode at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    Blocking,
}

/// One thing found while checking; kept in plans and shown by dry runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    pub refusal: Refusal,
}

/// Everything that speaks against a request, at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refusals(pub Vec<Refusal>);

impl From<Refusal> for Refusals {
    fn from(one: Refusal) -> Self {
        Self(vec![one])
    }
}

impl Refusal {
    /// The stable machine code: the variant's name in snake case.
    pub fn code(&self) -> String {
        let tagged = serde_json::to_value(self).unwrap_or_default();
        tagged
            .get("code")
            .and_then(|c| c.as_str())
            .unwrap_or("refused")
            .to_owned()
    }

    /// How what a VM would come up without is brought back.
    fn mend(&self) -> &'static str {
        match self {
            Self::NoKeypair { .. } => "openstack keypair create as the acting user, or map it",
            Self::NoUserData { .. } => {
                "openstack protector member remove and add again, with user data that fits"
            }
            _ => "ask again with the tenant's own password login: it brings a new trust",
        }
    }

    /// What to do about it: a command wherever one exists.
    pub fn remedy(&self) -> &'static str {
        use Refusal as R;
        match self {
            R::NoDrill
            | R::OperationInProgress { .. }
            | R::OperationEnded { .. }
            | R::NotStuck { .. }
            | R::PastNoReturn { .. }
            | R::NotSkippable { .. }
            | R::NotAdoptable { .. }
            | R::NoSuchObject { .. }
            | R::NotItsObject { .. }
            | R::NobodyDown
            | R::NotTheMove { .. }
            | R::NothingToSettle
            | R::NotSettled
            | R::NothingToChange
            | R::NoReason => self.way_out(),
            R::Overtaken { .. } => "openstack protector protection-group sync-force <group>",
            R::SplitBrain { .. } => FENCE,
            R::NoMembers | R::NoPolicy | R::BadPolicy { .. } => self.of_setup(),
            R::SyncNotSupported => ASYNC_ONLY,
            R::NothingToRecover | R::NoSuchPoint { .. } => SHOW_POINTS,
            R::RpoViolation { .. } => SYNC_OR_FORCE,
            R::WrongGroupStatus { .. } | R::AlreadyProtected { .. } => SHOW_GROUP,
            R::NoVolumeService { .. }
            | R::NoVolumeType { .. }
            | R::TypeNotReplicated { .. }
            | R::NoFlavor { .. }
            | R::FlavorSmaller { .. }
            | R::NoNetwork { .. }
            | R::NoSubnet { .. }
            | R::NoSecurityGroup { .. }
            | R::AddressTaken { .. }
            | R::NoKeypair { .. }
            | R::NoTrust { .. }
            | R::NoUserData { .. }
            | R::QuotaExceeded { .. }
            | R::DelegationBroken { .. }
            | R::NoTenantMapping { .. } => self.of_target(),
            R::ServerGroupDropped { .. } => SERVER_GROUP,
            R::FloatingIpDropped { .. } => FLOATING_IP,
            R::ZoneDropped { .. } => MAP_ZONE,
            R::CouldNotAsk { .. }
            | R::NotInPoint { .. }
            | R::NotProtected
            | R::NotReplicating { .. }
            | R::WrongSite { .. }
            | R::TicketNeeded => self.of_move(),
            R::NoTestNetwork { .. } | R::TestNetworkNotIsolated { .. } => TEST_NETWORK,
            R::DrillIsUp { .. } | R::NotHome { .. } | R::NotAMember { .. } => self.of_change(),
            R::NoSuchServer { .. }
            | R::ServerState { .. }
            | R::VolumeTypeMismatch { .. }
            | R::VolumeNotEligible { .. }
            | R::VolumeEncrypted { .. }
            | R::VolumeMultiattach { .. }
            | R::VolumeOfOtherProject { .. }
            | R::VolumeAlreadyProtected { .. }
            | R::VolumeNotOnArray { .. }
            | R::RootNotAVolume { .. }
            | R::EphemeralDisk { .. }
            | R::PortNotRebuildable { .. } => self.of_member(),
            R::BadName
            | R::IdempotencyKeyUsed { .. }
            | R::NameTaken { .. }
            | R::NoSuchSite { .. }
            | R::ArrayNotRegistered { .. } => self.of_name(),
        }
    }

    /// The remedy of a group that is not complete.
    fn of_setup(&self) -> &'static str {
        match self {
            Self::NoMembers => MEMBER_ADD,
            _ => POLICY_CREATE,
        }
    }

    /// The remedy of a name that does not serve.
    fn of_name(&self) -> &'static str {
        match self {
            Self::IdempotencyKeyUsed { .. } => "use a new Idempotency-Key",
            Self::NameTaken { .. } => "choose another name, or use the existing group",
            Self::NoSuchSite { .. } => "openstack protector site list",
            Self::ArrayNotRegistered { .. } => "ask an administrator to register the array",
            _ => "choose another name",
        }
    }

    /// The remedy of a move that cannot begin.
    fn of_move(&self) -> &'static str {
        use Refusal as R;
        match self {
            R::NotInPoint { .. } => {
                "wait for the next point, or: openstack protector consistency-group sync <group>"
            }
            R::NotProtected => "openstack protector protection-group reprotect <group>",
            R::CouldNotAsk { .. } => "openstack protector site validate <site>",
            R::NotReplicating { .. } => {
                "look at the arrays' connection; openstack protector consistency-group sync <group> shows whether it goes"
            }
            R::WrongSite { .. } => "repeat it with --os-cloud of that site",
            _ => "openstack protector protection-group failover --type planned, which carries it",
        }
    }

    /// The remedy of what is missing in a cloud.
    fn of_target(&self) -> &'static str {
        use Refusal as R;
        match self {
            R::NoVolumeService { .. } => {
                "openstack volume service list; start cinder-volume of that back end"
            }
            R::NoVolumeType { .. } | R::TypeNotReplicated { .. } => REPLICATED_TYPE,
            R::NoFlavor { .. } | R::FlavorSmaller { .. } => MAP_FLAVOR,
            R::NoNetwork { .. } | R::NoSubnet { .. } => MAP_NETWORK,
            R::NoSecurityGroup { .. } => {
                "openstack security group create, or map it: openstack protector protection-group mapping set <group> --security-group <here>=<there>"
            }
            R::AddressTaken { .. } => FREE_ADDRESS,
            R::NoKeypair { .. } | R::NoTrust { .. } | R::NoUserData { .. } => self.mend(),
            R::QuotaExceeded { .. } => "openstack quota set <project>",
            _ => MAP_TENANT,
        }
    }

    /// The remedy of a refused member.
    fn of_member(&self) -> &'static str {
        match self {
            Self::NoSuchServer { .. } | Self::ServerState { .. } => "openstack server show <uuid>",
            Self::VolumeTypeMismatch { .. } | Self::VolumeNotEligible { .. } => {
                "cinder retype --migration-policy on-demand <volume> <type>, then add the member again"
            }
            Self::VolumeNotOnArray { .. } => CHECK_ARRAY,
            Self::RootNotAVolume { .. } | Self::EphemeralDisk { .. } => FROM_VOLUMES,
            Self::VolumeEncrypted { .. } => {
                "openstack volume create --type <replicated, not encrypted> and copy the data, then add the member again"
            }
            Self::VolumeMultiattach { .. } => {
                "detach it from the other servers and retype it to a type without multiattach: openstack volume set --type <type> <volume>"
            }
            Self::VolumeOfOtherProject { .. } => {
                "openstack volume transfer request create <volume> by its project, then accept it in this one"
            }
            Self::VolumeAlreadyProtected { .. } => {
                "openstack protector protection-group member-remove <group> --instance-id <its former server>"
            }
            _ => {
                "replace it with a port of vnic_type normal: openstack port create --vnic-type normal"
            }
        }
    }

    /// The remedy of a refused change of a group that is there.
    fn of_change(&self) -> &'static str {
        match self {
            Self::DrillIsUp { .. } => TEST_CLEANUP,
            Self::NotHome { .. } => "openstack protector protection-group failback <group>",
            _ => SHOW_GROUP,
        }
    }

    /// The remedy of a refused word to an operation.
    fn way_out(&self) -> &'static str {
        match self {
            Self::PastNoReturn { .. } => {
                "wait for its end, then: openstack protector protection-group failback <group>"
            }
            Self::NobodyDown
            | Self::NotTheMove { .. }
            | Self::NothingToSettle
            | Self::NothingToChange => SHOW_GROUP,
            Self::NotSettled => "openstack protector protection-group settle-members <group>",
            Self::NotSkippable { .. } => "openstack protector operation resume <id>",
            Self::NoDrill => "openstack protector operation list",
            Self::NoReason => "repeat it with --reason <text>",
            Self::NoSuchObject { .. } | Self::NotItsObject { .. } => {
                "openstack server list --long, openstack volume list --long: who uses what is stuck"
            }
            _ => "openstack protector operation show <id>",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_variant_names() {
        assert_eq!(Refusal::NoMembers.code(), "no_members");
        let rpo = Refusal::RpoViolation {
            age_min: 47,
            max_min: 15,
        };
        assert_eq!(rpo.code(), "rpo_violation");
        assert_eq!(
            rpo.to_string(),
            "Latest snapshot age (47 min) exceeds RPO threshold (15 min)"
        );
    }
}
