//! A successful answer as the command's `Answer`. Absent: failures (`fault`), field by field (`wire`).

use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde::de::DeserializeOwned;

use super::wire::{
    ArrayWire, ConnectionWire, Envelope, GroupSnapshotWire, GroupWire, MemberWire, TagWire,
    TargetWire, TransferWire, VolumeSnapshotWire, VolumeWire,
};
use crate::link::LinkError;
use crate::model::{Answer, Command, Page, VolumeItem, VolumeRow};

/// A `Date` counts seconds and is cut, not rounded.
const DATE_STEP_MS: i64 = 1_000;

/// The body as one page of `W`s, each as an `R`.
fn page<W: DeserializeOwned, R>(body: &[u8], row: impl Fn(W) -> R) -> Result<Page<R>, LinkError> {
    let envelope: Envelope<W> = serde_json::from_slice(body).map_err(|e| not_understood(&e))?;
    Ok(Page {
        items: envelope.items.into_iter().map(row).collect(),
        continuation_token: envelope
            .continuation_token
            .filter(|token| !token.is_empty()),
        more_items_remaining: envelope.more_items_remaining.unwrap_or_default(),
        total_item_count: envelope.total_item_count,
    })
}

/// The place in the answer, never its content.
pub(super) fn not_understood(error: &serde_json::Error) -> LinkError {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "a field is missing or of another kind",
        _ => "no JSON",
    };
    let (line, column) = (error.line(), error.column());
    LinkError::Unknown(format!(
        "the answer is not understood: {kind} at {line}:{column}"
    ))
}

/// The array's own clock, from the answer's `Date`, Unix milliseconds.
fn date_ms(headers: &HeaderMap) -> Result<i64, LinkError> {
    let text = headers.get("date").and_then(|value| value.to_str().ok());
    let date = text.and_then(|text| httpdate::parse_http_date(text).ok());
    let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    let ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    ms.ok_or_else(|| LinkError::Unknown("the answer has no date".to_owned()))
}

/// What `response`, a success, answers to `command`.
///
/// Errors: `Unknown` when it is not understood; a change may then have happened.
pub(super) fn read(command: &Command, response: &Response<Bytes>) -> Result<Answer, LinkError> {
    let body = response.body();
    Ok(match command {
        Command::ArraysGet => {
            let now_ms = date_ms(response.headers())?;
            Answer::Arrays(page(body, |w: ArrayWire| w.row(now_ms, DATE_STEP_MS))?)
        }
        Command::ArrayConnectionsGet(_) => {
            Answer::ArrayConnections(page(body, |w: ConnectionWire| w.into())?)
        }
        Command::VolumesBatchPost { items, .. } => {
            let page = page(body, |w: VolumeWire| w.into())?;
            Answer::Volumes(marked(page, items))
        }
        Command::VolumesGet(_) | Command::VolumesPost { .. } | Command::VolumesPatch { .. } => {
            Answer::Volumes(page(body, |w: VolumeWire| w.into())?)
        }
        Command::VolumeSnapshotsGet(_)
        | Command::VolumeSnapshotsPost { .. }
        | Command::VolumeSnapshotsPatch { .. } => {
            Answer::VolumeSnapshots(page(body, |w: VolumeSnapshotWire| w.into())?)
        }
        Command::TagsGet { .. } => Answer::Tags(page(body, |w: TagWire| w.into())?),
        Command::GroupsGet(_) | Command::GroupsPost { .. } | Command::GroupsPatch { .. } => {
            Answer::Groups(page(body, |w: GroupWire| w.into())?)
        }
        Command::GroupMembersGet { .. } => {
            Answer::GroupMembers(page(body, |w: MemberWire| w.into())?)
        }
        Command::GroupTargetsGet { .. } => {
            Answer::GroupTargets(page(body, |w: TargetWire| w.into())?)
        }
        Command::GroupSnapshotsGet(_) => {
            Answer::GroupSnapshots(page(body, |w: GroupSnapshotWire| w.into())?)
        }
        Command::TransfersGet(_) => Answer::Transfers(page(body, |w: TransferWire| w.into())?),
        // Changes whose success says enough.
        _ => Answer::Done,
    })
}

/// Volumes are shown without their tags; a batch that succeeded has set those it was given.
fn marked(mut page: Page<VolumeRow>, items: &[VolumeItem]) -> Page<VolumeRow> {
    for row in &mut page.items {
        let sent = items
            .iter()
            .find(|i| i.name.eq_ignore_ascii_case(&row.name));
        row.tags = sent.map(|item| item.tags.clone()).unwrap_or_default();
    }
    page
}
