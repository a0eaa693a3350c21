//! A cloud with its clock in hand, and short ways to ask it things.
use std::sync::Arc;

use protector_lab::cloud::backend::VolumeBackend;
use protector_lab::cloud::{
    Cloud, CloudConfig, MemoryBackend, Req, Resp, SeedServer, SeededServer, Standard,
};
use serde_json::{Value, json};

pub const START_MS: i64 = 1_790_000_000_000;
pub const NOVA: &str = "compute 2.96";
pub const CINDER: &str = "volume 3.70";
pub const GIB: u64 = 1 << 30;

pub struct World {
    pub cloud: Cloud,
    pub ids: Standard,
    pub array: Arc<MemoryBackend>,
    pub now_ms: i64,
    pub demo: String,
    pub admin: String,
    pub protector: String,
}

pub fn world() -> World {
    world_seeded(7)
}

pub fn world_seeded(seed: u64) -> World {
    let array = Arc::new(MemoryBackend::new());
    let backend: Arc<dyn VolumeBackend> = array.clone();
    let mut cloud = Cloud::new(CloudConfig::named("site-b", seed), backend);
    let ids = cloud.seed_standard(11, START_MS);
    cloud.knobs.token_lifetime_s = 1_000_000;
    let demo = cloud.seed_token(&ids.demo_user, &ids.demo_project, START_MS);
    let admin = cloud.seed_token(&ids.admin_user, &ids.admin_project, START_MS);
    let protector = cloud.seed_token(&ids.protector_user, &ids.service_project, START_MS);
    World {
        cloud,
        ids,
        array,
        now_ms: START_MS,
        demo,
        admin,
        protector,
    }
}

impl World {
    pub fn ask(&mut self, token: &str, req: Req) -> Resp {
        let version = match req.path.split('/').nth(1) {
            Some("compute") => NOVA,
            Some("volume") => CINDER,
            _ => "none 1.0",
        };
        let req = match req.header_value("openstack-api-version") {
            Some(_) => req,
            None => req.version(version),
        };
        self.cloud.handle(&req.token(token), self.now_ms)
    }

    pub fn status(&mut self, token: &str, req: Req) -> u16 {
        self.ask(token, req).status
    }

    /// The body of a request that must succeed.
    pub fn ok(&mut self, token: &str, req: Req) -> Value {
        let what = format!("{} {}", req.method, req.path);
        let resp = self.ask(token, req);
        assert!(resp.status < 300, "{what}: {} {}", resp.status, resp.body);
        resp.body
    }

    pub fn get(&mut self, token: &str, path: &str) -> Value {
        self.ok(token, Req::get(path))
    }

    /// Lets everything that was accepted finish.
    pub fn settle(&mut self) {
        while let Some(due_ms) = self.cloud.next_due_ms() {
            self.now_ms = self.now_ms.max(due_ms);
            self.cloud.advance(self.now_ms);
        }
    }

    pub fn volume_url(&self, rest: &str) -> String {
        format!("/volume/v3/{}{rest}", self.ids.demo_project)
    }

    /// An available volume of demo.
    pub fn volume(&mut self, name: &str, bootable: bool) -> String {
        let (project, user) = (self.ids.demo_project.clone(), self.ids.demo_user.clone());
        let id = self
            .cloud
            .seed_volume((&project, &user), name, 1, "replicated-ssd", self.now_ms)
            .unwrap();
        self.cloud
            .seed_volume_change(&id, |volume| volume.bootable = bootable);
        id
    }

    pub fn volume_show(&mut self, id: &str) -> Value {
        let path = format!("/volume/v3/{}/volumes/{id}", self.ids.admin_project);
        let admin = self.admin.clone();
        self.get(&admin, &path)["volume"].clone()
    }

    pub fn server_body(&self, name: &str, volume: &str, port: &str) -> Value {
        json!({"server": {
            "name": name, "flavorRef": self.ids.flavors[0], "key_name": "lab-key",
            "networks": [{"port": port}],
            "block_device_mapping_v2": [{
                "uuid": volume, "source_type": "volume", "destination_type": "volume",
                "boot_index": 0, "delete_on_termination": false,
            }],
        }})
    }

    pub fn port(&mut self, token: &str, asked: Value) -> Value {
        self.ok(
            token,
            Req::post("/network/v2.0/ports", &json!({"port": asked})),
        )["port"]
            .clone()
    }

    /// A server booted through the API by demo: server, volume, port.
    pub fn boot(&mut self, name: &str) -> (String, String, String) {
        let demo = self.demo.clone();
        let volume = self.volume(&format!("{name}-root"), true);
        let network = self.ids.networks[0].clone();
        let port = self.port(&demo, json!({"network_id": network}));
        let port = port["id"].as_str().unwrap().to_owned();
        let body = self.server_body(name, &volume, &port);
        let made = self.ok(&demo, Req::post("/compute/v2.1/servers", &body));
        let id = made["server"]["id"].as_str().unwrap().to_owned();
        (id, volume, port)
    }

    pub fn server_show(&mut self, id: &str) -> Value {
        let demo = self.demo.clone();
        self.get(&demo, &format!("/compute/v2.1/servers/{id}"))["server"].clone()
    }

    pub fn seeded(&mut self, name: &str) -> SeededServer {
        let ask = SeedServer {
            project_id: self.ids.demo_project.clone(),
            user_id: self.ids.demo_user.clone(),
            name: name.to_owned(),
            flavor_id: self.ids.flavors[0].clone(),
            network_ids: vec![self.ids.networks[0].clone()],
            disks: vec![
                (1, "replicated-ssd".to_owned()),
                (2, "replicated-ssd".to_owned()),
            ],
            ..SeedServer::default()
        };
        self.cloud.seed_server(&ask, self.now_ms).unwrap()
    }

    /// Another tenant with a network of its own: token, project id, network id.
    pub fn stranger(&mut self) -> (String, String, String) {
        let project = self.cloud.seed_project("other");
        let user = self.cloud.seed_user("other", "secret");
        assert!(self.cloud.seed_grant(&user, &project, "member"));
        let network = self
            .cloud
            .seed_network(&project, "other-net", "10.99.0.0/24", self.now_ms);
        let token = self.cloud.seed_token(&user, &project, self.now_ms);
        (token, project, network.unwrap().0)
    }
}

pub fn message(resp: &Resp) -> String {
    let inner = resp.body.as_object().and_then(|body| body.values().next());
    inner
        .and_then(|inner| inner["message"].as_str())
        .unwrap_or_default()
        .to_owned()
}

pub fn names(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}
