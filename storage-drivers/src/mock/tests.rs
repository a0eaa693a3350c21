//! The mock driver under the common suite, in memory and in a file, and what only it promises.

mod back;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use protector_domain::ids::{ArrayGroupName, ArrayId, Serial};
use protector_domain::ports::StorageDriver;
use protector_domain::ports::storage::{CopyAsk, GroupSpec};
use protector_runtime::clock::{Clock, TokioClock};

use super::MockDriver;
use crate::conformance::{BANDWIDTH_BYTES_PER_S, Call, Fixture, Side};
use crate::link::{ArrayLink, Fault, FaultyLink, FileWorld, LinkError, SharedWorld};
use crate::model::{
    Answer, ArrayState, Command, Control, GroundTruth, LinkState, Query, Settings, SnapshotPatch,
    VolumePatch, VolumeSource,
};

const START_US: i64 = 1_767_225_600_000_000;

/// A world that tests may turn the knobs of.
trait Simulated: ArrayLink {
    fn turn(&self, control: Control);
    fn look(&self) -> GroundTruth;
}

impl Simulated for SharedWorld {
    fn turn(&self, control: Control) {
        self.control(control).unwrap();
    }
    fn look(&self) -> GroundTruth {
        self.ground_truth()
    }
}

impl Simulated for FileWorld {
    fn turn(&self, control: Control) {
        self.control(control).unwrap();
    }
    fn look(&self) -> GroundTruth {
        self.ground_truth().unwrap()
    }
}

/// Somebody else who is quicker: does something just before a copy, or the end of a snapshot, gets
/// through.
struct RivalLink {
    world: Arc<dyn Simulated>,
    deeds: Arc<Mutex<Vec<Command>>>,
}

#[async_trait]
impl ArrayLink for RivalLink {
    async fn call(&self, array: &str, command: Command) -> Result<Answer, LinkError> {
        let is_awaited = matches!(
            command,
            Command::VolumesBatchPost { .. } | Command::VolumeSnapshotsPatch { .. }
        );
        let deeds = if is_awaited {
            std::mem::take(&mut *self.deeds.lock().unwrap())
        } else {
            Vec::new()
        };
        for deed in deeds {
            self.world.call(array, deed).await.unwrap();
        }
        self.world.call(array, command).await
    }
}

fn volume_post(name: &str, size_bytes: u64) -> Command {
    Command::VolumesPost {
        names: vec![name.to_owned()],
        source: VolumeSource::Provisioned(size_bytes),
        overwrite: false,
        add_to_groups: Vec::new(),
    }
}

fn volume_rename(old: &str, new: &str) -> Command {
    Command::VolumesPatch {
        names: vec![old.to_owned()],
        patch: VolumePatch {
            name: Some(new.to_owned()),
            ..VolumePatch::default()
        },
    }
}

struct MockFixture {
    world: Arc<dyn Simulated>,
    rival: Arc<Mutex<Vec<Command>>>,
    link: FaultyLink,
    /// Holds the folder of a file world until the test is over.
    _folder: Option<tempfile::TempDir>,
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::starting_at(START_US))
}

fn fixture<W: Simulated + 'static>(world: W, folder: Option<tempfile::TempDir>) -> MockFixture {
    let world = Arc::new(world);
    for name in ["A", "B"] {
        world.turn(Control::ArrayAdd {
            name: name.to_owned(),
        });
    }
    world.turn(Control::LinkAdd {
        a: "A".to_owned(),
        b: "B".to_owned(),
        bandwidth_bytes_per_s: BANDWIDTH_BYTES_PER_S,
    });
    let rival = Arc::default();
    let link = RivalLink {
        world: world.clone(),
        deeds: Arc::clone(&rival),
    };
    MockFixture {
        link: FaultyLink::new(Arc::new(link)),
        rival,
        world,
        _folder: folder,
    }
}

async fn in_memory() -> MockFixture {
    fixture(SharedWorld::new(11, clock()), None)
}

async fn in_file() -> MockFixture {
    let folder = tempfile::tempdir().unwrap();
    let world = FileWorld::open(&folder.path().join("arrays.sqlite"), 11, clock()).unwrap();
    fixture(world, Some(folder))
}

mod memory {
    crate::storage_driver_conformance!(super::in_memory);
}

mod file {
    crate::storage_driver_conformance!(super::in_file);
}

impl MockFixture {
    async fn array_call(&self, side: Side, command: Command) -> Answer {
        self.world.call(side.array_name(), command).await.unwrap()
    }

    async fn patch(&self, side: Side, name: &str, patch: VolumePatch) {
        let names = vec![name.to_owned()];
        self.array_call(side, Command::VolumesPatch { names, patch })
            .await;
    }

    fn settings(&self, side: Side, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        self.world.turn(Control::ArraySettings {
            array: side.array_name().to_owned(),
            settings,
        });
    }

    fn mock(&self, first: Side, second: Side) -> Arc<dyn StorageDriver> {
        let addresses = BTreeMap::from([
            (self.array(Side::Source), first.array_name().to_owned()),
            (self.array(Side::Target), second.array_name().to_owned()),
        ]);
        Arc::new(MockDriver::new(Arc::new(self.link.clone()), addresses))
    }
}

