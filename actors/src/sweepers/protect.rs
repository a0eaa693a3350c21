//! The array's group matches the record: it exists, replicates, and has exactly the members' disks
//! (PG-05, MEM-05). Where we lead and the group is protected; where we do not lead, our own
//! direction stands still (I6). Less is made of it only when both sites know. Declarative, so that running it twice, or after any crash, changes
//! nothing more. One at a time per group, on the record as it is read here.

use crate::gather::group_spec;
use crate::overtaken;
use crate::site::Site;
use protector_domain::change::gone;
use protector_domain::ids::{GroupId, Serial};
use protector_domain::ports::storage::GroupSpec;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_domain::record::{GroupBody, GroupStatus};
use protector_domain::sync::{RecordRef, Role};
use protector_store::StoredGroup;

async fn read(site: &Site, id: GroupId) -> PortResult<Option<StoredGroup>> {
    let stored = site.store().group_fetch(id).await;
    stored.map_err(|e| PortError::new(ErrorKind::Unreachable, e.to_string()))
}

/// What the record asks of the array here.
enum Wanted {
    Nothing,
    /// Our direction replicates, with these disks.
    Replicate(GroupSpec, Vec<Serial>),
    /// Our direction stands still.
    StandStill(GroupSpec),
}

/// `before`: what was in force before a record that the peer is not known to have. Members that left since
/// stay in the array's group until then: a forced move of the peer would need them.
fn wanted(body: &GroupBody, before: Option<&GroupBody>, here: Role, leads: bool) -> Wanted {
    use GroupStatus::{Active, FailedOver, FailedOverPartial};
    let Some(spec) = group_spec(body, here.peer()) else {
        return Wanted::Nothing;
    };
    let settled = matches!(body.status, Active | FailedOver | FailedOverPartial);
    match (leads, body.protected && settled) {
        (true, true) => {
            let left = before.map(|b| (gone(b, body), &b.members));
            let leaving = left.iter().flat_map(|(ids, members)| {
                let members = members.iter();
                members.filter(|m| ids.contains(&m.id))
            });
            let disks = body.members.iter().chain(leaving).flat_map(|m| &m.disks);
            let places = disks.filter_map(|d| d.places.at(here));
            Wanted::Replicate(spec, places.map(|p| p.serial.clone()).collect())
        }
        (true, false) => Wanted::Nothing,
        (false, _) => Wanted::StandStill(spec),
    }
}

/// Switches a direction off; one that is not there is off.
async fn stand_still(site: &Site, spec: &GroupSpec) -> PortResult<()> {
    match site.storage().set_replication(spec, false).await {
        Err(error) if error.kind == ErrorKind::Missing => Ok(()),
        other => other,
    }
}

/// Makes it so.
pub(super) async fn group(site: &Site, id: GroupId) -> PortResult<()> {
    let Some((wanted, base)) = look(site, id).await? else {
        return Ok(());
    };
    let storage = site.storage();
    match wanted {
        Wanted::Nothing => Ok(()),
        Wanted::StandStill(spec) => stand_still(site, &spec).await,
        Wanted::Replicate(spec, serials) => {
            if !may_lead(site, id).await? {
                return stand_still(site, &spec).await;
            }
            // The name ends in the group's own id: whatever bears it was made for this group.
            storage.ensure_group(&spec, true).await?;
            // That may have taken long; a newer record has its own turn.
            if look(site, id).await?.is_none_or(|(_, now)| now != base) {
                return Ok(());
            }
            storage.set_members(&spec, &serials).await?;
            storage.set_replication(&spec, !serials.is_empty()).await
        }
    }
}

/// False when a mark on an array says that the peer leads by now (I6). An array that could not be asked
/// is no yes.
async fn may_lead(site: &Site, id: GroupId) -> PortResult<bool> {
    let stored = read(site, id).await?;
    let Some((body, epoch)) = stored.and_then(|s| Some((s.body?, s.sync.epoch()?))) else {
        return Ok(false);
    };
    let asked = overtaken::look(site, id, &body).await;
    let free = site.overtaken().by(id, Some(epoch)).is_none();
    if free {
        asked?;
    }
    Ok(free)
}

async fn look(site: &Site, id: GroupId) -> PortResult<Option<(Wanted, RecordRef)>> {
    let Some(stored) = read(site, id).await? else {
        return Ok(None);
    };
    let (Some(body), Some(base)) = (&stored.body, stored.sync.fence()) else {
        return Ok(None);
    };
    // What replicates, and what stands still, may be so by a record that is forgotten here.
    if stored.sync.is_suspect() {
        return Ok(None);
    }
    let before = stored.sync.before_pending();
    let before = before.and_then(|b| serde_json::from_value(b.record().body.clone()).ok());
    let wanted = wanted(
        body,
        before.as_ref(),
        stored.sync.role(),
        stored.sync.leads(),
    );
    Ok(Some((wanted, base)))
}
