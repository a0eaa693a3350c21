//! Servers that cannot join a group: each by its own code, which names what is in the way. A swap or
//! ephemeral disk, ports of hardware and volumes of other projects are in `domain::change::tests`.

use super::scene::*;
use http::Method;
use protector_lab::courier::Endpoint;
use protector_lab::story::protect;
use protector_lab::world::{Which, World};
use serde_json::json;

async fn add(world: &World, group: &str, server: &str) -> Said {
    let a = world.endpoint(Which::A).await.unwrap();
    let path = format!("/protection-groups/{group}/members");
    let body = json!({ "member": { "instance_id": server } });
    refused(post(&a, &path, &body).await)
}

#[tokio::test(start_paused = true)]
async fn each_disk_that_is_in_the_way_is_named() {
    let world = world("refused-disks").await;
    let group = protect(&world).await.unwrap().group;
    let (server, volume) = seed(&world, "plain", "standard");
    let said = add(&world, &group, &server).await;
    said.is(
        "400 volume_type_mismatch",
        &[
            "Volume type mismatch",
            &volume,
            "standard",
            "replicated-ssd",
            "cinder retype",
        ],
    );
    let (server, volume) = seed(&world, "sealed", "replicated-ssd");
    let change = |f: fn(&mut protector_lab::cloud::Volume)| {
        cloud(&world, Which::A, |c| c.seed_volume_change(&volume, f));
    };
    change(|v| v.encrypted = true);
    let said = add(&world, &group, &server).await;
    said.is(
        "400 volume_encrypted",
        &["Volume not replication-eligible", &volume, "encrypted"],
    );
    change(|v| {
        v.encrypted = false;
        v.multiattach = true;
    });
    let said = add(&world, &group, &server).await;
    said.is("400 volume_multiattach", &[&volume, "more than one server"]);
    change(|v| {
        v.multiattach = false;
        v.bootable = false;
    });
    let said = add(&world, &group, &server).await;
    said.is("400 root_not_a_volume", &["sealed", "boots from image"]);
}

#[tokio::test(start_paused = true)]
async fn servers_that_are_not_to_be_had_are_named() {
    let world = world("refused-servers").await;
    let group = protect(&world).await.unwrap().group;
    let member = world.tenant(Which::A).servers[0].clone();
    let twice = add(&world, &group, &member).await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    assert!(
        twice.codes.contains(&"already_protected".to_owned()),
        "{}",
        twice.text
    );
    assert!(
        twice.text.contains("web-1") && twice.text.contains(&group),
        "{}",
        twice.text
    );
    let nobody = "0197a2b0-0000-7000-8000-000000000001";
    let said = add(&world, &group, nobody).await;
    said.is("400 no_such_server", &[nobody, "openstack server show"]);

    cloud(&world, Which::A, |c| c.knobs.boots_stuck = true);
    let standard = &world.tenant(Which::A).standard;
    let nova = Endpoint {
        url: format!("http://{}", Which::A.cloud_host()),
        ..world.endpoint(Which::A).await.unwrap()
    };
    let build = json!({ "server": { "name": "young", "flavorRef": standard.flavors[1],
        "imageRef": standard.image, "networks": [{ "uuid": standard.networks[0] }] } });
    let made = nova.send(Method::POST, "/compute/v2.1/servers", Some(&build));
    let made = made.await.unwrap()["server"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = add(&world, &group, &made).await;
    assert_eq!(
        said.codes,
        ["server_state", "root_not_a_volume"],
        "all at once"
    );
    assert!(said.text.contains("young is BUILD"), "{}", said.text);
}

/// A volume that went to another server after it joined belongs to two, if nobody looks.
#[tokio::test(start_paused = true)]
async fn a_volume_of_another_member_is_not_taken_twice() {
    let world = world("refused-twice").await;
    let group = protect(&world).await.unwrap().group;
    let member = world.tenant(Which::A).servers[0].clone();
    let again = add(&world, &group, &member).await;
    assert!(
        again.codes.contains(&"volume_already_protected".to_owned()),
        "{}",
        again.text
    );
    assert!(again.text.contains("member-remove"), "{}", again.text);
}
