//! Each method, each error kind.

use super::world::{BUSY, KEY, OPERATION, World, kind, world};
use protector_domain::ports::compute::{ServerCreate, ServerFilter};
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::volumes::VolumeFilter;
use protector_domain::ports::{ErrorKind, PortError, PortResult};
use protector_lab::cloud::FailRule;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

type Attempt = Pin<Box<dyn Future<Output = Result<(), PortError>>>>;

/// Every method of the ports that talk to something else than Keystone: name, whether it changes
/// something, and a try of it.
fn every_method(world: &World) -> Vec<(&'static str, bool, Attempt)> {
    fn attempt<T>(future: impl Future<Output = PortResult<T>> + 'static) -> Attempt {
        Box::pin(async { future.await.map(drop) })
    }
    macro_rules! methods {
        ($($writes:literal $port:ident . $method:ident ( $($arg:expr),* );)+) => { vec![ $( {
            let (ports, me) = (world.ports.clone(), world.inside.clone());
            let future = async move { ports.$port.$method(&me, $($arg),*).await };
            (stringify!($method), $writes, attempt(future))
        } ),+ ] };
    }
    let (boot, manage, port) = (
        ServerCreate {
            hostname: None,
            ..world.server("web-1", &[], &[])
        },
        world.manage("copy-1", "os"),
        [world.port("one")],
    );
    let metadata = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    methods! {
        false compute.server_fetch(&"id".into());
        false compute.server_list(&ServerFilter::default());
        true  compute.server_create(&boot);
        true  compute.server_delete(&"id".into());
        true  compute.server_stop(&"id".into());
        true  compute.server_start(&"id".into());
        true  compute.server_lock(&"id".into(), "moved");
        true  compute.server_forget_task(&"id".into());
        true  compute.server_unlock(&"id".into());
        false compute.flavor_list();
        false compute.keypair_exists("key");
        false compute.compute_quota();
        false volumes.volume_fetch(&"id".into());
        false volumes.volume_list(&VolumeFilter::default());
        true  volumes.volume_manage(&manage);
        true  volumes.volume_unmanage(&"id".into());
        true  volumes.volume_delete(&"id".into());
        true  volumes.volume_extend(&"id".into(), 2);
        true  volumes.volume_describe(&"id".into(), None, &[("a".to_owned(), "b".to_owned())].into());
        true  volumes.volume_set_image_metadata(&"id".into(), &metadata);
        false volumes.volume_type_list();
        false volumes.volume_service_list();
        false volumes.volume_pool_list();
        false volumes.volume_quota();
        false network.port_fetch(&"id".into());
        false network.port_list(&PortFilter::default());
        true  network.port_create(&port);
        true  network.port_delete(&"id".into());
        false network.network_list();
        false network.subnet_list();
        false network.security_group_list();
        false network.port_quota();
        false images.image_fetch(&"id".into());
    }
}

/// Each method, each error kind.
#[tokio::test]
async fn every_method_tells_every_failure_by_its_kind() {
    let world = world();
    let told = ErrorKind::Busy {
        retry_after_ms: Some(0),
    };
    // (status, header, what a read says, what a write says)
    let table: [(u16, Option<&str>, ErrorKind, ErrorKind); 8] = [
        (400, None, ErrorKind::Refused, ErrorKind::Refused),
        (401, None, ErrorKind::Denied, ErrorKind::Denied),
        (409, None, ErrorKind::Refused, ErrorKind::Refused),
        (429, Some("0"), told, told),
        (500, None, BUSY, ErrorKind::Unknown),
        (502, None, BUSY, ErrorKind::Unknown),
        (503, None, BUSY, BUSY),
        (504, None, BUSY, ErrorKind::Unknown),
    ];
    for (status, retry_after, read, write) in table {
        let mut rule = FailRule::new("^/(compute|volume|network|image)", status).unwrap();
        if let Some(seconds) = retry_after {
            rule = rule.header("retry-after", seconds);
        }
        world.fail(rule);
        for (name, writes, attempt) in every_method(&world) {
            let error = attempt.await.expect_err(name);
            let expected = if writes { write } else { read };
            assert_eq!(
                error.kind, expected,
                "{name} after {status}: {}",
                error.what
            );
            assert!(
                error.what.contains(name) || error.what.contains("version"),
                "{}",
                error.what
            );
        }
    }
    world.heal();
}

