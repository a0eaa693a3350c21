//! Tests of the rules: a bench of two sites, decision tables, the repaired traces of the protocol,
//! crash rows, and random walks that check its properties.

mod bench;
mod changes;
mod courier;
mod crashes;
mod frames;
mod ghosts;
mod heads;
mod moves;
mod refusals;
mod restores;
mod shapes;
mod traces;
mod walk;
mod world;
