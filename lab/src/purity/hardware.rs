//! What an array has besides its objects, as far as Cinder's iSCSI driver and the vendor's client look:
//! space, load, controllers, ports, interfaces; and lists of what is not simulated, which are empty.
//!
//! Absent: a data path. The portal named here answers nobody.

use super::answers::whole;
use super::ask::Ask;
use super::refusal::Refused;
use http::Method;
use protector_storage_drivers::model::Filter;
use serde_json::{Value, json};

/// What the array holds, bytes: 100 TiB.
const CAPACITY_BYTES: u64 = 100 << 40;
/// Used so far, bytes; the model does not weigh contents.
const USED_BYTES: u64 = 1 << 40;

/// Kinds of objects that are not simulated: there are none of them.
const EMPTY: [&str; 14] = [
    "pods",
    "pod-replica-links",
    "volume-groups",
    "host-groups",
    "offloads",
    "protection-groups/hosts",
    "protection-groups/host-groups",
    "hosts/protection-groups",
    "container-default-protections",
    "realms",
    "targets",
    "alerts",
    "policies",
    "remote-protection-groups",
];

/// The answer to a path of this file; `None`: it is none.
pub(super) fn answer(ask: &Ask, array: &str) -> Result<Option<Value>, Refused> {
    if ask.method != Method::GET {
        return Ok(None);
    }
    let rows = match ask.path.as_str() {
        "arrays/space" => vec![space(array)],
        "arrays/performance" => vec![load(array)],
        "controllers" => vec![controller(0, "primary"), controller(1, "secondary")],
        "ports" => (0..2).map(|n| port(array, n)).collect(),
        "network-interfaces" => (0..2).map(interface).collect(),
        path if EMPTY.contains(&path) => Vec::new(),
        _ => return Ok(None),
    };
    let query = ask.query()?;
    let named = |row: &Value| {
        let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
        let by_name = query.names.iter().any(|n| n.eq_ignore_ascii_case(name));
        query.names.is_empty() || by_name
    };
    let passes = |row: &Value| query.filter.as_ref().is_none_or(|f: &Filter| f.passes(row));
    let rows = rows.into_iter().filter(|row| named(row) && passes(row));
    Ok(Some(whole(rows.collect())))
}

fn space(array: &str) -> Value {
    json!({
        "name": array, "capacity": CAPACITY_BYTES, "parity": 1.0,
        "space": {
            "total_physical": USED_BYTES, "total_provisioned": USED_BYTES,
            "used_provisioned": USED_BYTES, "total_reduction": 1.0, "data_reduction": 1.0,
            "thin_provisioning": 0.0, "unique": USED_BYTES, "snapshots": 0, "shared": 0, "system": 0,
            "replication": 0, "virtual": USED_BYTES, "total_used": USED_BYTES,
        },
    })
}

fn load(array: &str) -> Value {
    let zero = [
        "reads_per_sec",
        "writes_per_sec",
        "read_bytes_per_sec",
        "write_bytes_per_sec",
        "usec_per_read_op",
        "usec_per_write_op",
        "queue_depth",
        "queue_usec_per_mirrored_write_op",
        "queue_usec_per_read_op",
        "queue_usec_per_write_op",
        "mirrored_writes_per_sec",
        "bytes_per_op",
    ];
    let mut row: serde_json::Map<String, Value> = zero
        .iter()
        .map(|name| ((*name).to_owned(), json!(0)))
        .collect();
    row.insert("name".to_owned(), json!(array));
    row.insert("time".to_owned(), json!(0));
    Value::Object(row)
}

fn controller(number: u8, mode: &str) -> Value {
    json!({
        "name": format!("CT{number}"), "status": "ready", "mode": mode,
        "type": "array_controller", "model": "FA-X20R4", "version": "6.6.10",
    })
}

fn iqn(array: &str) -> String {
    format!("iqn.2010-06.com.purestorage:flasharray.{array}")
}

fn port(array: &str, number: u8) -> Value {
    json!({
        "name": format!("CT{number}.ETH4"), "iqn": iqn(array),
        "portal": format!("127.0.0.1:{}", 3_260 + u16::from(number)),
        "wwn": null, "nqn": null, "failover": null,
    })
}

fn interface(number: u8) -> Value {
    json!({
        "name": format!("ct{number}.eth4"), "enabled": true, "interface_type": "eth",
        "services": ["iscsi"], "speed": 25_000_000_000_u64,
        "eth": { "subtype": "physical", "address": "127.0.0.1", "mtu": 9_000, "subinterfaces": [] },
    })
}