/// B11: whatever stands in a successful answer, nothing panics and nothing is taken for granted.
#[tokio::test]
async fn every_method_that_reads_an_answer_distrusts_it() {
    let world = world();
    // Those that need nothing from the answer but that it is a success.
    let silent = [
        "server_delete",
        "server_stop",
        "server_start",
        "server_lock",
        "server_forget_task",
        "server_unlock",
        "volume_unmanage",
        "volume_delete",
        "volume_extend",
        "volume_describe",
        "volume_set_image_metadata",
        "port_delete",
    ];
    for body in [
        json!({}),
        json!([]),
        json!({"servers": null, "volumes": null, "ports": null}),
        json!("x"),
    ] {
        let rule = FailRule::new("^/(compute|volume|network|image)", 200).unwrap();
        world.fail(rule.body(body.clone()));
        for (name, _, attempt) in every_method(&world) {
            let outcome = attempt.await;
            match silent.contains(&name) {
                true => assert_eq!(outcome, Ok(()), "{name}"),
                false => assert_eq!(
                    outcome.expect_err(name).kind,
                    ErrorKind::Unknown,
                    "{name} {body}"
                ),
            }
        }
    }
}

/// B2: the answer of a creation is lost although it was carried out; the key finds what was made.
#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_by_its_key() {
    let world = world();
    let lost = || {
        FailRule::new("(manageable_volumes|/servers|/ports)$", 504)
            .unwrap()
            .method("POST")
            .after()
    };
    world.on_array("copy-1");
    world.model().knobs.fail_rules = vec![lost()];
    let manage = world.manage("copy-1", "os");
    let outcome = world
        .ports
        .volumes
        .volume_manage(&world.inside, &manage)
        .await;
    assert_eq!(kind(outcome), ErrorKind::Unknown);
    let by_key = VolumeFilter {
        key_prefix: Some(format!("{OPERATION}/import/os")),
        all_projects: false,
    };
    let volumes = world
        .ports
        .volumes
        .volume_list(&world.inside, &by_key)
        .await
        .unwrap();
    assert_eq!(volumes.len(), 1);

    world.model().knobs.fail_rules = vec![lost()];
    let outcome = world
        .ports
        .network
        .port_create(&world.inside, &[world.port("one")])
        .await;
    assert_eq!(kind(outcome), ErrorKind::Unknown);
    let by_key = PortFilter {
        description_prefix: Some("op-1/port/one".into()),
        ..PortFilter::default()
    };
    let ports = world
        .ports
        .network
        .port_list(&world.inside, &by_key)
        .await
        .unwrap();
    assert_eq!(ports.len(), 1);

    world.settle();
    world.model().knobs.fail_rules = vec![lost()];
    let ask = world.server("web-1", &[volumes[0].id.as_str()], &[ports[0].id.as_str()]);
    let outcome = world.ports.compute.server_create(&world.trust, &ask).await;
    assert_eq!(kind(outcome), ErrorKind::Unknown);
    let by_key = ServerFilter {
        metadata_prefix: Some((KEY.into(), "op-1/boot/web-1".into())),
        ..ServerFilter::default()
    };
    assert_eq!(
        world
            .ports
            .compute
            .server_list(&world.trust, &by_key)
            .await
            .unwrap()
            .len(),
        1
    );
}

/// S15: what the model saw and what we say carries no secret.
#[tokio::test]
async fn no_error_shows_user_data() {
    let world = world();
    let message =
        "Invalid input for field/attribute user_data. Value: Y2xvdWQ=. 'Y2xvdWQ=' is too long";
    let rule = FailRule::new("/servers$", 400).unwrap().method("POST");
    world.fail(rule.body(json!({"badRequest": {"code": 400, "message": message}})));
    let ask = world.server("web-1", &[], &[]);
    let error = world
        .ports
        .compute
        .server_create(&world.trust, &ask)
        .await
        .unwrap_err();
    let shown: Value = serde_json::to_value(&error).unwrap();
    assert!(!shown.to_string().contains("Y2xvdWQ"), "{shown}");
}
