//! The guards of the rules R1 to R13: where each stands in `domain/src/sync`, and how it is made to
//! depend on a switch. The product's source has no switches; they are put into a copy.
//!
//! Deliberately absent: what a missing guard breaks. That is for the explorer and the tests to find. Absent, too, are
//! second lines that no history reaches while the first stands: that the finisher holds the lock (R5), and whose lock a
//! release ends (R11), of which each condition covers for the other.

/// Stands for "this guard is on" in what a place is replaced by.
pub const ON: &str = "ON";

/// One guard.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// The rule, and what the guard holds.
    pub name: &'static str,
    /// Below `domain/src/sync`.
    pub file: &'static str,
    /// Stands there exactly once.
    pub place: &'static str,
    pub replaced_by: &'static str,
}

const fn guard(
    name: &'static str,
    file: &'static str,
    place: &'static str,
    replaced_by: &'static str,
) -> Guard {
    Guard {
        name,
        file,
        place,
        replaced_by,
    }
}

const VIEW: &str = "view.rs";
const TICKETS: &str = "tickets.rs";
const FRAME: &str = "frame.rs";
const CHANGE: &str = "rules/change.rs";
const FORCED: &str = "rules/forced.rs";
const LOCAL: &str = "rules/local.rs";
const RECEIPT: &str = "rules/receipt.rs";
const RELEASE: &str = "rules/release.rs";
const RESTORE: &str = "rules/restore.rs";
const STORE: &str = "rules/store.rs";

