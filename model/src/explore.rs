//! Breadth first through all worlds of a run, so that the first counterexample is a shortest one.
//!
//! Absent: what may happen (`world`) and what must hold (`properties`, `heal`).

use crate::heal::{is_stuck, stays_apart};
use crate::intern::Missing;
use crate::properties::{Broken, Property};
use crate::runs::Run;
use crate::stage::Stage;
use crate::world::{Universe, World};
use std::collections::{BTreeMap, BTreeSet};

/// States of one site that healing may remember before it forgets them all.
const HEALING_LOCALS_MAX: usize = 30_000;

/// Where exploring ends before everything is seen.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub states: usize,
    pub depth: usize,
}

/// A shortest way to a broken property.
#[derive(Debug, Clone)]
pub struct Counterexample {
    pub broken: Broken,
    pub steps: Vec<String>,
}

/// What a run showed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub states: usize,
    pub transitions: u64,
    pub depth: usize,
    /// Every reachable state within the bounds was seen.
    pub complete: bool,
    /// Different states of one site, questions to the rules, and pairs that were healed.
    pub locals: usize,
    pub questions: usize,
    pub healed: usize,
    /// States that break what the run is known to break.
    pub known: BTreeMap<Property, usize>,
    /// One way to each of those.
    pub known_ways: Vec<Counterexample>,
    pub found: Option<Counterexample>,
}

struct Node {
    world: World,
    from: usize,
}

struct Explorer {
    run: Run,
    universe: Universe,
    seen: BTreeSet<World>,
    nodes: Vec<Node>,
    healing: Stage,
    healed: BTreeSet<(u32, u32)>,
    free: BTreeSet<u32>,
    report: Report,
}

/// Explores a run.
///
/// Errors: a number that was never given: a defect of the explorer.
pub fn explore(run: &Run, limits: Limits) -> Result<Report, Missing> {
    let mut explorer = Explorer {
        run: *run,
        universe: Universe::new(run.bounds),
        seen: BTreeSet::new(),
        nodes: Vec::new(),
        healing: Stage::new(),
        healed: BTreeSet::new(),
        free: BTreeSet::new(),
        report: Report::default(),
    };
    explorer.all(limits)?;
    let mut report = explorer.report;
    report.states = explorer.seen.len();
    report.locals = explorer.universe.stage.locals();
    report.questions = explorer.universe.stage.questions();
    report.healed = explorer.healed.len();
    Ok(report)
}

impl Explorer {
    fn all(&mut self, limits: Limits) -> Result<(), Missing> {
        let first = self.universe.first()?;
        self.meet(0, first, None)?;
        let (mut at, mut level_end) = (0, self.nodes.len());
        while let Some(node) = self.nodes.get(at) {
            let world = node.world;
            if at == level_end {
                self.report.depth += 1;
                level_end = self.nodes.len();
            }
            if self.report.depth >= limits.depth || self.seen.len() >= limits.states {
                return Ok(());
            }
            for next in self.universe.nexts(world)? {
                self.report.transitions += 1;
                self.meet(at, next.world, next.broken)?;
                if self.report.found.is_some() {
                    return Ok(());
                }
            }
            at += 1;
        }
        self.report.complete = true;
        Ok(())
    }

    fn meet(
        &mut self,
        from: usize,
        world: World,
        on_the_way: Option<Broken>,
    ) -> Result<(), Missing> {
        if on_the_way.is_none() && !self.seen.insert(world) {
            return Ok(());
        }
        let now = match on_the_way {
            Some(broken) => Some(broken),
            None => self.universe.judge(world)?,
        };
        let later = self.judge_later(world)?;
        for broken in [now, later].into_iter().flatten() {
            self.blame(from, world, broken)?;
        }
        if now.is_none() && later.is_none() {
            self.nodes.push(Node { world, from });
        }
        Ok(())
    }

    fn blame(&mut self, from: usize, world: World, broken: Broken) -> Result<(), Missing> {
        let is_known = self.run.breaks.contains(&broken.property);
        let is_first = !self.report.known.contains_key(&broken.property);
        if is_known {
            *self.report.known.entry(broken.property).or_default() += 1;
        }
        if !is_known || is_first {
            let steps = self.way(from, world)?;
            let way = Counterexample { broken, steps };
            if is_known {
                self.report.known_ways.push(way);
            } else {
                self.report.found = Some(way);
            }
        }
        Ok(())
    }

    /// P8 of each site, P6 of both.
    fn judge_later(&mut self, world: World) -> Result<Option<Broken>, Missing> {
        for local in [world.home, world.other] {
            if self.free.insert(local) {
                let number = self.lend(local)?;
                if is_stuck(&mut self.healing, number)? {
                    let (property, why) = (Property::P8, "a site is stuck");
                    return Ok(Some(Broken { property, why }));
                }
            }
        }
        if !self.healed.insert((world.home, world.other)) {
            return Ok(None);
        }
        if self.healing.locals() > HEALING_LOCALS_MAX {
            self.healing = Stage::new();
        }
        let (home, other) = (self.lend(world.home)?, self.lend(world.other)?);
        let why = stays_apart(&mut self.healing, home, other)?;
        let property = Property::P6;
        Ok(why.map(|why| Broken { property, why }))
    }

    /// A site's state, where healing may go on from it and be forgotten.
    fn lend(&mut self, local: u32) -> Result<u32, Missing> {
        let local = self.universe.stage.local(local)?;
        let (state, tickets) = (local.state.clone(), local.tickets.clone());
        Ok(self.healing.enter(state, tickets))
    }

    /// How the world came about, in words.
    fn way(&mut self, from: usize, last: World) -> Result<Vec<String>, Missing> {
        let (mut worlds, mut at) = (vec![last], from);
        while let Some(node) = self.nodes.get(at) {
            worlds.push(node.world);
            if at == 0 {
                break;
            }
            at = node.from;
        }
        worlds.reverse();
        let mut steps = Vec::new();
        for two in worlds.windows(2) {
            if let [before, after] = two {
                let nexts = self.universe.nexts(*before)?;
                let next = nexts.into_iter().find(|next| next.world == *after);
                if let Some(next) = next {
                    steps.push(next.event.tell(&self.universe.stage)?);
                }
            }
        }
        Ok(steps)
    }
}
