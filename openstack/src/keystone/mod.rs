//! Keystone: logins, the tokens they bring, trusts, and the `Identity` port. Absent: users and roles.

mod identity;
pub(crate) mod login;
pub(crate) mod sessions;
pub(crate) mod token;
mod trusts;
