//! What the tests of the store share: databases that come and go, and groups made by the real rules.
pub mod facts;
pub mod maria;
pub mod pair;
pub mod world;
