//! Which addresses are free, which are whose, and which MAC comes next.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::{FixedIp, Neutron, Subnet};
use crate::cloud::ids::IdSource;
use crate::cloud::json;
use crate::cloud::wire::Fault;

/// Draws of a MAC before giving up; the space is 2^24 per network.
const MAC_DRAWS_MAX: usize = 1_000;

/// First and last address of a CIDR, network and broadcast included.
pub(super) fn cidr_range(cidr: &str) -> Option<(u32, u32)> {
    let (address, bits) = cidr.split_once('/')?;
    let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
    let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
    let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
    Some((address & !hosts, address | hosts))
}

pub(super) fn text_of(address: u32) -> String {
    Ipv4Addr::from(address).to_string()
}

fn number_of(address: &str) -> Option<u32> {
    address.parse::<Ipv4Addr>().ok().map(u32::from)
}

impl Subnet {
    fn holds(&self, address: &str) -> bool {
        let range = cidr_range(&self.cidr);
        match (range, number_of(address)) {
            (Some((first, last)), Some(number)) => (first..=last).contains(&number),
            _ => false,
        }
    }
}

impl Neutron {
    /// Addresses of a subnet that a port or a floating IP has, `except` one port's own.
    fn taken(&self, subnet_id: &str, except: Option<&str>) -> BTreeSet<String> {
        let ports = self
            .ports
            .values()
            .filter(|port| Some(port.id.as_str()) != except);
        let fixed = ports.flat_map(|port| &port.fixed_ips);
        let mut taken: BTreeSet<String> = fixed
            .filter(|one| one.subnet_id == subnet_id)
            .map(|one| one.ip_address.clone())
            .collect();
        if let Some(subnet) = self.subnets.get(subnet_id) {
            let floating = self.floating_ips.values();
            let here = floating.filter(|one| one.floating_network_id == subnet.network_id);
            taken.extend(here.map(|one| one.floating_ip_address.clone()));
        }
        taken
    }

    /// The lowest free address of a subnet's pool.
    pub(super) fn next_free(&self, subnet: &Subnet, except: Option<&str>) -> Option<String> {
        let taken = self.taken(&subnet.id, except);
        let (first, last) = (number_of(&subnet.pool.0)?, number_of(&subnet.pool.1)?);
        (first..=last)
            .map(text_of)
            .find(|address| !taken.contains(address) && subnet.gateway_ip.as_ref() != Some(address))
    }

    fn subnets_of(&self, network_id: &str) -> impl Iterator<Item = &Subnet> {
        let all = self.subnets.values();
        all.filter(move |subnet| subnet.network_id == network_id)
    }

    /// The addresses a port gets: what was asked, or the next free one of the network's first subnet.
    ///
    /// `except` is the port that is changing. Errors: 409 taken or used up (fault `H6`), 400 outside.
    pub(super) fn addresses(
        &self,
        network_id: &str,
        asked: Option<&Value>,
        except: Option<&str>,
    ) -> Result<Vec<FixedIp>, Fault> {
        let Some(asked) = asked.and_then(Value::as_array) else {
            let first = self.subnets_of(network_id).next();
            return first
                .map(|subnet| self.address_any(subnet, except))
                .transpose()
                .map(|one| one.into_iter().collect());
        };
        let mut given: Vec<FixedIp> = Vec::new();
        for one in asked {
            let subnet = self.address_subnet(network_id, one)?;
            let fixed = match json::text(one, "ip_address") {
                None => self.address_any(subnet, except)?,
                Some(address) => self.address_given(subnet, address, except)?,
            };
            if given.contains(&fixed) {
                return Err(already_allocated(&fixed.ip_address, &subnet.id));
            }
            given.push(fixed);
        }
        Ok(given)
    }

