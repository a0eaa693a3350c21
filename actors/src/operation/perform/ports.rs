//! `create_ports`: the member's interfaces, in one bulk request, addresses and MACs by policy.
//!
//! Key: the port's description. (Tags cannot be given in the request that makes a port on the
//! oldest release we support, and the name belongs to the user.)

use super::{Job, Unmade};
use crate::journal::Made;
use crate::site::Site;
use protector_domain::effect::EffectKey;
use protector_domain::ids::PortId;
use protector_domain::plan::PortPlan;
use protector_domain::ports::network::{Port, PortFilter};
use protector_domain::ports::{Acting, PortResult};
use serde_json::{Value, json};

fn detail(port: &Port) -> Value {
    json!({
        "mac_address": port.mac_address,
        "addresses": port.fixed_ips.iter().map(|ip| &ip.address).collect::<Vec<_>>(),
    })
}

fn made(port: Port) -> Made {
    let detail = detail(&port);
    Made {
        key: EffectKey(port.description),
        id: port.id.0,
        detail,
    }
}

pub(super) async fn look(job: &Job, acting: &Acting, ports: &[PortPlan]) -> PortResult<Vec<Made>> {
    let prefix = EffectKey::operation_prefix(job.plan.operation);
    let filter = PortFilter {
        description_prefix: Some(prefix),
        ..PortFilter::default()
    };
    let found = job.site.cloud().network.port_list(acting, &filter).await?;
    let ours = |port: &Port| ports.iter().any(|p| p.ask.description == port.description);
    Ok(found.into_iter().filter(ours).map(made).collect())
}

pub(super) async fn make(
    job: &Job,
    acting: &Acting,
    ports: &[PortPlan],
    missing: &[EffectKey],
) -> PortResult<Vec<Made>> {
    let wanted = ports
        .iter()
        .filter(|p| missing.iter().any(|key| key.as_str() == p.ask.description));
    let asks: Vec<_> = wanted.map(|p| p.ask.clone()).collect();
    let created = job.site.cloud().network.port_create(acting, &asks).await?;
    Ok(created.into_iter().map(made).collect())
}

pub(super) async fn remove(site: &Site, acting: &Acting, id: &PortId) -> PortResult<()> {
    site.cloud().network.port_delete(acting, id).await
}

pub(super) async fn unmake(job: &Job, acting: &Acting, ports: &[PortPlan]) -> PortResult<Unmade> {
    let found = look(job, acting, ports).await?;
    for id in super::known_objects(job, found) {
        remove(&job.site, acting, &PortId(id)).await?;
    }
    Ok(Unmade::Gone)
}
