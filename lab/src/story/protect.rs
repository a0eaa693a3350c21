//! A group at site A with all the tenant's servers, replicated once.

use crate::courier;
use crate::world::{Which, World, lock};
use anyhow::{Context, Result, bail};
use http::Method;
use protector_storage_drivers::model::Control;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a first replication may take, in pauses of `POLL_MS`.
const POLLS_MAX: u32 = 600;
const POLL_MS: u64 = 500;
/// Bytes of one write of the pretend application.
const WRITE_BYTES: u64 = 1 << 20;

/// The group as the tenant knows it.
#[derive(Debug, Clone)]
pub struct Protected {
    pub group: String,
    pub array_group: String,
}

/// Creates the group with its policy, adds every server, and carries each change to both sites.
///
/// # Errors
/// The first refusal, as the tenant would read it.
pub async fn protect(world: &World) -> Result<Protected> {
    let (a, b) = (
        world.endpoint(Which::A).await?,
        world.endpoint(Which::B).await?,
    );
    let create = json!({ "protection_group": {
        "name": "shop",
        "replication_type": "async",
        "secondary_site": Which::B.name(),
        "volume_type": "replicated-ssd",
    }});
    let group = courier::change(&a, &b, Method::POST, "/protection-groups", &create).await?;
    let policy = json!({ "policy": {
        "primary_array": Which::A.array(),
        "secondary_array": Which::B.array(),
        "replication_interval": 900,
        "rpo_minutes": 30,
    }});
    let path = format!("/protection-groups/{group}/policy");
    courier::change(&a, &b, Method::POST, &path, &policy)
        .await
        .context("policy")?;
    for server in &world.tenant(Which::A).servers {
        let member = json!({ "member": { "instance_id": server } });
        let path = format!("/protection-groups/{group}/members");
        courier::change(&a, &b, Method::POST, &path, &member)
            .await
            .context("member")?;
    }
    let shown = a
        .call(
            Method::GET,
            &format!("/protection-groups/{group}/policy"),
            None,
        )
        .await?;
    let array_group = shown
        .pointer("/policy/pure_pg_name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Ok(Protected {
        group,
        array_group: array_group.to_owned(),
    })
}

/// Writes once to every protected volume at site A, then takes a replicated snapshot and waits until
/// it has arrived. Returns its suffix.
///
/// # Errors
/// It does not arrive.
pub async fn take_point(world: &World, group: &Protected, counter: u64) -> Result<String> {
    take_point_at(world, Which::A, group, counter).await
}

/// As `take_point`, at the site that leads now.
///
/// # Errors
/// It does not arrive.
pub async fn take_point_at(
    world: &World,
    leader: Which,
    group: &Protected,
    counter: u64,
) -> Result<String> {
    members_on_array(world, leader, group).await?;
    write_at(world, leader, group, counter)?;
    let at = world.endpoint(leader).await?;
    let path = format!("/protection-groups/{}/action", group.group);
    let taken = at
        .call(Method::POST, &path, Some(&json!({ "sync_volumes": {} })))
        .await?;
    let suffix = taken
        .pointer("/snapshot/suffix")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let name = format!("{}:{}.{suffix}", leader.array(), group.array_group);
    for _ in 0..POLLS_MAX {
        let truth = world.arrays.ground_truth();
        if truth
            .group_snapshot(leader.other().array(), &name)
            .is_some_and(|s| s.complete)
        {
            return Ok(suffix);
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
    bail!("{name} has not arrived")
}

/// Serials in the group on the array of `leader`.
fn member_serials(world: &World, leader: Which, group: &Protected) -> Vec<String> {
    let truth = world.arrays.ground_truth();
    let array = truth.arrays.get(leader.array());
    let found = array.and_then(|a| {
        a.groups
            .iter()
            .find(|g| g.is_local && g.name == group.array_group)
    });
    found.map(|g| g.member_serials.clone()).unwrap_or_default()
}

/// The product makes the array's group match the record on its own; this waits for it.
async fn members_on_array(world: &World, leader: Which, group: &Protected) -> Result<()> {
    for _ in 0..POLLS_MAX {
        if member_serials(world, leader, group).len() == world.options.volumes {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
    bail!("the array's group never got its members")
}

/// One write of the pretend application to every volume at site A, marked with `counter`.
///
/// # Errors
/// A volume is not there.
pub fn write_everywhere(world: &World, group: &Protected, counter: u64) -> Result<()> {
    write_at(world, Which::A, group, counter)
}

fn write_at(world: &World, leader: Which, group: &Protected, counter: u64) -> Result<()> {
    for serial in member_serials(world, leader, group) {
        let array = leader.array().to_owned();
        world.arrays.control(Control::Write {
            array,
            serial,
            counter,
            bytes: WRITE_BYTES,
        })?;
    }
    Ok(())
}

/// One write of the pretend application to every volume that is attached to a server of the tenant at
/// `which`, marked with `counter`, whether or not the array's group has them already.
///
/// # Errors
/// A volume is not on the array.
pub fn write_volumes(world: &World, which: Which, counter: u64) -> Result<()> {
    let truth = lock(&world.site(which).cloud).ground_truth(world.now_ms());
    let attached = truth.volumes.iter().filter(|v| v.status == "in-use");
    for serial in attached.filter_map(|v| v.serial.clone()) {
        let array = which.array().to_owned();
        world.arrays.control(Control::Write {
            array,
            serial,
            counter,
            bytes: WRITE_BYTES,
        })?;
    }
    Ok(())
}
