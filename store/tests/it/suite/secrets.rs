//! Encryption at rest, seen from outside.

use crate::common::facts::id;
use crate::common::world::{Kind, START_US, World};
use protector_domain::ids::{GroupId, SiteId};
use protector_domain::sync::KeyId;
use protector_runtime::Ctx;
use protector_store::{
    Identity, KeySource, SealError, SealingKey, Site, SiteStatus, SiteType, Store, StoreConfig,
    StoreError,
};
use secrecy::{ExposeSecret, SecretString};

const CANARY: &str = "CANARY-b7f3-hunter2";

fn site(number: u128) -> Site {
    Site {
        id: SiteId(id(number)),
        name: format!("site-{number}"),
        description: String::new(),
        site_type: SiteType::Secondary,
        auth_url: String::new(),
        region_name: String::new(),
        status: SiteStatus::Active,
        peer_keys: serde_json::Value::Null,
        checked_us: None,
    }
}

async fn fill(w: &World) {
    let canary = || SecretString::from(CANARY);
    w.store.site_create(site(1), Some(canary())).await.unwrap();
    w.store
        .group_secret_put(GroupId(id(1)), "primary_fa_api_token", canary())
        .await
        .unwrap();
    let identity = Identity {
        site: SiteId(id(1)),
        installation: id(2),
        key_id: KeyId("k".to_owned()),
        secret: CANARY.as_bytes().to_vec().into(),
    };
    w.store.identity_put(identity).await.unwrap();
}

pub async fn secrets_come_back_and_stay_sealed(w: &mut World) {
    fill(w).await;
    w.crash().await;
    let secret = w
        .store
        .site_credential_fetch(SiteId(id(1)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(secret.expose_secret(), CANARY);
    let group = GroupId(id(1));
    let token = w
        .store
        .group_secret_fetch(group, "primary_fa_api_token")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.expose_secret(), CANARY);
    w.store
        .group_secret_put(group, "primary_fa_api_token", SecretString::from("new"))
        .await
        .unwrap();
    let token = w
        .store
        .group_secret_fetch(group, "primary_fa_api_token")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.expose_secret(), "new");
    assert!(
        w.store
            .group_secret_fetch(group, "secondary")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(w.store.group_secrets_delete(group).await, Ok(1));
    if w.kind == Kind::File {
        let files = std::fs::read_dir(w.dir.path()).unwrap();
        let found = files.filter(|file| {
            let bytes = std::fs::read(file.as_ref().unwrap().path()).unwrap();
            bytes
                .windows(CANARY.len())
                .any(|part| part == CANARY.as_bytes())
        });
        assert_eq!(found.count(), 0, "a secret stands in a file in clear");
    }
}

async fn with_key(w: &World, key: SealingKey) -> Store {
    let config = StoreConfig::new(w.url.as_str())
        .inline(w.kind == Kind::Memory)
        .key(KeySource::Given(key));
    Store::open(config, Ctx::seeded("test", 3, START_US))
        .await
        .unwrap()
}

pub async fn a_wrong_key_is_said_so(w: &mut World) {
    fill(w).await;
    let wrong = with_key(w, SealingKey::new(7, [43; 32])).await;
    for said in [wrong.schema_check().await, wrong.migrate().await] {
        assert!(
            matches!(said, Err(StoreError::Sealed(SealError::WrongKey { .. }))),
            "{said:?}"
        );
    }
    assert!(wrong.site_credential_fetch(SiteId(id(1))).await.is_err());
    let other = with_key(w, SealingKey::new(8, [42; 32])).await;
    let said = other.schema_check().await;
    assert_eq!(
        said,
        Err(SealError::OtherKey {
            sealed_with: 7,
            have: 8
        }
        .into())
    );
    assert_eq!(
        w.store.schema_check().await,
        Ok(()),
        "and nothing was harmed"
    );
}

pub async fn a_secret_does_not_open_elsewhere(w: &mut World) {
    fill(w).await;
    w.store
        .site_create(site(2), Some(SecretString::from("mine")))
        .await
        .unwrap();
    let (from, to) = (SiteId(id(1)), SiteId(id(2)));
    // In two steps: MariaDB does not read from the table it changes.
    w.sql("CREATE TABLE lifted AS SELECT id, credential FROM sites")
        .await;
    w.sql(&format!(
        "UPDATE sites SET credential = (SELECT credential FROM lifted WHERE id = '{from}') \
         WHERE id = '{to}'"
    ))
    .await;
    let said = w.store.site_credential_fetch(to).await.map(|_| ());
    assert!(
        matches!(said, Err(StoreError::Sealed(SealError::WrongKey { .. }))),
        "{said:?}"
    );
}
