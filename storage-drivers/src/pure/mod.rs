//! The Pure driver: the way to FlashArrays over Purity REST 2.x (PURE-01, PURE-03).
//!
//! What it does with an array is `flasharray`, the same as the mock driver. This folder turns
//! commands into requests, keeps sessions, and reads answers. Absent: pods and ActiveCluster,
//! eradication, hosts, and the management of array connections.

mod answer;
mod connection;
mod encode;
mod fault;
mod link;
mod one_by_one;
mod registry;
mod request;
mod version;
mod wire;

pub use registry::{
    ArrayAccess, ArrayRegistry, Connector, FlashArrays, PureStorageDriver, sockets,
};