    fn address_subnet(&self, network_id: &str, one: &Value) -> Result<&Subnet, Fault> {
        if let Some(id) = json::text(one, "subnet_id") {
            let mut here = self.subnets_of(network_id);
            return here.find(|subnet| subnet.id == id).ok_or_else(|| {
                let text = format!("Failed to create port on network {network_id}, because fixed_ips included invalid subnet {id}");
                Fault::typed(400, "InvalidInput", text)
            });
        }
        let address = json::text(one, "ip_address").unwrap_or_default();
        let mut here = self.subnets_of(network_id);
        here.find(|subnet| subnet.holds(address)).ok_or_else(|| {
            let text = format!("IP address {address} is not a valid IP for any of the subnets on the specified network.");
            Fault::typed(400, "InvalidIpForNetwork", text)
        })
    }

    fn address_given(
        &self,
        subnet: &Subnet,
        address: &str,
        except: Option<&str>,
    ) -> Result<FixedIp, Fault> {
        if !subnet.holds(address) {
            let text = format!("IP address {address} is not a valid IP for the specified subnet.");
            return Err(Fault::typed(400, "InvalidIpForSubnet", text));
        }
        if self.taken(&subnet.id, except).contains(address) {
            return Err(already_allocated(address, &subnet.id));
        }
        Ok(FixedIp {
            subnet_id: subnet.id.clone(),
            ip_address: address.to_owned(),
        })
    }

    fn address_any(&self, subnet: &Subnet, except: Option<&str>) -> Result<FixedIp, Fault> {
        let address = self.next_free(subnet, except).ok_or_else(|| {
            let text = format!(
                "No more IP addresses available on network {}.",
                subnet.network_id
            );
            Fault::typed(409, "IpAddressGenerationFailure", text)
        })?;
        Ok(FixedIp {
            subnet_id: subnet.id.clone(),
            ip_address: address,
        })
    }

    fn mac_taken(&self, network_id: &str, mac: &str, except: Option<&str>) -> bool {
        let mut ports = self.ports.values();
        ports.any(|port| {
            port.network_id == network_id
                && port.mac_address == mac
                && Some(port.id.as_str()) != except
        })
    }

    /// A MAC that was asked for, in lower case. Errors: 409 in use on the network (fault `H7`).
    pub(super) fn mac_given(
        &self,
        network_id: &str,
        mac: &str,
        except: Option<&str>,
    ) -> Result<String, Fault> {
        let mac = mac.to_ascii_lowercase();
        let shaped = mac
            .split(':')
            .filter(|pair| pair.len() == 2 && u8::from_str_radix(pair, 16).is_ok());
        if shaped.count() != 6 {
            let text = format!(
                "Invalid input for mac_address. Reason: '{mac}' is not a valid MAC address."
            );
            return Err(Fault::typed(400, "HTTPBadRequest", text));
        }
        if self.mac_taken(network_id, &mac, except) {
            let text = format!(
                "Unable to complete operation for network {network_id}. The mac address {mac} is in use."
            );
            return Err(Fault::typed(409, "MacAddressInUse", text));
        }
        Ok(mac)
    }

    /// A MAC nobody has on the network.
    pub(super) fn mac_any(&self, network_id: &str, ids: &mut IdSource) -> Result<String, Fault> {
        for _ in 0..MAC_DRAWS_MAX {
            let [_, _, _, _, _, a, b, c] = ids.next_u64().to_be_bytes();
            let mac = format!("fa:16:3e:{a:02x}:{b:02x}:{c:02x}");
            if !self.mac_taken(network_id, &mac, None) {
                return Ok(mac);
            }
        }
        let text = format!("Unable to generate unique mac on network {network_id}.");
        Err(Fault::typed(503, "MacAddressGenerationFailure", text))
    }
}

fn already_allocated(address: &str, subnet_id: &str) -> Fault {
    let text = format!("IP address {address} already allocated in subnet {subnet_id}");
    Fault::typed(409, "IpAddressAlreadyAllocated", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_both_ends() {
        let show = |cidr| cidr_range(cidr).map(|(first, last)| (text_of(first), text_of(last)));
        let pair = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(show("10.1.2.9/24"), pair("10.1.2.0", "10.1.2.255"));
        assert_eq!(show("10.1.2.9/32"), pair("10.1.2.9", "10.1.2.9"));
        assert_eq!(show("0.0.0.0/0"), pair("0.0.0.0", "255.255.255.255"));
        assert_eq!(show("10.1.2.9/33"), None);
    }
}
