//! The compiled program, run on calls.

mod cases;
mod profile;
mod random;
#[path = "../support/mod.rs"]
mod support;
