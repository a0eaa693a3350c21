//! Where a thing of the source leads: by mapping, by equal name, or nowhere; away, home again, and for members
//! that joined while the group was away.

use super::facts::{Asked, TargetFacts};
use super::fixture::*;
use super::mapping::Mapper;
use crate::ids::{FlavorId, NetworkId, ProjectId};
use crate::ports::compute::Flavor;
use crate::ports::network::NetworkInfo;
use crate::record::{Captured, Mappings, Nic};
use crate::sync::Role::{self, Home, Other};
use std::collections::BTreeMap;

fn map<V: for<'a> From<&'a str>>(pairs: &[(&str, &str)]) -> BTreeMap<String, V> {
    let pair = |(from, to): &(&str, &str)| ((*from).to_owned(), V::from(to));
    pairs.iter().map(pair).collect()
}

fn networks(pairs: &[(&str, &str)]) -> BTreeMap<NetworkId, NetworkId> {
    let pair = |(from, to): &(&str, &str)| (NetworkId::from(*from), NetworkId::from(*to));
    pairs.iter().map(pair).collect()
}

/// A cloud of flavors, networks, zones and keypairs, each by id and name: "id name".
fn cloud(flavors: &[&str], of_network: &[&str], names: &[&str]) -> TargetFacts {
    let both = |text: &&str| {
        let (id, name) = text.split_once(' ').unwrap();
        (id.to_owned(), name.to_owned())
    };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let flavor = |(id, name): (String, String)| Flavor {
        id: FlavorId(id),
        ..flavor(&name)
    };
    let network = |(id, name): (String, String)| NetworkInfo {
        id: NetworkId(id),
        name,
        project_id: "p".into(),
        shared: false,
    };
    TargetFacts {
        flavors: Asked::Known(flavors.iter().map(both).map(flavor).collect()),
        networks: Asked::Known(of_network.iter().map(both).map(network).collect()),
        availability_zones: Asked::Known(names.clone()),
        keypairs: Asked::Known(names),
        ..target()
    }
}

fn captured(at: Role, id: &str, name: &str) -> Captured {
    Captured {
        at,
        flavor: Flavor {
            id: FlavorId::from(id),
            ..flavor(name)
        },
        ..member(1, 1).captured
    }
}

fn nic(id: &str, name: &str) -> Nic {
    Nic {
        network: NetworkId::from(id),
        network_name: name.to_owned(),
        ..member(1, 1).nics.remove(0)
    }
}

#[test]
fn flavors_go_by_mapping_then_by_name_and_home_by_id() {
    let mappings = Mappings {
        flavors: map(&[("small", "f2"), ("lost", "f9")]),
        ..Mappings::default()
    };
    let target = cloud(&["f1 small", "f2 tiny", "f3 twin", "f4 twin"], &[], &[]);
    for (here, at, id, name, expected) in [
        (Other, Home, "h1", "small", Some("f2")),
        (Other, Home, "h1", "tiny", Some("f2")),
        (Other, Home, "h1", "lost", None),
        (Other, Home, "h1", "twin", None),
        (Other, Home, "h1", "none", None),
        // Captured where it now returns to: by id, also among twins; by name if that flavor is gone.
        (Home, Home, "f4", "twin", Some("f4")),
        (Home, Home, "h1", "small", Some("f1")),
        // Captured away: the mapping backwards, then by name.
        (Home, Other, "f2", "tiny", Some("f1")),
        (Home, Other, "o7", "tiny", Some("f2")),
    ] {
        let map = Mapper {
            mappings: &mappings,
            here,
            project: &ProjectId::from("p"),
            target: &target,
        };
        let found = map.flavor(&captured(at, id, name));
        let found = found.map(|f| f.id.as_str());
        assert_eq!(found, expected, "{name} from {at:?} to {here:?}");
    }
}

#[test]
fn networks_go_by_mapping_then_by_name_and_home_by_id() {
    let mappings = Mappings {
        networks: networks(&[("h1", "n2"), ("h2", "n2"), ("h3", "n9"), ("n1", "o1")]),
        ..Mappings::default()
    };
    let target = cloud(&[], &["n1 app", "n2 db", "n3 twin", "n4 twin"], &[]);
    for (here, at, id, name, expected) in [
        (Other, Home, "h1", "app", Some("n2")),
        (Other, Home, "h3", "app", None),
        (Other, Home, "h7", "app", Some("n1")),
        (Other, Home, "h7", "twin", None),
        (Home, Home, "n4", "twin", Some("n4")),
        (Home, Home, "gone", "db", Some("n2")),
        (Home, Other, "o1", "x", Some("n1")),
        // Two of home lead there: backwards neither does.
        (Home, Other, "n2", "db", Some("n2")),
        (Home, Other, "n2", "x", None),
    ] {
        let map = Mapper {
            mappings: &mappings,
            here,
            project: &ProjectId::from("p"),
            target: &target,
        };
        let found = map.network(at, &nic(id, name)).map(|id| id.0);
        let case = format!("{id} {name} from {at:?} to {here:?}");
        assert_eq!(found.as_deref(), expected, "{case}");
    }
}

#[test]
fn zones_and_keypairs_are_those_that_are_there() {
    let mappings = Mappings {
        availability_zones: map(&[("east", "west"), ("south", "gone"), ("up", "east")]),
        keypairs: map(&[("east", "west"), ("south", "gone"), ("up", "east")]),
        ..Mappings::default()
    };
    let target = cloud(&[], &[], &["west", "east", "north", "up"]);
    for (here, at, name, expected) in [
        (Other, Home, "east", Some("west")),
        (Other, Home, "north", Some("north")),
        (Other, Home, "south", None),
        (Other, Home, "none", None),
        // Its own name at home, although something of home is called so away.
        (Home, Home, "east", Some("east")),
        (Home, Other, "west", Some("east")),
        (Home, Other, "east", Some("up")),
    ] {
        let map = Mapper {
            mappings: &mappings,
            here,
            project: &ProjectId::from("p"),
            target: &target,
        };
        let case = format!("{name} from {at:?} to {here:?}");
        assert_eq!(
            map.availability_zone(at, name).as_deref(),
            expected,
            "{case}"
        );
        assert_eq!(map.keypair(at, name).as_deref(), expected, "{case}");
    }
}

#[test]
fn a_zone_that_is_not_there_is_told() {
    let mut facts = facts();
    let [first, second, ..] = facts.body.members.as_mut_slice() else {
        panic!("two members");
    };
    first.captured.availability_zone = Some("zone-b".into());
    second.captured.availability_zone = Some("zone-a".into());
    let plan = super::tests_of_fidelity::unplanned(&facts);
    let zones = super::tests_of_fidelity::zones(&plan);
    assert_eq!(zones[..2], [Some("zone-b".to_owned()), None]);
    let warned = super::tests_of_fidelity::warned(&plan);
    assert_eq!(
        warned.iter().filter(|code| *code == "zone_dropped").count(),
        1
    );
}

#[test]
fn zones_that_could_not_be_asked_for_are_not_said_to_be_missing() {
    let mut facts = facts();
    for member in &mut facts.body.members {
        member.captured.availability_zone = Some("zone-b".into());
    }
    facts.target.availability_zones = Asked::CouldNotAsk("Nova is away".to_owned());
    let warned = super::tests_of_fidelity::warned(&super::tests_of_fidelity::unplanned(&facts));
    assert!(warned.contains(&"could_not_ask".to_owned()), "{warned:?}");
    assert!(!warned.contains(&"zone_dropped".to_owned()), "{warned:?}");
}
