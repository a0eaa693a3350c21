//! Neutron: the `Network` port. Absent: routers, floating IPs, tags.

mod port;
mod ports;
mod surroundings;
mod wire;
