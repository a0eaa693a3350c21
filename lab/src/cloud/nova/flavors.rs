//! `/flavors`.

use serde_json::{Value, json};

use super::Flavor;
use crate::cloud::Cloud;
use crate::cloud::dispatch::{Call, nowhere};
use crate::cloud::json;
use crate::cloud::paging::{self, PAGE_MAX};
use crate::cloud::wire::{Answer, Fault, Resp};

const DESCRIPTION_MINOR: u32 = 55;
const EXTRA_SPECS_MINOR: u32 = 61;
const SWAP_NUMBER_MINOR: u32 = 75;

fn links(call: &Call<'_>, id: &str) -> Value {
    json!([
        {"rel": "self", "href": format!("{}/compute/v2.1/flavors/{id}", call.base_url)},
        {"rel": "bookmark", "href": format!("{}/compute/flavors/{id}", call.base_url)},
    ])
}

fn view(call: &Call<'_>, flavor: &Flavor) -> Value {
    let swap = if call.minor >= SWAP_NUMBER_MINOR {
        json!(0)
    } else {
        json!("")
    };
    let mut view = json!({
        "id": flavor.id, "name": flavor.name, "ram": flavor.ram_mb, "vcpus": flavor.vcpus,
        "disk": flavor.disk_gb, "swap": swap, "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": 1.0, "links": links(call, &flavor.id),
    });
    if call.minor >= DESCRIPTION_MINOR {
        json::put(&mut view, "description", Value::Null);
    }
    if call.minor >= EXTRA_SPECS_MINOR {
        json::put(&mut view, "extra_specs", json!(flavor.extra_specs));
    }
    view
}

impl Cloud {
    pub(super) fn flavor_paths(&mut self, rest: &[&str], call: &Call<'_>) -> Answer {
        match (call.req.method.as_str(), rest) {
            ("GET", ["flavors"]) => self.flavor_list(call, false),
            ("GET", ["flavors", "detail"]) => self.flavor_list(call, true),
            ("GET", ["flavors", id]) => Ok(Resp::json(
                200,
                json!({"flavor": view(call, self.flavor_of(id, call)?)}),
            )),
            ("GET", ["flavors", id, "os-extra_specs"]) => {
                let specs = &self.flavor_of(id, call)?.extra_specs;
                Ok(Resp::json(200, json!({"extra_specs": specs})))
            }
            _ => Err(nowhere()),
        }
    }

    fn flavor_of(&self, id: &str, call: &Call<'_>) -> Result<&Flavor, Fault> {
        let found = self.nova.flavor_seen(id, call.who);
        found.ok_or_else(|| Fault::not_found(format!("Flavor {id} could not be found.")))
    }

    fn flavor_list(&self, call: &Call<'_>, detail: bool) -> Answer {
        let number = |key: &str| call.query(key).and_then(|text| text.parse::<i64>().ok());
        let (ram, disk) = (number("minRam"), number("minDisk"));
        let all = self.nova.flavors.values();
        let views = all
            .filter(|flavor| flavor.is_public || call.who.is_admin())
            .filter(|flavor| ram.is_none_or(|least| flavor.ram_mb >= least))
            .filter(|flavor| disk.is_none_or(|least| flavor.disk_gb >= least))
            .map(|flavor| match detail {
                true => view(call, flavor),
                false => {
                    json!({"id": flavor.id, "name": flavor.name, "links": links(call, &flavor.id)})
                }
            })
            .collect();
        let page = paging::page(call, views, PAGE_MAX)?;
        Ok(Resp::json(
            200,
            paging::body("flavors", "flavors_links", page),
        ))
    }
}
