//! Laws that hold for every sequence of calls; the sequences are made from a seed.

use super::*;
use crate::model::mint::mix;

const STEPS: u64 = 1_500;
const SEEDS: u64 = 6;

/// Small numbers from a seed, one after the other.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = mix(self.0);
        self.0 % sides
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.roll(list.len() as u64) as usize]
    }

    fn some(&mut self, list: &[&str]) -> Vec<String> {
        (0..=self.roll(2))
            .map(|_| self.pick(list).to_owned())
            .collect()
    }
}

const VOLUMES: [&str; 7] = ["v1", "v2", "v3", "V1", "c1", "c2", "no.good"];
const GROUPS: [&str; 4] = ["pg", "pg2", "A:pg", "bad_group"];
const SNAPSHOTS: [&str; 8] = [
    "pg.s1",
    "pg.1",
    "A:pg.s1",
    "A:pg.2",
    "v1.s1",
    "A:pg.s1.v1",
    "pg.s1.v1",
    "A:pg.1.v2",
];
const SUFFIXES: [&str; 4] = ["s1", "s2", "s3", "-"];

fn command(dice: &mut Dice) -> Command {
    match dice.roll(22) {
        die @ 0..=9 => volume_command(dice, die),
        die => group_command(dice, die),
    }
}

fn volume_command(dice: &mut Dice, die: u64) -> Command {
    match die {
        0..=2 => Command::VolumesPost {
            names: dice.some(&VOLUMES),
            source: VolumeSource::Provisioned(dice.roll(9) * MIB + dice.roll(20) / 19),
            overwrite: dice.roll(4) == 0,
            add_to_groups: if dice.roll(2) == 0 {
                Vec::new()
            } else {
                dice.some(&GROUPS)
            },
        },
        3..=5 => Command::VolumesBatchPost {
            items: (0..=dice.roll(2))
                .map(|_| {
                    let source = if dice.roll(2) == 0 {
                        dice.pick(&VOLUMES)
                    } else {
                        dice.pick(&SNAPSHOTS)
                    };
                    VolumeItem::copy(dice.pick(&VOLUMES), source)
                })
                .collect(),
            overwrite: dice.roll(3) == 0,
        },
        6 => Command::VolumesPatch {
            names: dice.some(&VOLUMES),
            patch: VolumePatch {
                name: (dice.roll(2) == 0).then(|| dice.pick(&VOLUMES).to_owned()),
                provisioned: (dice.roll(2) == 0).then(|| dice.roll(9) * MIB),
                truncate: dice.roll(2) == 0,
                destroyed: [None, Some(true), Some(false)][dice.roll(3) as usize],
            },
        },
        7 => Command::VolumesDelete {
            names: dice.some(&VOLUMES),
        },
        8 => Command::VolumeSnapshotsPost {
            source_names: dice.some(&VOLUMES),
            suffix: (dice.roll(2) == 0).then(|| dice.pick(&SUFFIXES).to_owned()),
        },
        _ => Command::VolumeSnapshotsPatch {
            names: dice.some(&SNAPSHOTS),
            patch: SnapshotPatch {
                name: (dice.roll(3) == 0).then(|| dice.pick(&SNAPSHOTS).to_owned()),
                destroyed: [None, Some(true), Some(false)][dice.roll(3) as usize],
            },
        },
    }
}

fn group_command(dice: &mut Dice, die: u64) -> Command {
    match die {
        10 => Command::GroupsPost {
            names: dice.some(&GROUPS),
        },
        11 => Command::GroupsPatch {
            names: dice.some(&GROUPS),
            patch: GroupPatch {
                replication_schedule: SchedulePatch {
                    enabled: Some(dice.roll(3) > 0),
                    frequency_ms: Some(dice.roll(4) as i64 * 200_000),
                    at_s: None,
                },
                target_retention: RetentionPatch {
                    all_for_s: Some(dice.roll(20) as i64 * 60),
                    ..RetentionPatch::default()
                },
                destroyed: [None, None, None, Some(true), Some(false)][dice.roll(5) as usize],
                ..GroupPatch::default()
            },
        },
        12..=13 => Command::GroupMembersPost {
            group_names: dice.some(&GROUPS),
            member_names: dice.some(&VOLUMES),
        },
        14 => Command::GroupMembersDelete {
            group_names: dice.some(&GROUPS),
            member_names: dice.some(&VOLUMES),
        },
        15 => Command::GroupTargetsPost {
            group_names: dice.some(&GROUPS),
            member_names: names(&[dice.pick(&["A", "B", "C"])]),
        },
        16 => Command::GroupTargetsPatch {
            group_names: names(&["A:pg"]),
            allowed: dice.roll(5) > 0,
        },
        17..=19 => Command::GroupSnapshotsPost {
            source_names: dice.some(&GROUPS),
            body: GroupSnapshotBody {
                suffix: (dice.roll(2) == 0).then(|| dice.pick(&SUFFIXES).to_owned()),
                replicate_now: dice.roll(2) == 0,
                replicate: dice.roll(4) == 0,
                apply_retention: dice.roll(2) == 0,
            },
        },
        20 => Command::GroupSnapshotsPatch {
            names: dice.some(&SNAPSHOTS),
            destroyed: dice.roll(3) > 0,
        },
        _ => Command::GroupsDelete {
            names: dice.some(&GROUPS),
        },
    }
}

