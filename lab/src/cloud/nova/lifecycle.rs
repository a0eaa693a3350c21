//! Deleting, stopping and starting, from "accepted" to "done".

use crate::cloud::Cloud;
use crate::cloud::agenda::Event;
use crate::cloud::dispatch::Call;
use crate::cloud::knobs::Allow;
use crate::cloud::wire::{Answer, Fault, Resp};

/// 409 as Nova words it.
pub(super) fn wrong_state(action: &str, id: &str, attr: &str, state: &str) -> Fault {
    Fault::conflict(format!(
        "Cannot '{action}' instance {id} while it is in {attr} {state}"
    ))
}

impl Cloud {
    pub(super) fn server_delete(&mut self, id: &str, call: &Call<'_>) -> Answer {
        let server = self.nova.server_unlocked(id, call.who)?;
        // A delete of what is being deleted is accepted again and changes nothing.
        if server.task_state.as_deref() != Some("deleting") {
            self.server_task(id, "deleting", call.now_ms);
            let event = Event::ServerDelete {
                server: id.to_owned(),
            };
            self.plan(call.now_ms, self.knobs.latency.server_delete, event);
        }
        Ok(Resp::empty(204))
    }

    fn server_task(&mut self, id: &str, task: &str, now_ms: i64) {
        if let Some(server) = self.nova.servers.get_mut(id) {
            server.task_state = Some(task.to_owned());
            server.updated_ms = now_ms;
        }
    }

    /// The server is gone: disks free or deleted, ports free or deleted, record kept.
    pub(in crate::cloud) fn server_delete_finish(&mut self, id: &str, at_ms: i64) {
        let Some(server) = self
            .nova
            .servers
            .get(id)
            .cloned()
            .filter(super::Server::alive)
        else {
            return;
        };
        for disk in &server.disks {
            self.attachment_drop(&disk.attachment_id, at_ms);
            if disk.delete_on_termination {
                // A volume that may not be deleted (in a group, say) stays; Nova only logs that.
                let _ = self.volume_delete_start(&disk.volume_id, false, at_ms);
            }
        }
        self.nics_release(id, &server.nics, at_ms);
        for group in self.nova.server_groups.values_mut() {
            group.members.retain(|member| member != id);
        }
        if let Some(server) = self.nova.servers.get_mut(id) {
            "deleted".clone_into(&mut server.vm_state);
            server.task_state = None;
            server.deleted_ms = Some(at_ms);
            server.updated_ms = at_ms;
            server.power_set(false, at_ms);
        }
    }

    pub(super) fn server_stop(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.server_power_check(id, "stop", &["active", "error"], call)?;
        self.server_task(id, "powering-off", call.now_ms);
        if !self.knobs.stops_stuck {
            let event = Event::ServerStop {
                server: id.to_owned(),
            };
            self.plan(call.now_ms, self.knobs.latency.stop, event);
        }
        Ok(Resp::empty(202))
    }

    pub(super) fn server_start(&mut self, id: &str, call: &Call<'_>) -> Answer {
        self.enforce(call.who, "os_compute_api:servers:start", &Allow::Member)?;
        self.server_power_check(id, "start", &["stopped"], call)?;
        self.server_task(id, "powering-on", call.now_ms);
        let event = Event::ServerStart {
            server: id.to_owned(),
        };
        self.plan(call.now_ms, self.knobs.latency.start, event);
        Ok(Resp::empty(202))
    }

    /// Errors: 404, 409 locked, 409 another task runs, 409 wrong state or never placed.
    fn server_power_check(
        &self,
        id: &str,
        action: &str,
        states: &[&str],
        call: &Call<'_>,
    ) -> Result<(), Fault> {
        let server = self.nova.server_unlocked(id, call.who)?;
        if let Some(task) = &server.task_state {
            return Err(wrong_state(action, id, "task_state", task));
        }
        if !states.contains(&server.vm_state.as_str()) {
            return Err(wrong_state(action, id, "vm_state", &server.vm_state));
        }
        if server.host.is_none() {
            return Err(Fault::conflict(format!("Instance {id} is not ready")));
        }
        Ok(())
    }

    pub(in crate::cloud) fn server_stop_finish(&mut self, id: &str, at_ms: i64) {
        self.server_power_finish(id, "powering-off", false, at_ms);
    }

    pub(in crate::cloud) fn server_start_finish(&mut self, id: &str, at_ms: i64) {
        self.server_power_finish(id, "powering-on", true, at_ms);
    }

    /// Only the task that was accepted may finish: a delete in between wins.
    fn server_power_finish(&mut self, id: &str, task: &str, running: bool, at_ms: i64) {
        let Some(server) = self.nova.servers.get_mut(id) else {
            return;
        };
        if server.task_state.as_deref() != Some(task) {
            return;
        }
        let state = if running { "active" } else { "stopped" };
        state.clone_into(&mut server.vm_state);
        server.task_state = None;
        server.updated_ms = at_ms;
        server.power_set(running, at_ms);
    }
}
