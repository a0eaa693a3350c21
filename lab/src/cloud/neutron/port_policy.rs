//! What a port request may say, by who says it and whose network it is.
//!
//! A given address or MAC needs the network's owner or an admin; on a shared network it is 403.

use serde_json::Value;

use super::{Neutron, missing, policy_denied};
use crate::cloud::json;
use crate::cloud::policy::Who;
use crate::cloud::wire::Fault;

/// Attributes that only admins set.
const ADMIN_ONLY: [&str; 3] = [
    "binding:host_id",
    "binding:profile",
    "binding:vnic_type_forced",
];

impl Neutron {
    /// Whether `who` acts with the rights of the network's owner.
    fn owns(&self, network_id: &str, who: &Who) -> bool {
        let network = self.networks.get(network_id);
        who.is_admin()
            || network.is_some_and(|one| who.project_id.as_deref() == Some(&one.project_id))
    }

    /// Judges `POST /ports`. Errors: 404 unseen network, 403 by policy.
    pub(super) fn port_create_policy(&self, asked: &Value, who: &Who) -> Result<(), Fault> {
        let network_id = json::need(asked, "network_id")?;
        self.network(network_id, who)?;
        let owner = self.owns(network_id, who);
        let network = self.networks.get(network_id);
        if !owner && !network.is_some_and(|one| one.shared) {
            return Err(missing("NetworkNotFound", "Network", network_id));
        }
        let project = json::text(asked, "project_id").or_else(|| json::text(asked, "tenant_id"));
        if project.is_some_and(|id| !who.sees(id)) {
            return Err(policy_denied("rule:create_port"));
        }
        let by_address = |one: &Value| json::text(one, "ip_address").is_some();
        if !owner && json::list(asked, "fixed_ips").iter().any(by_address) {
            return Err(policy_denied(
                "rule:create_port and (rule:create_port:fixed_ips and \
                 (rule:create_port:fixed_ips:ip_address))",
            ));
        }
        for name in [
            "mac_address",
            "port_security_enabled",
            "allowed_address_pairs",
        ] {
            if !owner && asked.get(name).is_some_and(|value| !value.is_null()) {
                return Err(policy_denied(&format!(
                    "rule:create_port and rule:create_port:{name}"
                )));
            }
        }
        admin_only(asked, who, "create_port")
    }

    /// Judges `PUT /ports/{id}` on a port that `who` sees.
    pub(super) fn port_update_policy(
        &self,
        network_id: &str,
        asked: &Value,
        who: &Who,
    ) -> Result<(), Fault> {
        let owner = self.owns(network_id, who);
        let by_address = |one: &Value| json::text(one, "ip_address").is_some();
        if !owner && json::list(asked, "fixed_ips").iter().any(by_address) {
            return Err(policy_denied(
                "rule:update_port and (rule:update_port:fixed_ips and \
                 (rule:update_port:fixed_ips:ip_address))",
            ));
        }
        for name in ["port_security_enabled", "allowed_address_pairs"] {
            if !owner && asked.get(name).is_some_and(|value| !value.is_null()) {
                return Err(policy_denied(&format!(
                    "rule:update_port and rule:update_port:{name}"
                )));
            }
        }
        if !who.is_admin() && json::text(asked, "mac_address").is_some() {
            return Err(policy_denied(
                "rule:update_port and rule:update_port:mac_address",
            ));
        }
        admin_only(asked, who, "update_port")
    }
}

fn admin_only(asked: &Value, who: &Who, action: &str) -> Result<(), Fault> {
    for name in ADMIN_ONLY {
        if !who.is_admin() && asked.get(name).is_some_and(|value| !value.is_null()) {
            return Err(policy_denied(&format!(
                "rule:{action} and rule:{action}:{name}"
            )));
        }
    }
    Ok(())
}
