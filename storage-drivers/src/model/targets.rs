//! Targets of a group: added on the source, shown and allowed on the target.
//! Absent: moving data (`transfers`).

use serde::{Deserialize, Serialize};

use super::answer::{Answer, GroupTargetRow, Page, Reference};
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, destroyed, item, missing, no_names,
};
use super::groups::Group;
use super::query::{Query, RowKey, page};
use super::world::{ArrayWorld, LinkState};

/// On the source: one array that a group replicates to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) array: Reference,
    /// As last heard from the target.
    pub(super) allowed: bool,
    pub(super) shown_from_ms: i64,
    /// The view of the group there, once it shows.
    pub(super) replica: Option<u64>,
}

/// On the target: whose group this is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remote {
    /// Key of the owning array.
    pub(super) array: String,
    pub(super) array_name: String,
    pub(super) array_id: String,
    /// Sequence number of the group there.
    pub(super) group: u64,
    pub(super) allowed: bool,
}

impl ArrayWorld {
    pub(super) fn targets_post(
        &mut self,
        key: &str,
        group_names: &[String],
        member_names: &[String],
    ) -> Result<Answer, ArrayError> {
        let groups = self.array(key)?.groups_own_live(group_names)?;
        let targets = self.targets_judge(key, &groups, member_names)?;
        for group in &groups {
            for (target_key, target) in &targets {
                if let Some(group) = self.group_mut(key, *group) {
                    group.targets.insert(target_key.clone(), target.clone());
                }
            }
        }
        let rows = self.target_rows(key, |seq, _| groups.contains(&seq));
        Ok(Answer::GroupTargets(Page::whole(
            rows.into_iter().map(|(_, row)| row).collect(),
        )))
    }

    fn targets_judge(
        &self,
        key: &str,
        groups: &[u64],
        member_names: &[String],
    ) -> Result<Vec<(String, Target)>, ArrayError> {
        if member_names.is_empty() {
            return Err(no_names("member_names"));
        }
        let mut errors = Vec::new();
        let mut targets = Vec::new();
        for name in member_names {
            match self.target_judge(key, groups, name) {
                Ok(target) => targets.push(target),
                Err(e) => errors.push(e),
            }
        }
        all_or_nothing(errors)?;
        Ok(targets)
    }

    fn target_judge(
        &self,
        key: &str,
        groups: &[u64],
        name: &str,
    ) -> Result<(String, Target), ErrorItem> {
        let target_key = super::shelf::fold(name);
        let target = self
            .arrays
            .get(&target_key)
            .filter(|_| self.link(key, &target_key).is_some());
        let target = target.ok_or_else(|| item("Array connection does not exist.", name))?;
        let includes = |group: &Group| group.targets.contains_key(&target_key);
        if groups
            .iter()
            .filter_map(|seq| self.group(key, *seq))
            .any(includes)
        {
            return Err(item("Protection group already includes target.", name));
        }
        let new = Target {
            array: target.reference(),
            allowed: target.settings.allowed_at_birth,
            shown_from_ms: self.clock_ms + target.settings.replica_delay_ms,
            replica: None,
        };
        Ok((target_key, new))
    }

