//! The user's terminal.

use rustix::termios;
use spec::ConsoleSize;

/// The size of the user's terminal: of standard input, else of standard output; `None` if neither is one.
#[must_use]
pub fn size() -> Option<ConsoleSize> {
    let size = termios::tcgetwinsize(rustix::stdio::stdin())
        .or_else(|_| termios::tcgetwinsize(rustix::stdio::stdout()))
        .ok()?;
    Some(ConsoleSize { height: size.ws_row, width: size.ws_col })
}
