//! Neutron's shapes as it writes them, and what becomes of them. Unknown fields are ignored.

use crate::json::{null_default, some_text};
use crate::page::Listed;
use protector_domain::ports::compute::QuotaUse;
use protector_domain::ports::network::{
    AddressPair, FixedIp, NetworkInfo, Port, PortCreate, SecurityGroup, Subnet,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
pub(crate) struct PortEnvelope {
    pub(crate) port: PortShape,
}

#[derive(Deserialize)]
pub(crate) struct PortsEnvelope {
    pub(crate) ports: Vec<PortShape>,
}

#[derive(Deserialize)]
pub(crate) struct PortShape {
    pub(crate) id: String,
    #[serde(flatten)]
    owner: Owner,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) description: String,
    pub(crate) network_id: String,
    #[serde(default, deserialize_with = "null_default")]
    mac_address: String,
    #[serde(default, deserialize_with = "null_default")]
    fixed_ips: Vec<FixedIpShape>,
    #[serde(default, deserialize_with = "null_default")]
    security_groups: Vec<String>,
    /// Absent where the extension is: such a port is always guarded.
    #[serde(default)]
    port_security_enabled: Option<bool>,
    #[serde(default, deserialize_with = "null_default")]
    allowed_address_pairs: Vec<PairShape>,
    #[serde(default, deserialize_with = "some_text")]
    device_id: Option<String>,
    #[serde(default, deserialize_with = "null_default")]
    device_owner: String,
    #[serde(default, rename = "binding:vnic_type", deserialize_with = "some_text")]
    vnic_type: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    created_at: Option<String>,
}

/// Neutron writes the owner under two names.
#[derive(Deserialize)]
struct Owner {
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    tenant_id: Option<String>,
}

