//! What one change of a group costs on both sites: the courier's round trips and two commits, at three
//! distances between everything.

use super::durable::{commit_row, files, in_real_time, quick_world};
use super::{Figure, Sizes};
use anyhow::{Context, Result};
use protector_lab::courier;
use protector_lab::net::FabricOptions;
use protector_lab::story::protect;
use protector_lab::world::{LAPTOP, Which, World};
use serde_json::json;
use tokio::time::Instant;

/// One way, milliseconds.
const DISTANCES_MS: [u64; 3] = [1, 20, 100];
/// The change, its reservation, its commit, the record, the receipt.
const TRIPS: u64 = 5;

/// Times one change, milliseconds, and counts the calls of both sites meanwhile.
async fn change(
    world: &World,
    group: &str,
    ends: &[courier::Endpoint; 2],
    number: usize,
) -> Result<(f64, usize, usize)> {
    let [leader, peer] = ends;
    let noted = world.fabric.notes().len();
    let began = Instant::now();
    let words = json!({ "description": format!("number {number}") });
    courier::update(leader, peer, group, &words).await?;
    let took_ms = began.elapsed().as_secs_f64() * 1_000.0;
    let notes = world.fabric.notes().split_off(noted);
    let by_courier = notes.iter().filter(|n| n.from == LAPTOP).count();
    Ok((took_ms, by_courier, notes.len() - by_courier))
}

/// The time of a change beside that of its round trips and two commits.
pub(super) fn changes(sizes: &Sizes) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    in_real_time(async {
        let world = quick_world(files(folder.path())).await?;
        let group = protect(&world).await?.group;
        let ends = [
            world.endpoint(Which::A).await?,
            world.endpoint(Which::B).await?,
        ];
        let store = world
            .a
            .running
            .as_ref()
            .context("site A runs")?
            .store
            .clone();
        let mut ratios = DISTANCES_MS.map(|_| Vec::new());
        let mut counts = DISTANCES_MS.map(|_| (0, 0));
        for round in 0..sizes.rounds {
            for (at, far_ms) in DISTANCES_MS.into_iter().enumerate() {
                let began = Instant::now();
                commit_row(&store, &world.a.ctx()).await?;
                let commit_ms = began.elapsed().as_secs_f64() * 1_000.0;
                world.fabric.set_latency(FabricOptions {
                    latency_min_ms: far_ms,
                    latency_max_ms: far_ms,
                });
                let number = round * DISTANCES_MS.len() + at;
                let (took_ms, by_courier, by_sites) = change(&world, &group, &ends, number).await?;
                let ideal_ms = (TRIPS * 2 * far_ms) as f64 + 2.0 * commit_ms;
                if let (Some(ratios), Some(count)) = (ratios.get_mut(at), counts.get_mut(at)) {
                    ratios.push(took_ms / ideal_ms);
                    *count = (by_courier, by_sites);
                }
            }
        }
        let figures = DISTANCES_MS.into_iter().zip(ratios).zip(counts);
        let figures = figures.map(|((far_ms, ratios), (by_courier, by_sites))| {
            let part = format!("{far_ms} ms one way, SQLite");
            let note =
                format!("{by_courier} calls of the courier, {by_sites} of the sites meanwhile");
            Figure::of("change", part, ratios).aim(1.1).note(note)
        });
        Ok(figures.collect())
    })
}
