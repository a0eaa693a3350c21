//! The `Network` port, and lists of more than a page.

use super::world::{START_MS, kind, world};
use protector_domain::ports::ErrorKind;
use protector_domain::ports::network::{PortCreate, PortFilter};
use protector_domain::ports::volumes::VolumeFilter;
use protector_lab::cloud::Service;
use std::collections::BTreeSet;

#[tokio::test]
async fn ports_are_made_together_or_not_at_all() {
    let world = world();
    let network = &world.ports.network;
    let mac = "fa:16:3e:00:00:42";
    let asks = [
        world.port("any"),
        world.port_at("given", "10.11.0.42", Some(mac)),
    ];
    let made = network.port_create(&world.inside, &asks).await.unwrap();
    assert_eq!(made[1].fixed_ips[0].address, "10.11.0.42");
    assert_eq!(made[1].mac_address, mac);
    assert!(
        made.iter()
            .all(|p| p.project_id == world.ids.demo_project && p.device.is_none())
    );
    assert!(made[0].port_security_enabled && !made[0].fixed_ips.is_empty());

    let same_ip = [world.port("x"), world.port_at("y", "10.11.0.42", None)];
    let same_mac = [world.port("x"), world.port_at("y", "10.11.0.43", Some(mac))];
    for taken in [&same_ip, &same_mac] {
        assert_eq!(
            kind(network.port_create(&world.inside, taken).await),
            ErrorKind::AlreadyThere
        );
    }
    let nowhere = PortCreate {
        network: "none".into(),
        ..world.port("z")
    };
    assert_eq!(
        kind(network.port_create(&world.inside, &[nowhere]).await),
        ErrorKind::Missing
    );
    assert_eq!(world.truth().ports.len(), 2, "all or none");

    let open = PortCreate {
        port_security_enabled: false,
        ..world.port("open")
    };
    let open = network.port_create(&world.inside, &[open]).await.unwrap();
    assert!(!open[0].port_security_enabled);
    network
        .port_delete(&world.inside, &open[0].id)
        .await
        .unwrap();
    assert_eq!(
        network.port_delete(&world.inside, &open[0].id).await,
        Ok(()),
        "already gone"
    );
    assert_eq!(
        network.port_fetch(&world.inside, &open[0].id).await,
        Ok(None)
    );
    let fetched = network
        .port_fetch(&world.inside, &made[1].id)
        .await
        .unwrap();
    assert_eq!(fetched.as_ref(), Some(&made[1]));
}

#[tokio::test]
async fn ports_are_found_by_key_device_and_network() {
    let world = world();
    let network = &world.ports.network;
    let server = world.booted("web-1").await;
    network
        .port_create(&world.inside, &[world.port("spare")])
        .await
        .unwrap();
    let inside = &world.inside;
    let list = |filter: PortFilter| async move {
        let ports = network.port_list(inside, &filter).await.unwrap();
        ports.into_iter().map(|port| port.name).collect::<Vec<_>>()
    };
    let none = PortFilter::default();
    assert_eq!(list(none.clone()).await, ["web-1", "spare"]);
    assert_eq!(
        list(PortFilter {
            device: Some(server),
            ..none.clone()
        })
        .await,
        ["web-1"]
    );
    let keyed = PortFilter {
        description_prefix: Some("op-1/port/sp".into()),
        ..none.clone()
    };
    assert_eq!(list(keyed).await, ["spare"]);
    let db_net = PortFilter {
        network: Some(world.ids.networks[1].as_str().into()),
        ..none
    };
    assert!(list(db_net).await.is_empty());
}

#[tokio::test]
async fn what_a_port_needs_around_it() {
    let world = world();
    let network = &world.ports.network;
    let networks = network.network_list(&world.trust).await.unwrap();
    let names: BTreeSet<_> = networks.iter().map(|n| n.name.as_str()).collect();
    assert!(names.is_superset(&["app-net", "db-net", "mgmt-net"].into()));
    let subnets = network.subnet_list(&world.trust).await.unwrap();
    let app = subnets
        .iter()
        .find(|s| s.id.as_str() == world.ids.subnets[0])
        .unwrap();
    assert_eq!(
        (app.cidr.as_str(), app.network.as_str()),
        ("10.11.0.0/24", world.ids.networks[0].as_str())
    );
    let groups = network.security_group_list(&world.trust).await.unwrap();
    assert!(
        groups
            .iter()
            .any(|g| g.name == "web" && g.project_id == world.ids.demo_project)
    );
    world
        .model()
        .seed_quota(Service::Network, &world.ids.demo_project, "port", 1);
    network
        .port_create(&world.inside, &[world.port("one")])
        .await
        .unwrap();
    let quota = network.port_quota(&world.inside).await.unwrap();
    assert_eq!((quota.used, quota.limit), (1, 1));
    let over = network
        .port_create(&world.inside, &[world.port("two")])
        .await;
    assert_eq!(kind(over), ErrorKind::Refused, "H11");
}

/// B14: more than one page of everything that can be many.
#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let world = world();
    let asks: Vec<_> = (0..254).map(|n| world.port(&format!("p{n}"))).collect();
    let networks = [0, 1, 2];
    for nth in networks {
        let mut asks = asks.clone();
        asks.truncate(240);
        for ask in &mut asks {
            ask.network = world.ids.networks[nth].as_str().into();
        }
        world
            .ports
            .network
            .port_create(&world.inside, &asks)
            .await
            .unwrap();
    }
    let ports = world
        .ports
        .network
        .port_list(&world.inside, &PortFilter::default())
        .await
        .unwrap();
    assert_eq!(ports.len(), 720);
    for n in 0..1_100 {
        let owner = (
            world.ids.demo_project.as_str(),
            world.ids.demo_user.as_str(),
        );
        let mut model = world.model();
        model
            .seed_volume(owner, &format!("v{n}"), 1, "standard", START_MS + n)
            .unwrap();
    }
    let volumes = world
        .ports
        .volumes
        .volume_list(&world.inside, &VolumeFilter::default())
        .await;
    let names: Vec<_> = volumes
        .unwrap()
        .into_iter()
        .map(|v| v.name.unwrap())
        .collect();
    assert_eq!(names.len(), 1_100);
}
