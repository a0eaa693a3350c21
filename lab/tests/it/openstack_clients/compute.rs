//! The `Compute` port, and the one image call.

use super::world::{BUSY, KEY, kind, world};
use protector_domain::ports::compute::{Server, ServerFilter, ServerStatus};
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::{Acting, ErrorKind};
use protector_lab::cloud::Service;

#[tokio::test]
async fn a_server_is_what_was_asked_for() {
    let world = world();
    let compute = &world.ports.compute;
    let id = world.booted("web-1").await;
    let server = compute
        .server_fetch(&world.inside, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (server.status, server.name.as_str()),
        (ServerStatus::Active, "web-1")
    );
    assert_eq!(
        server.user_id, world.ids.demo_user,
        "the trust acts as the tenant"
    );
    assert_eq!(server.project_id, world.ids.demo_project);
    assert_eq!(server.hostname.as_deref(), Some("web-one"));
    assert_eq!(server.description.as_deref(), Some("recovered"));
    assert_eq!(server.key_name.as_deref(), Some("lab-key"));
    assert_eq!(server.user_data.as_deref(), Some("Y2xvdWQ="));
    assert_eq!(
        (server.flavor_name.as_str(), server.image_id),
        ("lab.tiny", None)
    );
    assert!(server.config_drive && !server.locked);
    assert_eq!(server.tags, ["dr"]);
    let names: Vec<_> = server
        .volumes
        .iter()
        .map(|v| v.device.clone().unwrap())
        .collect();
    assert_eq!(names, ["/dev/vda", "/dev/vdb"]);
    assert!(server.volumes.iter().all(|v| !v.delete_on_termination));
}

