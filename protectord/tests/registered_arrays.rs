//! What the Pure driver is told of arrays follows the store, also while the site runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use protector_domain::ids::ArrayId;
use protector_runtime::ctx::Ctx;
use protector_storage_drivers::pure::ArrayRegistry;
use protector_store::{Array, KeySource, MemKeeper, SealingKey, Store, StoreConfig};
use protectord::StoreArrays;
use protectord::config::Driver;
use protectord::driver::storage_driver;
use secrecy::{ExposeSecret, SecretString};

#[tokio::test(start_paused = true)]
async fn a_registration_is_followed_at_every_call() {
    let keeper = MemKeeper::open("registered-arrays").unwrap();
    let config = StoreConfig::new(keeper.url())
        .inline(true)
        .key(KeySource::Given(SealingKey::new(1, [7; 32])));
    let store = Store::open(config, Ctx::seeded("test", 1, 0))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    // ARC-13, INS-11: the configured name loads the driver that calls itself so.
    let ctx = Ctx::seeded("test", 1, 0);
    let pure = storage_driver(&Driver::Pure, &store, &ctx).await.unwrap();
    assert_eq!(pure.name(), "pure");
    let (arrays, id) = (StoreArrays::new(store.clone()), ArrayId::from("array-1"));
    assert!(arrays.access(&id).await.unwrap().is_none());
    let mut array = Array {
        id: id.clone(),
        name: "one".to_owned(),
        url: "https://one.test".to_owned(),
        certificate: Some("PEM".to_owned()),
        allowed_projects: None,
    };
    store.array_create(array.clone(), None).await.unwrap();
    let bare = arrays.access(&id).await.unwrap().unwrap();
    assert!(bare.api_token.is_none());
    assert_eq!(bare.certificate_pem.as_deref(), Some("PEM"));
    array.url = "https://two.test".to_owned();
    store.array_update(array).await.unwrap();
    let token = SecretString::from("token-1");
    store.array_token_put(&id, token).await.unwrap();
    let whole = arrays.access(&id).await.unwrap().unwrap();
    assert_eq!(whole.url, "https://two.test");
    assert_eq!(whole.api_token.unwrap().expose_secret(), "token-1");
    store.array_delete(&id).await.unwrap();
    assert!(arrays.access(&id).await.unwrap().is_none());
    store.close().await;
}
