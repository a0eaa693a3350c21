//! What the lab promises, tried from outside: its clouds, its arrays, and the drivers and clients on them.
//!
//! One program for all of them: a program of its own for each would link everything once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cloud_cinder;
mod cloud_face;
mod cloud_keystone;
mod cloud_neutron;
mod cloud_nova;
mod cloud_nova_rules;
mod cloud_support;
mod coming_home;
mod delegation;
mod fidelity;
mod group_life;
mod hostile_messages;
mod mappings;
mod openstack_clients;
mod pairing;
mod pure_driver;
mod refusals;
mod restored;
mod up;
