//! One session per right to act: its token, renewed by one login for all who wait (E1, E2).
//! Absent: the login itself (`client`).

use crate::keystone::token::Token;
use protector_domain::ports::{Acting, PortError};
use protector_runtime::clock::Clock;
use protector_runtime::remote::Session;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most sessions held; beyond it the one that was not used for longest is forgotten.
const SESSIONS_MAX: usize = 4_096;

pub(crate) type TokenSession = Session<Token, PortError>;

/// The sessions of one cloud.
pub(crate) struct Sessions {
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    uses: u64,
    by_acting: BTreeMap<Acting, (u64, Arc<TokenSession>)>,
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            held: Mutex::default(),
        }
    }

    /// The session for `acting`, new if there is none.
    pub(crate) fn of(&self, acting: &Acting) -> Arc<TokenSession> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.uses += 1;
        let uses = held.uses;
        if let Some((last, session)) = held.by_acting.get_mut(acting) {
            *last = uses;
            return session.clone();
        }
        if held.by_acting.len() >= SESSIONS_MAX {
            held.forget_idlest();
        }
        let session = Arc::new(Session::new(self.clock.clone(), 0));
        held.by_acting
            .insert(acting.clone(), (uses, session.clone()));
        session
    }
}

impl Held {
    fn forget_idlest(&mut self) {
        let idlest = self.by_acting.iter().min_by_key(|(_, (last, _))| *last);
        if let Some(acting) = idlest.map(|(acting, _)| acting.clone()) {
            self.by_acting.remove(&acting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protector_runtime::clock::SystemClock;

    #[test]
    fn one_session_per_right_and_never_too_many() {
        let sessions = Sessions::new(Arc::new(SystemClock));
        let of = |n: usize| sessions.of(&Acting::ServiceIn(format!("p{n}").into()));
        let first = of(0);
        let second = of(1);
        assert!(!Arc::ptr_eq(&first, &second));
        for n in 2..SESSIONS_MAX {
            of(n);
        }
        assert!(Arc::ptr_eq(&first, &of(0)));
        of(SESSIONS_MAX);
        assert!(Arc::ptr_eq(&first, &of(0)), "used lately: kept");
        assert!(!Arc::ptr_eq(&second, &of(1)), "idle for longest: forgotten");
        let held = sessions.held.lock().unwrap();
        assert_eq!(held.by_acting.len(), SESSIONS_MAX);
    }
}
