//! What the `probe` program says: the types of its JSON, shared with the tests that read it.
//!
//! `probe` runs inside a container that a test made and looks at it with plain system calls and `/proc`. It shares no code
//! with the runtime that it checks.

#![warn(missing_docs)]

mod report;
mod verdict;

pub use report::*;
pub use verdict::*;
