//! The REST face: paths, wire types, tokens and roles, and the one mapping from errors to answers.
//!
//! Sees nothing of the engine but two ports, `Engine` and `Identity`, and their read models.
//! Deliberately absent: every decision about groups and operations, every record, sockets and
//! connection limits (`runtime::serve`), and TLS.

mod answer;
mod api;
mod auth;
mod body;
mod cx;
mod error;
mod front;
mod handlers;
pub mod limits;
mod openapi;
mod paging;
mod policy;
mod problem;
mod request;
mod route;
mod stream;
mod time;
mod version;
pub mod wire;

pub use api::{Api, ApiOptions, routes};
pub use openapi::openapi_document;
pub use policy::{Need, Roles, Verdict, decide};
pub use route::{Endpoint, ROUTES, Route};
