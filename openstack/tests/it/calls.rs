//! What calls ask and how their outcomes are told apart: lost answers, lists in pages, walls, versions.
use crate::world::{Reply, Seen, World, is_login, password, version};
use protector_domain::ports::compute::{ServerCreate, ServerFilter};
use protector_domain::ports::network::PortCreate;
use protector_domain::ports::volumes::{VolumeFilter, VolumeManage};
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortError};
use protector_runtime::remote::RemoteOptions;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn server_create(hostname: Option<&str>) -> ServerCreate {
    ServerCreate {
        name: "web-1".into(),
        description: None,
        hostname: hostname.map(Into::into),
        flavor: "f1".into(),
        key_name: None,
        user_data: Some("Y2FuYXJ5".into()),
        config_drive: false,
        availability_zone: None,
        metadata: BTreeMap::new(),
        tags: Vec::new(),
        volumes: Vec::new(),
        ports: Vec::new(),
    }
}

fn manage() -> VolumeManage {
    VolumeManage {
        host: "h@pure#pure".into(),
        source_name: "copy-1".into(),
        name: "db".into(),
        description: None,
        volume_type: "t".into(),
        bootable: true,
        availability_zone: None,
        metadata: BTreeMap::new(),
    }
}

fn port_create() -> PortCreate {
    PortCreate {
        name: "p".into(),
        description: "key".into(),
        network: "n1".into(),
        fixed_ips: Vec::new(),
        mac_address: None,
        security_groups: Vec::new(),
        port_security_enabled: true,
        allowed_address_pairs: Vec::new(),
    }
}

/// Everything that changes something, one after the other, as the service.
async fn all_writes(cloud: &Cloud) -> Vec<PortError> {
    let (me, metadata) = (
        &Acting::Service,
        BTreeMap::from([("a".to_owned(), "b".to_owned())]),
    );
    let (server, volume, port) = ("s1".into(), "v1".into(), "p1".into());
    [
        cloud
            .compute
            .server_create(me, &server_create(None))
            .await
            .map(drop),
        cloud.compute.server_delete(me, &server).await,
        cloud.compute.server_stop(me, &server).await,
        cloud.compute.server_start(me, &server).await,
        cloud.compute.server_lock(me, &server, "moved").await,
        cloud.compute.server_forget_task(me, &server).await,
        cloud.compute.server_unlock(me, &server).await,
        cloud.volumes.volume_manage(me, &manage()).await.map(drop),
        cloud.volumes.volume_unmanage(me, &volume).await,
        cloud.volumes.volume_delete(me, &volume).await,
        cloud.volumes.volume_extend(me, &volume, 2).await,
        cloud
            .volumes
            .volume_describe(me, &volume, None, &metadata)
            .await,
        cloud
            .volumes
            .volume_set_image_metadata(me, &volume, &metadata)
            .await,
        cloud
            .network
            .port_create(me, &[port_create()])
            .await
            .map(drop),
        cloud.network.port_delete(me, &port).await,
    ]
    .into_iter()
    .map(|outcome| outcome.unwrap_err())
    .collect()
}

