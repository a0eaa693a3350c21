//! Two connected arrays behind REST, prepared and judged at the model behind them.

use async_trait::async_trait;
use protector_domain::ids::{ArrayId, Serial};
use protector_domain::ports::{PortResult, StorageDriver};
use protector_lab::purity::Face;
use protector_runtime::Ctx;
use protector_runtime::remote::HttpService;
use protector_storage_drivers::conformance::{BANDWIDTH_BYTES_PER_S, Call, Fixture, Side};
use protector_storage_drivers::link::{Fault, SharedWorld};
use protector_storage_drivers::model::{
    Answer, ArrayState, Command, Control, GroundTruth, LinkState, Settings, SnapshotPatch,
    VolumePatch, VolumeSource,
};
use protector_storage_drivers::pure::{ArrayAccess, ArrayRegistry, Connector, PureStorageDriver};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::wire::Trouble;

pub const START_US: i64 = 1_767_225_600_000_000;

/// A REST version that has batches.
pub const WITH_BATCHES: &str = "2.36";

pub struct WireFixture {
    world: SharedWorld,
    trouble: Trouble,
    ctx: Ctx,
    /// By name.
    access: BTreeMap<&'static str, ArrayAccess>,
    connector: Connector,
    batches: bool,
}

pub struct Registered(pub BTreeMap<ArrayId, ArrayAccess>);

#[async_trait]
impl ArrayRegistry for Registered {
    async fn access(&self, id: &ArrayId) -> PortResult<Option<ArrayAccess>> {
        Ok(self.0.get(id).cloned())
    }
}

/// Arrays `A` and `B`, connected and empty.
pub fn two_arrays(ctx: &Ctx) -> SharedWorld {
    let world = SharedWorld::new(11, ctx.clock.clone());
    for name in ["A", "B"] {
        let name = name.to_owned();
        world.control(Control::ArrayAdd { name }).unwrap();
    }
    let link = Control::LinkAdd {
        a: "A".to_owned(),
        b: "B".to_owned(),
        bandwidth_bytes_per_s: BANDWIDTH_BYTES_PER_S,
    };
    world.control(link).unwrap();
    world
}

fn volume_post(name: &str, size_bytes: u64) -> Command {
    Command::VolumesPost {
        names: vec![name.to_owned()],
        source: VolumeSource::Provisioned(size_bytes),
        overwrite: false,
        add_to_groups: Vec::new(),
    }
}

fn volume_patch(name: &str, patch: VolumePatch) -> Command {
    Command::VolumesPatch {
        names: vec![name.to_owned()],
        patch,
    }
}

fn volume_rename(old: &str, new: &str) -> Command {
    let name = Some(new.to_owned());
    volume_patch(
        old,
        VolumePatch {
            name,
            ..VolumePatch::default()
        },
    )
}

/// The token that the arrays take.
pub const API_TOKEN: &str = "token-of-the-arrays";

/// The array called `name` of `world` as it answers REST.
pub fn face(world: &SharedWorld, name: &str, ctx: &Ctx) -> Arc<Face> {
    let token = SecretString::from(API_TOKEN);
    Arc::new(Face::new(Arc::new(world.clone()), name, token, ctx.clone()))
}

impl WireFixture {
    /// Arrays that speak these versions, in process.
    pub fn new(versions: &[&'static str]) -> Self {
        let ctx = Ctx::seeded("test", 1, START_US);
        let world = two_arrays(&ctx);
        let trouble = Trouble::speaking(versions);
        let service = |array: &'static str| {
            let face = face(&world, array, &ctx);
            trouble.before(face.service(), world.clone(), array)
        };
        let services = [("http://a", service("A")), ("http://b", service("B"))];
        let services: BTreeMap<&str, HttpService> = services.into();
        let access = [("A", "http://a"), ("B", "http://b")].map(|(name, url)| {
            let access = ArrayAccess {
                url: url.to_owned(),
                api_token: Some(SecretString::from(API_TOKEN)),
                certificate_pem: None,
            };
            (name, access)
        });
        Self {
            batches: versions.contains(&WITH_BATCHES),
            world,
            trouble,
            ctx,
            access: access.into(),
            connector: Arc::new(move |access| Ok(services[access.url.as_str()].clone())),
        }
    }

    fn array_call(&self, side: Side, command: Command) -> Answer {
        self.world.apply(side.array_name(), command).unwrap()
    }

    fn turn(&self, control: Control) {
        self.world.control(control).unwrap();
    }

    fn settings(&self, side: Side, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        self.turn(Control::ArraySettings {
            array: side.array_name().to_owned(),
            settings,
        });
    }

