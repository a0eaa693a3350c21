//! Keystone: logins, the tokens they bring, and the `Identity` port. Absent: trusts' making and
//! ending, users and roles.

mod identity;
pub(crate) mod login;
pub(crate) mod sessions;
pub(crate) mod token;
