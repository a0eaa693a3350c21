//! Servers, volumes and ports at the target that are called as the members are and carry no key of ours: what
//! is deleted, stopped or adopted by its name hits them (S4).
//!
//! Absent: whether they were hit; that is the verdict's.

use anyhow::{Context, Result};
use protector_lab::cloud::SeedServer;
use protector_lab::world::{Which, World, lock};

/// One for each member, each with one volume.
///
/// # Errors
/// The cloud cannot be filled.
pub(crate) fn at_the_target(world: &World) -> Result<()> {
    let standard = world.tenant(Which::B).standard.clone();
    let flavor = standard.flavors.first().context("a flavor")?;
    // Not the members' network: their addresses stay free.
    let network = standard.networks.get(1).context("a network")?;
    for number in 1..=world.options.members {
        let namesake = SeedServer {
            project_id: standard.demo_project.clone(),
            user_id: standard.demo_user.clone(),
            name: format!("web-{number}"),
            flavor_id: flavor.clone(),
            network_ids: vec![network.clone()],
            security_groups: vec!["web".to_owned()],
            disks: vec![(1, "replicated-ssd".to_owned())],
            key_name: None,
            metadata: [("tier".to_owned(), "web".to_owned())].into(),
        };
        let seeded = lock(&world.b.cloud).seed_server(&namesake, world.now_ms());
        seeded.map_err(|e| anyhow::anyhow!("{e}"))?;
    }
    Ok(())
}
