//! The service catalog of a token: which address a service has. Absent: Keystone's own address,
//! which is the configured one.

use crate::config::Interface;
use crate::json::null_default;
use crate::service::Service;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Catalog(#[serde(deserialize_with = "null_default")] Vec<Entry>);

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type", default)]
    service_type: String,
    #[serde(default, deserialize_with = "null_default")]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    #[serde(default)]
    interface: String,
    /// Older Keystones write `region` only.
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

impl Endpoint {
    fn is_in(&self, region: &str) -> bool {
        let named = self.region_id.as_deref().or(self.region.as_deref());
        named == Some(region)
    }
}

impl Catalog {
    /// The URL of `service` in `region` (`None`: the first listed).
    pub(crate) fn url(
        &self,
        service: Service,
        region: Option<&str>,
        interface: Interface,
    ) -> Option<&str> {
        let suits = |end: &&Endpoint| {
            end.interface == interface.as_str() && region.is_none_or(|name| end.is_in(name))
        };
        let of_type = |wanted: &&str| {
            let entries = self.0.iter().filter(|e| e.service_type == **wanted);
            entries.flat_map(|e| &e.endpoints).find(suits)
        };
        let found = service.catalog_types().iter().find_map(of_type);
        found.map(|end| end.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        serde_json::from_str(
            r#"[
            {"type": "volumev3", "name": "cinder", "endpoints": [
                {"interface": "public", "region_id": "one", "region": "one", "url": "http://one"},
                {"interface": "public", "region": "two", "url": "http://two", "extra": {}}]},
            {"type": "compute", "endpoints": null},
            {"type": "network", "endpoints": [
                {"interface": "internal", "region_id": "one", "url": "http://net-one"}]}]"#,
        )
        .unwrap()
    }

    #[test]
    fn by_alias_region_and_interface() {
        let catalog = catalog();
        let public = |service, region| catalog.url(service, region, Interface::Public);
        assert_eq!(public(Service::Volume, Some("two")), Some("http://two"));
        assert_eq!(public(Service::Volume, None), Some("http://one"));
        assert_eq!(public(Service::Volume, Some("three")), None);
        assert_eq!(public(Service::Compute, None), None);
        assert_eq!(public(Service::Network, None), None);
        let internal = catalog.url(Service::Network, Some("one"), Interface::Internal);
        assert_eq!(internal, Some("http://net-one"));
    }

    #[test]
    fn the_official_type_wins_over_its_alias() {
        let catalog: Catalog = serde_json::from_str(
            r#"[{"type": "volumev3", "endpoints": [{"interface": "public", "url": "http://old"}]},
                {"type": "block-storage", "endpoints": [{"interface": "public", "url": "http://new"}]}]"#,
        )
        .unwrap();
        let url = catalog.url(Service::Volume, None, Interface::Public);
        assert_eq!(url, Some("http://new"));
    }
}
