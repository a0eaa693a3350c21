//! The `Volumes` port.

use super::world::{BUSY, KEY, OPERATION, kind, world};
use protector_domain::ports::volumes::{VolumeFilter, VolumeManage};
use protector_domain::ports::{Acting, ErrorKind};
use protector_lab::cloud::Service;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_volume_is_imported_described_and_let_go() {
    let world = world();
    let volumes = &world.ports.volumes;
    let id = world.imported("copy-1").await;
    let volume = volumes
        .volume_fetch(&world.inside, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((volume.status.as_str(), volume.size_gib), ("available", 2));
    assert_eq!(
        volume.project_id.as_deref(),
        Some(world.ids.demo_project.as_str())
    );
    assert_eq!(volume.volume_type.as_deref(), Some("replicated-ssd"));
    assert_eq!(volume.host.as_deref(), Some("site-b@pure#pure"));
    assert!(volume.bootable && volume.attached_to.is_empty());
    let names: Vec<_> = world.array.volumes().into_iter().map(|v| v.name).collect();
    assert_eq!(names, [format!("volume-{id}-cinder")], "renamed (G3)");

    let firmware = BTreeMap::from([("hw_firmware_type".to_owned(), "uefi".to_owned())]);
    volumes
        .volume_set_image_metadata(&world.inside, &id, &firmware)
        .await
        .unwrap();
    let volume = volumes
        .volume_fetch(&world.inside, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        volume
            .image_metadata
            .get("hw_firmware_type")
            .map(String::as_str),
        Some("uefi")
    );

    volumes.volume_unmanage(&world.inside, &id).await.unwrap();
    world.settle();
    assert_eq!(volumes.volume_fetch(&world.inside, &id).await, Ok(None));
    assert_eq!(
        volumes.volume_unmanage(&world.inside, &id).await,
        Ok(()),
        "already gone"
    );
    assert_eq!(world.array.volumes().len(), 1, "the data stays");
    let id = world.imported("copy-2").await;
    volumes.volume_delete(&world.inside, &id).await.unwrap();
    world.settle();
    assert_eq!(volumes.volume_delete(&world.inside, &id).await, Ok(()));
    assert_eq!(world.array.volumes().len(), 1);
}

/// The driver writes over the metadata that an import asks for; the description stays.
#[tokio::test]
async fn an_import_is_found_by_its_key_before_and_after_it_is_described() {
    let world = world();
    let volumes = &world.ports.volumes;
    let id = world.imported("copy-1").await;
    let keyed = |prefix: &str| VolumeFilter {
        key_prefix: Some(prefix.into()),
        all_projects: false,
    };
    let ours = keyed(&format!("{OPERATION}/import/"));
    let found = volumes.volume_list(&world.inside, &ours).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        !found[0].metadata.contains_key(KEY),
        "the driver wrote over it"
    );
    let asked = world.manage("copy-1", "copy-1").metadata;
    let all = [found[0].metadata.clone(), asked.clone()]
        .into_iter()
        .flatten();
    let all = all.collect();
    for text in [Some("of the tenant's"), None] {
        let described = volumes.volume_describe(&world.inside, &id, text, &all);
        described.await.unwrap();
        let found = volumes.volume_list(&world.inside, &ours).await.unwrap();
        assert_eq!(found[0].metadata.get(KEY), asked.get(KEY));
        assert!(found[0].metadata.contains_key("array_name"), "theirs stays");
        assert_eq!(found[0].description.as_deref(), text);
    }
    assert_eq!(
        volumes.volume_list(&world.inside, &keyed("op-2/")).await,
        Ok(vec![])
    );
}

#[tokio::test]
async fn an_import_is_refused_by_kind() {
    let world = world();
    let volumes = &world.ports.volumes;
    world.on_array("copy-1");
    let ask = world.manage("copy-1", "os");
    let denied = volumes.volume_manage(&world.trust, &ask).await.unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied);
    assert!(
        denied.what.contains("volume_extension:volume_manage"),
        "E6: {}",
        denied.what
    );
    for wrong in [
        VolumeManage {
            host: "nowhere@pure#pure".into(),
            ..ask.clone()
        },
        VolumeManage {
            volume_type: "nonesuch".into(),
            ..ask.clone()
        },
    ] {
        assert_eq!(
            kind(volumes.volume_manage(&world.inside, &wrong).await),
            ErrorKind::Refused
        );
    }
    world.model().knobs.cinder_volume_up = false;
    assert_eq!(
        kind(volumes.volume_manage(&world.inside, &ask).await),
        BUSY,
        "G4"
    );
    assert!(!volumes.volume_service_list(&Acting::Service).await.unwrap()[0].up);
    world.model().knobs.cinder_volume_up = true;
    world
        .model()
        .seed_quota(Service::Volume, &world.ids.demo_project, "volumes", 0);
    assert_eq!(
        kind(volumes.volume_manage(&world.inside, &ask).await),
        ErrorKind::Refused,
        "G8"
    );
    assert_eq!(
        world.truth().volumes.len(),
        0,
        "nothing was made by any of these"
    );
    let quota = volumes.volume_quota(&world.inside).await.unwrap();
    assert!(!quota.volumes.fits(1) && quota.gigabytes.fits(1));
}

#[tokio::test]
async fn what_a_volume_needs_around_it() {
    let world = world();
    let volumes = &world.ports.volumes;
    let types = volumes.volume_type_list(&Acting::Service).await.unwrap();
    let replicated = types.iter().find(|t| t.name == "replicated-ssd").unwrap();
    assert_eq!(
        replicated.extra_specs.get("replication_enabled").unwrap(),
        "<is> True"
    );
    assert!(replicated.is_public && types.len() == 3);
    let services = volumes.volume_service_list(&Acting::Service).await.unwrap();
    assert_eq!(services[0].host, "site-b@pure");
    assert!(services[0].enabled && services[0].up);
    let pools = volumes.volume_pool_list(&Acting::Service).await.unwrap();
    assert_eq!(
        (
            pools[0].name.as_str(),
            pools[0].volume_backend_name.as_str()
        ),
        ("site-b@pure#pure", "pure")
    );
    assert_eq!(
        kind(volumes.volume_pool_list(&world.trust).await),
        ErrorKind::Denied
    );
}
