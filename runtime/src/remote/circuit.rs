//! The circuit of one endpoint: a pure state machine over milliseconds.
//!
//! Deliberately absent: clocks, locks, and what a failure is. The endpoint knows those.

/// What a caller who asks for leave is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Go.
    Go,
    /// Go; everybody else waits for your report.
    Probe,
    /// Do not go.
    No { retry_after_ms: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until_ms: u64 },
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Circuit {
    failures_max: u32,
    open_ms: u64,
    state: State,
}

impl Circuit {
    pub(super) fn new(failures_max: u32, open_ms: u64) -> Self {
        Self {
            failures_max,
            open_ms,
            state: State::Closed { failures: 0 },
        }
    }

    /// Would a call be refused now? Takes nothing: for failing fast before waiting in line.
    pub(super) fn refuses(&self, now_ms: u64) -> Option<u64> {
        match self.state {
            State::Open { until_ms } if now_ms < until_ms => Some(until_ms - now_ms),
            // The probe reports within its own timeout; after that we rest at least so long.
            State::HalfOpen => Some(self.open_ms),
            State::Open { .. } | State::Closed { .. } => None,
        }
    }

    /// Asks for leave. `Probe` must be followed by a [`Circuit::report`], whatever happens.
    pub(super) fn admit(&mut self, now_ms: u64) -> Leave {
        if let Some(retry_after_ms) = self.refuses(now_ms) {
            return Leave::No { retry_after_ms };
        }
        if matches!(self.state, State::Closed { .. }) {
            return Leave::Go;
        }
        self.state = State::HalfOpen;
        Leave::Probe
    }

    /// How a call that had leave ended.
    pub(super) fn report(&mut self, was_probe: bool, failed: bool, now_ms: u64) {
        let opened = State::Open {
            until_ms: now_ms.saturating_add(self.open_ms),
        };
        self.state = match (self.state, failed) {
            (State::HalfOpen, true) if was_probe => opened,
            (State::HalfOpen, false) if was_probe => State::Closed { failures: 0 },
            // Stragglers from before it opened say nothing about now.
            (State::HalfOpen | State::Open { .. }, _) => self.state,
            (State::Closed { .. }, false) => State::Closed { failures: 0 },
            (State::Closed { failures }, true) => {
                let failures = failures.saturating_add(1);
                if self.failures_max > 0 && failures >= self.failures_max {
                    opened
                } else {
                    State::Closed { failures }
                }
            }
        };
    }

    /// `closed`, `open` or `half_open`.
    pub(super) fn name(&self) -> &'static str {
        match self.state {
            State::Closed { .. } => "closed",
            State::Open { .. } => "open",
            State::HalfOpen => "half_open",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_at(now_ms: u64) -> Circuit {
        let mut circuit = Circuit::new(3, 100);
        for _ in 0..3 {
            assert_eq!(circuit.admit(now_ms), Leave::Go);
            circuit.report(false, true, now_ms);
        }
        circuit
    }

    #[test]
    fn only_consecutive_failures_open_it() {
        let mut circuit = Circuit::new(3, 100);
        for failed in [true, true, false, true, true] {
            circuit.report(false, failed, 0);
        }
        assert_eq!(circuit.admit(0), Leave::Go);
        circuit.report(false, true, 0);
        assert_eq!(circuit.admit(40), Leave::No { retry_after_ms: 60 });
    }

    #[test]
    fn one_probe_at_a_time_and_it_decides() {
        let mut circuit = opened_at(0);
        assert_eq!(circuit.admit(100), Leave::Probe);
        assert!(matches!(circuit.admit(100), Leave::No { .. }));
        circuit.report(true, true, 150);
        assert_eq!(circuit.admit(200), Leave::No { retry_after_ms: 50 });
        assert_eq!(circuit.admit(250), Leave::Probe);
        circuit.report(true, false, 260);
        assert_eq!(circuit.admit(260), Leave::Go);
    }

    #[test]
    fn stragglers_change_nothing_once_it_is_open() {
        let mut circuit = opened_at(0);
        circuit.report(false, false, 10);
        assert_eq!(circuit.name(), "open");
        assert_eq!(circuit.admit(100), Leave::Probe);
        circuit.report(false, false, 110);
        assert_eq!(circuit.name(), "half_open");
    }

    #[test]
    fn zero_means_never() {
        let mut circuit = Circuit::new(0, 100);
        (0..50).for_each(|_| circuit.report(false, true, 0));
        assert_eq!(circuit.admit(0), Leave::Go);
    }
}
