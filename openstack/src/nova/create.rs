//! The body of a server's creation: an allow-list (H15). Pure.

use crate::ask::Microversion;
use crate::nova::version::HOSTNAME;
use protector_domain::ports::compute::{BootVolume, ServerCreate};
use serde_json::{Map, Value, json};

/// At [`BASE`](crate::nova::version::BASE) the host name is left out: Nova derives it from the name.
pub(crate) fn create_body(ask: &ServerCreate, version: Microversion) -> Value {
    let mut server = Map::new();
    let mut put = |key: &str, value: Value| {
        server.insert(key.to_owned(), value);
    };
    put("name", json!(ask.name));
    put("flavorRef", json!(ask.flavor.as_str()));
    put("config_drive", json!(ask.config_drive));
    put("metadata", json!(ask.metadata));
    put("tags", json!(ask.tags));
    put("networks", networks(ask));
    let volumes = ask.volumes.iter().map(block_device);
    put("block_device_mapping_v2", volumes.collect());
    let hostname = ask.hostname.as_ref().filter(|_| version >= HOSTNAME);
    for (key, text) in [
        ("description", ask.description.as_ref()),
        ("hostname", hostname),
        ("key_name", ask.key_name.as_ref()),
        ("user_data", ask.user_data.as_ref()),
        ("availability_zone", ask.availability_zone.as_ref()),
    ] {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    json!({ "server": server })
}

/// Without ports Nova must be told so, else it picks a network by itself.
fn networks(ask: &ServerCreate) -> Value {
    if ask.ports.is_empty() {
        return json!("none");
    }
    let ports = ask.ports.iter();
    ports.map(|port| json!({"port": port.as_str()})).collect()
}

/// `delete_on_termination` is false on every server we make: its volumes outlive it.
fn block_device(volume: &BootVolume) -> Value {
    let mut device = json!({
        "uuid": volume.volume.as_str(),
        "source_type": "volume",
        "destination_type": "volume",
        "boot_index": volume.boot_index,
        "delete_on_termination": false,
    });
    for (key, text) in [("device_name", &volume.device), ("tag", &volume.tag)] {
        if let (Some(text), Some(fields)) = (text, device.as_object_mut()) {
            fields.insert(key.to_owned(), json!(text));
        }
    }
    device
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nova::version::BASE;

    fn ask() -> ServerCreate {
        ServerCreate {
            name: "web-1".into(),
            description: None,
            hostname: Some("web-1".into()),
            flavor: "f1".into(),
            key_name: None,
            user_data: Some("Y2xvdWQ=".into()),
            config_drive: false,
            availability_zone: None,
            metadata: [("protector".to_owned(), "key".to_owned())].into(),
            tags: vec!["t".into()],
            volumes: vec![
                BootVolume {
                    volume: "v1".into(),
                    boot_index: 0,
                    device: None,
                    tag: None,
                },
                BootVolume {
                    volume: "v2".into(),
                    boot_index: -1,
                    device: Some("/dev/vdb".into()),
                    tag: Some("data".into()),
                },
            ],
            ports: vec!["port1".into(), "port2".into()],
        }
    }

    #[test]
    fn the_whole_body() {
        let expected = json!({"server": {
            "name": "web-1", "hostname": "web-1", "flavorRef": "f1", "user_data": "Y2xvdWQ=",
            "config_drive": false, "metadata": {"protector": "key"}, "tags": ["t"],
            "networks": [{"port": "port1"}, {"port": "port2"}],
            "block_device_mapping_v2": [
                {"uuid": "v1", "source_type": "volume", "destination_type": "volume",
                 "boot_index": 0, "delete_on_termination": false},
                {"uuid": "v2", "source_type": "volume", "destination_type": "volume",
                 "boot_index": -1, "delete_on_termination": false,
                 "device_name": "/dev/vdb", "tag": "data"}],
        }});
        assert_eq!(create_body(&ask(), HOSTNAME), expected);
    }

    #[test]
    fn an_older_nova_gets_no_host_name() {
        assert!(
            create_body(&ask(), BASE)["server"]
                .get("hostname")
                .is_none()
        );
    }

    #[test]
    fn no_ports_means_no_network_at_all() {
        let mut alone = ask();
        alone.ports.clear();
        assert_eq!(create_body(&alone, BASE)["server"]["networks"], "none");
    }
}