    fn pure(&self, first: Side, second: Side) -> Arc<dyn StorageDriver> {
        let registered = [(Side::Source, first), (Side::Target, second)];
        let registered =
            registered.map(|(side, at)| (self.array(side), self.access[at.array_name()].clone()));
        let registry = Arc::new(Registered(registered.into()));
        Arc::new(PureStorageDriver::new(
            registry,
            self.connector.clone(),
            self.ctx.clone(),
        ))
    }
}

#[async_trait]
impl Fixture for WireFixture {
    fn driver(&self) -> Arc<dyn StorageDriver> {
        self.pure(Side::Source, Side::Target)
    }

    fn driver_swapped(&self) -> Arc<dyn StorageDriver> {
        self.pure(Side::Target, Side::Source)
    }

    fn has_batches(&self) -> bool {
        self.batches
    }

    fn array(&self, side: Side) -> ArrayId {
        ArrayId(
            self.world.ground_truth().arrays[side.array_name()]
                .id
                .clone(),
        )
    }

    fn fault(&self, call: Call, fault: Fault) {
        self.trouble.arm(call, fault);
    }

    fn rival(&self, name: &str) {
        self.trouble.rival(volume_post(name, 1 << 20));
    }

    fn rival_rename(&self, old: &str, new: &str) {
        self.trouble.rival(volume_rename(old, new));
    }

    fn faults_left(&self) -> usize {
        self.trouble.left()
    }

    async fn volume_make(&self, side: Side, name: &str, size_bytes: u64) -> Serial {
        let Answer::Volumes(page) = self.array_call(side, volume_post(name, size_bytes)) else {
            panic!()
        };
        Serial(page.items[0].serial.clone())
    }

    async fn volume_rename(&self, side: Side, old: &str, new: &str) {
        self.array_call(side, volume_rename(old, new));
    }

    async fn volume_resize(&self, side: Side, name: &str, size_bytes: u64) {
        let provisioned = Some(size_bytes);
        self.array_call(
            side,
            volume_patch(
                name,
                VolumePatch {
                    provisioned,
                    ..VolumePatch::default()
                },
            ),
        );
    }

    async fn volume_destroy(&self, side: Side, name: &str) {
        let destroyed = Some(true);
        self.array_call(
            side,
            volume_patch(
                name,
                VolumePatch {
                    destroyed,
                    ..VolumePatch::default()
                },
            ),
        );
    }

    async fn volume_connect(&self, side: Side, name: &str) {
        self.array_call(
            side,
            Command::HostsPost {
                names: vec!["h1".to_owned()],
                iqns: Vec::new(),
            },
        );
        self.array_call(
            side,
            Command::HostConnectionsPost {
                host_names: vec!["h1".to_owned()],
                volume_names: vec![name.to_owned()],
            },
        );
    }

    async fn write(&self, side: Side, serial: &Serial, counter: u64, bytes: u64) {
        self.turn(Control::Write {
            array: side.array_name().to_owned(),
            serial: serial.0.clone(),
            counter,
            bytes,
        });
    }

    async fn group_make(&self, name: &str) {
        let names = vec![name.to_owned()];
        self.array_call(Side::Source, Command::GroupsPost { names });
    }

    async fn point_destroy(&self, whole: &str) {
        self.array_call(
            Side::Target,
            Command::GroupSnapshotsPatch {
                names: vec![whole.to_owned()],
                destroyed: true,
            },
        );
    }

    async fn volume_snapshot_destroy(&self, side: Side, whole: &str) {
        let patch = SnapshotPatch {
            destroyed: Some(true),
            ..SnapshotPatch::default()
        };
        let names = vec![whole.to_owned()];
        self.array_call(side, Command::VolumeSnapshotsPatch { names, patch });
    }

    async fn clock_skew(&self, side: Side, skew_ms: i64) {
        self.settings(side, |settings| settings.clock_skew_ms = skew_ms);
    }

    async fn link_up(&self, up: bool) {
        let state = if up {
            LinkState::Connected
        } else {
            LinkState::Cut
        };
        self.turn(Control::LinkState {
            a: "A".to_owned(),
            b: "B".to_owned(),
            state,
        });
    }

    async fn power(&self, side: Side, on: bool) {
        let state = if on {
            ArrayState::Online
        } else {
            ArrayState::Offline
        };
        let array = side.array_name().to_owned();
        self.turn(Control::ArrayState { array, state });
    }

    async fn volumes_full(&self, side: Side) {
        let held = self.world.ground_truth().arrays[side.array_name()]
            .volumes
            .len() as u64;
        self.settings(side, |settings| settings.volumes_max = held + 1);
    }

    async fn truth(&self) -> GroundTruth {
        self.world.ground_truth()
    }
}
