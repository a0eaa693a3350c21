//! Names, the pending-eradication bin, limits.

use super::*;

#[test]
fn names_ignore_case_and_are_shown_as_created() {
    let mut bench = bench();
    bench.volume("A", "Data-1");
    bench.refused("A", make(&["data-1"], MIB), "already exists");
    let rows = bench.volumes("A", Query::named(["DATA-1"]));
    assert_eq!(rows[0].name, "Data-1");
    assert!(bench.call("a", Command::ArraysGet).is_ok());
}

#[test]
fn bad_names_are_refused() {
    let mut bench = bench();
    let long = "v".repeat(NAME_MAX + 1);
    for name in [
        "", "-v", "v-", "v.1", "v/1", "p::v", "17", "v 1", "vü", &long,
    ] {
        bench.refused("A", make(&[name], MIB), "Invalid name");
    }
    bench.volume("A", &"v".repeat(NAME_MAX));
    bench.volume("A", "volume_1-x");
    let command = Command::GroupsPost {
        names: names(&["under_score"]),
    };
    bench.refused("A", command, "Invalid name");
}

#[test]
fn a_destroyed_volume_keeps_its_name_until_its_time_is_up() {
    let mut bench = bench();
    let old = bench.volume("A", "v1");
    bench.ok("A", volumes_bin(&["v1"], true));
    let refusal = bench.call("A", make(&["V1"], MIB)).unwrap_err();
    assert!(
        refusal.says("has been destroyed") && !refusal.says("already exists"),
        "{refusal}"
    );
    bench.refused("A", volumes_bin(&["v1"], true), "Volume has been deleted.");
    bench.pass(Settings::default().eradication_delay_ms - 1);
    let row = bench.volumes("A", Query::named(["v1"])).remove(0);
    assert_eq!((row.destroyed, row.time_remaining), (true, Some(1)));
    bench.pass(1);
    bench.refused(
        "A",
        Command::VolumesGet(Query::named(["v1"])),
        "Volume does not exist.",
    );
    assert_ne!(bench.volume("A", "v1").serial, old.serial);
}

#[test]
fn a_recovered_volume_is_the_old_one_with_its_snapshots() {
    let mut bench = bench();
    let old = bench.volume("A", "v1");
    let snapshot = Command::VolumeSnapshotsPost {
        source_names: names(&["v1"]),
        suffix: Some("s1".to_owned()),
    };
    bench.ok("A", snapshot);
    bench.ok("A", volumes_bin(&["v1"], true));
    bench.refused("A", copy("c", "v1.s1", false), "has been destroyed");
    bench.ok("A", volumes_bin(&["v1"], false));
    bench.ok("A", copy("c", "v1.s1", false));
    assert_eq!(
        bench.volumes("A", Query::named(["v1"]).live())[0].serial,
        old.serial
    );
}

#[test]
fn eradication_needs_the_bin_and_leave() {
    let mut bench = bench();
    bench.volume("A", "v1");
    let delete = || Command::VolumesDelete {
        names: names(&["v1"]),
    };
    bench.refused("A", delete(), "not destroyed");
    bench.ok("A", volumes_bin(&["v1"], true));
    bench.settings("A", |settings| settings.eradication_enabled = false);
    bench.refused("A", delete(), "Eradication is disabled.");
    bench.settings("A", |_| {});
    bench.ok("A", delete());
    bench.volume("A", "v1");
}

#[test]
fn a_group_name_in_the_bin_is_not_said_to_exist() {
    let mut bench = bench();
    bench.group();
    let post = || Command::GroupsPost {
        names: names(&["pg"]),
    };
    bench.refused("A", post(), "already exists");
    bench.ok("A", replicate_now("s1"));
    let bin = |destroyed| Command::GroupsPatch {
        names: names(&["pg"]),
        patch: GroupPatch {
            destroyed: Some(destroyed),
            ..GroupPatch::default()
        },
    };
    bench.ok("A", bin(true));
    let refusal = bench.call("A", post()).unwrap_err();
    assert!(
        refusal.says("has been destroyed") && !refusal.says("already exists"),
        "{refusal}"
    );
    bench.refused("A", copy("c", "pg.s1.v1", false), "has been destroyed");
    bench.ok("A", bin(false));
    bench.ok("A", copy("c", "pg.s1.v1", false));
}

#[test]
fn the_bin_counts_towards_limits() {
    let mut bench = bench();
    bench.settings("A", |settings| settings.volumes_max = 2);
    bench.refused("A", make(&["v1", "v2", "v3"], MIB), "limit reached");
    bench.ok("A", make(&["v1", "v2"], MIB));
    bench.ok("A", volumes_bin(&["v1"], true));
    bench.refused("A", make(&["v3"], MIB), "limit reached");
    bench.ok(
        "A",
        Command::VolumesDelete {
            names: names(&["v1"]),
        },
    );
    bench.ok("A", make(&["v3"], MIB));
}

#[test]
fn a_connected_volume_and_its_host_stay() {
    let mut bench = bench();
    bench.volume("A", "v1");
    let host = Command::HostsPost {
        names: names(&["h1"]),
        iqns: names(&["iqn.x"]),
    };
    bench.ok("A", host.clone());
    bench.refused("A", host, "already in use");
    let lists = || (names(&["h1"]), names(&["v1"]));
    let (host_names, volume_names) = lists();
    let connect = Command::HostConnectionsPost {
        host_names,
        volume_names,
    };
    bench.ok("A", connect.clone());
    bench.refused("A", connect, "Connection already exists.");
    bench.refused("A", volumes_bin(&["v1"], true), "existing connections");
    let drop_host = || Command::HostsDelete {
        names: names(&["h1"]),
    };
    bench.refused(
        "A",
        drop_host(),
        "cannot be deleted due to existing connections",
    );
    assert_eq!(
        bench.volumes("A", Query::named(["v1"]))[0].connection_count,
        1
    );
    let (host_names, volume_names) = lists();
    let disconnect = Command::HostConnectionsDelete {
        host_names,
        volume_names,
    };
    bench.ok("A", disconnect.clone());
    bench.refused("A", disconnect, "Connection does not exist.");
    bench.ok("A", volumes_bin(&["v1"], true));
    bench.ok("A", drop_host());
}
