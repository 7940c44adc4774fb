//! What the process takes from itself, landlock(7).

use crate::failure::Error;
use crate::inside::is_a_directory;
use plan::Landlock;
use plan::landlock::OF_FILES;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;
use sys::landlock::Handled;

/// The root is the container's by now, and so are the paths.
pub(crate) fn restrict(rules: &Landlock) -> Result<(), Error> {
    let handled = Handled { fs: rules.fs, net: rules.net, scopes: rules.scopes };
    let ruleset = sys::landlock::create(&handled)?;
    for (path, access) in &rules.paths {
        allow(ruleset.as_fd(), path, *access).map_err(|errno| {
            Error::told(errno, format!("{}: {}", path.display(), sys::words(&errno.into())))
        })?;
    }
    for (port, access) in &rules.ports {
        sys::landlock::allow_port(&ruleset, *port, *access)?;
    }
    Ok(sys::landlock::restrict_self(ruleset)?)
}

/// A file can have a part of the rights only, and the kernel refuses the others.
fn allow(ruleset: BorrowedFd, path: &Path, access: u64) -> Result<(), Errno> {
    let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let access = if is_a_directory(file.as_fd())? { access } else { access & OF_FILES };
    let allowed = if access == 0 { Ok(()) } else { sys::landlock::allow_below(ruleset, file, access) };
    allowed.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}
