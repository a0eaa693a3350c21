//! A word to an operation: exactly one key. Absent: judging it.

use crate::error::ApiError;
use crate::wire::actions::Empty;
use crate::wire::object::maybe_object;
use protector_domain::ports::engine::Order;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipStepOrder {
    /// Why; kept with the operation.
    pub reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptOrder {
    /// `boot_server/<member>`, `create_ports/<member>.<interface>` or `import_volumes/<disk>`.
    pub step: String,
    /// Id of the server, port or volume.
    pub object_id: String,
    /// Why; kept with the operation.
    pub reason: String,
}

/// Exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationActionRequest {
    #[serde(default)]
    pub cancel: Option<Empty>,
    #[serde(default)]
    pub resume: Option<Empty>,
    /// For administrators.
    #[serde(default, deserialize_with = "maybe_object")]
    pub skip_step: Option<SkipStepOrder>,
    /// Of a forced failover that has ended: another try for the members that it left down.
    #[serde(default)]
    pub retry_members: Option<Empty>,
    /// For administrators. Names the object of a step whose lane waits; it goes back with the lane.
    #[serde(default, deserialize_with = "maybe_object")]
    pub adopt: Option<AdoptOrder>,
}

impl AdoptOrder {
    fn order(self) -> Order {
        Order::Adopt {
            step: self.step,
            object_id: self.object_id,
            reason: self.reason,
        }
    }
}

impl OperationActionRequest {
    /// # Errors
    /// None or several were named.
    pub(crate) fn order(self) -> Result<Order, ApiError> {
        let all = [
            self.cancel.map(|Empty {}| Order::Cancel {}),
            self.resume.map(|Empty {}| Order::Resume {}),
            self.retry_members.map(|Empty {}| Order::RetryMembers {}),
            self.skip_step
                .map(|SkipStepOrder { reason }| Order::SkipStep { reason }),
            self.adopt.map(AdoptOrder::order),
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(order), None) => Ok(order),
            _ => Err(ApiError::bad(
                "exactly one of cancel, resume, retry_members, skip_step, adopt is needed",
            )),
        }
    }
}
