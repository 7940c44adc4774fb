//! Raw mode, and the way back from it.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::termios::{self, OptionalActions, Termios};
use std::io;
use std::sync::{Mutex, Once, TryLockError};

/// The terminal that is in raw mode now, and how it was before.
///
/// It is here and not in [`RawMode`] for the sake of a panic: the release build aborts on one, so nothing is
/// dropped, but the panic hook runs.
static CHANGED: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

static HOOK: Once = Once::new();

/// A terminal in raw mode, termios(3) `cfmakeraw`: every byte passes, nothing is echoed or interpreted.
/// Dropping this puts the terminal back; so does a panic. There is one at a time.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Puts `terminal` into raw mode.
    ///
    /// # Errors
    /// It is no terminal, or is gone.
    pub fn enter(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let kept = rustix::io::fcntl_dupfd_cloexec(terminal, 0)?;
        HOOK.call_once(|| {
            let earlier = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                earlier(panic);
            }));
        });
        let mut raw = before.clone();
        raw.make_raw();
        *CHANGED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((kept, before));
        let mode = Self(());
        termios::tcsetattr(terminal, OptionalActions::Now, &raw)?;
        Ok(mode)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back, if it is in raw mode.
fn restore() {
    let mut changed = match CHANGED.try_lock() {
        Ok(changed) => changed,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // The panic happened while the lock was held, between two assignments that cannot panic.
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some((terminal, before)) = changed.take() {
        // A terminal that was closed in the meantime has no mode to be put back.
        let _ = termios::tcsetattr(terminal.as_fd(), OptionalActions::Now, &before);
    }
}
