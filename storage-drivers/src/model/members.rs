//! Membership of volumes in protection groups: products of groups and volumes.
//! Absent: hosts and host groups as members (only one kind fits a group that replicates).

use super::answer::{Answer, GroupMemberRow, Page, Reference};
use super::array::Array;
use super::error::{ArrayError, ErrorItem, Kind, all_or_nothing, item, missing, no_names};
use super::query::{Query, page};

impl Array {
    /// Adding a member twice changes nothing and is no error.
    pub(super) fn members_post(
        &mut self,
        groups: &[String],
        members: &[String],
    ) -> Result<Answer, ArrayError> {
        let (groups, volumes) = self.product(groups, members)?;
        for group in &groups {
            if let Some(group) = self.groups.get_mut(*group) {
                group.members.extend(volumes.iter().copied());
            }
        }
        Ok(Answer::GroupMembers(Page::whole(
            self.member_rows(&groups, &volumes),
        )))
    }

    /// An empty list of members never means all of them: it is refused.
    pub(super) fn members_delete(
        &mut self,
        groups: &[String],
        members: &[String],
    ) -> Result<Answer, ArrayError> {
        let group_seqs = self.groups_own_live(groups)?;
        if members.is_empty() {
            return Err(no_names("member_names"));
        }
        let mut errors = Vec::new();
        let mut volumes = Vec::new();
        for name in members {
            let seq = self
                .volumes
                .seq_of(name)
                .filter(|seq| self.is_member(*seq, &group_seqs));
            match seq {
                Some(seq) => volumes.push(seq),
                None => errors.push(not_found(name)),
            }
        }
        all_or_nothing(errors)?;
        for group in group_seqs {
            if let Some(group) = self.groups.get_mut(group) {
                group.members.retain(|seq| !volumes.contains(seq));
            }
        }
        Ok(Answer::Done)
    }

    pub(super) fn members_get(
        &self,
        groups: &[String],
        members: &[String],
        query: &Query,
    ) -> Result<Answer, ArrayError> {
        let mut errors = Vec::new();
        let mut group_seqs = Vec::new();
        for name in groups {
            match self.groups.seq_of(name) {
                Some(seq) => group_seqs.push(seq),
                None => errors.push(missing(Kind::ProtectionGroup, name)),
            }
        }
        let mut volumes = Vec::new();
        for name in members {
            match self.volumes.seq_of(name) {
                Some(seq) => volumes.push(seq),
                None => errors.push(missing(Kind::Volume, name)),
            }
        }
        all_or_nothing(errors)?;
        if groups.is_empty() {
            group_seqs = self.groups.iter().map(|(seq, _)| seq).collect();
        }
        let mut rows = Vec::new();
        for seq in group_seqs {
            let Some(group) = self.groups.get(seq) else {
                continue;
            };
            let wanted = |volume: &&u64| members.is_empty() || volumes.contains(*volume);
            for volume in group.members.iter().filter(wanted) {
                rows.extend(
                    self.member_row(seq, *volume)
                        .map(|row| ((seq, *volume), row)),
                );
            }
        }
        Ok(Answer::GroupMembers(page(
            rows,
            query,
            self.settings.page_max,
        )?))
    }

    fn product(
        &self,
        groups: &[String],
        members: &[String],
    ) -> Result<(Vec<u64>, Vec<u64>), ArrayError> {
        let groups = self.groups_own_live(groups)?;
        if members.is_empty() {
            return Err(no_names("member_names"));
        }
        Ok((groups, self.volumes_live(members)?))
    }

    fn is_member(&self, volume: u64, groups: &[u64]) -> bool {
        groups
            .iter()
            .filter_map(|group| self.groups.get(*group))
            .all(|group| group.members.contains(&volume))
    }

    fn member_rows(&self, groups: &[u64], volumes: &[u64]) -> Vec<GroupMemberRow> {
        let mut rows = Vec::new();
        for group in groups {
            for volume in volumes {
                rows.extend(self.member_row(*group, *volume));
            }
        }
        rows
    }

    fn member_row(&self, group: u64, volume: u64) -> Option<GroupMemberRow> {
        let volume = self.volumes.get(volume)?;
        Some(GroupMemberRow {
            group: self.groups.get(group)?.reference(),
            member: Reference::new(&volume.name, &volume.id),
        })
    }
}

fn not_found(name: &str) -> ErrorItem {
    item("Protection group member could not be found.", name)
}