/// B1, B2, B3, B6, B7: what is known after each way to fail.
#[tokio::test(start_paused = true)]
async fn every_write_says_whether_it_may_have_happened() {
    let busy = ErrorKind::Busy {
        retry_after_ms: None,
    };
    let replies: [(fn() -> Reply, ErrorKind); 8] = [
        (|| Reply::NotSent, ErrorKind::Unreachable),
        (|| Reply::Broken, ErrorKind::Unknown),
        (|| Reply::Hang, ErrorKind::Unknown),
        (|| Reply::Raw(500, ""), ErrorKind::Unknown),
        (|| Reply::Raw(502, "<html>"), ErrorKind::Unknown),
        (|| Reply::Raw(503, ""), busy),
        (|| Reply::Raw(400, ""), ErrorKind::Refused),
        (|| Reply::Raw(302, ""), ErrorKind::Refused),
    ];
    for (reply, kind) in replies {
        let world = World::new(move |seen, _| {
            if is_login(seen) {
                Reply::Usual
            } else {
                reply()
            }
        });
        // Nothing but the outcomes of single calls: no circuit.
        let options = RemoteOptions {
            circuit_failures_max: 0,
            ..RemoteOptions::default()
        };
        let errors = all_writes(&world.cloud_with(password(), options)).await;
        assert_eq!(errors.len(), world.calls().len(), "nothing is repeated");
        for error in errors {
            assert_eq!(error.kind, kind, "{}", error.what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_accepted_creation_with_a_broken_body_is_unknown() {
    for body in [
        "",
        "{\"server\":{\"id\":",
        "{}",
        "{\"server\":{\"id\":\"\"},\"volume\":{\"id\":\"\"}}",
    ] {
        let world = World::new(move |seen, _| match is_login(seen) {
            true => Reply::Usual,
            false => Reply::Raw(202, body),
        });
        let cloud = world.cloud();
        let me = &Acting::Service;
        for kind in [
            cloud
                .compute
                .server_create(me, &server_create(None))
                .await
                .unwrap_err()
                .kind,
            cloud
                .volumes
                .volume_manage(me, &manage())
                .await
                .unwrap_err()
                .kind,
            cloud
                .network
                .port_create(me, &[port_create()])
                .await
                .unwrap_err()
                .kind,
        ] {
            assert_eq!(kind, ErrorKind::Unknown, "{body}");
        }
    }
}

/// Nothing is known of a service whose circuit is open, and nothing is sent.
#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_rests() {
    let world = World::new(|seen, _| {
        if is_login(seen) {
            Reply::Usual
        } else {
            Reply::NotSent
        }
    });
    let options = RemoteOptions {
        circuit_failures_max: 2,
        ..RemoteOptions::default()
    };
    let cloud = world.cloud_with(password(), options);
    for _ in 0..5 {
        let error = cloud
            .volumes
            .volume_fetch(&Acting::Service, &"v1".into())
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
    }
    assert_eq!(world.calls().len(), 2);
}

/// A tenant whose trust is dead is answered 503; that must not cut the others off.
#[tokio::test(start_paused = true)]
async fn refusals_of_one_tenant_open_no_circuit() {
    let world = World::new(
        |seen, _| match (is_login(seen), seen.path.contains("bad")) {
            (true, _) => Reply::Usual,
            (_, true) => Reply::Raw(503, ""),
            _ => Reply::Json(200, json!({"volumes": []})),
        },
    );
    let options = RemoteOptions {
        circuit_failures_max: 2,
        ..RemoteOptions::default()
    };
    let cloud = world.cloud_with(password(), options);
    for _ in 0..5 {
        let error = cloud
            .volumes
            .volume_fetch(&Acting::Service, &"bad".into())
            .await
            .unwrap_err();
        assert_eq!(
            error.kind,
            ErrorKind::Busy {
                retry_after_ms: None
            }
        );
    }
    cloud
        .volumes
        .volume_list(&Acting::Service, &VolumeFilter::default())
        .await
        .unwrap();
}

fn volume(id: usize, key: &str) -> Value {
    json!({"id": format!("v{id:04}"), "status": "available", "size": 1,
        "created_at": format!("2026-11-20T05:{:02}:00", 59 - id), "metadata": {"protector:key": key}})
}

fn marker(seen: &Seen) -> Option<&str> {
    seen.path.split("marker=").nth(1)
}

/// B14: all pages, by our own address and the last id seen, whatever the links say.
#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_end_and_put_in_order() {
    let next = json!([{"rel": "next", "href": "http://evil/volumes?marker=x"}]);
    let world = World::new(move |seen, _| {
        let body = match marker(seen) {
            _ if is_login(seen) => return Reply::Usual,
            None => json!({"volumes": [volume(0, "a/1"), volume(1, "b/1")], "volumes_links": next}),
            Some("v0001") => {
                json!({"volumes": [volume(1, "b/1"), volume(2, "a/2")], "volumes_links": next})
            }
            Some(_) => json!({"volumes": [volume(3, "a")]}),
        };
        Reply::Json(200, body)
    });
    let filter = VolumeFilter {
        key_prefix: Some("a/".into()),
        all_projects: true,
    };
    let volumes = world
        .cloud()
        .volumes
        .volume_list(&Acting::Service, &filter)
        .await
        .unwrap();
    let ids: Vec<_> = volumes.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(ids, ["v0002", "v0000"], "the younger created_at comes last");
    let path = "GET /volume/v3/service-project/volumes/detail?sort=created_at%3Aasc&all_tenants=1&limit=500";
    let second = format!("{path}&marker=v0001");
    let third = format!("{path}&marker=v0002");
    assert_eq!(world.calls(), [path, &second, &third]);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_marker_went_away_begins_again() {
    let mut left = 1;
    let world = World::new(move |seen, _| match (is_login(seen), marker(seen)) {
        (true, _) => Reply::Usual,
        (_, Some("v0000")) if left > 0 => {
            left -= 1;
            Reply::Json(
                404,
                json!({"itemNotFound": {"message": "marker", "code": 404}}),
            )
        }
        (_, None) => Reply::Json(
            200,
            json!({"volumes": [volume(0, "")], "volumes_links": [{"rel": "next"}]}),
        ),
        _ => Reply::Json(200, json!({"volumes": [volume(1, "")]})),
    });
    let cloud = world.cloud();
    let volumes = cloud
        .volumes
        .volume_list(&Acting::Service, &VolumeFilter::default())
        .await;
    assert_eq!(volumes.unwrap().len(), 2);
    assert_eq!(world.calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn half_a_list_is_an_error() {
    let second_pages: [(fn() -> Reply, ErrorKind); 4] = [
        (
            || Reply::Raw(500, ""),
            ErrorKind::Busy {
                retry_after_ms: None,
            },
        ),
        (|| Reply::Broken, ErrorKind::Unknown),
        (
            || Reply::Json(200, json!({"volumes": null})),
            ErrorKind::Unknown,
        ),
        // The same page for ever.
        (
            || {
                Reply::Json(
                    200,
                    json!({"volumes": [volume(0, "")], "volumes_links": [{"rel": "next"}]}),
                )
            },
            ErrorKind::Unknown,
        ),
    ];
    for (second, kind) in second_pages {
        let world = World::new(move |seen, _| match (is_login(seen), marker(seen)) {
            (true, _) => Reply::Usual,
            (_, None) => Reply::Json(
                200,
                json!({"volumes": [volume(0, "")], "volumes_links": [{"rel": "next"}]}),
            ),
            _ => second(),
        });
        let cloud = world.cloud();
        let outcome = cloud
            .volumes
            .volume_list(&Acting::Service, &VolumeFilter::default())
            .await;
        assert_eq!(outcome.unwrap_err().kind, kind);
        assert_eq!(world.calls().len(), 2);
    }
}

fn server(id: &str, project: &str, status: &str) -> Value {
    json!({"id": id, "tenant_id": project, "status": status, "name": "web-1",
        "created": "2026-11-20T05:00:00Z", "metadata": {"key": "a/1"},
        "OS-EXT-SRV-ATTR:user_data": "Y2xvdWQ="})
}

/// A world of Nova with one server, up to microversion `max`.
fn nova(max: &'static str, one: Value) -> World {
    World::new(move |seen, _| match (is_login(seen), seen.path.as_str()) {
        (true, _) => Reply::Usual,
        (_, "/compute/v2.1/") => version(max),
        (_, path) if path.ends_with("/os-volume_attachments") => Reply::Json(
            200,
            json!({"volumeAttachments": [
                {"volumeId": "v2", "serverId": "s1", "device": "/dev/vdb", "delete_on_termination": false},
                {"volumeId": "v1", "serverId": "s1", "device": "/dev/vda", "delete_on_termination": true}]}),
        ),
        (_, path) if path.contains("/detail") => Reply::Json(200, json!({"servers": [one]})),
        _ if seen.method == "POST" => {
            Reply::Json(202, json!({"server": {"id": "s9", "adminPass": "x"}}))
        }
        _ => Reply::Json(200, json!({"server": one})),
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_is_read_with_its_volumes_and_its_user_data() {
    let world = nova("2.96", server("s1", "tenant", "ACTIVE"));
    let cloud = world.cloud();
    let acting = Acting::ServiceIn("tenant".into());
    let server = cloud
        .compute
        .server_fetch(&acting, &"s1".into())
        .await
        .unwrap()
        .unwrap();
    let volumes: Vec<_> = server.volumes.iter().map(|v| v.volume.as_str()).collect();
    assert_eq!(volumes, ["v1", "v2"]);
    assert!(server.volumes[0].delete_on_termination);
    assert_eq!(server.user_data.as_deref(), Some("Y2xvdWQ="));
    let listed = cloud
        .compute
        .server_list(&acting, &ServerFilter::default())
        .await
        .unwrap();
    assert_eq!(
        listed[0].user_data, None,
        "not asked for, so not carried about"
    );
}

/// S14: an administrator's token reads everybody's servers; a tenant's errand must not.
#[tokio::test(start_paused = true)]
async fn another_projects_server_is_absent() {
    let world = nova("2.96", server("s1", "stranger", "ACTIVE"));
    let cloud = world.cloud();
    let acting = Acting::ServiceIn("tenant".into());
    assert_eq!(
        cloud.compute.server_fetch(&acting, &"s1".into()).await,
        Ok(None)
    );
    assert!(
        cloud
            .compute
            .server_fetch(&Acting::Service, &"s1".into())
            .await
            .unwrap()
            .is_some()
    );
}

/// B19.
#[tokio::test(start_paused = true)]
async fn an_answer_about_another_server_is_no_answer() {
    let world = nova("2.96", server("s2", "tenant", "ACTIVE"));
    let error = world
        .cloud()
        .compute
        .server_fetch(&Acting::Service, &"s1".into())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unknown);
}

/// A server in a cell that is down may carry the key looked for: absence is not proved.
#[tokio::test(start_paused = true)]
async fn a_cell_that_is_down_proves_nothing() {
    let world = nova(
        "2.96",
        json!({"id": "s1", "tenant_id": "tenant", "status": "UNKNOWN"}),
    );
    let compute = world.cloud().compute;
    let keyed = ServerFilter {
        metadata_prefix: Some(("key".into(), "a/".into())),
        ..ServerFilter::default()
    };
    let busy = ErrorKind::Busy {
        retry_after_ms: None,
    };
    assert_eq!(
        compute
            .server_list(&Acting::Service, &keyed)
            .await
            .unwrap_err()
            .kind,
        busy
    );
    let fetched = compute.server_fetch(&Acting::Service, &"s1".into()).await;
    assert_eq!(fetched.unwrap_err().kind, busy);
    let all = compute
        .server_list(&Acting::Service, &ServerFilter::default())
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
}

/// Host names go to a Nova that knows them; an older one boots the server without.
#[tokio::test(start_paused = true)]
async fn host_names_follow_the_servers_version() {
    for (max, asked, sent) in [
        ("2.96", "compute 2.96", true),
        ("2.95", "compute 2.90", true),
        ("2.87", "compute 2.79", false),
    ] {
        let world = nova(max, Value::Null);
        let cloud = world.cloud();
        let ask = server_create(Some("web-1"));
        for _ in 0..2 {
            let id = cloud
                .compute
                .server_create(&Acting::Service, &ask)
                .await
                .unwrap();
            assert_eq!(id.as_str(), "s9");
        }
        let post = world.seen().last().unwrap().clone();
        assert_eq!(post.header("openstack-api-version"), asked);
        assert_eq!(post.body["server"].get("hostname").is_some(), sent);
        let versions = world
            .calls()
            .iter()
            .filter(|call| call.ends_with("/v2.1/"))
            .count();
        assert_eq!(versions, 1, "asked once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_could_not_learn_the_version_did_not_happen() {
    for reply in [
        || Reply::Broken,
        || Reply::Raw(200, "{"),
        || Reply::Raw(404, ""),
    ] {
        let world = World::new(move |seen, _| {
            if is_login(seen) {
                Reply::Usual
            } else {
                reply()
            }
        });
        let ask = server_create(Some("web-1"));
        let error = world
            .cloud()
            .compute
            .server_create(&Acting::Service, &ask)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(world.calls(), ["GET /compute/v2.1/"]);
    }
}

/// H15: Nova's validation repeats what it did not like.
#[tokio::test(start_paused = true)]
async fn refused_user_data_stays_out_of_the_error() {
    let message = "Invalid input for field/attribute user_data. Value: Y2FuYXJ5. 'Y2FuYXJ5' is not a 'base64'";
    let world = World::new(move |seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Json(
            400,
            json!({"badRequest": {"code": 400, "message": message}}),
        ),
    });
    let ask = server_create(None);
    let error = world
        .cloud()
        .compute
        .server_create(&Acting::Service, &ask)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(
        error.what.contains("user_data") && !error.what.contains("Y2FuYXJ5"),
        "{}",
        error.what
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_deleted_and_what_has_no_id_is_not() {
    let world = World::new(|seen, _| {
        let words = match seen.path.starts_with("/network") {
            true => json!({"NeutronError": {"type": "PortNotFound", "message": "no"}}),
            false => json!({"itemNotFound": {"code": 404, "message": "no"}}),
        };
        if is_login(seen) {
            Reply::Usual
        } else {
            Reply::Json(404, words)
        }
    });
    let cloud = world.cloud();
    let me = &Acting::Service;
    assert_eq!(cloud.compute.server_delete(me, &"s1".into()).await, Ok(()));
    assert_eq!(
        cloud.volumes.volume_unmanage(me, &"v1".into()).await,
        Ok(())
    );
    assert_eq!(cloud.volumes.volume_delete(me, &"v1".into()).await, Ok(()));
    assert_eq!(cloud.network.port_delete(me, &"p1".into()).await, Ok(()));
    assert_eq!(cloud.network.port_fetch(me, &"p1".into()).await, Ok(None));
    assert_eq!(cloud.volumes.volume_fetch(me, &"v1".into()).await, Ok(None));
    assert_eq!(cloud.images.image_fetch(me, &"i1".into()).await, Ok(None));
    assert_eq!(cloud.compute.keypair_exists(me, "k").await, Ok(false));
    let stop = cloud.compute.server_stop(me, &"s1".into()).await;
    assert_eq!(stop.unwrap_err().kind, ErrorKind::Missing);
    let calls = world.calls().len();
    assert_eq!(
        cloud
            .compute
            .server_delete(me, &"".into())
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Refused
    );
    assert_eq!(world.calls().len(), calls, "never `DELETE /servers/`");
}
