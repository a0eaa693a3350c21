//! What becomes of a member's disks at the target: copied out of the point and imported, or, where the member
//! has been before, overwritten and used again.
//!
//! Absent: whether a volume may be used again (`home`).

use super::build::{Builder, copy_name_prefix, source_of};
use super::facts::{Asked, FailoverFacts};
use super::home::kept_volume;
use crate::plan::{BootFrom, CopyPlan, ImportPlan, OverwritePlan, Part};
use crate::ports::storage::PointVolume;
use crate::ports::volumes::VolumeManage;
use crate::record::{Disk, Member};
use crate::refusal::Refusal;
use std::collections::BTreeMap;

pub(super) enum DiskPlan {
    Copy(CopyPlan),
    Keep(OverwritePlan),
}

/// As large as the record or the point has it, whichever is more: it may have grown since either (G8).
pub(super) fn size_gib(facts: &FailoverFacts, disk: &Disk) -> u64 {
    let place = disk.places.at(source_of(facts.here));
    let held = facts.point_volumes.known().into_iter().flatten();
    let mut held = held.filter(|v| place.is_some_and(|place| place.array_name == v.name));
    let in_point = held.next().map_or(0, PointVolume::size_gib);
    disk.size_gib.max(in_point)
}

impl Builder<'_> {
    /// Whether the point has the volume. A point that the move itself takes will have them all; one
    /// whose parts could not be asked for is tried.
    fn holds(&self, array_name: &str) -> bool {
        let is_asked = self.facts.source.is_none();
        match (&self.facts.point_volumes, is_asked) {
            (Asked::Known(held), true) => held.iter().any(|volume| volume.name == array_name),
            _ => true,
        }
    }

    /// Disks of `member` that the point does not bring back.
    pub(super) fn not_in_point(&self, member: &Member) -> Vec<Refusal> {
        let mut against = Vec::new();
        for disk in &member.disks {
            match disk.places.at(source_of(self.facts.here)) {
                Some(place) if self.holds(&place.array_name) => {}
                Some(_) => against.push(Refusal::NotInPoint {
                    member: member.captured.name.clone(),
                    disk: disk.name.clone(),
                    point: self.point.suffix.to_string(),
                }),
                None => against.push(Refusal::VolumeNotOnArray {
                    volume: disk.name.clone(),
                    array: "source".to_owned(),
                }),
            }
        }
        against
    }

    /// One plan per disk, in their order, unless something speaks against the member.
    pub(super) fn disks(
        &self,
        member: &Member,
        first_copy: usize,
        against: &mut Vec<Refusal>,
    ) -> Vec<DiskPlan> {
        against.extend(self.not_in_point(member));
        let prefix = copy_name_prefix(self.facts.operation);
        let mut number = first_copy;
        let plan = |disk: &Disk| {
            let place = disk.places.at(source_of(self.facts.here))?;
            let kept = kept_volume(self.facts, member, disk).filter(|_| self.drill.is_none());
            if let Some(kept) = kept {
                return Some(DiskPlan::Keep(kept));
            }
            let copy = CopyPlan {
                disk: disk.id,
                source_name: place.array_name.clone(),
                copy_name: format!("{prefix}-{number:04}"),
            };
            number += 1;
            Some(DiskPlan::Copy(copy))
        };
        member.disks.iter().filter_map(plan).collect()
    }

    pub(super) fn imports(&self, member: &Member, disks: &[DiskPlan]) -> Vec<ImportPlan> {
        let pairs = member.disks.iter().zip(disks);
        let imports = pairs.filter_map(|(disk, plan)| match plan {
            DiskPlan::Copy(copy) => Some(self.import(disk, copy)),
            DiskPlan::Keep(_) => None,
        });
        imports.collect()
    }

    fn import(&self, disk: &Disk, copy: &CopyPlan) -> ImportPlan {
        let key = self.key("import_volumes", &disk.id.to_string());
        ImportPlan {
            disk: disk.id,
            ask: VolumeManage {
                host: self.volume_host.clone(),
                source_name: copy.copy_name.clone(),
                name: disk.name.clone(),
                description: disk.description.clone(),
                volume_type: self.volume_type.clone(),
                bootable: disk.bootable,
                availability_zone: None,
                metadata: self.with_key(BTreeMap::new(), &key),
            },
            image_metadata: disk.image_metadata.clone(),
            boot_index: disk.boot_index,
            device: disk.device.clone(),
            tag: disk.tag.clone(),
        }
    }

    /// In the order of the disks, which is that of the devices.
    pub(super) fn boot_from(&self, member: &Member, disks: &[DiskPlan]) -> Vec<BootFrom> {
        let pairs = member.disks.iter().zip(disks);
        let parts = pairs.map(|(disk, plan)| BootFrom {
            volume: match plan {
                DiskPlan::Copy(_) => Part::Made(self.key("import_volumes", &disk.id.to_string())),
                DiskPlan::Keep(kept) => Part::Kept(kept.volume.0.clone()),
            },
            boot_index: disk.boot_index,
            device: disk.device.clone(),
            tag: disk.tag.clone(),
        });
        parts.collect()
    }
}
