//! Many cases, each in a world of its own, and what they came to.

use crate::case::Trouble;
use crate::run::Report;
use anyhow::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Worlds at the same time; they share nothing.
const WORKERS: usize = 2;

/// Runs every case. One that comes to no end is a violation of L1.
pub fn sweep(cases: &[Trouble], run: impl Fn(&Trouble) -> Result<Report> + Sync) -> Vec<Report> {
    each(cases, |trouble| {
        run(trouble).unwrap_or_else(|error| endless(trouble, &error))
    })
}

/// Does it for every case, some at the same time; in the order in which they end.
pub fn each<C: Sync, T: Send>(cases: &[C], run: impl Fn(&C) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || {
        loop {
            let index = AtomicUsize::fetch_add(&next, 1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else {
                return;
            };
            let end = run(case);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push(end);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(worker);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn endless(trouble: &Trouble, error: &anyhow::Error) -> Report {
    Report {
        trouble: trouble.clone(),
        violations: vec![format!("L1: {error:#}")],
        places: Vec::new(),
        calls: 0,
        crashes: 0,
        notes: Vec::new(),
    }
}

/// The cases in which something does not hold, as text.
pub fn bad(reports: &[Report]) -> Vec<String> {
    let bad = reports.iter().filter(|r| !r.violations.is_empty());
    bad.map(|r| format!("{}:\n    {}", r.trouble, r.violations.join("\n    ")))
        .collect()
}
