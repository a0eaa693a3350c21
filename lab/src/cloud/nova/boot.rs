//! What becomes of an accepted server: placed, wired, connected, running, or in `ERROR`.

use super::{Nic, Server};
use crate::cloud::Cloud;
use crate::cloud::policy::Who;

/// Why a boot ended in `ERROR`: code and one line.
type Refused = (u16, String);

impl Cloud {
    pub(in crate::cloud) fn server_boot_finish(&mut self, id: &str, at_ms: i64) {
        let Some(server) = self.nova.servers.get(id).cloned() else {
            return;
        };
        if server.vm_state != "building" || server.task_state.as_deref() == Some("deleting") {
            return;
        }
        let booted = self.server_place(&server).and_then(|host| {
            let nics = self.server_wire(&server, &host, at_ms)?;
            if let Err(refused) = self.server_connect(&server, &host, at_ms) {
                // Nova takes back what it wired; reserved volumes stay reserved until the delete.
                self.nics_release(&server.id, &nics, at_ms);
                return Err(refused);
            }
            Ok((host, nics))
        });
        let Some(server) = self.nova.servers.get_mut(id) else {
            return;
        };
        match booted {
            Ok((host, nics)) => {
                server.host = Some(host);
                server.nics = nics;
                "active".clone_into(&mut server.vm_state);
                server.task_state = None;
                server.launched_ms = Some(at_ms);
                server.updated_ms = at_ms;
                server.power_set(true, at_ms);
            }
            Err((code, message)) => server.fail(code, message, at_ms),
        }
    }

    /// A host, in turn. Errors: the knobs, and a full cloud (faults `H2`, `H12`).
    fn server_place(&mut self, server: &Server) -> Result<String, Refused> {
        let named = self.knobs.boots_refused_names.as_ref();
        let is_meant = named.is_none_or(|names| names.contains(&server.name));
        if let Some(text) = self.knobs.boots_refused.as_ref().filter(|_| is_meant) {
            return Err((500, text.clone()));
        }
        let placed = self
            .nova
            .servers
            .values()
            .filter(|one| one.alive() && one.host.is_some())
            .count();
        let full = self.knobs.servers_max.is_some_and(|most| placed >= most);
        let hosts = &self.config.compute_hosts;
        let turn = self.nova.placed.checked_rem(hosts.len()).unwrap_or(0);
        let forced = server
            .availability_zone
            .as_deref()
            .and_then(|zone| zone.split(':').nth(1));
        let host = match forced {
            Some(host) => hosts.iter().find(|one| *one == host),
            None => hosts.get(turn),
        };
        match host.filter(|_| !full) {
            Some(host) => {
                self.nova.placed += 1;
                Ok(host.clone())
            }
            None => Err((
                500,
                "No valid host was found. There are not enough hosts available.".to_owned(),
            )),
        }
    }

    /// Makes the ports that were not given and takes all of them; on failure lets go of them again.
    fn server_wire(
        &mut self,
        server: &Server,
        host: &str,
        at_ms: i64,
    ) -> Result<Vec<Nic>, Refused> {
        let who = owner_of(server);
        let groups: Vec<String> = server
            .security_groups
            .iter()
            .filter_map(|name| self.security_group_named(name, &server.project_id))
            .collect();
        let mut wired: Vec<Nic> = Vec::new();
        for nic in &server.nics {
            let done = self.nic_wire(&server.id, nic, (&groups, &who), host, at_ms);
            match done {
                Ok(nic) => wired.push(nic),
                Err(why) => {
                    self.nics_release(&server.id, &wired, at_ms);
                    let text = format!("Build of instance {} aborted: {why}", server.id);
                    return Err((500, text));
                }
            }
        }
        Ok(wired)
    }

    fn nic_wire(
        &mut self,
        server_id: &str,
        nic: &Nic,
        (groups, who): (&[String], &Who),
        host: &str,
        at_ms: i64,
    ) -> Result<Nic, String> {
        let port_id = match (&nic.port_id, &nic.network_id) {
            (Some(port_id), _) => port_id.clone(),
            (None, Some(network_id)) => self
                .port_make_for_server(network_id, nic.fixed_ip.as_deref(), groups, who, at_ms)
                .map_err(|fault| fault.message)?,
            (None, None) => return Err("neither port nor network".to_owned()),
        };
        self.port_bind(&port_id, server_id, host, at_ms)?;
        Ok(Nic {
            port_id: Some(port_id),
            ..nic.clone()
        })
    }

    /// Lets go of the ports of a server; those Nova made are deleted.
    pub(super) fn nics_release(&mut self, server_id: &str, nics: &[Nic], at_ms: i64) {
        for nic in nics {
            let Some(port_id) = &nic.port_id else {
                continue;
            };
            if nic.made_by_nova {
                self.port_drop(port_id);
            } else {
                self.port_unbind(port_id, server_id, at_ms);
            }
        }
    }

    fn server_connect(&mut self, server: &Server, host: &str, at_ms: i64) -> Result<(), Refused> {
        for disk in &server.disks {
            let done = self.attachment_connect(&disk.attachment_id, host, &disk.device, at_ms);
            if let Err(why) = done {
                let text = format!(
                    "Build of instance {} aborted: Failure prepping block device. ({why})",
                    server.id
                );
                return Err((500, text));
            }
        }
        Ok(())
    }
}

/// The identity under which ports are made for a server.
fn owner_of(server: &Server) -> Who {
    Who {
        user_id: server.user_id.clone(),
        project_id: Some(server.project_id.clone()),
        roles: ["member".to_owned()].into_iter().collect(),
        trust_id: None,
        restricted: false,
    }
}
