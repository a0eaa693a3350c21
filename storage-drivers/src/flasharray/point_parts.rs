//! Which volumes a point holds: a volume that joined the group later is not in it.

use protector_domain::ids::PointSuffix;
use protector_domain::ports::PortResult;
use protector_domain::ports::storage::GroupSpec;

use super::door::Door;
use super::points::peer_name;
use crate::model::{Answer, Command, Filter, Query};

/// Names as the source called them when the point was taken.
pub(super) async fn names(
    target: &Door,
    spec: &GroupSpec,
    suffix: &PointSuffix,
) -> PortResult<Vec<String>> {
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
    let parts = rows.iter().filter_map(|row| row.name.strip_prefix(&prefix));
    Ok(parts.map(str::to_owned).collect())
}
