//! The user's terminal, and the one in the container.
//!
//! ```text
//!   user's terminal ◀──▶ cuddy ◀──▶ master ║ slave ◀──▶ container
//!     raw mode           relay             pty
//! ```
//!
//! While a container has a terminal, the user's own only passes bytes: Ctrl-C is a byte that the pty in
//! the container turns into SIGINT for whatever runs there.

mod raw;
mod relay;

pub use raw::RawMode;
pub use relay::{Ends, relay, relay_between};

use rustix::fd::BorrowedFd;
use rustix::termios;
use spec::ConsoleSize;

/// The user's terminal: standard input, else standard output; `None` if neither is one.
fn user() -> Option<BorrowedFd<'static>> {
    [rustix::stdio::stdin(), rustix::stdio::stdout()].into_iter().find(|fd| termios::isatty(fd))
}

/// Whether standard input is a terminal.
#[must_use]
pub fn input_is_one() -> bool {
    termios::isatty(rustix::stdio::stdin())
}

/// Whether standard output is a terminal.
#[must_use]
pub fn output_is_one() -> bool {
    termios::isatty(rustix::stdio::stdout())
}

/// The size of the user's terminal, if there is one.
#[must_use]
pub fn size() -> Option<ConsoleSize> {
    let size = termios::tcgetwinsize(user()?).ok()?;
    Some(ConsoleSize { height: size.ws_row, width: size.ws_col })
}
