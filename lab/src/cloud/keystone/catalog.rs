//! The service catalog: one region, three interfaces, everything but what is added under one host.

use serde_json::{Value, json};

use super::Keystone;
use crate::cloud::CloudConfig;
use crate::cloud::ids::IdSource;

const INTERFACES: [&str; 3] = ["public", "internal", "admin"];
/// Name, type, path below the base URL.
const SERVICES: [(&str, &str, &str); 5] = [
    ("keystone", "identity", "/identity"),
    ("nova", "compute", "/compute/v2.1"),
    ("cinder", "volumev3", "/volume/v3/$(project_id)s"),
    ("neutron", "network", "/network"),
    ("glance", "image", "/image"),
];

/// A service with its endpoint ids.
pub(in crate::cloud) struct CatalogService {
    id: String,
    name: String,
    kind: String,
    /// Below the base URL, or a URL of its own.
    path: String,
    endpoint_ids: [String; 3],
}

pub(super) fn standard(ids: &mut IdSource) -> Vec<CatalogService> {
    SERVICES
        .into_iter()
        .map(|(name, kind, path)| CatalogService::new(ids, name, kind, path))
        .collect()
}

impl CatalogService {
    pub(in crate::cloud) fn new(ids: &mut IdSource, name: &str, kind: &str, path: &str) -> Self {
        Self {
            id: ids.hex32(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            path: path.to_owned(),
            endpoint_ids: [ids.hex32(), ids.hex32(), ids.hex32()],
        }
    }

    fn endpoints(&self, config: &CloudConfig, project_id: Option<&str>) -> Vec<Value> {
        let path = match project_id {
            Some(id) => self.path.replace("$(project_id)s", id),
            None => self.path.clone(),
        };
        let url = match path.starts_with('/') {
            true => format!("{}{path}", config.base_url),
            false => path,
        };
        let paired = INTERFACES.iter().zip(&self.endpoint_ids);
        paired
            .map(|(interface, id)| {
                json!({
                    "id": id, "interface": interface, "region": config.region,
                    "region_id": config.region, "url": url,
                })
            })
            .collect()
    }
}

impl Keystone {
    /// The catalog of a token scoped to `project_id`.
    pub(super) fn catalog(&self, config: &CloudConfig, project_id: &str) -> Value {
        let entry = |service: &CatalogService| {
            json!({
                "id": service.id, "name": service.name, "type": service.kind,
                "endpoints": service.endpoints(config, Some(project_id)),
            })
        };
        Value::Array(self.services.iter().map(entry).collect())
    }

    pub(super) fn service_list(&self) -> Value {
        let entry = |service: &CatalogService| {
            json!({
                "id": service.id, "name": service.name, "type": service.kind,
                "enabled": true, "description": "",
            })
        };
        json!({"services": self.services.iter().map(entry).collect::<Vec<_>>(), "links": {}})
    }

    pub(super) fn endpoint_list(&self, config: &CloudConfig) -> Value {
        let mut all = Vec::new();
        for service in &self.services {
            for mut endpoint in service.endpoints(config, None) {
                crate::cloud::json::put(&mut endpoint, "service_id", json!(service.id));
                crate::cloud::json::put(&mut endpoint, "enabled", json!(true));
                all.push(endpoint);
            }
        }
        json!({"endpoints": all, "links": {}})
    }
}
