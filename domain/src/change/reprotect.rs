//! Protection from the group's present home towards the other site (RP-01). The array follows the
//! record: the leader's sweeper turns replication round.

use crate::record::{GroupBody, GroupStatus};
use crate::refusal::{Refusal, Refusals};

/// The body of a group that is protected again, or why it cannot be.
pub fn reprotect(body: &GroupBody) -> Result<GroupBody, Refusals> {
    if body.policy.is_none() {
        return Err(Refusal::NoPolicy.into());
    }
    let moved = matches!(
        body.status,
        GroupStatus::FailedOver | GroupStatus::FailedOverPartial
    );
    if !moved || body.protected {
        let status = serde_json::to_value(body.status).unwrap_or_default();
        return Err(Refusal::WrongGroupStatus {
            status: status.as_str().unwrap_or_default().to_owned(),
            needed: "failed_over and unprotected".to_owned(),
        }
        .into());
    }
    Ok(GroupBody {
        protected: true,
        ..body.clone()
    })
}
