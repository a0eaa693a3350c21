//! Identity, sites, arrays, tenant mappings.

use crate::common::facts::id;
use crate::common::world::World;
use protector_domain::ids::{ArrayId, ProjectId, SiteId, TenantMappingId};
use protector_domain::record::Mappings;
use protector_domain::sync::KeyId;
use protector_store::{Array, Identity, Site, SiteStatus, SiteType, StoreError, TenantMapping};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

fn site(number: u128, name: &str) -> Site {
    Site {
        id: SiteId(id(number)),
        name: name.to_owned(),
        description: "Zürich".to_owned(),
        site_type: SiteType::Primary,
        auth_url: "https://keystone.example/v3".to_owned(),
        region_name: "RegionOne".to_owned(),
        status: SiteStatus::Active,
        peer_keys: json!([]),
        checked_us: None,
    }
}

fn taken<T>(what: &'static str, id: &str) -> Result<T, StoreError> {
    Err(StoreError::AlreadyThere {
        what,
        id: Some(id.to_owned()),
    })
}

pub async fn sites_are_registered_once_and_changed_in_parts(w: &mut World) {
    let one = site(1, "b-site");
    w.store
        .site_create(one.clone(), Some(SecretString::from("pw")))
        .await
        .unwrap();
    assert_eq!(
        w.store.site_create(site(2, "b-site"), None).await,
        taken("site", "b-site")
    );
    w.store.site_create(site(3, "a-site"), None).await.unwrap();
    let names: Vec<String> = w
        .store
        .site_list()
        .await
        .unwrap()
        .into_iter()
        .map(|site| site.name)
        .collect();
    assert_eq!(names, ["a-site", "b-site"]);
    w.store
        .site_status_set(one.id, SiteStatus::Unreachable)
        .await
        .unwrap();
    w.store
        .site_peer_keys_set(one.id, json!([{"key_id": "x"}]))
        .await
        .unwrap();
    let moved = Site {
        auth_url: "https://other.example/v3".to_owned(),
        ..one.clone()
    };
    w.store.site_update(moved).await.unwrap();
    let read = w.store.site_find("b-site").await.unwrap().unwrap();
    assert_eq!(read.auth_url, "https://other.example/v3");
    assert_eq!(
        (read.status, read.peer_keys.clone()),
        (SiteStatus::Unreachable, json!([{"key_id": "x"}]))
    );
    assert!(read.checked_us.is_some());
    let secret = w
        .store
        .site_credential_fetch(one.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        secret.expose_secret(),
        "pw",
        "an update leaves the credential alone"
    );
    assert_eq!(
        w.store.site_update(site(3, "b-site")).await,
        taken("site", "b-site")
    );
    w.store.site_delete(one.id).await.unwrap();
    assert_eq!(w.store.site_delete(one.id).await, Err(StoreError::Missing));
    assert_eq!(w.store.site_fetch(one.id).await, Ok(None));
    let gone = w.store.site_status_set(one.id, SiteStatus::Active).await;
    assert_eq!(gone, Err(StoreError::Missing));
}

pub async fn arrays_are_registered_once_and_changed_in_parts(w: &mut World) {
    let one = Array {
        id: ArrayId::from("array-a"),
        name: "fa-primary".to_owned(),
        url: "https://10.0.0.1".to_owned(),
        certificate: Some("PEM".to_owned()),
        allowed_projects: None,
    };
    w.store
        .array_create(one.clone(), Some(SecretString::from("tok")))
        .await
        .unwrap();
    let twin = Array {
        name: "fa-other".to_owned(),
        ..one.clone()
    };
    assert_eq!(
        w.store.array_create(twin, None).await,
        taken("array", "fa-other")
    );
    assert_eq!(w.store.array_fetch(&one.id).await, Ok(Some(one.clone())));
    let narrowed = Array {
        certificate: None,
        allowed_projects: Some([ProjectId::from("p1")].into()),
        ..one.clone()
    };
    w.store.array_update(narrowed.clone()).await.unwrap();
    assert_eq!(
        w.store.array_find("fa-primary").await,
        Ok(Some(narrowed.clone()))
    );
    assert_eq!(w.store.array_list().await, Ok(vec![narrowed]));
    let token = w.store.array_token_fetch(&one.id).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), "tok");
    w.store
        .array_token_put(&one.id, SecretString::from("tok2"))
        .await
        .unwrap();
    let token = w.store.array_token_fetch(&one.id).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), "tok2");
    w.store.array_delete(&one.id).await.unwrap();
    let gone = w
        .store
        .array_token_put(&one.id, SecretString::from("x"))
        .await;
    assert_eq!(gone, Err(StoreError::Missing));
    assert!(w.store.array_token_fetch(&one.id).await.unwrap().is_none());
}

