//! A word to an operation: exactly one key. Absent: judging it.

use crate::error::ApiError;
use crate::wire::actions::Empty;
use protector_domain::ports::engine::Order;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipStepOrder {
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
    #[serde(default)]
    pub skip_step: Option<SkipStepOrder>,
}

impl OperationActionRequest {
    /// # Errors
    /// None or several were named.
    pub(crate) fn order(self) -> Result<Order, ApiError> {
        match (self.cancel, self.resume, self.skip_step) {
            (Some(_), None, None) => Ok(Order::Cancel {}),
            (None, Some(_), None) => Ok(Order::Resume {}),
            (None, None, Some(SkipStepOrder { reason })) => Ok(Order::SkipStep { reason }),
            _ => Err(ApiError::bad(
                "exactly one of cancel, resume, skip_step is needed",
            )),
        }
    }
}
