//! The table finds what it should, once each.

use super::*;
use crate::request::path_segments;

fn check(method: &str, path: &str, expected: &str) {
    let found = find(
        &method.parse().unwrap(),
        &path_segments(path).unwrap_or_default(),
    );
    let shown = match found {
        Found::Route(route, params) => format!("{:?} {:?}", route.endpoint, params.0),
        Found::OtherMethod(others, _) => format!("405 {others:?}"),
        Found::Nothing => "404".to_owned(),
    };
    assert_eq!(shown, expected, "{method} {path}");
}

#[test]
fn paths_find_their_endpoints() {
    check("GET", "/", "Versions []");
    check("HEAD", "/v1/", "VersionShow []");
    check(
        "GET",
        "/v1/t/protection-groups",
        r#"GroupList [("tenant", "t")]"#,
    );
    check(
        "POST",
        "/v1/t/protection-groups/g%2Fh/action",
        r#"GroupAction [("tenant", "t"), ("group", "g/h")]"#,
    );
    check("GET", "/v1/admin/actors/stream", "ActorStream []");
    check("GET", "/v1/admin/protection-groups", "404");
    check("GET", "/V1/t/operations", "404");
    check(
        "GET",
        "/v1/t/operations//events",
        r#"OperationEvents [("tenant", "t"), ("operation", "")]"#,
    );
    check(
        "DELETE",
        "/v1/t/protection-groups",
        r#"405 ["GET", "POST"]"#,
    );
    check("OPTIONS", "/v1/health", r#"405 ["GET"]"#);
    check("PUT", "/v1/t/nothing", "404");
    check("GET", "/v1/t%00/operations", "404");
}

#[test]
fn every_endpoint_has_one_route() {
    for (i, route) in ROUTES.iter().enumerate() {
        for other in ROUTES.iter().skip(i + 1) {
            assert_ne!(route.endpoint, other.endpoint);
            assert_ne!(
                (route.method, route.template),
                (other.method, other.template)
            );
        }
    }
}

#[test]
fn nothing_is_written_without_the_right_to_write() {
    for route in ROUTES {
        let may_write = matches!(route.need, Need::Write | Need::Admin);
        assert!(route.method == "GET" || may_write, "{route:?}");
        assert!(
            route.method != "GET" || route.need != Need::Write,
            "{route:?}"
        );
        assert_eq!(
            route.template.contains("{tenant}"),
            matches!(route.need, Need::Read | Need::Write)
        );
        assert_eq!(
            route.template.contains("/admin/"),
            route.need == Need::Admin
        );
    }
}
