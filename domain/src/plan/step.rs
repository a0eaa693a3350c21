//! The step table: everything an operation may do, with all it needs to know already in it.
//! Absent: how (`actors::operation::perform`, one file per step family).

use super::contract::{Contract, Target, Undo};
use crate::effect::{EffectKey, EffectKind};
use crate::ids::{
    ArrayId, DiskId, MemberId, OperationId, PointSuffix, PortId, Serial, ServerId, VolumeId,
};
use crate::ports::Acting;
use crate::ports::compute::ServerCreate;
use crate::ports::network::PortCreate;
use crate::ports::storage::GroupSpec;
use crate::ports::volumes::VolumeManage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One volume out of a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPlan {
    pub disk: DiskId,
    pub source_name: String,
    pub copy_name: String,
}

/// One port to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortPlan {
    /// Position among the member's interfaces.
    pub index: usize,
    pub ask: PortCreate,
}

/// The Cinder volume that a disk becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPlan {
    pub disk: DiskId,
    /// With our key in `metadata`.
    pub ask: VolumeManage,
    pub image_metadata: BTreeMap<String, String>,
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
}

/// A volume whose contents are replaced by those of a point; it stays the same volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverwritePlan {
    pub disk: DiskId,
    pub source_name: String,
    pub serial: Serial,
    /// The Cinder volume on it, which stays.
    pub volume: VolumeId,
    /// As Cinder had it when the plan was made.
    pub size_gib: u64,
    /// Its present name on the array, which stays, too.
    pub array_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Records what the checks before the start found.
    ValidateTarget,
    /// Leaves the new epoch on the target array, where a site that returns finds it (I5, I6).
    MarkEpoch { array: ArrayId, name: String },
    /// At the peer's cloud: stops a source server, keeps its volumes from being deleted with it, and
    /// locks it with a reason (FO-10).
    QuiesceServer {
        acting: Acting,
        member: MemberId,
        server: ServerId,
        was_active: bool,
        /// Volumes that would be deleted with the server; cleared here, restored by the undo.
        delete_on_termination: Vec<VolumeId>,
    },
    /// A last snapshot of the quiet group, and its complete arrival.
    TakeLastPoint {
        spec: GroupSpec,
        suffix: PointSuffix,
    },
    /// Has Cinder extend those of the volumes that have grown away from here, so that it knows their size when
    /// they are overwritten. Before the snapshots: what is put back is as large then.
    GrowVolumes {
        acting: Acting,
        spec: GroupSpec,
        point: PointSuffix,
        overwrites: Vec<OverwritePlan>,
    },
    /// Snapshots of the volumes that are about to be overwritten: the way back.
    SafetySnapshot {
        array: ArrayId,
        serials: Vec<Serial>,
        suffix: PointSuffix,
    },
    /// Brings the contents of a point into the volumes that the target still has.
    OverwriteVolumes {
        spec: GroupSpec,
        point: PointSuffix,
        guard: PointSuffix,
        overwrites: Vec<OverwritePlan>,
        /// Who uses these volumes here; stopped, or nothing is overwritten.
        acting: Acting,
        servers: Vec<ServerId>,
        /// Those of `overwrites` that nobody uses; still so, or nothing is overwritten.
        loose: Vec<VolumeId>,
    },
    /// Unlocks and starts a server that this product stopped here before.
    RestartServer {
        acting: Acting,
        member: MemberId,
        server: ServerId,
    },
    /// At the peer's cloud, past the point of no return: what an earlier move made there goes, if it
    /// carries our key; otherwise it stays and is listed.
    RetireServer {
        acting: Acting,
        member: MemberId,
        server: ServerId,
    },
    RetirePorts {
        acting: Acting,
        member: MemberId,
        ports: Vec<PortId>,
    },
    RetireVolumes {
        acting: Acting,
        member: MemberId,
        volumes: Vec<VolumeId>,
    },
    /// Past the point of no return, on the server of the new home: these volumes go with it when it is deleted,
    /// as they did before the first move.
    RestoreTermination {
        acting: Acting,
        member: MemberId,
        server: Part,
        volumes: Vec<Part>,
    },
    /// Takes back one step of an earlier operation (a drill's).
    TakeBack { of: OperationId, what: Box<Step> },
    /// Copies every volume of the group out of one point, in one call.
    RecoverVolumes {
        spec: GroupSpec,
        point: PointSuffix,
        copies: Vec<CopyPlan>,
    },
    /// Registers the member's copies with Cinder and waits until they are `available`, with their
    /// image metadata.
    ImportVolumes {
        acting: Acting,
        imports: Vec<ImportPlan>,
    },
    /// Makes the member's ports, in one call.
    CreatePorts {
        acting: Acting,
        member: MemberId,
        ports: Vec<PortPlan>,
    },
    /// Asks Nova for the server. `ask.volumes` and `ask.ports` are filled from what is named.
    BootServer {
        /// Who looks for it and takes it back.
        acting: Acting,
        /// In whose name it is made, by trust. Absent, or dead by then: `acting`, without the keypair.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Acting>,
        /// It gets the user data that the record has, sealed.
        #[serde(default)]
        has_user_data: bool,
        member: MemberId,
        ask: Box<ServerCreate>,
        volumes: Vec<BootFrom>,
        ports: Vec<Part>,
    },
    /// Waits until the server is ACTIVE.
    AwaitServer {
        acting: Acting,
        member: MemberId,
        server: EffectKey,
    },
    /// Ends the move: the record that says who leads, with the group's new state (R5).
    CommitNewPrimary,
}

