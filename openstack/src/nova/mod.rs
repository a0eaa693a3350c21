//! Nova: the `Compute` port. Absent: everything a recovered server does not carry over, and waiting
//! for a state.

mod addresses;
mod create;
mod flavors;
mod port;
mod servers;
pub(crate) mod version;
mod wire;
