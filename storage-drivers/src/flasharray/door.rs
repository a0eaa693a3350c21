//! One array, reached and known: its address, and that it is the array that was meant.
//!
//! Every call of the port opens its doors anew: an address that leads to another array since an
//! hour ago is found out before anything is written there (`F15`).

use std::collections::{BTreeMap, BTreeSet};

use protector_domain::ids::{ArrayId, Serial};
use protector_domain::ports::storage::ArrayVolume;
use protector_domain::ports::{ErrorKind, PortError, PortResult};

use super::errors::port_error;
use super::{Driver, Reach, Way};
use crate::link::LinkError;
use crate::model::{Answer, ArrayRow, Command, Filter, Page, Query, VolumeRow};

/// Most pages of one list.
const PAGES_MAX: usize = 1_000;
/// Most names in one call: over REST they stand in the URL, which should stay below 4 KiB.
pub(super) const NAMES_PER_CALL: usize = 60;

/// What volumes are looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Serial,
    Id,
    Name,
}

impl Field {
    fn word(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Id => "id",
            Self::Name => "name",
        }
    }

    fn is(self, row: &VolumeRow, value: &str) -> bool {
        match self {
            Self::Serial => row.serial == value,
            Self::Id => row.id == value,
            Self::Name => row.name.eq_ignore_ascii_case(value),
        }
    }
}

/// An array that was asked who it is.
pub(super) struct Door {
    way: Way,
    /// What it said of itself: name, id, and its own clock.
    pub(super) array: ArrayRow,
}

impl<R: Reach> Driver<R> {
    /// Asks the array registered as `id` who it is.
    ///
    /// Errors: `Refused` when it is not registered or another array answers there.
    pub(super) async fn door(&self, id: &ArrayId) -> PortResult<Door> {
        let way = self.reach.way(id).await?;
        let answer = way.link.call(&way.address, Command::ArraysGet).await;
        let answer = answer.map_err(|error| {
            port_error(
                &format!("asking array {id} at {} who it is", way.address),
                &error,
            )
        })?;
        let Answer::Arrays(Page { items, .. }) = answer else {
            return Err(nonsense("arrays_get"));
        };
        let array = items
            .into_iter()
            .next()
            .ok_or_else(|| nonsense("arrays_get"))?;
        if array.id != id.as_str() {
            let what = format!(
                "array {id} is registered at {}, where array {} answers",
                way.address, array.id
            );
            return Err(PortError::new(ErrorKind::Refused, what));
        }
        Ok(Door { way, array })
    }
}

/// The array answered something else than was asked (`B19`).
pub(super) fn nonsense(verb: &str) -> PortError {
    PortError::new(
        ErrorKind::Unknown,
        format!("the array's answer to {verb} makes no sense"),
    )
}

impl Door {
    /// The latest moment that the array's clock may have shown when it was asked.
    pub(super) fn now_latest_ms(&self) -> i64 {
        self.array.now_ms.saturating_add(self.array.now_step_ms)
    }

    pub(super) async fn try_call(&self, command: Command) -> Result<Answer, LinkError> {
        self.way.link.call(&self.way.address, command).await
    }

    /// The call, with its failure in the port's words.
    pub(super) async fn call(&self, command: Command) -> PortResult<Answer> {
        let verb = command.verb();
        let done = self.try_call(command).await;
        done.map_err(|error| port_error(&format!("{verb} on array {}", self.array.name), &error))
    }

    /// All pages of a list. A token that comes back unchanged ends the walk with an error (`B14`).
    pub(super) async fn walk<T>(
        &self,
        ask: &(dyn Fn(Query) -> Command + Sync),
        open: fn(Answer) -> Option<Page<T>>,
        mut query: Query,
    ) -> PortResult<Vec<T>> {
        let mut all = Vec::new();
        for _ in 0..PAGES_MAX {
            let command = ask(query.clone());
            let verb = command.verb();
            let page = open(self.call(command).await?).ok_or_else(|| nonsense(verb))?;
            all.extend(page.items);
            match page.continuation_token {
                Some(token) if query.continuation_token.as_ref() != Some(&token) => {
                    query.continuation_token = Some(token);
                }
                None if !page.more_items_remaining => return Ok(all),
                _ => return Err(nonsense(verb)),
            }
        }
        Err(PortError::new(ErrorKind::Refused, "the list does not end"))
    }

    pub(super) async fn volumes(&self, query: Query) -> PortResult<Vec<VolumeRow>> {
        let open = |answer| match answer {
            Answer::Volumes(page) => Some(page),
            _ => None,
        };
        self.walk(&Command::VolumesGet, open, query).await
    }

    /// Volumes whose `field` is one of `values`, in as many calls as the URL needs.
    pub(super) async fn volumes_by<S: AsRef<str>>(
        &self,
        field: Field,
        values: &[S],
        live_only: bool,
    ) -> PortResult<Vec<VolumeRow>> {
        let mut found = Vec::new();
        for chunk in values.chunks(NAMES_PER_CALL) {
            let query = Query::filtered(Filter::any_of(field.word(), chunk));
            let query = if live_only { query.live() } else { query };
            let is_asked = |row: &VolumeRow| chunk.iter().any(|v| field.is(row, v.as_ref()));
            // What an array compares may be looser than what was asked.
            found.extend(self.volumes(query).await?.into_iter().filter(is_asked));
        }
        Ok(found)
    }

    /// The live volumes with these serials, each once, in the order asked for.
    ///
    /// Errors: `Missing` when one of them is not there.
    pub(super) async fn volumes_live(&self, serials: &[Serial]) -> PortResult<Vec<VolumeRow>> {
        let wanted: Vec<&str> = serials.iter().map(Serial::as_str).collect();
        let rows = self.volumes_by(Field::Serial, &wanted, true).await?;
        let mut by_serial: BTreeMap<String, VolumeRow> = rows
            .into_iter()
            .map(|row| (row.serial.clone(), row))
            .collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for serial in wanted.into_iter().filter(|serial| seen.insert(*serial)) {
            let row = by_serial.remove(serial).ok_or_else(|| {
                let what = format!(
                    "array {} has no volume with serial {serial}",
                    self.array.name
                );
                PortError::new(ErrorKind::Missing, what)
            })?;
            found.push(row);
        }
        Ok(found)
    }
}

/// A row in the port's words.
pub(super) fn array_volume(row: &VolumeRow) -> ArrayVolume {
    ArrayVolume {
        serial: Serial(row.serial.clone()),
        name: row.name.clone(),
        size_bytes: row.provisioned,
        connected: row.connection_count > 0,
        destroyed: row.destroyed,
    }
}
