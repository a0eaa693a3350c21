//! A server's addresses, in the order in which Nova writes them: an object whose keys are in order. Absent: what
//! the order is good for ([`ServerAddress`]).

use crate::json::null_default;
use protector_domain::ports::compute::ServerAddress;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;

/// What Nova calls an address that is not the interface's own.
const FLOATING: &str = "floating";

/// Read straight from the text: a map of any kind would sort the networks by name.
#[derive(Default)]
pub(crate) struct Addresses(pub(crate) Vec<ServerAddress>);

#[derive(serde::Deserialize)]
struct AddressShape {
    addr: String,
    #[serde(
        default,
        rename = "OS-EXT-IPS-MAC:mac_addr",
        deserialize_with = "null_default"
    )]
    mac: String,
    #[serde(default, rename = "OS-EXT-IPS:type", deserialize_with = "null_default")]
    kind: String,
}

impl From<AddressShape> for ServerAddress {
    fn from(shape: AddressShape) -> Self {
        Self {
            mac_address: shape.mac,
            address: shape.addr,
            floating: shape.kind == FLOATING,
        }
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Addresses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("addresses by network")
    }

    fn visit_unit<E>(self) -> Result<Addresses, E> {
        Ok(Addresses::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Addresses, A::Error> {
        let mut all = Vec::new();
        while let Some((_, listed)) = map.next_entry::<String, Vec<AddressShape>>()? {
            all.extend(listed.into_iter().map(ServerAddress::from));
        }
        Ok(Addresses(all))
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, bool)> {
        let addresses: Addresses = serde_json::from_str(text).unwrap();
        let all = addresses.0.into_iter();
        all.map(|a| (format!("{} {}", a.mac_address, a.address), a.floating))
            .collect()
    }

    #[test]
    fn the_order_is_that_of_the_text() {
        let text = r#"{"zone": [
                {"addr": "10.0.1.5", "version": 4, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "m1"},
                {"addr": "203.0.113.9", "version": 4, "OS-EXT-IPS:type": "floating", "OS-EXT-IPS-MAC:mac_addr": "m1"}],
            "app": [{"addr": "fd00::1", "version": 6, "OS-EXT-IPS:type": null}]}"#;
        let (own, floating) = ("m1 10.0.1.5".to_owned(), "m1 203.0.113.9".to_owned());
        let bare = " fd00::1".to_owned();
        assert_eq!(read(text), [(own, false), (floating, true), (bare, false)]);
    }

    #[test]
    fn none_has_two_spellings() {
        assert_eq!((read("{}"), read("null")), (vec![], vec![]));
    }
}