#[async_trait]
impl Fixture for MockFixture {
    fn driver(&self) -> Arc<dyn StorageDriver> {
        self.mock(Side::Source, Side::Target)
    }

    fn driver_swapped(&self) -> Arc<dyn StorageDriver> {
        self.mock(Side::Target, Side::Source)
    }

    fn array(&self, side: Side) -> ArrayId {
        ArrayId(self.world.look().arrays[side.array_name()].id.clone())
    }

    fn fault(&self, call: Call, fault: Fault) {
        let verb = match call {
            Call::Copy => "volumes_batch_post",
            Call::GroupMake => "groups_post",
            Call::GroupChange => "groups_patch",
            Call::GroupSnapshot => "group_snapshots_post",
            Call::MembersAdd => "group_members_post",
            Call::MembersRemove => "group_members_delete",
            Call::TargetAdd => "group_targets_post",
            Call::Destroy => "volumes_patch",
            Call::VolumeSnapshot => "volume_snapshots_post",
            Call::VolumeSnapshotDestroy => "volume_snapshots_patch",
        };
        self.link.arm(verb, fault);
    }

    fn rival(&self, name: &str) {
        self.rival.lock().unwrap().push(volume_post(name, 1 << 20));
    }

    fn rival_rename(&self, old: &str, new: &str) {
        self.rival.lock().unwrap().push(volume_rename(old, new));
    }

    fn faults_left(&self) -> usize {
        self.link.armed()
    }

    async fn volume_make(&self, side: Side, name: &str, size_bytes: u64) -> Serial {
        let command = volume_post(name, size_bytes);
        let Answer::Volumes(page) = self.array_call(side, command).await else {
            panic!()
        };
        Serial(page.items[0].serial.clone())
    }

    async fn volume_rename(&self, side: Side, old: &str, new: &str) {
        self.array_call(side, volume_rename(old, new)).await;
    }

    async fn volume_resize(&self, side: Side, name: &str, size_bytes: u64) {
        let provisioned = Some(size_bytes);
        self.patch(
            side,
            name,
            VolumePatch {
                provisioned,
                ..VolumePatch::default()
            },
        )
        .await;
    }

    async fn volume_destroy(&self, side: Side, name: &str) {
        let destroyed = Some(true);
        self.patch(
            side,
            name,
            VolumePatch {
                destroyed,
                ..VolumePatch::default()
            },
        )
        .await;
    }

    async fn volume_connect(&self, side: Side, name: &str) {
        let host = Command::HostsPost {
            names: vec!["h1".to_owned()],
            iqns: Vec::new(),
        };
        self.array_call(side, host).await;
        let connect = Command::HostConnectionsPost {
            host_names: vec!["h1".to_owned()],
            volume_names: vec![name.to_owned()],
        };
        self.array_call(side, connect).await;
    }

    async fn write(&self, side: Side, serial: &Serial, counter: u64, bytes: u64) {
        self.world.turn(Control::Write {
            array: side.array_name().to_owned(),
            serial: serial.0.clone(),
            counter,
            bytes,
        });
    }

    async fn group_make(&self, name: &str) {
        let names = vec![name.to_owned()];
        self.array_call(Side::Source, Command::GroupsPost { names })
            .await;
    }

    async fn point_destroy(&self, whole: &str) {
        let names = vec![whole.to_owned()];
        let command = Command::GroupSnapshotsPatch {
            names,
            destroyed: true,
        };
        self.array_call(Side::Target, command).await;
    }

    async fn volume_snapshot_destroy(&self, side: Side, whole: &str) {
        let names = vec![whole.to_owned()];
        let patch = SnapshotPatch {
            destroyed: Some(true),
            ..SnapshotPatch::default()
        };
        let command = Command::VolumeSnapshotsPatch { names, patch };
        self.array_call(side, command).await;
    }

    async fn clock_skew(&self, side: Side, skew_ms: i64) {
        self.settings(side, |settings| settings.clock_skew_ms = skew_ms);
    }

    async fn link_up(&self, up: bool) {
        self.world.turn(Control::LinkState {
            a: "A".to_owned(),
            b: "B".to_owned(),
            state: if up {
                LinkState::Connected
            } else {
                LinkState::Cut
            },
        });
    }

    async fn power(&self, side: Side, on: bool) {
        self.world.turn(Control::ArrayState {
            array: side.array_name().to_owned(),
            state: if on {
                ArrayState::Online
            } else {
                ArrayState::Offline
            },
        });
    }

    async fn volumes_full(&self, side: Side) {
        let held = self.world.look().arrays[side.array_name()].volumes.len() as u64;
        self.settings(side, |settings| settings.volumes_max = held + 1);
    }

    async fn truth(&self) -> GroundTruth {
        self.world.look()
    }
}