#[tokio::test]
async fn a_server_is_stopped_locked_started_and_deleted() {
    let world = world();
    let compute = &world.ports.compute;
    let id = world.booted("web-1").await;
    compute.server_stop(&world.inside, &id).await.unwrap();
    world.settle();
    let status = |s: &Server| s.status.clone();
    let fetched = || async {
        compute
            .server_fetch(&world.inside, &id)
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(status(&fetched().await), ServerStatus::Shutoff);
    compute
        .server_lock(&world.inside, &id, "moved")
        .await
        .unwrap();
    assert!(fetched().await.locked);
    let by_tenant = compute.server_start(&world.trust, &id).await;
    assert_eq!(
        kind(by_tenant),
        ErrorKind::Refused,
        "locked by an administrator"
    );
    compute.server_unlock(&world.inside, &id).await.unwrap();
    compute.server_start(&world.trust, &id).await.unwrap();
    world.settle();
    assert_eq!(status(&fetched().await), ServerStatus::Active);

    compute.server_delete(&world.inside, &id).await.unwrap();
    world.settle();
    assert_eq!(compute.server_fetch(&world.inside, &id).await, Ok(None));
    assert_eq!(
        compute.server_delete(&world.inside, &id).await,
        Ok(()),
        "already gone"
    );
    assert_eq!(
        kind(compute.server_stop(&world.inside, &id).await),
        ErrorKind::Missing
    );
    assert_eq!(
        world.truth().volumes.len(),
        2,
        "the volumes outlive the server"
    );
}

#[tokio::test]
async fn servers_are_found_by_the_key_they_carry() {
    let world = world();
    let compute = &world.ports.compute;
    let ids = [world.booted("web-1").await, world.booted("web-2").await];
    let keyed = |prefix: &str| ServerFilter {
        metadata_prefix: Some((KEY.into(), prefix.into())),
        ..ServerFilter::default()
    };
    let inside = &world.inside;
    let list = |filter: ServerFilter| async move {
        let servers = compute.server_list(inside, &filter).await.unwrap();
        servers
            .into_iter()
            .map(|server| server.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(keyed("op-1/")).await, ids);
    assert_eq!(list(keyed("op-1/boot/web-2")).await, ids[1..]);
    assert_eq!(list(keyed("op-2/")).await, []);
    let own = compute
        .server_list(&Acting::Service, &ServerFilter::default())
        .await
        .unwrap();
    assert_eq!(own, [], "the service's own project has none");
    let all = ServerFilter {
        all_projects: true,
        ..ServerFilter::default()
    };
    assert_eq!(
        compute
            .server_list(&Acting::Service, &all)
            .await
            .unwrap()
            .len(),
        2
    );
    compute.server_delete(&world.inside, &ids[0]).await.unwrap();
    world.settle();
    assert_eq!(list(ServerFilter::default()).await, ids[1..]);
    let since = ServerFilter {
        changes_since: Some("2020-01-01T00:00:00Z".into()),
        ..ServerFilter::default()
    };
    let servers = compute.server_list(&world.inside, &since).await.unwrap();
    let states: Vec<_> = servers.iter().map(|server| server.status.clone()).collect();
    assert_eq!(states, [ServerStatus::Deleted, ServerStatus::Active]);
}

/// S14: the service user is an administrator in `demo` and could read everybody's.
#[tokio::test]
async fn another_projects_server_and_volume_are_absent() {
    let world = world();
    let id = world.booted("web-1").await;
    let volume = world.truth().volumes[0].id.as_str().into();
    let stranger = world.model().seed_project("stranger");
    world
        .model()
        .seed_grant(&world.ids.protector_user, &stranger, "admin");
    let outside = Acting::ServiceIn(stranger.into());
    assert_eq!(
        world.ports.compute.server_fetch(&outside, &id).await,
        Ok(None)
    );
    assert_eq!(
        world.ports.volumes.volume_fetch(&outside, &volume).await,
        Ok(None)
    );
    assert_eq!(
        world
            .ports
            .network
            .port_list(&outside, &PortFilter::default())
            .await,
        Ok(vec![])
    );
    assert!(
        world
            .ports
            .compute
            .server_fetch(&Acting::Service, &id)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        world
            .ports
            .volumes
            .volume_fetch(&world.inside, &volume)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn what_a_server_needs_around_it() {
    let world = world();
    let compute = &world.ports.compute;
    let flavors = compute.flavor_list(&world.trust).await.unwrap();
    let small = flavors.iter().find(|f| f.name == "lab.small").unwrap();
    assert_eq!((small.vcpus, small.ram_mib, small.disk_gib), (1, 1_024, 10));
    assert_eq!(flavors.len(), 4);
    assert_eq!(
        compute.keypair_exists(&world.trust, "lab-key").await,
        Ok(true)
    );
    assert_eq!(
        compute.keypair_exists(&world.trust, "lab key/2").await,
        Ok(false)
    );
    // E10: a keypair belongs to a user, and the service is another one.
    assert_eq!(
        compute.keypair_exists(&world.inside, "lab-key").await,
        Ok(false)
    );
    world
        .model()
        .seed_quota(Service::Compute, &world.ids.demo_project, "instances", 1);
    world.booted("web-1").await;
    let quota = compute.compute_quota(&world.trust).await.unwrap();
    assert_eq!((quota.instances.used, quota.instances.limit), (1, 1));
    assert!(!quota.instances.fits(1));
    let volume = world.imported("more").await;
    let ask = world.server("web-2", &[volume.as_str()], &[]);
    assert_eq!(
        kind(compute.server_create(&world.trust, &ask).await),
        ErrorKind::Refused
    );
    let image = world
        .ports
        .images
        .image_fetch(&world.trust, &world.ids.image.as_str().into())
        .await;
    assert_eq!(image.unwrap().unwrap().name, "tiny");
    assert_eq!(
        world
            .ports
            .images
            .image_fetch(&world.trust, &"none".into())
            .await,
        Ok(None)
    );
}

/// H13: Nova refuses at once a volume that is still on its way.
#[tokio::test]
async fn a_server_waits_for_its_volume() {
    let world = world();
    world.on_array("copy-1");
    let ask = world.manage("copy-1", "os");
    let volume = world
        .ports
        .volumes
        .volume_manage(&world.inside, &ask)
        .await
        .unwrap();
    let ask = world.server("web-1", &[volume.as_str()], &[]);
    let early = world.ports.compute.server_create(&world.trust, &ask).await;
    let error = early.unwrap_err();
    assert_eq!(error.kind, BUSY, "{}", error.what);
    world.settle();
    world
        .ports
        .compute
        .server_create(&world.trust, &ask)
        .await
        .unwrap();
}
