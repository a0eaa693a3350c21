//! The array's group matches the record: it exists, replicates, and has exactly the members' disks
//! (PG-05, MEM-05). Only where we lead, and never while a move is under way. Declarative, so that
//! running it twice, or after any crash, changes nothing more.

use crate::gather::group_spec;
use crate::site::Site;
use protector_domain::ids::{GroupId, Serial};
use protector_domain::ports::PortResult;
use protector_domain::record::GroupStatus;
use protector_store::StoredGroup;

pub(super) async fn group(site: &Site, id: GroupId) -> PortResult<()> {
    use protector_domain::ports::{ErrorKind, PortError};
    let stored = site.store().group_fetch(id).await;
    let stored = stored.map_err(|e| PortError::new(ErrorKind::Unreachable, e.to_string()))?;
    match stored {
        Some(stored) => self::stored(site, &stored).await,
        None => Ok(()),
    }
}

pub(super) async fn stored(site: &Site, group: &StoredGroup) -> PortResult<()> {
    let Some(body) = &group.body else {
        return Ok(());
    };
    let here = group.sync.role();
    if !group.sync.leads() || body.status != GroupStatus::Active {
        return Ok(());
    }
    let Some(spec) = group_spec(body, here.peer()) else {
        return Ok(());
    };
    // The name ends in the group's own id: whatever bears it was made for this group.
    site.storage().ensure_group(&spec, true).await?;
    let disks = body.members.iter().flat_map(|m| &m.disks);
    let serials: Vec<Serial> = disks
        .filter_map(|d| d.places.at(here))
        .map(|p| p.serial.clone())
        .collect();
    site.storage().set_members(&spec, &serials).await
}
