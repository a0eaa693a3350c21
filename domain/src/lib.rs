//! What disaster recovery *is*: ids, records, states, decisions, plans, the step table, the saga
//! rule, refusals, the rules between two sites, and the ports to the world.
//!
//! Absent on purpose: I/O, clocks, randomness, tokio, SQL and HTTP. Time and entropy reach this
//! crate as values, so the same facts always give the same answer.

pub mod admin;
pub mod adopt;
pub mod change;
pub mod condition;
pub mod effect;
pub mod fence;
pub mod health;
pub mod ids;
pub mod operation;
pub mod plan;
pub mod ports;
pub mod power;
pub mod record;
pub mod refusal;
pub mod retire;
pub mod saga;
pub mod stray;
pub mod sync;
pub mod volume_type;
