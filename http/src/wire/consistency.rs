//! What a protection group replicates as one (CG-03, CG-05), at the site that leads it now.
//!
//! Absent: ids of Cinder groups, of which there are none on the asynchronous path.

use super::group::{MembersAnswer, leading_role};
use protector_domain::ports::engine::GroupView;
use protector_domain::sync::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// One volume of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConsistencyGroupVolume {
    /// Null: it has none at the leading site.
    pub volume_id: Option<String>,
    pub volume_name: String,
    pub size_gb: u64,
    pub bootable: bool,
    /// The VM that it belongs to.
    pub instance_name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConsistencyGroupInfo {
    pub protection_group_id: String,
    pub volume_type_name: String,
    /// Null: there is no policy yet.
    pub pure_pg_name: Option<String>,
    pub volume_count: usize,
    /// Of all volumes together.
    pub size_gb: u64,
    pub volumes: Vec<ConsistencyGroupVolume>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConsistencyGroupAnswer {
    pub consistency_group: ConsistencyGroupInfo,
}

impl From<&GroupView> for ConsistencyGroupInfo {
    fn from(view: &GroupView) -> Self {
        let body = &view.body;
        let side = match leading_role(view) {
            Some(Role::Other) => &body.sides.other,
            Some(Role::Home) | None => &body.sides.home,
        };
        let volumes = volumes(view);
        Self {
            protection_group_id: view.id.to_string(),
            volume_type_name: side.volume_type.clone(),
            pure_pg_name: body.policy.as_ref().map(|p| p.array_group.to_string()),
            volume_count: volumes.len(),
            size_gb: volumes
                .iter()
                .fold(0, |sum, volume| volume.size_gb.saturating_add(sum)),
            volumes,
        }
    }
}

fn volumes(view: &GroupView) -> Vec<ConsistencyGroupVolume> {
    let members = MembersAnswer::from(view).members.into_iter();
    let of_member = |member: super::group::MemberInfo| {
        let name = member.name;
        let volumes = member.volumes.into_iter();
        volumes.map(move |volume| ConsistencyGroupVolume {
            volume_id: volume.volume_id,
            volume_name: volume.name,
            size_gb: volume.size_gb,
            bootable: volume.bootable,
            instance_name: name.clone(),
        })
    };
    members.flat_map(of_member).collect()
}