fn spec(fixture: &MockFixture) -> GroupSpec {
    GroupSpec {
        name: ArrayGroupName("g-0123abcd".to_owned()),
        source: fixture.array(Side::Source),
        target: fixture.array(Side::Target),
        replication_interval_s: 300,
        target_retention_s: 3_600,
    }
}

/// Cinder's manage renames a copy; a database that forgot asks for it again.
#[tokio::test(start_paused = true)]
async fn a_copy_is_recognised_by_its_mark_after_a_rename() {
    let fixture = in_memory().await;
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    let v1 = fixture.volume_make(Side::Source, "v1", 1 << 20).await;
    driver.ensure_group(&spec, false).await.unwrap();
    driver.set_members(&spec, &[v1]).await.unwrap();
    driver.snapshot_now(&spec, &"p".into()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let asks = [CopyAsk {
        source_name: "v1".to_owned(),
        copy_name: "prt-1".to_owned(),
    }];
    let first = driver
        .recover_point(&spec, &"p".into(), &asks)
        .await
        .unwrap();
    fixture
        .volume_rename(Side::Target, "prt-1", "volume-x-cinder")
        .await;
    assert_eq!(
        driver
            .recover_point(&spec, &"p".into(), &asks)
            .await
            .unwrap(),
        first
    );
    // A clone that somebody makes of it is not ours.
    let clone = Command::VolumesBatchPost {
        items: vec![crate::model::VolumeItem::copy("clone", "volume-x-cinder")],
        overwrite: false,
    };
    fixture.array_call(Side::Target, clone).await;
    assert_eq!(
        driver
            .recover_point(&spec, &"p".into(), &asks)
            .await
            .unwrap(),
        first
    );
}

/// More volumes than fit into one page and one call's names.
#[tokio::test(start_paused = true)]
async fn large_groups_are_walked_page_by_page() {
    const VOLUMES: usize = 130;
    let fixture = in_memory().await;
    fixture.settings(Side::Source, |settings| settings.page_max = 7);
    fixture.settings(Side::Target, |settings| settings.page_max = 7);
    let (driver, spec) = (fixture.driver(), spec(&fixture));
    let mut serials = Vec::new();
    for number in 0..VOLUMES {
        serials.push(
            fixture
                .volume_make(Side::Source, &format!("v{number}"), 1 << 20)
                .await,
        );
    }
    driver.ensure_group(&spec, false).await.unwrap();
    driver.set_members(&spec, &serials).await.unwrap();
    driver.snapshot_now(&spec, &"p".into()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let asks: Vec<CopyAsk> = (0..VOLUMES)
        .map(|number| CopyAsk {
            source_name: format!("v{number}"),
            copy_name: format!("prt-{number:04}"),
        })
        .collect();
    let copied = driver
        .recover_point(&spec, &"p".into(), &asks)
        .await
        .unwrap();
    let again = driver
        .recover_point(&spec, &"p".into(), &asks)
        .await
        .unwrap();
    assert_eq!((copied.len(), &copied), (VOLUMES, &again));
    let found = driver.find_by_key(&spec.target, "prt-").await.unwrap();
    assert_eq!(found.len(), VOLUMES);
    assert_eq!(
        driver.health(&spec).await.unwrap().member_serials.unwrap(),
        serials
    );
}

/// `MOCK-03`, `C29`: what one process did, another one sees, also after both have ended.
#[tokio::test(start_paused = true)]
async fn a_file_world_is_shared_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrays.sqlite");
    let clock = clock();
    let one = FileWorld::open(&path, 1, clock.clone()).unwrap();
    let two = FileWorld::open(&path, 2, clock.clone()).unwrap();
    one.control(Control::ArrayAdd {
        name: "A".to_owned(),
    })
    .unwrap();
    let post = |name: &str| volume_post(name, 1 << 20);
    one.call("A", post("v1")).await.unwrap();
    two.call("A", post("v2")).await.unwrap();
    assert!(two.call("A", post("v1")).await.is_err());
    drop((one, two));
    let three = FileWorld::open(&path, 3, clock).unwrap();
    let Answer::Volumes(page) = three
        .call("A", Command::VolumesGet(Query::default()))
        .await
        .unwrap()
    else {
        panic!()
    };
    let names: Vec<&str> = page.items.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["v1", "v2"]);
}

/// Threads that hammer one file lose nothing.
#[test]
fn a_file_world_loses_no_write_among_threads() {
    const THREADS: usize = 4;
    const VOLUMES: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrays.sqlite");
    let open =
        || FileWorld::open(&path, 1, Arc::new(protector_runtime::clock::SystemClock)).unwrap();
    open()
        .control(Control::ArrayAdd {
            name: "A".to_owned(),
        })
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let world = open();
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                for number in 0..VOLUMES {
                    let command = volume_post(&format!("v-{thread}-{number}"), 1 << 20);
                    runtime.block_on(world.call("A", command)).unwrap();
                }
            });
        }
    });
    let volumes = open().ground_truth().unwrap().arrays["A"].volumes.clone();
    let serials: std::collections::BTreeSet<String> =
        volumes.iter().map(|v| v.serial.clone()).collect();
    assert_eq!(serials.len(), THREADS * VOLUMES);
}
