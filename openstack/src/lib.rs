//! One OpenStack cloud behind the five cloud ports of `protector_domain`: Keystone, Nova, Cinder,
//! Neutron and Glance, only the calls we make.
//!
//! Deliberately absent: decisions about recovery, retries of calls (who asks decides whether to ask
//! again), waiting for an object to get ready, image data, and every secret in text or log.

mod answer;
mod ask;
mod catalog;
mod cinder;
mod classify;
mod client;
mod cloud;
mod config;
mod fault;
mod glance;
mod json;
mod keystone;
mod neutron;
mod nova;
mod page;
mod service;
mod walls;

pub use cloud::OpenStackCloud;
pub use config::{CloudConfig, Credential, Interface};
