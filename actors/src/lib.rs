//! The actors of one site: protection groups, operations, site connections, array sessions,
//! sweepers. They gather facts, ask `domain` what to do, journal it, and do it.
//!
//! Absent: decisions (`domain`), SQL (`store`), how a cloud or an array is spoken to (ports), HTTP.

mod admin;
mod array_session;
mod audit;
mod care;
mod delegation;
mod engine;
mod gather;
mod groups;
mod health;
mod journal;
mod operation;
mod overtaken;
mod protection_group;
mod restored;
mod site;
mod site_connection;
mod sweepers;

pub use admin::{ActorAdmin, AdminOptions, peer_clouds_fetch, peers_fetch};
pub use care::Care;
pub use engine::ActorEngine;
pub use restored::{Doubted, Memory, RestoreError};
pub use site::{PeerClouds, Peers, Site, SiteParts, StartError};
