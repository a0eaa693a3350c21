//! Couriers over scripted sites, to see what they carry where, and over whole worlds, to see that it
//! helps.

mod carried;
mod worlds;
