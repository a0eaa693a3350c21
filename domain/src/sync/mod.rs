//! The rules between the two sites of a group, which never talk: one author per epoch, signed
//! records that couriers carry, locks and forced moves, and the way back after a restore.
//!
//! One pure function, [`step`], is all that changes a [`GroupSync`]; API, engine and tests call the
//! same code. Absent on purpose: clocks, randomness, I/O, HTTP, and the meaning of bodies.

mod digest;
mod frame;
mod input;
mod message;
mod order;
mod pairing;
mod record;
mod refusal;
mod rules;
mod seal;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod tickets;
mod view;

pub use digest::{Digest, canonical_json};
pub use frame::{
    KeyId, MAX_MESSAGE_BYTES, Peer, PinnedKey, Signed, SigningIdentity, Verified, pair_hash, sign,
    verify,
};
pub use input::{BodyCheck, Input, Output, Step, StepContext};
pub use message::{
    Head, HeadReport, Intent, LockOffer, Message, MessageContent, MessageType, Nonce,
    OperationMode, OperationView, Receipt, Rejection, Release, Reservation, SourceVms, Ticket,
};
pub use order::{
    Epoch, MARK_STRIDE, MAX_NUMBER, Pair, Role, Version, leader, next_own_epoch, own_epoch_from,
    raised_mark,
};
pub use pairing::{
    OFFER_KEYS_MAX, PairOffer, PublicKey, fingerprint, fingerprint_matches, offer_fault, peer_of,
};
pub use record::{
    Content, Lineage, Lock, LockKind, MAX_LINEAGE, Record, RecordHeader, RecordKind, RecordRef,
};
pub use refusal::SyncRefusal;
pub use seal::{OpenError, SealEntropy, SealPlace, SealedForBoth, open_sealed, seal_for_both};
pub use state::{
    GroupSync, Kept, KeptReason, MAX_DEAD, MAX_HISTORY, MAX_KEPT, MAX_REJECTED, MAX_TRAIL,
    Operation, Rejected, Stored,
};
pub use step::step;
pub use tickets::{MAX_TICKETS, REQUEST_LIFE_MS, TICKET_LIFE_MS, Tickets};
pub use view::{Overall, PeerWord, may_start, overall};