/// A knob now and then: writes, cuts, power, bandwidth, clocks.
fn control(dice: &mut Dice, bench: &Bench) -> Option<Control> {
    let (a, b) = ("A".to_owned(), "B".to_owned());
    match dice.roll(12) {
        0 => Some(Control::LinkState {
            a,
            b,
            state: [LinkState::Connected, LinkState::Cut][dice.roll(2) as usize],
        }),
        1 => Some(Control::ArrayState {
            array: dice.pick(&["A", "B"]).to_owned(),
            state: [ArrayState::Online, ArrayState::Online, ArrayState::Offline]
                [dice.roll(3) as usize],
        }),
        2 => Some(Control::LinkBandwidth {
            a,
            b,
            bandwidth_bytes_per_s: dice.roll(4) * 70_001,
        }),
        3..=5 => {
            let truth = bench.world.ground_truth();
            let volume = truth.arrays["A"]
                .volumes
                .iter()
                .rfind(|volume| !volume.destroyed)?;
            Some(Control::Write {
                array: a,
                serial: volume.serial.clone(),
                counter: dice.roll(1_000),
                bytes: dice.roll(5_000_000),
            })
        }
        _ => None,
    }
}

/// Runs a seeded sequence; `step` is called around every call.
fn run(seed: u64, mut step: impl FnMut(&mut Bench, &str, Command, i64)) -> Bench {
    let mut dice = Dice(seed);
    let mut bench = bench();
    bench.group();
    for _ in 0..STEPS {
        if let Some(control) = control(&mut dice, &bench) {
            bench.control(control);
        }
        let array = if dice.roll(3) == 0 { "B" } else { "A" };
        let pause_ms = dice.roll(90_000) as i64;
        let command = command(&mut dice);
        step(&mut bench, array, command, pause_ms);
    }
    bench
}

fn plain(bench: &mut Bench, array: &str, command: Command, pause_ms: i64) {
    bench.pass(pause_ms);
    let _ = bench.call(array, command);
}

#[test]
fn a_refused_call_changes_nothing() {
    let mut refusals = 0;
    let mut successes = 0;
    for seed in 0..SEEDS {
        run(seed, |bench, array, command, pause_ms| {
            bench.pass(pause_ms);
            let before = bench.json();
            match bench.call(array, command.clone()) {
                Ok(_) => successes += 1,
                Err(refusal) => {
                    refusals += 1;
                    assert_eq!(bench.json(), before, "{command:?} was {refusal}");
                    assert_ne!(
                        refusal,
                        ArrayError::Refused(Vec::new()),
                        "{command:?} has no reason"
                    );
                }
            }
        });
    }
    assert!(
        refusals > 500 && successes > 500,
        "{refusals} refused, {successes} done"
    );
}

#[test]
fn many_small_steps_of_time_are_one_large_step() {
    for seed in 0..SEEDS {
        let coarse = run(seed, plain);
        let mut cuts = Dice(seed ^ 0xface);
        let fine = run(seed, |bench, array, command, pause_ms| {
            let end = bench.now_ms + pause_ms;
            while bench.now_ms < end {
                let step = 1 + cuts.roll(20_000) as i64;
                bench.pass(step.min(end - bench.now_ms));
            }
            let _ = bench.call(array, command);
        });
        assert_eq!(coarse.json(), fine.json(), "seed {seed}");
    }
}

#[test]
fn equal_seeds_make_equal_worlds_and_saving_changes_nothing() {
    let straight = run(3, plain);
    let saved = run(3, |bench, array, command, pause_ms| {
        plain(bench, array, command, pause_ms);
        bench.world = serde_json::from_str(&bench.json()).unwrap();
    });
    assert_eq!(straight.json(), saved.json());
    assert_ne!(straight.json(), run(4, plain).json());
}

#[test]
fn replicas_equal_what_was_taken_and_appear_whole_or_not_at_all() {
    for seed in 0..SEEDS {
        let mut frozen: std::collections::BTreeMap<String, Vec<PartTruth>> = Default::default();
        let mut compared = 0;
        run(seed, |bench, array, command, pause_ms| {
            plain(bench, array, command, pause_ms);
            let truth = bench.world.ground_truth();
            for snapshot in &truth.arrays["A"].group_snapshots {
                let key = format!("{}@{}", snapshot.name, snapshot.taken_ms);
                frozen.entry(key).or_insert_with(|| snapshot.parts.clone());
            }
            for replica in &truth.arrays["B"].group_snapshots {
                let Some(own) = replica.name.strip_prefix("A:") else {
                    continue;
                };
                if !replica.complete {
                    assert!(replica.parts.is_empty());
                    continue;
                }
                // A snapshot of a schedule may have come and gone between two looks.
                if let Some(source) = frozen.get(&format!("{own}@{}", replica.taken_ms)) {
                    assert_eq!(&replica.parts, source, "{}", replica.name);
                    compared += 1;
                }
            }
        });
        assert!(compared > 100, "seed {seed} compared {compared}");
    }
}

#[test]
fn reads_change_nothing_and_every_command_has_an_answer() {
    let mut bench = bench();
    bench.group();
    let query = Query::default;
    let reads = [
        Command::ArraysGet,
        Command::ArrayConnectionsGet(query()),
        Command::VolumesGet(query()),
        Command::VolumeSnapshotsGet(query()),
        Command::TagsGet {
            resource_names: names(&["v1"]),
            namespaces: Vec::new(),
        },
        Command::GroupsGet(query()),
        Command::GroupMembersGet {
            group_names: Vec::new(),
            member_names: Vec::new(),
            query: query(),
        },
        Command::GroupTargetsGet {
            group_names: Vec::new(),
            query: query(),
        },
        Command::GroupSnapshotsGet(query()),
        Command::TransfersGet(query()),
        Command::HostsGet(query()),
        Command::HostConnectionsGet {
            host_names: Vec::new(),
            volume_names: Vec::new(),
            query: query(),
        },
    ];
    let before = bench.json();
    for read in reads {
        assert!(read.is_read() && read.verb().ends_with("_get"), "{read:?}");
        bench.ok("A", read);
    }
    assert_eq!(bench.json(), before);
}
