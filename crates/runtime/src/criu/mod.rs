//! Saving the state of a container, and bringing it back: by criu, the program.
//!
//! criu is asked over a socket, for only so it tells when a point on the way is reached and hands over terminals.
//! What a container shares with the machine is named at the checkpoint and found again at the restore
//! ([`external`]). See criu's own documentation, criu(8) and `images/rpc.proto` of its source.

mod checkpoint;
mod external;
mod failure;
mod lent;
mod log;
mod message;
mod options;
mod protobuf;
mod restore;
mod streams;
mod talk;

pub use failure::Failure;
pub use options::{CheckpointOptions, CriuOptions, ManageCgroups, RestoreRequest};
