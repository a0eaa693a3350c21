//! The error table of the requirements (1.24) and the members that cannot join, over the wire of two
//! running sites: the situation is made, and the answer names the code, the thing and the command.

mod looks;
mod members;
mod registered;
mod rows;
mod scene;
mod target;
mod words;
