//! What happens in one world: a pure function of its seed.

use super::dice::Dice;
use super::want::Want;

/// Calls of one courier for which a fate is drawn; later ones are carried in peace.
const LEGS: usize = 14;
/// Couriers set out within this, milliseconds.
const START_MS: u64 = 60;
/// And against a move by force within this, milliseconds.
const FORCE_MS: u64 = 400;
/// Pauses before a call, milliseconds; mostly none. The last is longer than a ticket lives.
const PAUSES_MS: [u64; 10] = [0, 0, 0, 0, 3, 9, 20, 45, 400, 130_000];
/// How much later a call arrives that its courier has given up, milliseconds.
const LATE_MS: [u64; 4] = [30, 700, 9_000, 50_000];
/// One in so many courier's calls meets something.
const FATE_ONE_IN: u64 = 14;
/// One in so many pairs is a planned move against a change.
const MOVE_ONE_IN: u64 = 9;
/// One in so many pairs has a site killed in the middle.
const KILL_ONE_IN: u64 = 8;
/// Members that the changes know; the last one is the one that leaves and comes back.
const MEMBERS: u64 = 3;

/// Words that no plan has otherwise.
const AWAY: u32 = 1_000_000;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    Carried,
    AnswerLost,
    /// Twice, with the answer to the second.
    Doubled,
    /// Given up at once, and it arrives so much later, milliseconds.
    Late(u64),
    /// The courier is gone before it is sent.
    DiesBefore,
    /// And after, with nobody to hear the answer.
    DiesAfter,
}

/// One call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leg {
    pub pause_ms: u64,
    pub fate: Fate,
}

/// One courier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rider {
    pub want: Want,
    pub starts_ms: u64,
    /// Asks the site that does not lead.
    pub crosswise: bool,
    /// First brings again what somebody brought before: which of it.
    pub parrots: Option<u64>,
    /// After a failure it brings the sites into step and asks once more.
    pub tries_again: bool,
    pub legs: Vec<Leg>,
}

impl Rider {
    /// The same where the group is: a member that leaves away from home leaves a server and its addresses behind
    /// there, and cannot come back.
    pub(super) fn at(&self, is_home: bool) -> Self {
        let want = match self.want {
            Want::Leaves | Want::Joins if !is_home => {
                Want::Description(AWAY + u32::try_from(self.starts_ms).unwrap_or_default())
            }
            want => want,
        };
        Self {
            want,
            ..self.clone()
        }
    }
}

/// Two couriers at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub riders: [Rider; 2],
    /// The product of the leading site (`true`) or of its peer dies so long after the start, milliseconds.
    pub kill: Option<(bool, u64)>,
}

/// One world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub pairs: Vec<Pair>,
}

impl Plan {
    /// So many pairs. In every third world the last one is a move by force.
    pub fn of(seed: u64, pairs: usize) -> Self {
        let dice = Dice::new(seed);
        let last = pairs.saturating_sub(1);
        let by_force = dice.one_in(3);
        let pairs = (0..pairs).map(|n| pair(&dice, n, by_force && n == last));
        let pairs = pairs.collect();
        Self { seed, pairs }
    }

    /// The last pair is a move by force.
    pub fn ends_by_force(&self) -> bool {
        let last = self.pairs.last();
        last.is_some_and(|pair| pair.riders.iter().any(|r| r.want == Want::Forces))
    }
}

fn pair(dice: &Dice, number: usize, by_force: bool) -> Pair {
    let (one, two) = (number * 2, number * 2 + 1);
    let first = if by_force {
        Want::Forces
    } else if dice.one_in(MOVE_ONE_IN) {
        Want::Moves
    } else {
        change(dice, one)
    };
    let second = change(dice, two);
    let at_ms = dice.below(2 * START_MS);
    let kill = dice.one_in(KILL_ONE_IN).then(|| (dice.one_in(2), at_ms));
    // What speaks against a move by force is gathered for some time before it is written down.
    let within_ms = if by_force { FORCE_MS } else { START_MS };
    Pair {
        riders: [rider(dice, first, START_MS), rider(dice, second, within_ms)],
        kill,
    }
}

