//! What the demo checks after each leg, in the ground truth of the clouds. The loss at its end is
//! judged by the whole `verdict`.

use crate::cloud::Server;
use crate::world::{Which, World, lock};

/// Whatever is not as told.
#[derive(Debug, Default)]
pub(super) struct Check(pub Vec<String>);

fn servers(world: &World, which: Which) -> Vec<Server> {
    let truth = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let there = truth.servers.into_iter();
    there.filter(|s| s.vm_state != "deleted").collect()
}

fn running(world: &World, which: Which) -> usize {
    let there = servers(world, which);
    there.iter().filter(|server| server.running).count()
}

fn expect(wrong: &mut Vec<String>, what: &str, is: usize, wanted: usize) {
    if is != wanted {
        wrong.push(format!("{what}: {is}, expected {wanted}"));
    }
}

/// Every member runs at B and none at A, where all are locked.
pub(super) fn moved_away(world: &World) -> Check {
    let mut wrong = Vec::new();
    let members = world.options.members;
    let locked = servers(world, Which::A).iter().filter(|s| s.locked).count();
    expect(
        &mut wrong,
        "VMs running at site-b",
        running(world, Which::B),
        members,
    );
    expect(
        &mut wrong,
        "VMs running at site-a",
        running(world, Which::A),
        0,
    );
    expect(&mut wrong, "VMs locked at site-a", locked, members);
    Check(wrong)
}

/// Every member runs at A, and B is as empty as before.
pub(super) fn home_again(world: &World) -> Check {
    let mut wrong = nothing_at(world, Which::B).0;
    let members = world.options.members;
    expect(
        &mut wrong,
        "VMs running at site-a",
        running(world, Which::A),
        members,
    );
    Check(wrong)
}

/// No server, volume or array volume of ours is left.
pub(super) fn nothing_at(world: &World, which: Which) -> Check {
    let mut wrong = Vec::new();
    let truth = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    expect(&mut wrong, "servers left", servers(world, which).len(), 0);
    expect(&mut wrong, "volumes left", truth.volumes.len(), 0);
    let arrays = world.arrays.ground_truth();
    let volumes = arrays.arrays.get(which.array()).map(|a| &a.volumes);
    // The mark of a forced move stays: it says under which epoch the group was led here.
    let is_mark = |name: &str| name.contains("-epoch-");
    let live = volumes.into_iter().flatten();
    let live = live.filter(|v| !v.destroyed && !is_mark(&v.name));
    expect(&mut wrong, "array volumes left", live.count(), 0);
    Check(wrong)
}
