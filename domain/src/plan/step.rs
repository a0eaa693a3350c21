//! The step table: everything an operation may do, with all it needs to know already in it.
//! Absent: how (`actors::operation::perform`, one file per step family).

use super::contract::{Contract, Target, Undo};
use crate::effect::{EffectKey, EffectKind};
use crate::ids::{DiskId, MemberId, OperationId, PointSuffix};
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Records what the checks before the start found.
    ValidateTarget,
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
    /// Asks Nova for the server. `ask.volumes` and `ask.ports` are filled from the effects named.
    BootServer {
        acting: Acting,
        member: MemberId,
        ask: Box<ServerCreate>,
        volumes: Vec<BootFrom>,
        ports: Vec<EffectKey>,
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

/// A disk of a server to boot, found through the effect that imported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFrom {
    pub import: EffectKey,
    pub boot_index: i32,
    pub device: Option<String>,
    pub tag: Option<String>,
}

impl Step {
    /// Stable API (OP-05).
    pub fn name(&self) -> &'static str {
        match self {
            Step::ValidateTarget => "validate_target",
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
            Step::ValidateTarget | Step::CommitNewPrimary => {
                one(EffectKind::None, super::GROUP_LANE.into())
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

    fn undo(&self) -> Undo {
        match self {
            Step::ValidateTarget => Undo::Nothing("checking changes nothing"),
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
            Step::ValidateTarget | Step::CommitNewPrimary => 1,
            Step::CreatePorts { .. } => 2,
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