fn change(dice: &Dice, number: usize) -> Want {
    let n = u32::try_from(number).unwrap_or_default();
    let member = usize::try_from(dice.below(MEMBERS - 1)).unwrap_or_default();
    match dice.below(10) {
        0 | 1 => Want::Name(n),
        2 => Want::Description(n),
        3 | 4 => Want::Times {
            interval_s: 300 + u64::from(n),
            rpo_minutes: 30 + dice.below(60),
        },
        5 => Want::Tier {
            member,
            tier: u8::try_from(dice.below(200)).unwrap_or_default(),
        },
        6 => Want::KeepsMac {
            member,
            keeps: dice.one_in(2),
        },
        7 => Want::Leaves,
        8 => Want::Joins,
        _ => Want::Keypair(n),
    }
}

fn rider(dice: &Dice, want: Want, within_ms: u64) -> Rider {
    // A move by force that is not asked for is none; one that is lost may be asked for again by nobody.
    let calm = want == Want::Forces;
    let legs = (0..LEGS).map(|_| leg(dice, calm)).collect();
    Rider {
        want,
        starts_ms: dice.below(within_ms),
        crosswise: !want.is_move() && dice.one_in(12),
        parrots: dice.one_in(4).then(|| dice.below(u64::MAX)),
        tries_again: dice.one_in(2),
        legs,
    }
}

fn leg(dice: &Dice, calm: bool) -> Leg {
    let pause_ms = dice.pick(&PAUSES_MS.map(|ms| if calm { 0 } else { ms }));
    // So long a pause is rare.
    let pause_ms = if pause_ms > 1_000 && !dice.one_in(12) {
        1
    } else {
        pause_ms
    };
    let (strikes, kind, late_ms) = (dice.one_in(FATE_ONE_IN), dice.below(5), dice.pick(&LATE_MS));
    let fate = match kind {
        _ if calm || !strikes => Fate::Carried,
        0 => Fate::AnswerLost,
        1 => Fate::Doubled,
        2 => Fate::Late(late_ms),
        3 => Fate::DiesBefore,
        _ => Fate::DiesAfter,
    };
    Leg { pause_ms, fate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_plan_and_every_kind_of_trouble_within_a_few_worlds() {
        assert_eq!(Plan::of(7, 12), Plan::of(7, 12));
        assert_ne!(Plan::of(7, 12).pairs, Plan::of(8, 12).pairs);
        let plans: Vec<Plan> = (0..12).map(|seed| Plan::of(seed, 12)).collect();
        let pairs = || plans.iter().flat_map(|plan| &plan.pairs);
        let riders = || pairs().flat_map(|pair| &pair.riders);
        let fates = [
            Fate::AnswerLost,
            Fate::Doubled,
            Fate::DiesBefore,
            Fate::DiesAfter,
        ];
        for fate in fates {
            let met = riders().flat_map(|r| &r.legs).any(|leg| leg.fate == fate);
            assert!(met, "{fate:?}");
        }
        assert!(riders().any(|r| r.want == Want::Moves));
        assert!(plans.iter().any(Plan::ends_by_force));
        assert!(plans.iter().any(|plan| !plan.ends_by_force()));
        assert!(pairs().any(|pair| pair.kill.is_some()));
        assert!(riders().any(|r| r.parrots.is_some()));
        let wants = [Want::Leaves, Want::Joins];
        assert!(wants.iter().all(|want| riders().any(|r| r.want == *want)));
    }

    #[test]
    fn nobody_moves_by_force_before_the_end() {
        for plan in (0..40).map(|seed| Plan::of(seed, 6)) {
            let early = plan.pairs.iter().rev().skip(1);
            let forced = |pair: &Pair| pair.riders.iter().any(|r| r.want == Want::Forces);
            assert!(!early.into_iter().any(forced), "seed {}", plan.seed);
        }
    }
}
