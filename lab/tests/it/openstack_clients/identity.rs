//! Whose rights: tokens, delegations, and their ends.

use super::world::{START_MS, kind, world};
use protector_domain::ports::volumes::VolumeFilter;
use protector_domain::ports::{Acting, ErrorKind};
use protector_lab::cloud::{FailRule, Req};
use secrecy::SecretString;
use serde_json::json;

#[tokio::test]
async fn tokens_and_delegations_are_judged_by_keystone() {
    let world = world();
    let identity = &world.ports.identity;
    let token = world
        .model()
        .seed_token(&world.ids.demo_user, &world.ids.demo_project, START_MS);
    let info = identity
        .token_validate(&SecretString::from(token))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(info.user_name, "demo");
    assert_eq!(
        info.project_id,
        Some(world.ids.demo_project.as_str().into())
    );
    assert!(info.roles.contains(&"member".to_owned()) && !info.roles.contains(&"admin".to_owned()));
    assert_eq!(info.expires_at_s, START_MS / 1_000 + 3_600);
    let nobody = identity.token_validate(&SecretString::from("nobody")).await;
    assert_eq!(nobody, Ok(None));

    for acting in [&Acting::Service, &world.inside, &world.trust] {
        assert_eq!(
            identity.delegation_check(acting).await,
            Ok(()),
            "{acting:?}"
        );
    }
    let no_role = Acting::ServiceIn(world.ids.admin_project.as_str().into());
    let no_trust = Acting::Trust {
        trust: "none".into(),
        project: world.ids.demo_project.as_str().into(),
    };
    for acting in [no_role, no_trust] {
        assert_eq!(
            kind(identity.delegation_check(&acting).await),
            ErrorKind::Denied,
            "{acting:?}"
        );
    }
}

/// E3: the trustor is disabled while a token of the trust is in use.
#[tokio::test]
async fn a_dead_trust_is_denied_and_the_service_goes_on() {
    let world = world();
    let volumes = &world.ports.volumes;
    let all = VolumeFilter::default();
    volumes.volume_list(&world.trust, &all).await.unwrap();
    let path = format!("/identity/v3/users/{}", world.ids.demo_user);
    world.as_admin(Req::new("PATCH", &path).json(&json!({"user": {"enabled": false}})));
    assert_eq!(
        kind(volumes.volume_list(&world.trust, &all).await),
        ErrorKind::Denied
    );
    assert_eq!(
        kind(world.ports.identity.delegation_check(&world.trust).await),
        ErrorKind::Denied
    );
    assert_eq!(
        volumes.volume_list(&world.inside, &all).await,
        Ok(Vec::new())
    );
}

/// E1: the service says 401 before our own reckoning ends.
#[tokio::test]
async fn an_expired_token_is_renewed_and_the_call_repeated() {
    let world = world();
    world
        .ports
        .volumes
        .volume_list(&Acting::Service, &VolumeFilter::default())
        .await
        .unwrap();
    world.clock.set_ms(START_MS + 3_599_000);
    world
        .ports
        .volumes
        .volume_list(&Acting::Service, &VolumeFilter::default())
        .await
        .unwrap();
    let rule = FailRule::new("^/volume", 401).unwrap();
    world.model().knobs.fail_rules = vec![rule];
    let listed = world
        .ports
        .volumes
        .volume_list(&Acting::Service, &VolumeFilter::default())
        .await;
    assert_eq!(listed, Ok(Vec::new()));
}
