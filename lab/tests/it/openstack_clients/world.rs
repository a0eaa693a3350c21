//! A cloud model with its clock in hand, behind the ports.

use protector_domain::ids::{ServerId, VolumeId};
use protector_domain::ports::compute::{BootVolume, ServerCreate};
use protector_domain::ports::network::{FixedIp, PortCreate};
use protector_domain::ports::volumes::VolumeManage;
use protector_domain::ports::{Acting, Cloud, ErrorKind, PortResult};
use protector_lab::cloud::backend::VolumeBackend;
use protector_lab::cloud::{
    Cloud as Model, CloudConfig as ModelConfig, FailRule, GroundTruth, MemoryBackend, NowMs, Req,
    Standard, routes,
};
use protector_openstack::{CloudConfig, Credential, Interface, OpenStackCloud};
use protector_runtime::Ctx;
use protector_runtime::clock::Clock;
use protector_runtime::remote::{RemoteOptions, in_process};
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

pub const START_MS: i64 = 1_790_000_000_000;
pub const BUSY: ErrorKind = ErrorKind::Busy {
    retry_after_ms: None,
};
/// What the keys of imports start with.
pub const OPERATION: &str = "01a2216c-1435-7fec-b1ad-1bf8833e9a88";
pub const KEY: &str = protector_domain::effect::METADATA_KEY;

/// A clock in the test's hand, for the model and for us.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn set_ms(&self, now_ms: i64) {
        self.0.fetch_max(now_ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.now_ms() * 1_000
    }
}

pub struct World {
    pub model: Arc<Mutex<Model>>,
    pub array: Arc<MemoryBackend>,
    pub clock: Arc<HandClock>,
    pub ids: Standard,
    pub ports: Cloud,
    /// Of `demo` for the service user.
    pub trust: Acting,
    /// The service user in `demo`, with the role that a tenant mapping grants.
    pub inside: Acting,
}

pub fn world() -> World {
    let clock = Arc::new(HandClock(AtomicI64::new(START_MS)));
    let array = Arc::new(MemoryBackend::new());
    let backend: Arc<dyn VolumeBackend> = array.clone();
    let mut model = Model::new(ModelConfig::named("site-b", 7), backend);
    let ids = model.seed_standard(11, START_MS);
    model.seed_grant(&ids.protector_user, &ids.demo_project, "admin");
    let trust = trust_of_demo(&mut model, &ids);
    let model = Arc::new(Mutex::new(model));
    let (ticking, told) = (clock.clone(), model.clone());
    let now: NowMs = Arc::new(move || ticking.now_ms());
    let http = in_process(warp::service(routes(told, now)));
    let ctx = Ctx {
        clock: clock.clone(),
        ..Ctx::seeded("test", 1, 0)
    };
    let ports = Arc::new(OpenStackCloud::connect(config(), http, ctx)).ports();
    let project = ids.demo_project.as_str().into();
    World {
        model,
        array,
        clock,
        ports,
        trust: Acting::Trust {
            trust: trust.into(),
            project,
        },
        inside: Acting::ServiceIn(ids.demo_project.as_str().into()),
        ids,
    }
}

pub fn config() -> CloudConfig {
    CloudConfig {
        auth_url: "http://site-b.cloud.test/identity".into(),
        region_name: Some("RegionOne".into()),
        interface: Interface::Public,
        credential: Credential::Password {
            username: "protector".into(),
            user_domain_name: "Default".into(),
            password: SecretString::from("secret"),
            project_name: "service".into(),
            project_domain_name: "Default".into(),
        },
        // Single calls are looked at here, not how an endpoint rests.
        remote: RemoteOptions {
            circuit_failures_max: 0,
            ..RemoteOptions::default()
        },
    }
}

pub fn trust_of_demo(model: &mut Model, ids: &Standard) -> String {
    let token = model.seed_token(&ids.demo_user, &ids.demo_project, START_MS);
    let body = json!({"trust": {
        "trustor_user_id": ids.demo_user, "trustee_user_id": ids.protector_user,
        "project_id": ids.demo_project, "impersonation": true, "roles": [{"name": "member"}]}});
    let req = Req::post("/identity/v3/OS-TRUST/trusts", &body).token(&token);
    let resp = model.handle(&req, START_MS);
    assert_eq!(resp.status, 201, "{}", resp.body);
    resp.body["trust"]["id"].as_str().unwrap().to_owned()
}

impl World {
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    pub fn truth(&self) -> GroundTruth {
        self.model().ground_truth(self.clock.now_ms())
    }

