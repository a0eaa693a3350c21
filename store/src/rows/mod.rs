//! Rows as diesel moves them: plain columns, the same for both databases, and their way to and from
//! the domain's types. Absent: queries.

pub(crate) mod delegation;
pub(crate) mod effect;
pub(crate) mod group;
pub(crate) mod log;
pub(crate) mod operation;
pub(crate) mod projection;
pub(crate) mod site;
