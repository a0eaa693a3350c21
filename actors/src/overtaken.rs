//! Groups whose epoch mark on an array is higher than the record here: the peer leads them by now, and
//! this site has not heard of it from any courier (I5, I6). Learned anew by every life of the engine.
//!
//! Absent: the right to lead; that is the record's. This only takes it away until the record has come.

use crate::site::Site;
use protector_domain::fence::{highest_mark, mark_prefix};
use protector_domain::ids::GroupId;
use protector_domain::ports::engine::EngineError;
use protector_domain::ports::{PortError, PortResult};
use protector_domain::record::GroupBody;
use protector_domain::refusal::{Refusal, Refusals};
use protector_domain::sync::{Epoch, Role};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The marks seen, by group.
#[derive(Default)]
pub(crate) struct Overtaken(Mutex<BTreeMap<GroupId, Epoch>>);

impl Overtaken {
    /// The epoch under which the peer leads, if it is higher than the one that the record here has.
    pub fn by(&self, group: GroupId, here: Option<Epoch>) -> Option<Epoch> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = seen.get(&group).copied();
        mark.filter(|mark| here.is_none_or(|here| *mark > here))
    }

    fn note(&self, group: GroupId, mark: Epoch) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.entry(group).or_insert(mark);
        *known = mark.max(*known);
    }
}

/// Refused while the peer is known to lead.
pub(crate) fn refuse(site: &Site, group: GroupId, here: Option<Epoch>) -> Result<(), EngineError> {
    match site.overtaken().by(group, here) {
        None => Ok(()),
        Some(Epoch(epoch)) => Err(Refusals::from(Refusal::Overtaken { epoch }).into()),
    }
}

/// Reads the marks of a group on both arrays.
///
/// # Errors
/// An array that could not be asked and did not have to: what the other one said is noted all the same.
/// "Could not ask" is not "no mark".
pub(crate) async fn look(site: &Site, group: GroupId, body: &GroupBody) -> PortResult<()> {
    let Some(policy) = &body.policy else {
        return Ok(());
    };
    let mut unasked: Option<PortError> = None;
    let prefix = mark_prefix(group);
    for role in [Role::Home, Role::Other] {
        match site
            .storage()
            .find_by_key(policy.array_of(role), &prefix)
            .await
        {
            Ok(found) => {
                let names = found.iter().map(|volume| volume.name.as_str());
                if let Some(mark) = highest_mark(group, names) {
                    site.overtaken().note(group, mark);
                }
            }
            Err(error) => unasked = Some(error),
        }
    }
    unasked.map_or(Ok(()), Err)
}
