//! Journeys and matrices over two sites: every place a fault can strike, judged from the ground truth.
//!
//! One program for all of them: a program of its own for each would link everything once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod benches_run;
mod matrix;
mod matrix_of_changes;
mod matrix_of_moves;
mod matrix_on_mariadb;
mod overtaken;
mod planted_bugs;
mod races;
mod retry_members;
mod return_of_a_site;
mod there_and_back;
mod traces;
mod tree_of_a_failover;
mod two_tenants;
mod ways_out;
