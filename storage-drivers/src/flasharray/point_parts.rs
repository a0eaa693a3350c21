//! Which volumes a point holds, and how large: a volume that joined the group later is not in it.

use protector_domain::ids::PointSuffix;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::{GroupSpec, PointVolume};

use super::door::Door;
use super::points::peer_name;
use crate::model::{Answer, Command, Filter, Query, VolumeSnapshotRow};

pub(super) async fn list(
    target: &Door,
    spec: &GroupSpec,
    suffix: &PointSuffix,
) -> PortResult<Vec<PointVolume>> {
    let source = peer_name(target, &spec.source).await?;
    let prefix = format!("{source}:{}.{suffix}.", spec.name);
    let open = |answer| match answer {
        Answer::VolumeSnapshots(page) => Some(page),
        _ => None,
    };
    let query = Query::filtered(Filter::eq("name", format!("{prefix}*"))).live();
    let rows = target
        .walk(&Command::VolumeSnapshotsGet, open, query)
        .await?;
    // A pattern may match more than its letters say.
    let part = |row: &VolumeSnapshotRow| {
        let name = row.name.strip_prefix(&prefix)?.to_owned();
        let size_bytes = row.provisioned;
        Some(PointVolume { name, size_bytes })
    };
    Ok(rows.iter().filter_map(part).collect())
}
