//! Tests of the array model, by promise: names and bin, replication, lists, and laws that hold for
//! every sequence of calls.

mod bin;
mod laws;
mod lists;
mod replication;
mod retention;
mod volumes;

use super::*;

/// 2026-01-01T00:00:00Z, a round moment to start from.
pub(super) const START_MS: i64 = 1_767_225_600_000;
pub(super) const MIB: u64 = 1_024 * 1_024;
/// 1 MiB a second: a transfer of n MiB takes n seconds and the floor.
pub(super) const BANDWIDTH: u64 = MIB;
pub(super) const SECOND_MS: i64 = 1_000;
pub(super) const MINUTE_MS: i64 = 60 * SECOND_MS;

/// A world with its time.
pub(super) struct Bench {
    pub(super) world: ArrayWorld,
    pub(super) now_ms: i64,
}

/// Arrays A and B, connected; no transfer floor, so that times come out round.
pub(super) fn bench() -> Bench {
    let mut bench = Bench {
        world: ArrayWorld::new(7),
        now_ms: START_MS,
    };
    for name in ["A", "B"] {
        bench.control(Control::ArrayAdd {
            name: name.to_owned(),
        });
        bench.settings(name, |settings| settings.transfer_floor_bytes = 0);
    }
    bench.control(Control::LinkAdd {
        a: "A".to_owned(),
        b: "B".to_owned(),
        bandwidth_bytes_per_s: BANDWIDTH,
    });
    bench
}

pub(super) fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

impl Bench {
    pub(super) fn control(&mut self, control: Control) {
        self.world.control(control, self.now_ms).unwrap();
    }

    pub(super) fn settings(&mut self, array: &str, change: impl Fn(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        self.control(Control::ArraySettings {
            array: array.to_owned(),
            settings,
        });
    }

    pub(super) fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.world.advance(self.now_ms);
    }

    pub(super) fn call(&mut self, array: &str, command: Command) -> Result<Answer, ArrayError> {
        self.world.apply(array, command, self.now_ms)
    }

    pub(super) fn ok(&mut self, array: &str, command: Command) -> Answer {
        self.call(array, command).unwrap()
    }

    /// The call must be refused with `fragment`.
    pub(super) fn refused(&mut self, array: &str, command: Command, fragment: &str) {
        let refusal = self.call(array, command).unwrap_err();
        assert!(refusal.says(fragment), "{refusal} does not say {fragment}");
    }

    pub(super) fn volume(&mut self, array: &str, name: &str) -> VolumeRow {
        let answer = self.ok(array, make(&[name], 64 * MIB));
        let Answer::Volumes(page) = answer else {
            panic!("{answer:?}")
        };
        page.items[0].clone()
    }

    pub(super) fn volumes(&mut self, array: &str, query: Query) -> Vec<VolumeRow> {
        let answer = self.ok(array, Command::VolumesGet(query));
        let Answer::Volumes(page) = answer else {
            panic!("{answer:?}")
        };
        page.items
    }

    pub(super) fn write(&mut self, array: &str, serial: &str, counter: u64, bytes: u64) {
        self.control(Control::Write {
            array: array.to_owned(),
            serial: serial.to_owned(),
            counter,
            bytes,
        });
    }

    /// Group `pg` on A with volumes v1 and v2, replicating to B, allowed there, no schedule.
    pub(super) fn group(&mut self) -> [VolumeRow; 2] {
        let volumes = [self.volume("A", "v1"), self.volume("A", "v2")];
        self.ok(
            "A",
            Command::GroupsPost {
                names: names(&["pg"]),
            },
        );
        self.ok("A", members_add("pg", &["v1", "v2"]));
        self.ok("A", target_add("pg", "B"));
        self.pass(Settings::default().replica_delay_ms);
        self.ok("B", allow("A:pg", true));
        volumes
    }

    pub(super) fn transfers(&mut self, query: Query) -> Vec<TransferRow> {
        let answer = self.ok("B", Command::TransfersGet(query));
        let Answer::Transfers(page) = answer else {
            panic!("{answer:?}")
        };
        page.items
    }

    pub(super) fn group_snapshots(&mut self, array: &str, query: Query) -> Vec<GroupSnapshotRow> {
        let answer = self.ok(array, Command::GroupSnapshotsGet(query));
        let Answer::GroupSnapshots(page) = answer else {
            panic!("{answer:?}")
        };
        page.items
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.world).unwrap()
    }
}

pub(super) fn make(list: &[&str], bytes: u64) -> Command {
    Command::VolumesPost {
        names: names(list),
        source: VolumeSource::Provisioned(bytes),
        overwrite: false,
        add_to_groups: Vec::new(),
    }
}

pub(super) fn copy(name: &str, source: &str, overwrite: bool) -> Command {
    Command::VolumesBatchPost {
        items: vec![VolumeItem::copy(name, source)],
        overwrite,
    }
}

pub(super) fn volumes_bin(list: &[&str], destroyed: bool) -> Command {
    Command::VolumesPatch {
        names: names(list),
        patch: VolumePatch {
            destroyed: Some(destroyed),
            ..VolumePatch::default()
        },
    }
}

pub(super) fn rename(old: &str, new: &str) -> Command {
    Command::VolumesPatch {
        names: names(&[old]),
        patch: VolumePatch {
            name: Some(new.to_owned()),
            ..VolumePatch::default()
        },
    }
}

pub(super) fn members_add(group: &str, members: &[&str]) -> Command {
    Command::GroupMembersPost {
        group_names: names(&[group]),
        member_names: names(members),
    }
}

pub(super) fn target_add(group: &str, array: &str) -> Command {
    Command::GroupTargetsPost {
        group_names: names(&[group]),
        member_names: names(&[array]),
    }
}

pub(super) fn allow(group: &str, allowed: bool) -> Command {
    Command::GroupTargetsPatch {
        group_names: names(&[group]),
        allowed,
    }
}

pub(super) fn replicate_now(suffix: &str) -> Command {
    Command::GroupSnapshotsPost {
        source_names: names(&["pg"]),
        body: GroupSnapshotBody {
            suffix: Some(suffix.to_owned()),
            replicate_now: true,
            apply_retention: true,
            ..GroupSnapshotBody::default()
        },
    }
}

pub(super) fn schedule(enabled: bool, frequency_ms: i64) -> Command {
    Command::GroupsPatch {
        names: names(&["pg"]),
        patch: GroupPatch {
            replication_schedule: SchedulePatch {
                enabled: Some(enabled),
                frequency_ms: Some(frequency_ms),
                at_s: None,
            },
            ..GroupPatch::default()
        },
    }
}
