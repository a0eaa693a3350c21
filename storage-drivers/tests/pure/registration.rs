//! Registered arrays: found at every call, known by the id they report (F15).

use protector_domain::ids::{ArrayId, Serial};
use protector_domain::ports::{ErrorKind, StorageDriver};
use protector_storage_drivers::pure::{PureStorageDriver, sockets};
use serde_json::json;

use crate::world::{Reply, Seen, World, access, items, spec};

fn empty(seen: &Seen) -> Reply {
    if seen.is("GET /volumes") {
        items(json!([]))
    } else {
        Reply::Usual
    }
}

#[tokio::test(start_paused = true)]
async fn an_array_may_come_go_and_change_its_token_while_the_site_runs() {
    let world = World::new(empty);
    let driver = world.driver();
    let (id, serial) = (ArrayId("id-c".to_owned()), Serial("S".to_owned()));
    let error = driver.volume_by_serial(&id, &serial).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(world.seen().is_empty(), "nobody was asked");
    let with = |token: &str| Some(access("c", token));
    for (token, logins) in [("first", 1), ("first", 1), ("second", 2)] {
        world.register("id-c", with(token));
        driver.volume_by_serial(&id, &serial).await.unwrap();
        assert_eq!(world.logins(), logins, "{token}");
    }
    let last = world
        .seen()
        .into_iter()
        .rfind(|s| s.path == "/login")
        .unwrap();
    assert_eq!(last.header("api-token"), "second");
    world.register("id-c", None);
    assert!(driver.volume_by_serial(&id, &serial).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent() {
    let world = World::new(empty);
    let mut bare = access("a", "");
    bare.api_token = None;
    world.register("id-a", Some(bare));
    let error = world
        .driver()
        .locate(&"id-a".into(), &"v".into())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.what.contains("API token"), "{error}");
    assert!(world.seen().is_empty());
}

/// S15: the token does not go over a wire that anybody can read.
#[tokio::test(start_paused = true)]
async fn an_address_without_tls_is_refused() {
    let world = World::new(empty);
    let (registry, ctx) = (
        std::sync::Arc::new(world),
        protector_runtime::Ctx::seeded("t", 1, 0),
    );
    let driver = PureStorageDriver::new(registry, sockets(), ctx);
    let error = driver
        .locate(&"id-a".into(), &"v".into())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.what.contains("https"), "{error}");
}

/// INS-10, INS-11: what is listed is what a driver calls itself.
#[test]
fn the_driver_has_its_listed_name() {
    let driver = World::new(|_| Reply::Usual).driver();
    let listed = protector_storage_drivers::DRIVERS.map(|(name, ..)| name);
    assert!(listed.contains(&driver.name()), "{listed:?}");
}

#[tokio::test(start_paused = true)]
async fn another_array_at_the_address_is_written_nothing() {
    let world = World::new(empty);
    world.register("id-a", Some(access("b", "t")));
    let driver = world.driver();
    let refused = driver.ensure_group(&spec(), false).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(
        refused.what.contains("id-a") && refused.what.contains("id-b"),
        "{refused}"
    );
    assert!(world.calls().is_empty());
}
