//! Version documents and microversions. Deliberately absent: tokens; both come before them.

use serde_json::{Value, json};

use super::wire::{Fault, Req, Resp, Service};

/// Highest microversion of Nova 34, `2.N`.
pub(super) const NOVA_MINOR_MAX: u32 = 104;
/// Highest microversion of Cinder 29, `3.N`.
pub(super) const CINDER_MINOR_MAX: u32 = 71;
const NOVA_MINOR_MIN: u32 = 1;
const CINDER_MINOR_MIN: u32 = 0;

/// The version document, when the path is a service root and the method reads.
pub(super) fn discover(service: Service, rest: &[&str], req: &Req, base_url: &str) -> Option<Resp> {
    if !matches!(req.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let root = format!("{base_url}/{}", service.prefix());
    match (service, rest) {
        (Service::Identity, []) => Some(Resp::json(
            300,
            json!({"versions": {"values": [identity_version(&root)]}}),
        )),
        (Service::Identity, ["v3"]) => {
            Some(Resp::json(200, json!({"version": identity_version(&root)})))
        }
        (Service::Compute, []) => Some(Resp::json(
            200,
            json!({"versions": [compute_version(&root)]}),
        )),
        (Service::Compute, ["v2.1"]) => {
            Some(Resp::json(200, json!({"version": compute_version(&root)})))
        }
        (Service::Volume, []) => Some(Resp::json(
            300,
            json!({"versions": [volume_version(&root)]}),
        )),
        (Service::Volume, ["v3"]) => Some(Resp::json(
            200,
            json!({"versions": [volume_version(&root)]}),
        )),
        (Service::Network, []) => Some(Resp::json(
            200,
            json!({"versions": [network_version(&root)]}),
        )),
        (Service::Network, ["v2.0"]) => Some(Resp::json(200, network_resources(&root))),
        (Service::Image, []) => Some(Resp::json(300, image_versions(&root))),
        (Service::Image, ["versions"]) => Some(Resp::json(200, image_versions(&root))),
        _ => None,
    }
}

fn link(href: &str) -> Value {
    json!([{"rel": "self", "href": href}])
}

fn identity_version(root: &str) -> Value {
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": link(&format!("{root}/v3/")),
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

fn compute_version(root: &str) -> Value {
    json!({
        "id": "v2.1", "status": "CURRENT", "updated": "2013-07-23T11:33:21Z",
        "version": format!("2.{NOVA_MINOR_MAX}"), "min_version": format!("2.{NOVA_MINOR_MIN}"),
        "links": link(&format!("{root}/v2.1/")),
    })
}

fn volume_version(root: &str) -> Value {
    json!({
        "id": "v3.0", "status": "CURRENT", "updated": "2023-08-31T00:00:00Z",
        "version": format!("3.{CINDER_MINOR_MAX}"), "min_version": format!("3.{CINDER_MINOR_MIN}"),
        "links": link(&format!("{root}/v3/")),
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}],
    })
}

fn network_version(root: &str) -> Value {
    json!({"id": "v2.0", "status": "CURRENT", "links": link(&format!("{root}/v2.0/"))})
}

fn network_resources(root: &str) -> Value {
    let resources: Vec<Value> = ["network", "subnet", "port", "router", "floatingip", "quota"]
        .into_iter()
        .map(|name| {
            let collection = format!("{name}s");
            json!({"name": name, "collection": collection, "links": link(&format!("{root}/v2.0/{collection}"))})
        })
        .collect();
    json!({"resources": resources})
}

fn image_versions(root: &str) -> Value {
    json!({"versions": [{"id": "v2.16", "status": "CURRENT", "links": link(&format!("{root}/v2/"))}]})
}

/// The minor microversion this request is served with.
///
/// Errors: 400 for a text that is no version, 406 for one that is not served.
pub(super) fn negotiate(service: Service, req: &Req) -> Result<u32, Fault> {
    let (kind, major, min, max) = match service {
        Service::Compute => ("compute", 2, NOVA_MINOR_MIN, NOVA_MINOR_MAX),
        Service::Volume => ("volume", 3, CINDER_MINOR_MIN, CINDER_MINOR_MAX),
        Service::Identity | Service::Network | Service::Image => return Ok(0),
    };
    let Some(asked) = asked_version(kind, req) else {
        return Ok(min);
    };
    if asked == "latest" {
        return Ok(max);
    }
    let parts = asked
        .split_once('.')
        .and_then(|(left, right)| Some((left.parse::<u32>().ok()?, right.parse::<u32>().ok()?)));
    let Some((asked_major, minor)) = parts else {
        return Err(Fault::bad_request(format!(
            "API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        )));
    };
    if asked_major == major && (min..=max).contains(&minor) {
        return Ok(minor);
    }
    Err(Fault::typed(
        406,
        "NotAcceptable",
        format!(
            "Version {asked} is not supported by the API. \
             Minimum is {major}.{min} and maximum is {major}.{max}."
        ),
    ))
}

/// The version text of the header for this service. The header may list several services.
fn asked_version<'a>(kind: &str, req: &'a Req) -> Option<&'a str> {
    let listed = req.header_value("openstack-api-version").and_then(|value| {
        value.split(',').find_map(|one| {
            let (service, version) = one.trim().split_once(' ')?;
            (service == kind).then(|| version.trim())
        })
    });
    listed.or_else(|| {
        let legacy = req.header_value("x-openstack-nova-api-version");
        legacy.filter(|_| kind == "compute")
    })
}

/// The headers that tell which microversion served the request.
pub(super) fn stamp(service: Service, minor: u32, resp: Resp) -> Resp {
    match service {
        Service::Compute => resp
            .header("OpenStack-API-Version", &format!("compute 2.{minor}"))
            .header("X-OpenStack-Nova-API-Version", &format!("2.{minor}"))
            .header(
                "Vary",
                "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
            ),
        Service::Volume => resp
            .header("OpenStack-API-Version", &format!("volume 3.{minor}"))
            .header("Vary", "OpenStack-API-Version"),
        Service::Identity | Service::Network | Service::Image => resp,
    }
}
