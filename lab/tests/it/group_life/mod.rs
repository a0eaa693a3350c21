//! The rest of a group's life at two running sites: other words, other times, a member less, its end.
//! Judged from the ground truth of clouds and arrays, and from what both sites show.

mod end;
mod given_up;
mod members;
mod scene;
mod times;
mod words;
