//! The container's terminal, pts(4).

use crate::Slots;
use crate::failure::Error;
use plan::Slot;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, OutputModes};

const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;

/// Opens both ends. The container's files are not trusted to be a devpts, the file system itself is asked
/// (CVE-2025-52565).
pub(crate) fn open(slots: &mut Slots, (rows, columns): (u16, u16), plain_lines: bool) -> Result<(), Error> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let root = slots.get(Slot::Root)?;
    let console = sys::path::open(root, "dev/pts/ptmx", flags, Mode::empty(), resolve)?;
    if rustix::fs::fstatfs(&console)?.f_type as i64 != DEVPTS_SUPER_MAGIC {
        return Err(Error::told(Errno::NODEV, "/dev/pts of the container is not devpts; mount it there"));
    }
    rustix::pty::unlockpt(&console)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let terminal = rustix::pty::ioctl_tiocgptpeer(&console, flags)?;
    if (rows, columns) != (0, 0) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&terminal, size)?;
    }
    if plain_lines {
        let mut modes = rustix::termios::tcgetattr(&terminal)?;
        modes.output_modes.remove(OutputModes::ONLCR);
        rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    }
    slots.fill(Slot::Console, console);
    slots.fill(Slot::Terminal, terminal);
    Ok(())
}

/// Sends our end over the console socket, with a name as its data, as runc does.
pub(crate) fn send(slots: &mut Slots) -> Result<(), Error> {
    let console = slots.take(Slot::Console)?;
    sys::socket::send_descriptor(slots.take(Slot::ConsoleSocket)?, b"/dev/ptmx", console)?;
    Ok(())
}

pub(crate) fn take(slots: &mut Slots) -> Result<(), Error> {
    let terminal = slots.take(Slot::Terminal)?;
    rustix::process::ioctl_tiocsctty(&terminal)?;
    rustix::stdio::dup2_stdin(&terminal)?;
    rustix::stdio::dup2_stdout(&terminal)?;
    Ok(rustix::stdio::dup2_stderr(&terminal)?)
}