impl Owner {
    fn into_id(self) -> String {
        self.project_id.or(self.tenant_id).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct FixedIpShape {
    subnet_id: String,
    #[serde(default, deserialize_with = "null_default")]
    ip_address: String,
}

#[derive(Deserialize)]
struct PairShape {
    ip_address: String,
    #[serde(default, deserialize_with = "some_text")]
    mac_address: Option<String>,
}

impl Listed for PortShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl PortShape {
    pub(crate) fn into_port(self) -> Port {
        let fixed_ips = self.fixed_ips.into_iter().map(|ip| FixedIp {
            subnet: ip.subnet_id.into(),
            address: ip.ip_address,
        });
        let pairs = self
            .allowed_address_pairs
            .into_iter()
            .map(|pair| AddressPair {
                ip_address: pair.ip_address,
                mac_address: pair.mac_address,
            });
        Port {
            id: self.id.into(),
            project_id: self.owner.into_id(),
            name: self.name,
            description: self.description,
            network: self.network_id.into(),
            mac_address: self.mac_address,
            fixed_ips: fixed_ips.collect(),
            security_groups: self.security_groups.into_iter().map(Into::into).collect(),
            port_security_enabled: self.port_security_enabled.unwrap_or(true),
            allowed_address_pairs: pairs.collect(),
            device: self.device_id.map(Into::into),
            device_owner: self.device_owner,
            vnic_type: self.vnic_type,
            created_at: self.created_at,
        }
    }
}

/// The body of one bulk creation.
pub(crate) fn ports_body(asks: &[PortCreate]) -> Value {
    let ports: Vec<Value> = asks.iter().map(port_body).collect();
    json!({ "ports": ports })
}

/// Says only what differs from Neutron's default: some policies refuse a member who spells out even
/// that (`port_security_enabled`, `allowed_address_pairs`, `mac_address`).
fn port_body(ask: &PortCreate) -> Value {
    let mut port = Map::new();
    let mut put = |key: &str, value: Value| {
        port.insert(key.to_owned(), value);
    };
    put("name", json!(ask.name));
    put("description", json!(ask.description));
    put("network_id", json!(ask.network.as_str()));
    put(
        "security_groups",
        ask.security_groups
            .iter()
            .map(|id| json!(id.as_str()))
            .collect(),
    );
    if !ask.fixed_ips.is_empty() {
        put(
            "fixed_ips",
            ask.fixed_ips.iter().map(fixed_ip_body).collect(),
        );
    }
    if let Some(mac) = &ask.mac_address {
        put("mac_address", json!(mac));
    }
    if !ask.port_security_enabled {
        put("port_security_enabled", json!(false));
    }
    if !ask.allowed_address_pairs.is_empty() {
        put(
            "allowed_address_pairs",
            ask.allowed_address_pairs.iter().map(pair_body).collect(),
        );
    }
    Value::Object(port)
}

fn fixed_ip_body(ip: &FixedIp) -> Value {
    match ip.address.as_str() {
        "" => json!({"subnet_id": ip.subnet.as_str()}),
        address => json!({"subnet_id": ip.subnet.as_str(), "ip_address": address}),
    }
}

fn pair_body(pair: &AddressPair) -> Value {
    match &pair.mac_address {
        None => json!({"ip_address": pair.ip_address}),
        Some(mac) => json!({"ip_address": pair.ip_address, "mac_address": mac}),
    }
}

#[derive(Deserialize)]
pub(crate) struct NetworkShape {
    id: String,
    #[serde(flatten)]
    owner: Owner,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
    #[serde(default, deserialize_with = "null_default")]
    shared: bool,
}

#[derive(Deserialize)]
pub(crate) struct SubnetShape {
    id: String,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
    network_id: String,
    cidr: String,
}

#[derive(Deserialize)]
pub(crate) struct SecurityGroupShape {
    id: String,
    #[serde(flatten)]
    owner: Owner,
    #[serde(default, deserialize_with = "null_default")]
    name: String,
}

impl Listed for NetworkShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for SubnetShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for SecurityGroupShape {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<NetworkShape> for NetworkInfo {
    fn from(shape: NetworkShape) -> Self {
        Self {
            id: shape.id.into(),
            name: shape.name,
            project_id: shape.owner.into_id(),
            shared: shape.shared,
        }
    }
}

impl From<SubnetShape> for Subnet {
    fn from(shape: SubnetShape) -> Self {
        Self {
            id: shape.id.into(),
            name: shape.name,
            network: shape.network_id.into(),
            cidr: shape.cidr,
        }
    }
}

impl From<SecurityGroupShape> for SecurityGroup {
    fn from(shape: SecurityGroupShape) -> Self {
        Self {
            id: shape.id.into(),
            name: shape.name,
            project_id: shape.owner.into_id(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct QuotaEnvelope {
    quota: QuotaShape,
}

#[derive(Deserialize)]
struct QuotaShape {
    port: QuotaDetail,
}

#[derive(Deserialize)]
struct QuotaDetail {
    limit: i64,
    used: i64,
    #[serde(default, deserialize_with = "null_default")]
    reserved: i64,
}

impl QuotaEnvelope {
    /// What is reserved is as good as used.
    pub(crate) fn into_use(self) -> QuotaUse {
        let QuotaDetail {
            limit,
            used,
            reserved,
        } = self.quota.port;
        QuotaUse {
            used: used.saturating_add(reserved),
            limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> PortCreate {
        PortCreate {
            name: "web-1".into(),
            description: "key".into(),
            network: "n1".into(),
            fixed_ips: Vec::new(),
            mac_address: None,
            security_groups: vec!["sg1".into()],
            port_security_enabled: true,
            allowed_address_pairs: Vec::new(),
        }
    }

    #[test]
    fn defaults_are_not_spelled_out() {
        let expected = json!({"ports": [{"name": "web-1", "description": "key",
            "network_id": "n1", "security_groups": ["sg1"]}]});
        assert_eq!(ports_body(&[ask()]), expected);
    }

    #[test]
    fn all_that_can_be_asked() {
        let address = |address: &str| FixedIp {
            subnet: "s1".into(),
            address: address.into(),
        };
        let all = PortCreate {
            fixed_ips: vec![address("10.0.0.5"), address("")],
            mac_address: Some("fa:16:3e:00:00:01".into()),
            security_groups: Vec::new(),
            port_security_enabled: false,
            allowed_address_pairs: vec![AddressPair {
                ip_address: "10.0.0.9".into(),
                mac_address: None,
            }],
            ..ask()
        };
        let expected = json!({"name": "web-1", "description": "key", "network_id": "n1",
            "security_groups": [], "mac_address": "fa:16:3e:00:00:01",
            "port_security_enabled": false,
            "fixed_ips": [{"subnet_id": "s1", "ip_address": "10.0.0.5"}, {"subnet_id": "s1"}],
            "allowed_address_pairs": [{"ip_address": "10.0.0.9"}]});
        assert_eq!(port_body(&all), expected);
    }

    #[test]
    fn a_port_is_read_field_by_field() {
        let value = json!({
            "id": "p1", "tenant_id": "t1", "name": null, "description": "key", "network_id": "n1",
            "mac_address": "fa:16:3e:00:00:01", "fixed_ips": [{"subnet_id": "s1", "ip_address": "10.0.0.5"}],
            "security_groups": null, "allowed_address_pairs": [{"ip_address": "10.0.0.9"}],
            "device_id": "", "device_owner": "", "binding:vnic_type": "normal",
            "created_at": "2026-11-20T05:00:00Z", "port_security_enabled": false, "tags": [],
        });
        let port = serde_json::from_value::<PortShape>(value)
            .unwrap()
            .into_port();
        assert_eq!((port.project_id.as_str(), port.name.as_str()), ("t1", ""));
        assert_eq!((port.device, port.port_security_enabled), (None, false));
        assert_eq!(port.fixed_ips[0].address, "10.0.0.5");
        assert_eq!(port.vnic_type.as_deref(), Some("normal"));
    }

    #[test]
    fn a_port_without_the_extension_is_guarded() {
        let value = json!({"id": "p1", "project_id": "t1", "network_id": "n1"});
        let port = serde_json::from_value::<PortShape>(value)
            .unwrap()
            .into_port();
        assert!(port.port_security_enabled);
    }

    #[test]
    fn reserved_quota_counts_as_used() {
        let value = json!({"quota": {"port": {"limit": 500, "used": 7, "reserved": 3}, "vip": {}}});
        let quota = serde_json::from_value::<QuotaEnvelope>(value).unwrap();
        assert_eq!(
            quota.into_use(),
            QuotaUse {
                used: 10,
                limit: 500
            }
        );
    }
}