    /// Lets everything that was accepted finish.
    pub fn settle(&self) {
        let mut model = self.model();
        while let Some(due_ms) = model.next_due_ms() {
            self.clock.set_ms(due_ms);
            model.advance(self.clock.now_ms());
        }
    }

    /// Every matching call from now on is answered so.
    pub fn fail(&self, rule: FailRule) {
        self.model().knobs.fail_rules = vec![rule.times(u32::MAX)];
    }

    pub fn heal(&self) {
        self.model().knobs.fail_rules.clear();
    }

    pub fn as_admin(&self, req: Req) {
        let mut model = self.model();
        let now_ms = self.clock.now_ms();
        let token = model.seed_token(&self.ids.admin_user, &self.ids.admin_project, now_ms);
        let resp = model.handle(&req.token(&token), now_ms);
        assert!(resp.status < 300, "{}", resp.body);
    }

    pub fn on_array(&self, name: &str) {
        let now_ms = self.clock.now_ms();
        self.array.create(now_ms, name, 2 << 30, "any").unwrap();
    }

    pub fn manage(&self, source: &str, name: &str) -> VolumeManage {
        VolumeManage {
            host: "site-b@pure#pure".into(),
            source_name: source.into(),
            name: name.into(),
            description: Some(format!("{OPERATION}/import/{name}")),
            volume_type: "replicated-ssd".into(),
            bootable: true,
            availability_zone: None,
            metadata: BTreeMap::from([(KEY.to_owned(), format!("{OPERATION}/import/{name}"))]),
        }
    }

    pub fn port(&self, name: &str) -> PortCreate {
        PortCreate {
            name: name.into(),
            description: format!("op-1/port/{name}"),
            network: self.ids.networks[0].as_str().into(),
            fixed_ips: Vec::new(),
            mac_address: None,
            security_groups: Vec::new(),
            port_security_enabled: true,
            allowed_address_pairs: Vec::new(),
        }
    }

    pub fn port_at(&self, name: &str, address: &str, mac: Option<&str>) -> PortCreate {
        let subnet = self.ids.subnets[0].as_str().into();
        PortCreate {
            fixed_ips: vec![FixedIp {
                subnet,
                address: address.into(),
            }],
            mac_address: mac.map(Into::into),
            ..self.port(name)
        }
    }

    /// A volume imported and ready.
    pub async fn imported(&self, name: &str) -> VolumeId {
        self.on_array(name);
        let ask = self.manage(name, name);
        let id = self
            .ports
            .volumes
            .volume_manage(&self.inside, &ask)
            .await
            .unwrap();
        self.settle();
        id
    }

    pub fn server(&self, name: &str, volumes: &[&str], ports: &[&str]) -> ServerCreate {
        let device = |nth: usize| Some(format!("/dev/vd{}", char::from(b'a' + nth as u8)));
        let volumes = volumes.iter().enumerate().map(|(nth, id)| BootVolume {
            volume: (*id).into(),
            boot_index: if nth == 0 { 0 } else { -1 },
            device: device(nth),
            tag: None,
        });
        ServerCreate {
            name: name.into(),
            description: Some("recovered".into()),
            hostname: Some("web-one".into()),
            flavor: self.ids.flavors[0].as_str().into(),
            key_name: Some("lab-key".into()),
            user_data: Some("Y2xvdWQ=".into()),
            config_drive: true,
            availability_zone: None,
            metadata: BTreeMap::from([(KEY.to_owned(), format!("op-1/boot/{name}"))]),
            tags: vec!["dr".into()],
            volumes: volumes.collect(),
            ports: ports.iter().map(|id| (*id).into()).collect(),
        }
    }

    /// A running server with two disks and a port, made by the tenant's trust.
    pub async fn booted(&self, name: &str) -> ServerId {
        let (one, two) = (
            self.imported(&format!("{name}-a")).await,
            self.imported(&format!("{name}-b")).await,
        );
        let port = self
            .ports
            .network
            .port_create(&self.inside, &[self.port(name)])
            .await
            .unwrap();
        let ask = self.server(name, &[one.as_str(), two.as_str()], &[port[0].id.as_str()]);
        let id = self
            .ports
            .compute
            .server_create(&self.trust, &ask)
            .await
            .unwrap();
        self.settle();
        id
    }
}

pub fn kind<T: std::fmt::Debug>(outcome: PortResult<T>) -> ErrorKind {
    outcome.unwrap_err().kind
}
