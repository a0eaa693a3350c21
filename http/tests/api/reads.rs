//! What groups, members and operations look like from outside.

use crate::world::*;
use protector_domain::ids::{DiskId, MemberId};
use protector_domain::ports::compute::Flavor;
use protector_domain::ports::engine::Query;
use protector_domain::ports::network::FixedIp;
use protector_domain::record::{
    Captured, Disk, DiskPlace, Member, Nic, NicSecurityGroup, Places, Policy,
};
use protector_runtime::introspect::Stats;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

#[tokio::test(start_paused = true)]
async fn a_group_by_name_and_by_id() {
    let world = World::new();
    let by_name = world.get("reader", &group_path("")).await;
    let by_id = world
        .get(
            "reader",
            &format!("/v1/{MINE}/protection-groups/{}", group_id(1)),
        )
        .await;
    assert_eq!(by_name.text, by_id.text);
    assert_eq!(by_name.header("etag"), r#""1-3""#);
    let shown = by_name.json();
    let shown = &shown["protection_group"];
    for (field, expected) in [
        ("id", json!(group_id(1))),
        ("name", json!("web")),
        ("status", json!("active")),
        ("replication_type", json!("async")),
        ("project_id", json!(MINE)),
        ("primary_site", json!(site(1))),
        ("secondary_site", json!(site(2))),
        ("current_primary_site", json!(site(1))),
        ("volume_type", json!("type-1")),
        ("secondary_volume_type", json!("type-2")),
        ("failover_count", json!(0)),
        ("last_failover_at", json!(null)),
        ("epoch", json!(1)),
        ("version", json!(3)),
        ("synced", json!(true)),
        ("member_count", json!(0)),
        ("has_policy", json!(false)),
    ] {
        assert_eq!(shown[field], expected, "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_two_groups_have() {
    let world = World::new();
    world
        .engine
        .groups
        .lock()
        .unwrap()
        .push(group(4, "web", MINE));
    assert_eq!(
        world.get("reader", &group_path("")).await.line(),
        "409 ambiguous_name"
    );
    let by_id = world
        .get(
            "reader",
            &format!("/v1/{MINE}/protection-groups/{}", group_id(4)),
        )
        .await;
    assert_eq!(by_id.json()["protection_group"]["id"], json!(group_id(4)));
}

#[tokio::test(start_paused = true)]
async fn names_are_found_through_their_encoding() {
    let world = World::new();
    world
        .engine
        .groups
        .lock()
        .unwrap()
        .push(group(4, "a/b %ü", MINE));
    let got = world
        .get(
            "reader",
            &format!("/v1/{MINE}/protection-groups/a%2Fb%20%25%C3%BC"),
        )
        .await;
    assert_eq!(got.json()["protection_group"]["id"], json!(group_id(4)));
}

/// Follows the links until there are none: every group of the project once, and no other.
#[tokio::test(start_paused = true)]
async fn pages_lead_through_everything() {
    let world = World::new();
    *world.engine.groups.lock().unwrap() = (1..=7)
        .map(|n| group(n, &format!("g{n}"), if n == 4 { OTHER } else { MINE }))
        .collect();
    let mut path = format!("{}?limit=2", groups_path());
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let got = world.get("reader", &path).await.json();
        let groups = got["protection_groups"].as_array().unwrap().clone();
        names.extend(
            groups
                .iter()
                .map(|g| g["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(links) = got.get("protection_groups_links") else {
            break;
        };
        assert_eq!(links[0]["rel"], "next");
        path = links[0]["href"].as_str().unwrap().to_owned();
        assert!(pages < 9, "the links go round in circles");
    }
    assert_eq!(names, ["g1", "g2", "g3", "g5", "g6", "g7"]);
    assert_eq!(pages, 4, "three full pages and the end");
}

#[tokio::test(start_paused = true)]
async fn operations_of_one_group() {
    let world = World::new();
    let path = format!("/v1/{MINE}/operations?group=web&limit=1");
    let got = world.get("reader", &path).await.json();
    assert_eq!(got["operations"][0]["id"], json!(operation(0x51, MINE).id));
    let next = got["operations_links"][0]["href"].as_str().unwrap();
    assert!(
        next.contains("group=web&limit=1&marker="),
        "the filter goes along: {next}"
    );
    let asked = world
        .engine
        .queries
        .lock()
        .unwrap()
        .last()
        .unwrap()
        .1
        .clone();
    assert_eq!(
        asked,
        Query::OperationList {
            group: Some(group_id(1)),
            marker: None,
            limit: 1
        }
    );
    let got = world
        .get("reader", &format!("/v1/{MINE}/operations?group=theirs"))
        .await;
    assert_eq!(got.line(), "404 not_found");
}

fn captured() -> Captured {
    let flavor = Flavor {
        id: "f".into(),
        name: "m1.small".into(),
        vcpus: 1,
        ram_mib: 1,
        disk_gib: 0,
        ephemeral_gib: 0,
        swap_mib: 0,
        extra_specs: [].into(),
    };
    Captured {
        at: protector_domain::sync::Role::Home,
        name: "web-server-1".into(),
        description: None,
        hostname: None,
        flavor,
        key_name: None,
        config_drive: false,
        availability_zone: None,
        metadata: [].into(),
        tags: vec![],
        server_groups: vec![],
        floating_ips: vec![],
    }
}

fn disk() -> Disk {
    let place = |n: u8| DiskPlace {
        volume: format!("vol-{n}").into(),
        serial: "S1".into(),
        array_name: "v".into(),
    };
    Disk {
        id: DiskId(Uuid::from_u128(5)),
        places: Places {
            home: Some(place(1)),
            other: Some(place(2)),
        },
        name: "web-server-1-os".into(),
        description: None,
        size_gib: 50,
        bootable: true,
        boot_index: 0,
        device: Some("/dev/vda".into()),
        tag: None,
        delete_on_termination: false,
        image_metadata: [].into(),
    }
}

fn nic() -> Nic {
    Nic {
        places: Places {
            home: None,
            other: None,
        },
        name: String::new(),
        network: "net".into(),
        network_name: "blue".into(),
        mac_address: "fa:16:3e:00:00:01".into(),
        fixed_ips: vec![FixedIp {
            subnet: "sub".into(),
            address: "10.0.0.5".into(),
        }],
        subnet_names: vec![],
        security_groups: vec![NicSecurityGroup {
            id: "sg".into(),
            name: "default".into(),
        }],
        port_security_enabled: true,
        allowed_address_pairs: vec![],
        keep_ip: true,
        keep_mac: false,
    }
}

fn member() -> Member {
    Member {
        id: MemberId(Uuid::from_u128(4)),
        places: Places {
            home: Some("vm-1".into()),
            other: Some("vm-2".into()),
        },
        tier: 0,
        captured: captured(),
        user_data: Default::default(),
        disks: vec![disk()],
        nics: vec![nic()],
    }
}

#[tokio::test(start_paused = true)]
async fn members_are_shown_where_they_live_now() {
    for (leading, instance, volume) in [(1, "vm-1", "vol-1"), (2, "vm-2", "vol-2")] {
        let world = World::new();
        let mut web = group(1, "web", MINE);
        web.body.members = vec![member()];
        web.current_primary_site = site(leading);
        *world.engine.groups.lock().unwrap() = vec![web];
        let got = world.get("reader", &group_path("/members")).await.json();
        let shown = &got["members"][0];
        assert_eq!(
            (&shown["instance_id"], &shown["name"]),
            (&json!(instance), &json!("web-server-1"))
        );
        assert_eq!(
            (&shown["primary_instance_id"], &shown["flavor"]),
            (&json!("vm-1"), &json!("m1.small"))
        );
        assert_eq!(
            (
                &shown["volumes"][0]["volume_id"],
                &shown["volumes"][0]["size_gb"]
            ),
            (&json!(volume), &json!(50))
        );
        assert_eq!(
            shown["interfaces"][0]["fixed_ips"][0]["address"],
            "10.0.0.5"
        );
        assert_eq!(
            shown["interfaces"][0]["security_groups"],
            json!(["default"])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_replicates_as_one_is_shown_where_it_is_now() {
    for (leading, volume, kind) in [(1, "vol-1", "type-1"), (2, "vol-2", "type-2")] {
        let world = World::new();
        let mut web = group(1, "web", MINE);
        web.body.members = vec![member(), member()];
        web.current_primary_site = site(leading);
        *world.engine.groups.lock().unwrap() = vec![web];
        let got = world.get("reader", &group_path("/consistency-group")).await;
        assert_eq!(got.header("etag"), r#""1-3""#);
        let volume = json!({"volume_id": volume, "volume_name": disk().name, "size_gb": 50,
            "bootable": disk().bootable, "instance_name": "web-server-1"});
        let expected = json!({"consistency_group": {"protection_group_id": group_id(1),
            "volume_type_name": kind, "pure_pg_name": null, "volume_count": 2, "size_gb": 100,
            "volumes": [volume, volume]}});
        assert_eq!(got.json(), expected);
        let other = world.get("other", &group_path("/consistency-group")).await;
        assert_eq!(other.line(), "404 not_found");
    }
}

#[tokio::test(start_paused = true)]
async fn policy_and_mappings() {
    let world = World::new();
    assert_eq!(
        world.get("reader", &group_path("/policy")).await.json(),
        json!({"policy": null})
    );
    let mut web = group(1, "web", MINE);
    web.body.policy = Some(Policy {
        home_array: "fa-a".into(),
        other_array: "fa-b".into(),
        array_group: "pg".into(),
        replication_interval_s: 300,
        rpo_max_s: 900,
        target_retention_s: 86_400,
    });
    web.body.mappings.networks = [("n1".into(), "n2".into())].into();
    *world.engine.groups.lock().unwrap() = vec![web];
    let expected = json!({"policy": {"primary_array": "fa-a", "secondary_array": "fa-b", "pure_pg_name": "pg",
        "replication_interval": 300, "rpo_minutes": 15, "target_retention_s": 86_400}});
    assert_eq!(
        world.get("reader", &group_path("/policy")).await.json(),
        expected
    );
    let mappings = world.get("reader", &group_path("/mappings")).await.json();
    assert_eq!(mappings["mappings"]["networks"], json!({"n1": "n2"}));
    assert_eq!(mappings["mappings"]["subnets"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn the_live_tree_as_json_and_as_text() {
    let world = World::new();
    let place = |path: &str, kind| {
        let stats = Arc::new(Stats::new(kind, 8));
        stats.up(1, json!({"epoch": 3}));
        world.api.ctx.tree.enter(path, stats)
    };
    let _entries = [
        place("root", "supervisor"),
        place("root/groups", "supervisor"),
        place("root/groups/web", "group"),
    ];
    let paths = |got: &Got| -> Vec<String> {
        let json = got.json();
        json["actors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["path"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = world.get("admin", "/v1/admin/actors").await;
    assert_eq!(paths(&all), ["root", "root/groups", "root/groups/web"]);
    let part = world
        .get("admin", "/v1/admin/actors?root=root%2Fgroups&depth=0")
        .await;
    assert_eq!(paths(&part), ["root/groups"]);
    let kind = world.get("admin", "/v1/admin/actors?kind=group").await;
    assert_eq!(kind.json()["actors"][0]["state"]["epoch"], 3);
    let text = world.get("admin", "/v1/admin/actors?format=text").await;
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(text.text.contains("└─ web"), "{}", text.text);
    for bad in ["format=xml", "depth=-1", "depth=many"] {
        let got = world.get("admin", &format!("/v1/admin/actors?{bad}")).await;
        assert_eq!(got.line(), "400 bad_request", "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn points_and_health_have_the_documented_names() {
    let world = World::new();
    let got = world.get("reader", &group_path("/recovery-points")).await;
    let created = "1970-01-01T00:00:01.000000Z";
    let expected = json!({ "recovery_points": [
        { "suffix": "b", "created_at": created, "completed_at": null, "age_s": 60,
            "complete": false },
        { "suffix": "a", "created_at": created, "completed_at": "1970-01-01T00:00:02.000000Z",
            "age_s": 60, "complete": true },
    ] });
    assert_eq!(got.json(), expected);
    let got = world.get("reader", &group_path("/health")).await.json();
    let found = &got["health"]["findings"][0];
    assert_eq!(got["health"]["failover_ready"], false);
    assert_eq!(got["health"]["rpo_minutes"], 15);
    assert_eq!(
        (&found["code"], &found["severity"]),
        (&json!("rpo_violation"), &json!("blocking"))
    );
    assert_eq!(
        found["message"],
        "Latest snapshot age (47 min) exceeds RPO threshold (15 min)"
    );
    for tail in ["/recovery-points", "/health"] {
        let other = "/v1/p-mine/protection-groups/nothing".to_owned() + tail;
        assert_eq!(world.get("reader", &other).await.line(), "404 not_found");
    }
}
