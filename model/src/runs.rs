//! The runs: what may happen in each, and how much of it.
//!
//! Absent: how they are explored.

use crate::properties::Property;

/// What may happen, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Records ever written, the first one included.
    pub records: usize,
    pub tickets: u32,
    pub operations: usize,
    /// Different epochs, the first one included.
    pub epochs: usize,
    /// Neither site has heard of the group.
    pub from_nothing: bool,
    pub forced: bool,
    pub deletes: bool,
    /// The peer may refuse a record for good (R8).
    pub refusals: bool,
    /// Deletion without the peer.
    pub abandons: bool,
    /// Operations that need no lock.
    pub local_operations: u32,
    /// How often a database may be restored from any older state of it.
    pub restores: u32,
    /// A restore is noticed at once.
    pub noticed: bool,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub name: &'static str,
    pub bounds: Bounds,
    /// Properties that this run is known to break; such a state is not gone on from.
    pub breaks: &'static [Property],
    /// Explored to the end in the ordinary tests.
    pub small: bool,
}

const ALL: Bounds = Bounds {
    records: 5,
    tickets: 2,
    operations: 2,
    epochs: 3,
    from_nothing: false,
    forced: true,
    deletes: true,
    refusals: true,
    abandons: false,
    local_operations: 0,
    restores: 0,
    noticed: true,
};

const LONG: Bounds = Bounds {
    records: 6,
    tickets: 3,
    operations: 3,
    epochs: 4,
    ..ALL
};

const fn run(name: &'static str, bounds: Bounds) -> Run {
    Run {
        name,
        bounds,
        breaks: &[],
        small: false,
    }
}

const fn small(name: &'static str, bounds: Bounds) -> Run {
    Run {
        small: true,
        ..run(name, bounds)
    }
}

/// All runs, as `cargo xtask model` takes them.
pub static RUNS: &[Run] = &[
    small("all-moves", ALL),
    small(
        "from-nothing",
        Bounds {
            from_nothing: true,
            ..ALL
        },
    ),
    small(
        "no-forced-moves",
        Bounds {
            forced: false,
            ..ALL
        },
    ),
    run(
        "local-work-and-abandoned-peers",
        Bounds {
            abandons: true,
            local_operations: 1,
            ..ALL
        },
    ),
    run("one-restore", Bounds { restores: 1, ..ALL }),
    run(
        "one-restore-that-nobody-notices",
        Bounds {
            restores: 1,
            noticed: false,
            ..ALL
        },
    )
    .breaking(&[Property::P1, Property::P2]),
    run(
        "two-restores",
        Bounds {
            records: 6,
            epochs: 4,
            restores: 2,
            ..ALL
        },
    ),
    run("long", LONG),
    run(
        "long-from-nothing",
        Bounds {
            from_nothing: true,
            ..LONG
        },
    ),
    run(
        "longest",
        Bounds {
            records: 9,
            epochs: 5,
            deletes: false,
            refusals: false,
            ..LONG
        },
    ),
];

impl Run {
    /// The same run, known to break these.
    const fn breaking(self, breaks: &'static [Property]) -> Self {
        Self { breaks, ..self }
    }
}
