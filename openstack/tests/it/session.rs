//! Tokens and addresses: one login for all, one second try, and what a dead delegation looks like.
use crate::world::{PASSWORD, Reply, World, by_trust, catalog, image, is_login, password};
use protector_domain::ports::network::PortFilter;
use protector_domain::ports::volumes::VolumeFilter;
use protector_domain::ports::{Acting, ErrorKind};
use protector_openstack::Credential;
use protector_runtime::remote::RemoteOptions;
use secrecy::SecretString;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const IMAGE: &str = "GET /image/v2/images/i1";

#[tokio::test(start_paused = true)]
async fn one_login_serves_many_calls_until_shortly_before_its_end() {
    let world = World::new(|seen, _| {
        if is_login(seen) {
            Reply::Usual
        } else {
            image()
        }
    });
    let cloud = world.cloud();
    for _ in 0..3 {
        cloud
            .images
            .image_fetch(&Acting::Service, &"i1".into())
            .await
            .unwrap();
    }
    assert_eq!(world.logins(), 1);
    tokio::time::sleep(Duration::from_secs(3_530)).await;
    cloud
        .images
        .image_fetch(&Acting::Service, &"i1".into())
        .await
        .unwrap();
    assert_eq!(world.logins(), 1, "an hour less a minute has not passed");
    tokio::time::sleep(Duration::from_secs(15)).await;
    cloud
        .images
        .image_fetch(&Acting::Service, &"i1".into())
        .await
        .unwrap();
    assert_eq!(world.logins(), 2);
    assert_eq!(world.seen().last().unwrap().token(), "tok-2");
}

