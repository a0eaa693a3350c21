//! The calls about ports.

use crate::answer::{new_id, optional, same};
use crate::ask::{Ask, segment};
use crate::cloud::OpenStackCloud;
use crate::neutron::wire::{PortEnvelope, PortShape, PortsEnvelope, QuotaEnvelope, ports_body};
use crate::page::ListKeys;
use crate::service::Service;
use protector_domain::ids::PortId;
use protector_domain::ports::compute::QuotaUse;
use protector_domain::ports::network::{Port, PortCreate, PortFilter};
use protector_domain::ports::{Acting, ErrorKind, PortResult};

const PORTS: ListKeys = ListKeys {
    items: "ports",
    links: "ports_links",
};

pub(super) async fn fetch(
    cloud: &OpenStackCloud,
    acting: &Acting,
    id: &PortId,
) -> PortResult<Option<Port>> {
    let path = format!("/ports/{}", segment("port_fetch", id.as_str())?);
    let ask = Ask::get(Service::Network, "port_fetch", path).on(id.as_str());
    let Some(answer) = optional(cloud.client.send(acting, &ask).await)? else {
        return Ok(None);
    };
    let shape = answer.json::<PortEnvelope>(&ask)?.port;
    same(&ask, "port", id.as_str(), &shape.id)?;
    Ok(Some(shape.into_port()))
}

pub(super) async fn list(
    cloud: &OpenStackCloud,
    acting: &Acting,
    filter: &PortFilter,
) -> PortResult<Vec<Port>> {
    let ask = list_ask(acting, filter);
    let mut shapes: Vec<PortShape> = cloud.client.list(acting, &ask, PORTS).await?;
    if let Some(prefix) = &filter.description_prefix {
        shapes.retain(|port| port.description.starts_with(prefix));
    }
    let mut ports: Vec<Port> = shapes.into_iter().map(PortShape::into_port).collect();
    ports.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    Ok(ports)
}

/// An administrator's token lists the ports of everybody, whatever its scope; so the project is asked
/// for, except for the ports of a server: those are all wanted, whoever owns them.
fn list_ask(acting: &Acting, filter: &PortFilter) -> Ask {
    let mut ask = Ask::get(Service::Network, "port_list", "/ports");
    if let Some(device) = &filter.device {
        ask = ask.query("device_id", device.as_str());
    } else if let Acting::ServiceIn(project) | Acting::Trust { project, .. } = acting {
        ask = ask.query("project_id", project.as_str());
    }
    if let Some(network) = &filter.network {
        ask = ask.query("network_id", network.as_str());
    }
    ask
}

pub(super) async fn create(
    cloud: &OpenStackCloud,
    acting: &Acting,
    asks: &[PortCreate],
) -> PortResult<Vec<Port>> {
    let Some(first) = asks.first() else {
        return Ok(Vec::new());
    };
    let ask = Ask::post(Service::Network, "port_create", "/ports")
        .on(format!("{} ({} in all)", first.name, asks.len()))
        .json(&ports_body(asks));
    let answer = cloud.client.send(acting, &ask).await?;
    let created = answer.json::<PortsEnvelope>(&ask)?.ports;
    check_created(&ask, asks, &created)?;
    Ok(created.into_iter().map(PortShape::into_port).collect())
}

/// As many as asked for, in that order (B19).
fn check_created(ask: &Ask, asks: &[PortCreate], created: &[PortShape]) -> PortResult<()> {
    if created.len() != asks.len() {
        return Err(ask.error(ErrorKind::Unknown, "the answer has another number of ports"));
    }
    for (asked, made) in asks.iter().zip(created) {
        new_id(ask, made.id.clone())?;
        same(ask, "port", &asked.name, &made.name)?;
        same(ask, "network", asked.network.as_str(), &made.network_id)?;
    }
    Ok(())
}

/// Already gone is `Ok`.
pub(super) async fn delete(cloud: &OpenStackCloud, acting: &Acting, id: &PortId) -> PortResult<()> {
    let path = format!("/ports/{}", segment("port_delete", id.as_str())?);
    let ask = Ask::delete(Service::Network, "port_delete", path).on(id.as_str());
    optional(cloud.client.send(acting, &ask).await).map(drop)
}

pub(super) async fn quota(cloud: &OpenStackCloud, acting: &Acting) -> PortResult<QuotaUse> {
    let project = cloud.client.project_of(acting).await?;
    let path = format!("/quotas/{}/details.json", segment("port_quota", &project)?);
    let ask = Ask::get(Service::Network, "port_quota", path).on(project);
    let answer = cloud.client.send(acting, &ask).await?;
    Ok(answer.json::<QuotaEnvelope>(&ask)?.into_use())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tenants_list_asks_for_the_tenants_ports() {
        let tenant = Acting::ServiceIn("p1".into());
        let path = |acting, filter: &PortFilter| list_ask(acting, filter).path_and_query();
        let all = PortFilter::default();
        assert_eq!(path(&tenant, &all), "/ports?project_id=p1");
        assert_eq!(path(&Acting::Service, &all), "/ports");
        let device = PortFilter {
            device: Some("s1".into()),
            network: Some("n1".into()),
            ..all
        };
        assert_eq!(path(&tenant, &device), "/ports?device_id=s1&network_id=n1");
    }

    #[test]
    fn ports_made_must_be_those_asked_for() {
        let ask = Ask::post(Service::Network, "port_create", "/ports");
        let wanted = |name: &str| PortCreate {
            name: name.into(),
            description: String::new(),
            network: "n1".into(),
            fixed_ips: Vec::new(),
            mac_address: None,
            security_groups: Vec::new(),
            port_security_enabled: true,
            allowed_address_pairs: Vec::new(),
        };
        let asks = [wanted("a"), wanted("b")];
        let check = |ports: serde_json::Value| {
            let made: Vec<PortShape> = serde_json::from_value(ports).unwrap();
            check_created(&ask, &asks, &made).map_err(|error| error.kind)
        };
        let port = |id: &str, name: &str, network: &str| json!({"id": id, "name": name, "network_id": network});
        assert_eq!(
            check(json!([port("1", "a", "n1"), port("2", "b", "n1")])),
            Ok(())
        );
        for wrong in [
            json!([port("1", "a", "n1")]),
            json!([port("2", "b", "n1"), port("1", "a", "n1")]),
            json!([port("1", "a", "n1"), port("2", "b", "n2")]),
            json!([port("1", "a", "n1"), port("", "b", "n1")]),
        ] {
            assert_eq!(check(wrong.clone()), Err(ErrorKind::Unknown), "{wrong}");
        }
    }
}