    /// Allowing twice is no error.
    pub(super) fn targets_patch(
        &mut self,
        key: &str,
        group_names: &[String],
        allowed: bool,
    ) -> Result<Answer, ArrayError> {
        if group_names.is_empty() {
            return Err(no_names("group_names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in group_names {
            match self.array(key)?.groups.find(name) {
                None => errors.push(missing(Kind::ProtectionGroup, name)),
                Some((_, group)) if group.destroyed_ms.is_some() => {
                    errors.push(destroyed(Kind::ProtectionGroup, name));
                }
                Some((_, group)) if group.remote.is_none() => {
                    errors.push(item("Protection group is local.", name));
                }
                Some((seq, _)) => seqs.push(seq),
            }
        }
        all_or_nothing(errors)?;
        for seq in &seqs {
            if let Some(remote) = self
                .group_mut(key, *seq)
                .and_then(|group| group.remote.as_mut())
            {
                remote.allowed = allowed;
            }
        }
        self.mirror();
        let rows = self.target_rows(key, |seq, _| seqs.contains(&seq));
        Ok(Answer::GroupTargets(Page::whole(
            rows.into_iter().map(|(_, row)| row).collect(),
        )))
    }

    pub(super) fn targets_delete(
        &mut self,
        key: &str,
        group_names: &[String],
        member_names: &[String],
    ) -> Result<Answer, ArrayError> {
        let groups = self.array(key)?.groups_own_live(group_names)?;
        if member_names.is_empty() {
            return Err(no_names("member_names"));
        }
        let mut errors = Vec::new();
        for name in member_names {
            let target_key = super::shelf::fold(name);
            let held = |group: &Group| group.targets.contains_key(&target_key);
            if !groups
                .iter()
                .filter_map(|seq| self.group(key, *seq))
                .all(held)
            {
                errors.push(item("Protection group target could not be found.", name));
            }
        }
        all_or_nothing(errors)?;
        for group in groups {
            for name in member_names {
                if let Some(group) = self.group_mut(key, group) {
                    group.targets.remove(&super::shelf::fold(name));
                }
            }
        }
        Ok(Answer::Done)
    }

    pub(super) fn targets_get(
        &self,
        key: &str,
        group_names: &[String],
        query: &Query,
    ) -> Result<Answer, ArrayError> {
        let array = self.array(key)?;
        let absent = group_names
            .iter()
            .filter(|name| array.groups.find(name).is_none());
        all_or_nothing(
            absent
                .map(|name| missing(Kind::ProtectionGroup, name))
                .collect(),
        )?;
        let named = |group: &Group| {
            group_names.is_empty()
                || group_names
                    .iter()
                    .any(|n| n.eq_ignore_ascii_case(&group.name))
        };
        let rows = self.target_rows(key, |_, group| named(group));
        Ok(Answer::GroupTargets(page(
            rows,
            query,
            array.settings.page_max,
        )?))
    }

    fn target_rows(
        &self,
        key: &str,
        wanted: impl Fn(u64, &Group) -> bool,
    ) -> Vec<(RowKey, GroupTargetRow)> {
        let Ok(array) = self.array(key) else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for (seq, group) in array
            .groups
            .iter()
            .filter(|(seq, group)| wanted(*seq, group))
        {
            if let Some(remote) = &group.remote {
                let status = self.target_status(&remote.array, key, remote.allowed);
                rows.push((
                    (seq, 0),
                    row(group, array.reference(), remote.allowed, status),
                ));
            }
            for (index, (target_key, target)) in (1..).zip(&group.targets) {
                let status = self.target_status(key, target_key, target.allowed);
                rows.push((
                    (seq, index),
                    row(group, target.array.clone(), target.allowed, status),
                ));
            }
        }
        rows
    }

    fn target_status(&self, from: &str, to: &str, allowed: bool) -> &'static str {
        if !allowed {
            "disallowed"
        } else if self.is_flowing(from, to) {
            "replicating"
        } else {
            "suspended"
        }
    }

    /// The group shows up on the target, if the link lets it.
    pub(super) fn replica_show(&mut self, from: &str, group_seq: u64, to: &str) {
        let (Ok(source), Some(group)) = (self.array(from), self.group(from, group_seq)) else {
            return;
        };
        let name = format!("{}:{}", source.name, group.name);
        let Ok(target) = self.array(to) else { return };
        let remote = Remote {
            array: from.to_owned(),
            array_name: source.name.clone(),
            array_id: source.id.clone(),
            group: group_seq,
            allowed: target.settings.allowed_at_birth,
        };
        // A group made again under its old name meets its own past there.
        let seq = target.groups.seq_of(&name);
        let seq = seq.unwrap_or_else(|| self.replica_make(to, &name));
        if let Some(replica) = self.group_mut(to, seq) {
            replica.remote = Some(remote);
            replica.destroyed_ms = None;
        }
        if let Some(target) = self
            .group_mut(from, group_seq)
            .and_then(|g| g.targets.get_mut(to))
        {
            target.replica = Some(seq);
        }
        self.mirror();
    }

    fn replica_make(&mut self, to: &str, name: &str) -> u64 {
        let seq = self.mint.seq();
        let id = self.mint.id(seq);
        let now_ms = self.clock_ms;
        if let Some(array) = self.arrays.get_mut(to) {
            let group = Group::new(id, name, array.wall_ms(now_ms));
            array.groups.insert(seq, group);
        }
        seq
    }

    /// What each side knows of the other's half of a group, as far as links are up.
    pub(super) fn mirror(&mut self) {
        for (from, group_seq, to, replica_seq) in self.replicas() {
            if !self.is_flowing(&from, &to) {
                continue;
            }
            let allowed = self
                .group(&to, replica_seq)
                .and_then(|g| g.remote.as_ref())
                .map(|r| r.allowed);
            let source = self
                .group(&from, group_seq)
                .map(|g| (g.target_retention, g.replication));
            let target = self
                .group_mut(&from, group_seq)
                .and_then(|g| g.targets.get_mut(&to));
            if let (Some(allowed), Some(target)) = (allowed, target) {
                target.allowed = allowed;
            }
            if let (Some((retention, schedule)), Some(replica)) =
                (source, self.group_mut(&to, replica_seq))
            {
                let changed = replica.target_retention != retention;
                replica.target_retention = retention;
                replica.replication = schedule;
                if changed && let Some(array) = self.arrays.get_mut(&to) {
                    array.retention_afresh(replica_seq);
                }
            }
        }
    }

    fn replicas(&self) -> Vec<(String, u64, String, u64)> {
        let mut found = Vec::new();
        for (key, array) in &self.arrays {
            for (seq, group) in array.groups.iter() {
                for (to, target) in &group.targets {
                    found.extend(
                        target
                            .replica
                            .map(|replica| (key.clone(), seq, to.clone(), replica)),
                    );
                }
            }
        }
        found
    }

    /// Link up and both arrays there.
    pub(super) fn is_flowing(&self, from: &str, to: &str) -> bool {
        let online = |key: &str| self.arrays.get(key).is_some_and(|array| array.is_online());
        let up = self
            .link(from, to)
            .is_some_and(|link| link.state == LinkState::Connected);
        up && online(from) && online(to)
    }
}

fn row(group: &Group, member: Reference, allowed: bool, status: &str) -> GroupTargetRow {
    GroupTargetRow {
        group: group.reference(),
        member,
        allowed,
        status: status.to_owned(),
    }
}