/// E2.
#[tokio::test(start_paused = true)]
async fn a_hundred_calls_that_see_401_at_once_log_in_once() {
    let world = World::new(|seen, _| match (is_login(seen), seen.token()) {
        (true, _) => Reply::Usual,
        (false, "tok-1") => Reply::Json(401, json!({"error": {"message": "expired"}})),
        (false, _) => image(),
    });
    let options = RemoteOptions {
        concurrency_max: 200,
        ..RemoteOptions::default()
    };
    let cloud = world.cloud_with(password(), options);
    let fetch = |cloud: protector_domain::ports::Cloud| async move {
        cloud
            .images
            .image_fetch(&Acting::Service, &"i1".into())
            .await
            .unwrap()
            .unwrap()
    };
    let calls: Vec<_> = (0..100)
        .map(|_| tokio::spawn(fetch(cloud.clone())))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().name, "tiny");
    }
    assert_eq!(world.logins(), 2);
    assert_eq!(
        world.calls().len(),
        200,
        "each call was repeated exactly once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_401_that_stays_is_denied_after_one_repeat() {
    let world = World::new(|seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Json(401, json!({"error": {"message": "not you"}})),
    });
    let error = world
        .cloud()
        .images
        .image_fetch(&Acting::Service, &"i1".into())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(world.calls(), [IMAGE, IMAGE]);
    assert_eq!(world.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_right_has_its_own_login_and_scope() {
    let world = World::new(|seen, _| {
        if is_login(seen) {
            Reply::Usual
        } else {
            image()
        }
    });
    let cloud = world.cloud();
    let rights = [Acting::Service, Acting::ServiceIn("p9".into()), by_trust()];
    for acting in &rights {
        cloud
            .images
            .image_fetch(acting, &"i1".into())
            .await
            .unwrap();
        cloud.identity.delegation_check(acting).await.unwrap();
    }
    let scopes: Vec<_> = world
        .seen()
        .iter()
        .filter(|seen| is_login(seen))
        .map(|seen| seen.body["auth"]["scope"].clone())
        .collect();
    let own = json!({"project": {"name": "service", "domain": {"name": "Default"}}});
    let theirs = json!({"project": {"id": "p9"}});
    let trust = json!({"OS-TRUST:trust": {"id": "trust-1"}});
    // Twice each: a check of a delegation always logs in.
    assert_eq!(
        scopes,
        [
            own.clone(),
            own,
            theirs.clone(),
            theirs,
            trust.clone(),
            trust
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_login_says_that_nothing_happened() {
    let replies: [(fn() -> Reply, ErrorKind); 6] = [
        (|| Reply::NotSent, ErrorKind::Unreachable),
        (|| Reply::Broken, ErrorKind::Unreachable),
        (|| Reply::Hang, ErrorKind::Unreachable),
        (|| Reply::Raw(201, "{\"tok"), ErrorKind::Unreachable),
        (
            || Reply::Json(401, json!({"error": {"message": "no"}})),
            ErrorKind::Denied,
        ),
        (
            || Reply::Header(503, "retry-after", "7"),
            ErrorKind::Busy {
                retry_after_ms: Some(7_000),
            },
        ),
    ];
    for (reply, kind) in replies {
        let world = World::new(move |_, _| reply());
        let cloud = world.cloud();
        let error = cloud
            .volumes
            .volume_delete(&Acting::Service, &"v1".into())
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{}", error.what);
        assert!(world.calls().is_empty());
    }
}

/// E3: a service says 503 for a trust token whose trustor was disabled.
#[tokio::test(start_paused = true)]
async fn a_503_under_a_dead_trust_is_denied_and_under_a_live_one_busy() {
    for (check, kind) in [
        (404, ErrorKind::Denied),
        (403, ErrorKind::Denied),
        (
            200,
            ErrorKind::Busy {
                retry_after_ms: None,
            },
        ),
        (
            500,
            ErrorKind::Busy {
                retry_after_ms: None,
            },
        ),
    ] {
        let world = World::new(move |seen, _| {
            if is_login(seen) || (seen.path.starts_with("/identity") && check == 200) {
                return Reply::Usual;
            }
            let status = if seen.path.starts_with("/identity") {
                check
            } else {
                503
            };
            Reply::Json(status, json!({"error": {"message": "no"}}))
        });
        let cloud = world.cloud();
        let error = cloud
            .images
            .image_fetch(&by_trust(), &"i1".into())
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "Keystone said {check}");
        assert_eq!(world.calls(), [IMAGE, "GET /identity/v3/auth/tokens"]);
        let asked = world.seen().last().unwrap().clone();
        assert_eq!(
            (asked.token(), asked.header("x-subject-token")),
            ("tok-1", "tok-1")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_503_of_our_own_is_just_busy() {
    let world = World::new(|seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Raw(503, ""),
    });
    let error = world
        .cloud()
        .images
        .image_fetch(&Acting::Service, &"i1".into())
        .await
        .unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::Busy {
            retry_after_ms: None
        }
    );
    assert_eq!(world.calls(), [IMAGE]);
}

/// B9: Neutron's policies load while the first requests come in.
#[tokio::test(start_paused = true)]
async fn neutrons_first_403_is_asked_once_more_after_two_seconds() {
    for false_ones in [1, 2] {
        let mut left = false_ones;
        let world = World::new(move |seen, _| {
            if is_login(seen) {
                return Reply::Usual;
            }
            left -= 1;
            match left >= 0 {
                true => Reply::Json(
                    403,
                    json!({"NeutronError": {"type": "PolicyNotAuthorized",
                    "message": "disallowed by policy", "detail": ""}}),
                ),
                false => Reply::Json(200, json!({"ports": []})),
            }
        });
        let cloud = world.cloud();
        let began = Instant::now();
        let outcome = cloud
            .network
            .port_list(&Acting::Service, &PortFilter::default())
            .await;
        assert!(began.elapsed() >= Duration::from_secs(2));
        assert_eq!(world.calls().len(), 2);
        assert_eq!(
            outcome.err().map(|e| e.kind),
            (false_ones == 2).then_some(ErrorKind::Denied)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_services_403_is_asked_twice() {
    let world = World::new(|seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Json(
            403,
            json!({"forbidden": {"message": "Policy doesn't allow it"}}),
        ),
    });
    let cloud = world.cloud();
    let error = cloud
        .volumes
        .volume_unmanage(&Acting::Service, &"v1".into())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(world.calls().len(), 1);
    assert!(
        error.what.contains("Policy doesn't allow it"),
        "{}",
        error.what
    );
}

/// E5.
#[tokio::test(start_paused = true)]
async fn a_missing_endpoint_is_looked_for_once_more_and_then_named() {
    let world = World::new(|seen, _| {
        if is_login(seen) {
            Reply::Usual
        } else {
            image()
        }
    });
    world.keystone(|keystone| keystone.catalog = catalog(&["compute"]));
    let cloud = world.cloud();
    let fetch = || async {
        cloud
            .images
            .image_fetch(&Acting::Service, &"i1".into())
            .await
    };
    let error = fetch().await.unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::Unreachable,
        "never `Missing`: nobody asked Glance"
    );
    assert!(
        error.what.contains("public `image` endpoint in region one"),
        "{}",
        error.what
    );
    assert_eq!(world.logins(), 1, "a fresh catalog is not read again");
    world.keystone(|keystone| keystone.catalog = catalog(&["compute", "image"]));
    tokio::time::sleep(Duration::from_secs(61)).await;
    fetch().await.unwrap();
    assert_eq!(world.logins(), 2);
}

/// A deletion must not take "there is no such service" for "there is no such volume".
#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_deletes_nothing() {
    let world = World::new(|seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Raw(404, "<html>default backend - 404</html>"),
    });
    world.keystone(|keystone| keystone.catalog = catalog(&["volumev3"]));
    let cloud = world.cloud();
    let gone = cloud
        .volumes
        .volume_delete(&Acting::Service, &"v1".into())
        .await;
    assert_eq!(gone.unwrap_err().kind, ErrorKind::Unknown);
    let gone = cloud
        .compute
        .server_delete(&Acting::Service, &"s1".into())
        .await;
    assert_eq!(gone.unwrap_err().kind, ErrorKind::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn an_application_credential_acts_in_its_own_project_only() {
    let world = World::new(|seen, _| {
        if is_login(seen) {
            Reply::Usual
        } else {
            image()
        }
    });
    let secret = SecretString::from(PASSWORD);
    let credential = Credential::ApplicationCredential {
        id: "a1".into(),
        secret,
    };
    let cloud = world.cloud_with(credential, RemoteOptions::default());
    let check = |acting: Acting| {
        let identity = cloud.identity.clone();
        async move {
            identity
                .delegation_check(&acting)
                .await
                .err()
                .map(|e| e.kind)
        }
    };
    assert_eq!(check(Acting::Service).await, None);
    assert_eq!(
        check(Acting::ServiceIn("service-project".into())).await,
        None
    );
    assert_eq!(
        check(Acting::ServiceIn("tenant".into())).await,
        Some(ErrorKind::Denied)
    );
    assert_eq!(world.logins(), 3);
    assert_eq!(check(by_trust()).await, Some(ErrorKind::Denied));
    assert_eq!(world.logins(), 3, "not even asked");
}

#[tokio::test(start_paused = true)]
async fn tokens_of_callers_are_judged_by_keystone_alone() {
    let world = World::new(
        |seen, _| match (is_login(seen), seen.header("x-subject-token")) {
            (true, _) | (_, "good") => Reply::Usual,
            (_, "dead") => Reply::Json(404, json!({"error": {"code": 404, "message": "no token"}})),
            _ => Reply::Raw(404, "<html></html>"),
        },
    );
    let identity = world.cloud().identity;
    let validate = |token: &'static str| {
        let identity = identity.clone();
        async move { identity.token_validate(&SecretString::from(token)).await }
    };
    let info = validate("good").await.unwrap().unwrap();
    assert_eq!(
        (info.user_name.as_str(), info.roles.as_slice()),
        ("protector", &["admin".to_owned()][..])
    );
    assert_eq!(validate("dead").await, Ok(None));
    assert_eq!(validate("odd").await.unwrap_err().kind, ErrorKind::Unknown);
    let calls = world.calls().len();
    for nonsense in ["", "a\nb: c"] {
        assert_eq!(validate(nonsense).await, Ok(None));
    }
    assert_eq!(world.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn every_call_says_who_asks_and_which_request_it_is() {
    let world = World::new(|seen, _| match is_login(seen) {
        true => Reply::Usual,
        false => Reply::Json(200, json!({"volumes": []})),
    });
    let cloud = world.cloud();
    for _ in 0..2 {
        cloud
            .volumes
            .volume_list(&Acting::Service, &VolumeFilter::default())
            .await
            .unwrap();
    }
    let seen = world.seen();
    let ids: std::collections::BTreeSet<_> = seen
        .iter()
        .map(|s| s.header("x-openstack-request-id").to_owned())
        .collect();
    assert_eq!(ids.len(), seen.len(), "each request has its own id");
    assert!(
        ids.iter()
            .all(|id| id.starts_with("req-") && id.len() == 40)
    );
    assert!(
        seen.iter()
            .all(|s| s.header("user-agent").starts_with("protector/"))
    );
    assert_eq!(seen[1].header("openstack-api-version"), "volume 3.13");
    assert!(seen[1].headers["x-auth-token"].is_sensitive());
}

/// S15: no error text and no printed request shows a password or a token.
#[tokio::test(start_paused = true)]
async fn errors_show_no_secret() {
    for status in [400, 401, 403, 404, 409, 500, 503] {
        let world = World::new(move |seen, _| match is_login(seen) {
            true => Reply::Usual,
            false => Reply::Json(status, json!({"badRequest": {"message": "no"}})),
        });
        let cloud = world.cloud();
        let error = cloud
            .images
            .image_fetch(&by_trust(), &"i1".into())
            .await
            .map(drop);
        let printed = format!("{error:?} {:?}", world.seen().last().unwrap().headers);
        assert!(
            !printed.contains(PASSWORD) && !printed.contains("tok-"),
            "{printed}"
        );
    }
}