pub async fn mappings_are_one_per_project_and_site(w: &mut World) {
    let mapping = |number, local: &str, remote: &str| TenantMapping {
        id: TenantMappingId(id(number)),
        local_project: ProjectId::from(local),
        remote_site: SiteId(id(0xB)),
        remote_project: ProjectId::from(remote),
        description: String::new(),
        mappings: Mappings {
            keypairs: [(local.to_owned(), remote.to_owned())].into(),
            ..Mappings::default()
        },
    };
    let (one, two) = (mapping(1, "l1", "r1"), mapping(2, "l2", "r2"));
    w.store.tenant_mapping_create(one.clone()).await.unwrap();
    w.store.tenant_mapping_create(two.clone()).await.unwrap();
    let twice = w.store.tenant_mapping_create(mapping(3, "l1", "r9")).await;
    assert!(matches!(
        twice,
        Err(StoreError::AlreadyThere {
            what: "tenant mapping",
            ..
        })
    ));
    let found = w
        .store
        .tenant_mapping_find(&one.local_project, SiteId(id(0xB)))
        .await;
    assert_eq!(found, Ok(Some(one.clone())));
    let none = w
        .store
        .tenant_mapping_find(&one.local_project, SiteId(id(0xC)))
        .await;
    assert_eq!(none, Ok(None));
    assert_eq!(
        w.store.tenant_mapping_list(None).await,
        Ok(vec![one.clone(), two.clone()])
    );
    let of_two = w.store.tenant_mapping_list(Some(&two.local_project)).await;
    assert_eq!(of_two, Ok(vec![two]));
    w.store.tenant_mapping_delete(one.id).await.unwrap();
    assert_eq!(w.store.tenant_mapping_fetch(one.id).await, Ok(None));
}

pub async fn an_identity_is_put_once(w: &mut World) {
    assert!(w.store.identity_fetch().await.unwrap().is_none());
    let identity = |number: u128, byte: u8| Identity {
        site: SiteId(id(number)),
        installation: id(number + 100),
        key_id: KeyId(format!("key-{number}")),
        secret: vec![byte; 32].into(),
    };
    w.store.identity_put(identity(1, 5)).await.unwrap();
    let again = w.store.identity_put(identity(2, 6)).await;
    assert_eq!(again, taken("identity", &SiteId(id(1)).to_string()));
    let read = w.store.identity_fetch().await.unwrap().unwrap();
    assert_eq!((read.site, read.installation), (SiteId(id(1)), id(101)));
    assert_eq!(read.key_id, KeyId("key-1".to_owned()));
    assert_eq!(read.secret.expose_secret(), [5; 32]);
}

pub async fn the_restore_mark_is_one_number(w: &mut World) {
    assert_eq!(w.store.restore_mark_fetch().await, Ok(0));
    for mark in [1_764_000_000_000, 1_764_000_000_001] {
        w.store.restore_mark_put(mark).await.unwrap();
        assert_eq!(w.store.restore_mark_fetch().await, Ok(mark));
    }
    w.sql("UPDATE store_meta SET value = X'6d616e79' WHERE name = 'restore_mark'")
        .await;
    let damaged = StoreError::Corrupt("store_meta.restore_mark".to_owned());
    assert_eq!(w.store.restore_mark_fetch().await, Err(damaged));
}
