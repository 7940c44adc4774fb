//! systemd's managers, over D-Bus.
//!
//! [`Systemd`] is a connection to one: it starts, changes and stops units. Below it is the little of D-Bus that this
//! takes, on a blocking socket: logging in (`login`), messages as bytes (`write`, `read`), a call and its answer (`bus`).
//!
//! What comes from the socket may be anything: sizes are bounded, and what cannot be read is an error.

mod bus;
mod error;
mod login;
mod manager;
mod message;
mod place;
mod read;
mod write;

pub use error::Error;
pub use manager::{About, Systemd};
