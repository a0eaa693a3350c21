//! `POST /servers/{id}/action`.

use serde_json::Value;

use crate::cloud::Cloud;
use crate::cloud::dispatch::Call;
use crate::cloud::json;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

const LOCK_REASON_MINOR: u32 = 73;
const LOCK_REASON_MAX: usize = 255;

impl Cloud {
    pub(super) fn server_action(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let action = call
            .body
            .as_object()
            .and_then(|object| object.iter().next());
        let Some((name, args)) = action else {
            return Err(Fault::bad_request("There is no such action: None"));
        };
        match name.as_str() {
            "os-start" => self.server_start(id, call),
            "os-stop" => self.server_stop(id, call),
            "os-resetState" => self.server_reset_state(id, args, call),
            "lock" => self.server_lock(id, args, call),
            "unlock" => self.server_unlock(id, call),
            other => Err(Fault::bad_request(format!(
                "There is no such action: {other}"
            ))),
        }
    }

    /// What was accepted and is still on its way finds nothing to finish then.
    fn server_reset_state(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let rule = "os_compute_api:os-admin-actions:reset_state";
        self.enforce(call.who, rule, &Allow::Admin)?;
        let state = json::need(args, "state")?;
        if !["active", "error"].contains(&state) {
            return Err(Fault::bad_request(
                "Invalid input for field/attribute state.",
            ));
        }
        let server = self.nova.server_mut(id, call.who)?;
        state.clone_into(&mut server.vm_state);
        server.task_state = None;
        server.updated_ms = call.now_ms;
        Ok(Resp::empty(202))
    }

    fn server_lock(&mut self, id: &str, args: &Value, call: &Call<'_>) -> Answer {
        let reason = json::text(args, "locked_reason");
        if args.is_object() && call.minor < LOCK_REASON_MINOR {
            return Err(Fault::bad_request(
                "Invalid input for field/attribute lock.",
            ));
        }
        if reason.is_some_and(|text| text.chars().count() > LOCK_REASON_MAX) {
            return Err(Fault::bad_request(
                "Invalid input for field/attribute locked_reason. is too long",
            ));
        }
        let server = self.nova.server_mut(id, call.who)?;
        server.locked = true;
        server.locked_reason = reason.map(str::to_owned);
        server.updated_ms = call.now_ms;
        Ok(Resp::empty(202))
    }

    fn server_unlock(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let server = self.nova.server_mut(id, call.who)?;
        server.locked = false;
        server.locked_reason = None;
        server.updated_ms = call.now_ms;
        Ok(Resp::empty(202))
    }
}
