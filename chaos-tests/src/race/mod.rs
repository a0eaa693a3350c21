//! Two couriers at a time, each with a random change or a move of the same group, over roads that lose, double,
//! delay and kill; afterwards a third one brings the sites into step, and every record that was ever signed is
//! judged. One seed is one world with its pairs.
//!
//! Absent: sites that are lost on the way, and restored databases.

mod dice;
pub mod judge;
pub mod plan;
mod ride;
mod road;
mod run;
mod settle;
pub mod want;
mod words;

pub use run::{Raced, race};
