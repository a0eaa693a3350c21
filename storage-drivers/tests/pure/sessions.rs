//! Versions and sessions: one login for all, one second try.

use protector_domain::ids::Serial;
use protector_domain::ports::storage::ArrayVolume;
use protector_domain::ports::{ErrorKind, PortResult, StorageDriver};
use protector_storage_drivers::pure::PureStorageDriver;
use serde_json::json;

use crate::world::{API_TOKEN, Reply, World, items};

async fn look(driver: &PureStorageDriver) -> PortResult<Option<ArrayVolume>> {
    driver
        .volume_by_serial(&"id-a".into(), &Serial("S1".to_owned()))
        .await
}

fn quiet(seen: &crate::world::Seen) -> Reply {
    if seen.is("GET /volumes") {
        items(json!([]))
    } else {
        Reply::Usual
    }
}

#[tokio::test(start_paused = true)]
async fn one_login_serves_many_calls_with_the_newest_version_known() {
    let world = World::new(quiet).speaking(&["2.36", "1.19", "2.4", "2.99"]);
    let driver = world.driver();
    for _ in 0..3 {
        assert_eq!(look(&driver).await.unwrap(), None);
    }
    let seen = world.seen();
    assert_eq!(world.logins(), 1);
    assert!(seen[1..].iter().all(|s| s.version == "36"));
    assert_eq!(seen[1].header("api-token"), API_TOKEN);
    assert_eq!(seen.last().unwrap().header("x-auth-token"), "session-1");
    assert!(seen.iter().all(|s| !s.header("x-request-id").is_empty()));
    assert!(
        seen.iter()
            .filter(|s| s.path == "/login")
            .all(|s| s.header("x-auth-token").is_empty())
    );
}

/// E2.
#[tokio::test(start_paused = true)]
async fn a_hundred_calls_that_see_401_at_once_log_in_once() {
    let world = World::new(|seen| match seen.header("x-auth-token") {
        "session-1" => Reply::Json(401, json!({"errors": [{"message": "Unauthorized"}]})),
        _ => quiet(seen),
    });
    let driver = world.driver();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let driver = driver.clone();
            tokio::spawn(async move { look(&driver).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(world.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_401_that_stays_is_denied_after_one_repeat() {
    let world = World::new(|seen| match seen.path.as_str() {
        "/arrays" => Reply::Raw(401, ""),
        _ => Reply::Usual,
    });
    let error = look(&world.driver()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    let asked = world.seen().iter().filter(|s| s.path == "/arrays").count();
    assert_eq!((asked, world.logins()), (2, 2));
}

/// Whatever happens to a login: the call itself was never sent, so its outcome is not open.
#[tokio::test(start_paused = true)]
async fn a_failed_login_leaves_no_doubt_about_the_call() {
    type Case = (fn() -> Reply, ErrorKind);
    let busy = ErrorKind::Busy {
        retry_after_ms: Some(3_000),
    };
    let cases: [Case; 6] = [
        (|| Reply::NotSent, ErrorKind::Unreachable),
        (|| Reply::Broken, ErrorKind::Unreachable),
        (|| Reply::Raw(500, "boom"), ErrorKind::Unreachable),
        (|| Reply::Raw(401, ""), ErrorKind::Denied),
        (
            || crate::world::refusal("Invalid token.", ""),
            ErrorKind::Denied,
        ),
        (|| Reply::Header(429, "retry-after", "3"), busy),
    ];
    for (reply, expected) in cases {
        let world = World::new(move |seen| match seen.path.as_str() {
            "/login" => reply(),
            _ => Reply::Usual,
        });
        let error = look(&world.driver()).await.unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(!error.what.contains("canary"), "{error}");
        assert!(world.seen().iter().all(|s| s.path != "/arrays"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_array_that_speaks_no_version_of_ours_says_so() {
    let world = World::new(|_| Reply::Usual).speaking(&["1.19", "2.3"]);
    let error = look(&world.driver()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(
        error.what.contains("2.3") && error.what.contains("2.4 to 2.56"),
        "{error}"
    );
}

/// The tokens are marked for everybody who prints headers, and no error names them (S15).
#[tokio::test(start_paused = true)]
async fn tokens_do_not_show() {
    let world = World::new(quiet);
    look(&world.driver()).await.unwrap();
    for seen in world.seen() {
        for name in ["api-token", "x-auth-token"] {
            assert!(
                seen.headers
                    .get(name)
                    .is_none_or(http::HeaderValue::is_sensitive)
            );
        }
    }
    let shown = format!("{:?}", crate::world::access("a", API_TOKEN));
    assert!(!shown.contains("canary"), "{shown}");
}
