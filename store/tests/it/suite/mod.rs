//! What a store promises, whatever database it is on.

pub mod commits;
pub mod delegations;
pub mod effects;
pub mod groups;
pub mod logs;
pub mod moves;
pub mod operations;
pub mod schema;
pub mod secrets;
pub mod sites;
pub mod steps;
