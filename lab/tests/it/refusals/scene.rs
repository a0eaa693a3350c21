//! Two sites, and what an error says.

use http::Method;
use protector_lab::cloud::{Cloud, SeedServer};
use protector_lab::courier::{CourierError, Endpoint};
use protector_lab::world::{Which, World, WorldOptions, lock};
use serde_json::{Value, json};

pub async fn world(name: &str) -> World {
    World::build(WorldOptions::seeded(name, 71)).await.unwrap()
}

/// What an error answer says: its codes, and everything that a person reads.
pub struct Said {
    pub status: u16,
    pub codes: Vec<String>,
    pub text: String,
}

/// Each item has a remedy (DOC-02).
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, CourierError>) -> Said {
    let refused = outcome.unwrap_err();
    let body = &refused.body;
    let all = body["errors"].as_array().cloned();
    let items = all.unwrap_or_else(|| vec![body["error"].clone()]);
    for item in &items {
        let remedy = item["remedy"].as_str().unwrap_or_default();
        assert!(remedy.len() > 10, "no remedy: {body}");
    }
    let word = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let texts = items.iter().map(|i| {
        ["message", "reason", "remedy"]
            .map(|key| word(i, key))
            .join("\n")
    });
    Said {
        status: refused.status,
        codes: items.iter().map(|i| word(i, "code")).collect(),
        text: texts.collect::<Vec<_>>().join("\n"),
    }
}

impl Said {
    #[track_caller]
    pub fn is(&self, expected: &str, words: &[&str]) {
        let line = format!("{} {}", self.status, self.codes.join(","));
        assert_eq!(line, expected, "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "{word} is not in: {}", self.text);
        }
    }
}

/// Changes a pretended cloud behind everybody's back.
pub fn cloud<T>(world: &World, which: Which, change: impl FnOnce(&mut Cloud) -> T) -> T {
    change(&mut lock(&world.site(which).cloud))
}

pub fn group_of(secondary_site: &str, volume_type: &str) -> Value {
    json!({ "protection_group": { "name": "other", "replication_type": "async",
        "secondary_site": secondary_site, "volume_type": volume_type } })
}

/// A server of the tenant's at A with one disk of a type; its id and its volume's.
pub fn seed(world: &World, name: &str, volume_type: &str) -> (String, String) {
    let standard = world.tenant(Which::A).standard.clone();
    let server = SeedServer {
        project_id: standard.demo_project.clone(),
        user_id: standard.demo_user.clone(),
        name: name.to_owned(),
        flavor_id: standard.flavors[1].clone(),
        network_ids: vec![standard.networks[0].clone()],
        disks: vec![(1, volume_type.to_owned())],
        ..SeedServer::default()
    };
    let now_ms = world.now_ms();
    let seeded = cloud(world, Which::A, |c| c.seed_server(&server, now_ms).unwrap());
    (seeded.server_id, seeded.volume_ids[0].clone())
}

pub async fn post(at: &Endpoint, path: &str, body: &Value) -> Result<Value, CourierError> {
    at.call(Method::POST, path, Some(body)).await
}