/// All guards, in the order of the rules.
pub static GUARDS: &[Guard] = &[
    guard(
        "start: not when deleted or suspect",
        VIEW,
        "header.deleted || state.suspect || me",
        "(ON && (header.deleted || state.suspect)) || me",
    ),
    guard(
        "start: under a lock, its holder alone",
        VIEW,
        "        (mode, Some(lock)) => {\n",
        "        (_, Some(_)) if !ON => leader(epoch) == me,\n        (mode, Some(lock)) => {\n",
    ),
    guard(
        "start: without a lock, the leader alone",
        VIEW,
        "        (_, None) => leader(epoch) == me,",
        "        (_, None) => !ON || leader(epoch) == me,",
    ),
    guard(
        "R1, R3: not under a lock",
        VIEW,
        "if let Some(lock) = self.lock() {",
        "if let Some(lock) = self.lock().filter(|_| ON) {",
    ),
    guard(
        "R1, R3: not while an operation of this site runs",
        VIEW,
        "if let Some(own) = own {",
        "if let Some(own) = own.filter(|_| ON) {",
    ),
    guard(
        "R1, R3: not while a change is pending",
        VIEW,
        "        if !self.synced {",
        "        if ON && !self.synced {",
    ),
    guard(
        "all: nothing on a tombstone",
        VIEW,
        "        if self.is_deleted() {",
        "        if ON && self.is_deleted() {",
    ),
    guard(
        "R1 to R3, R9, R11: not while suspect",
        VIEW,
        "        if self.suspect {",
        "        if ON && self.suspect {",
    ),
    guard(
        "R1: a create is home's",
        CHANGE,
        "if self.state.role != Role::Home {",
        "if ON && self.state.role != Role::Home {",
    ),
    guard(
        "R2: exactly at the base",
        CHANGE,
        "if mine.as_ref() == base {",
        "if !ON || mine.as_ref() == base {",
    ),
    guard(
        "R2: not while an operation runs here",
        CHANGE,
        "if let Some(own) = busy {",
        "if let Some(own) = busy.filter(|_| ON) {",
    ),
    guard(
        "R2: the asker leads",
        CHANGE,
        "if leader(epoch) != asker {",
        "if ON && leader(epoch) != asker {",
    ),
    guard(
        "R2: not under a lock",
        CHANGE,
        "match self.state.lock() {",
        "match self.state.lock().filter(|_| ON) {",
    ),
    guard(
        "R2: the digest is the draft's",
        CHANGE,
        "if next.digest()? != *digest {",
        "if ON && next.digest()? != *digest {",
    ),
    guard(
        "R3: a ticket is used once",
        TICKETS,
        "let ticket = self.0.remove(place);",
        "let kept = (!ON).then(|| self.0.get(place).cloned()).flatten();\n        \
         let ticket = self.0.remove(place);\n        self.0.extend(kept);",
    ),
    guard(
        "R3: a ticket has an end",
        TICKETS,
        "(ticket.deadline_ms > now_ms).then_some(ticket)",
        "(!ON || ticket.deadline_ms > now_ms).then_some(ticket)",
    ),
    guard(
        "R3: the base is still in force",
        CHANGE,
        "let same = ticket.base == self.state.fence() && ticket.base",
        "let same = (!ON || ticket.base == self.state.fence()) && ticket.base",
    ),
    guard(
        "R3: what was attested is what was asked",
        CHANGE,
        "|| next_digest != reservation.next_digest {",
        "|| (ON && next_digest != reservation.next_digest) {",
    ),
    guard(
        "R3: asked again at the commit",
        CHANGE,
        "            intent => self.state.free_for(intent, ticket.for_operation)?,",
        "            intent => if ON { self.state.free_for(intent, ticket.for_operation)? },",
    ),
    guard(
        "R4: an operation's id is used once",
        FORCED,
        "        self.check_fresh(operation)?;",
        "        if ON {\n            self.check_fresh(operation)?;\n        }",
    ),
    guard(
        "R4: a leader without a lock has nothing to take",
        FORCED,
        "(None, Some(epoch)) => Err(SyncRefusal::AlreadyPrimary { epoch }),",
        "(None, Some(epoch)) => if ON { Err(SyncRefusal::AlreadyPrimary { epoch }) } else { Ok(()) },",
    ),
    guard(
        "R4: not on a tombstone",
        FORCED,
        "if self.state.is_deleted() {",
        "if ON && self.state.is_deleted() {",
    ),
    guard(
        "R4: the epoch is minted with the lock in it",
        FORCED,
        "        next.lock = lock;",
        "        next.lock = lock.filter(|_| ON);",
    ),
    guard(
        "R4: a running forced move is not overtaken",
        FORCED,
        "Some(own) if own.mode == OperationMode::Forced && !self.state.suspect => {",
        "Some(own) if ON && own.mode == OperationMode::Forced && !self.state.suspect => {",
    ),
    guard(
        "R5: not before the lock is here",
        FORCED,
        "            _ => return Err(over),",
        "            OperationMode::Requested if !ON => {\n                \
         self.mint(RecordKind::Mint, None, content)?;\n            }\n            \
         _ => return Err(over),",
    ),
    guard(
        "R6: a lower pair is not stored",
        STORE,
        "match self.compare(&stored) {\n            Ordering::Greater => {",
        "match Some(self.compare(&stored)).filter(|o| ON || o.is_ge()).unwrap_or(Ordering::Greater) {\n            Ordering::Greater => {",
    ),
    guard(
        "R6: equal pairs need equal digests",
        STORE,
        "Ordering::Equal if self.holds(&stored) => {",
        "Ordering::Equal if !ON || self.holds(&stored) => {",
    ),
    guard(
        "R6: what is left out goes to the log",
        STORE,
        "        self.keep_orphans(stored.record());",
        "        if ON {\n            self.keep_orphans(stored.record());\n        }",
    ),
    guard(
        "R6: a lock starts only the operation it names",
        STORE,
        "            lock.operation == own.id\n",
        "            (!ON || lock.operation == own.id)\n",
    ),
    guard(
        "R6: an operation that the record does not name dies",
        STORE,
        "            _ => self.kill_operation(None),",
        "            _ if !ON => {}\n            _ => self.kill_operation(None),",
    ),
    guard(
        "R6: an own record that is not known means doubt",
        STORE,
        "                self.restored();\n                self.adopt(stored, false);",
        "                if ON {\n                    self.restored();\n                }\n\
         \x20               self.adopt(stored, false);",
    ),
    guard(
        "R6: the author leads the epoch",
        STORE,
        "if self.state.site_of(header.author) != from {",
        "if ON && self.state.site_of(header.author) != from {",
    ),
    guard(
        "R7: a receipt is for exactly the record in force",
        RECEIPT,
        "if receipt.at != at {",
        "if ON && receipt.at != at {",
    ),
    guard(
        "R7: doubt ends with the receipt of its base record",
        RECEIPT,
        "if self.state.rebase.as_ref() == Some(&at) {",
        "if !ON || self.state.rebase.as_ref() == Some(&at) {",
    ),
    guard(
        "R8: refused is refused for ever",
        STORE,
        "            Some(rejected) => rejected.reasons.clone(),",
        "            Some(rejected) if ON => rejected.reasons.clone(),\n            \
         Some(_) => self.lasting_reasons(stored.record()),",
    ),
    guard(
        "R9: a rejection is of exactly the record in force",
        RECEIPT,
        "if rejection.at != current.at() {",
        "if ON && rejection.at != current.at() {",
    ),
    guard(
        "R9: what is taken back goes to the log",
        RECEIPT,
        "        self.keep(KeptReason::Withdrawn, current.clone());",
        "        if ON {\n            self.keep(KeptReason::Withdrawn, current.clone());\n        }",
    ),
    guard(
        "R9: what was acknowledged stays",
        RECEIPT,
        "        if self.state.synced {",
        "        if ON && self.state.synced {",
    ),
    guard(
        "R10: a forced move has no way back",
        RELEASE,
        "Some(own) if own.mode == OperationMode::Forced => Err",
        "Some(own) if ON && own.mode == OperationMode::Forced => Err",
    ),
    guard(
        "R10: a restart ends what waits for its lock",
        LOCAL,
        "if mode == Some(OperationMode::Requested) {",
        "if ON && mode == Some(OperationMode::Requested) {",
    ),
    guard(
        "R11: a running operation is not released",
        RELEASE,
        "            .is_some_and(|own| own.id == operation)\n",
        "            .is_some_and(|own| ON && own.id == operation)\n",
    ),
    guard(
        "R11: only what is dead is released",
        RELEASE,
        "if !self.state.is_dead(operation) && !is_lost {",
        "if ON && !self.state.is_dead(operation) && !is_lost {",
    ),
    guard(
        "R11: a release is good in its epoch alone",
        RELEASE,
        "|| self.state.epoch() != Some(release.epoch) {",
        "|| (ON && self.state.epoch() != Some(release.epoch)) {",
    ),
    guard(
        "R12: of this site's own lock alone",
        RELEASE,
        "if site != self.state.role {",
        "if ON && site != self.state.role {",
    ),
    guard(
        "R13: a restored site doubts itself",
        RESTORE,
        "        self.state.suspect = true;",
        "        self.state.suspect = ON;",
    ),
    guard(
        "R13: its next epoch lies above the mark",
        RESTORE,
        "        self.state.epoch_jump = true;",
        "        self.state.epoch_jump = ON;",
    ),
    guard(
        "R13: its base record lies above the mark",
        RESTORE,
        "        next.version = Version(jump_over(next.version.0, self.state.restore_mark));",
        "        if ON {\n            next.version = Version(jump_over(next.version.0, self.state.restore_mark));\n        }",
    ),
    guard(
        "R13: a head answers a fresh ticket",
        RESTORE,
        "            .filter(|ticket| ticket.intent == Intent::Head && self.state.suspect)\n            .ok_or(SyncRefusal::ReservationStale)?;",
        "            .filter(|ticket| ticket.intent == Intent::Head && self.state.suspect)\n            .map(|_| ())\n            .or((!ON).then_some(()))\n            .ok_or(SyncRefusal::ReservationStale)?;",
    ),
    guard(
        "R13: operations of the old memory die",
        RESTORE,
        "if mode != Some(OperationMode::Forced) {",
        "if ON && mode != Some(OperationMode::Forced) {",
    ),
    guard(
        "R13: a second restore forgets the first base record",
        RESTORE,
        "        self.state.rebase = None;\n        self.state.restore_mark",
        "        if ON {\n            self.state.rebase = None;\n        }\n        self.state.restore_mark",
    ),
    guard(
        "section 4: the signature fits",
        FRAME,
        "    check_signature(signed, &pinned.key)?;",
        "    if ON {\n        check_signature(signed, &pinned.key)?;\n    }",
    ),
    guard(
        "section 4: a retired key verifies nothing",
        FRAME,
        ".filter(|pinned| !pinned.retired);",
        ".filter(|pinned| !ON || !pinned.retired);",
    ),
];