/// A volume or a port of a server to boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Made by an earlier step of the plan, and found through its effect.
    Made(EffectKey),
    /// There already, by its id: an earlier stay of the member has left it.
    Kept(String),
}

/// A disk of a server to boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFrom {
    pub volume: Part,
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
}

impl Step {
    /// Stable API (OP-05).
    pub fn name(&self) -> &'static str {
        match self {
            Step::ValidateTarget => "validate_target",
            Step::MarkEpoch { .. } => "mark_epoch",
            Step::QuiesceServer { .. } => "quiesce_server",
            Step::TakeLastPoint { .. } => "take_last_point",
            Step::GrowVolumes { .. } => "grow_volumes",
            Step::SafetySnapshot { .. } => "safety_snapshot",
            Step::OverwriteVolumes { .. } => "overwrite_volumes",
            Step::RestartServer { .. } => "restart_server",
            Step::RetireServer { .. } => "retire_server",
            Step::RetirePorts { .. } => "retire_ports",
            Step::RetireVolumes { .. } => "retire_volumes",
            Step::RestoreTermination { .. } => "restore_termination",
            Step::TakeBack { .. } => "take_back",
            Step::RecoverVolumes { .. } => "recover_volumes",
            Step::ImportVolumes { .. } => "import_volumes",
            Step::CreatePorts { .. } => "create_ports",
            Step::BootServer { .. } => "boot_server",
            Step::AwaitServer { .. } => "await_server",
            Step::CommitNewPrimary => "commit_new_primary",
        }
    }

    /// Keys and kinds of what the step makes: at least one, each its own row in the ledger.
    pub fn targets(&self, operation: OperationId) -> Vec<Target> {
        let one = |kind, target: String| vec![Target::new(operation, self.name(), &target, kind)];
        match self {
            Step::ValidateTarget
            | Step::CommitNewPrimary
            | Step::GrowVolumes { .. }
            | Step::SafetySnapshot { .. }
            | Step::OverwriteVolumes { .. } => one(EffectKind::None, super::GROUP_LANE.into()),
            Step::MarkEpoch { .. } => one(EffectKind::ArrayVolume, super::GROUP_LANE.into()),
            Step::TakeLastPoint { .. } => one(EffectKind::ArraySnapshot, super::GROUP_LANE.into()),
            Step::QuiesceServer { member, .. }
            | Step::RestartServer { member, .. }
            | Step::RetireServer { member, .. }
            | Step::RetirePorts { member, .. }
            | Step::RestoreTermination { member, .. }
            | Step::RetireVolumes { member, .. } => one(EffectKind::None, member.to_string()),
            // One row, under the key of the first thing that it takes back.
            Step::TakeBack { of, what } => {
                let first = what.targets(*of).into_iter().next();
                let name = first.map(|t| t.key.0).unwrap_or_default();
                let short = name.split_once('/').map(|(_, rest)| rest.to_owned());
                one(EffectKind::None, short.unwrap_or_default())
            }
            Step::RecoverVolumes { copies, .. } => copies
                .iter()
                .map(|copy| {
                    let disk = copy.disk.to_string();
                    Target::new(operation, self.name(), &disk, EffectKind::ArrayVolume)
                })
                .collect(),
            Step::ImportVolumes { imports, .. } => imports
                .iter()
                .map(|import| {
                    let disk = import.disk.to_string();
                    Target::new(operation, self.name(), &disk, EffectKind::Volume)
                })
                .collect(),
            Step::CreatePorts { member, ports, .. } => ports
                .iter()
                .map(|port| {
                    let nic = format!("{member}.{}", port.index);
                    Target::new(operation, self.name(), &nic, EffectKind::Port)
                })
                .collect(),
            Step::BootServer { member, .. } => one(EffectKind::Server, member.to_string()),
            Step::AwaitServer { member, .. } => one(EffectKind::None, member.to_string()),
        }
    }

    /// True for what makes objects that nobody else has any part in, found by their keys.
    pub fn makes_own_objects(&self) -> bool {
        matches!(
            self,
            Step::RecoverVolumes { .. }
                | Step::ImportVolumes { .. }
                | Step::CreatePorts { .. }
                | Step::BootServer { .. }
        )
    }

    /// False for what leaves nothing behind that anybody could look at.
    pub fn touches_something(&self) -> bool {
        !matches!(
            self,
            Step::ValidateTarget | Step::AwaitServer { .. } | Step::CommitNewPrimary
        )
    }

    fn undo(&self) -> Undo {
        match self {
            Step::ValidateTarget => Undo::Nothing("checking changes nothing"),
            Step::MarkEpoch { .. } => Undo::Nothing("the epoch stays minted, and its mark stays"),
            Step::QuiesceServer { .. } => Undo::Compensate("unlock it, start it if it ran"),
            Step::TakeLastPoint { .. } => Undo::Nothing("one point more; retention removes it"),
            Step::GrowVolumes { .. } => Undo::Nothing("no volume shrinks; it stays larger"),
            Step::SafetySnapshot { .. } => Undo::Compensate("let go of the snapshots"),
            Step::OverwriteVolumes { .. } => {
                Undo::Compensate("put the safety snapshots' contents back")
            }
            Step::RestartServer { .. } => Undo::Compensate("stop it and lock it again"),
            Step::RetireServer { .. }
            | Step::RetirePorts { .. }
            | Step::RetireVolumes { .. }
            | Step::RestoreTermination { .. } => Undo::Nothing("past the point of no return"),
            Step::TakeBack { .. } => Undo::Nothing("what was a drill's is not made again"),
            Step::RecoverVolumes { .. } => {
                Undo::Compensate("destroy the copies that still carry our name")
            }
            Step::ImportVolumes { .. } => Undo::Compensate("unmanage; the copy stays on the array"),
            Step::AwaitServer { .. } => Undo::Nothing("waiting changes nothing"),
            Step::CreatePorts { .. } => Undo::Compensate("delete the ports that carry the key"),
            Step::BootServer { .. } => {
                Undo::Compensate("delete the server that carries the key, wait until it is gone")
            }
            Step::CommitNewPrimary => Undo::PointOfNoReturn,
        }
    }

    /// Share of the whole in progress, in arbitrary units (design: plans).
    pub fn weight(&self) -> u32 {
        match self {
            Step::ValidateTarget | Step::MarkEpoch { .. } | Step::CommitNewPrimary => 1,
            Step::CreatePorts { .. }
            | Step::GrowVolumes { .. }
            | Step::SafetySnapshot { .. }
            | Step::RetireServer { .. }
            | Step::RetirePorts { .. }
            | Step::RetireVolumes { .. }
            | Step::RestoreTermination { .. }
            | Step::TakeBack { .. } => 2,
            Step::QuiesceServer { .. }
            | Step::TakeLastPoint { .. }
            | Step::OverwriteVolumes { .. }
            | Step::RestartServer { .. } => 6,
            Step::BootServer { .. } => 4,
            Step::RecoverVolumes { .. } | Step::ImportVolumes { .. } => 6,
            Step::AwaitServer { .. } => 12,
        }
    }

    pub fn contract(&self, operation: OperationId) -> Contract {
        Contract {
            name: self.name(),
            targets: self.targets(operation),
            undo: self.undo(),
        }
    }
}
