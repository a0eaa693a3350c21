//! The cloud ports over the cloud model, through HTTP shapes and back: each method does what it says,
//! and each way to fail is told by its kind. The model's own ground truth is the judge.
mod compute;
mod failures;
mod identity;
mod network;
mod volumes;
mod world;
