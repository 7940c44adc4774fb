//! Word from the program that it is ready (sd_notify(3)), passed on to the service manager that waits for it.
//!
//! ```text
//!   program ── READY=1 ──▶ containers/ID/notify/inside/notify ──▶ runtime ── READY=1, MAINPID=… ──▶ NOTIFY_SOCKET
//! ```
//!
//! Not the manager's own socket: it knows its services by the cgroup of who speaks, and listens to more than a
//! container should say. `notify` is passed by root alone; the container sees `inside`, as its own mount.

use crate::{Error, Store};
use planner::Notify as Place;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use spec::ContainerId;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use sys::socket::{address, open_directory};

/// The socket's name in its directory, as in crun.
const SOCKET: &str = "notify";

/// What a program may say at once; systemd takes as much.
const LONGEST: usize = 4096;

/// A socket that the container's program writes to.
#[derive(Debug)]
pub struct Notify {
    socket: OwnedFd,
    manager: OsString,
}

fn directory(container: &Path) -> PathBuf {
    container.join("notify").join("inside")
}

impl Store {
    /// Where the socket of a container will be, on the machine and inside, and its path inside; `manager` is
    /// the address of the service manager's. Inside it is below a directory of that name, as in crun; an abstract
    /// address is no path, and then it is where runc has it.
    #[must_use]
    pub fn notify_place(&self, id: &ContainerId, manager: &OsStr) -> (Place, PathBuf) {
        let path = Path::new(manager);
        let path = if path.is_absolute() { path } else { Path::new("/run/notify") };
        let socket = path.join(SOCKET);
        (Place { directory: directory(&self.directory(id)), path: path.to_owned() }, socket)
    }
}

/// Makes the directory of the socket.
pub(crate) fn make(container: &Path) -> Result<(), Error> {
    let inside = directory(container);
    for (path, mode) in [(container.join("notify"), 0o700), (inside, 0o755)] {
        std::fs::DirBuilder::new().mode(mode).create(&path).map_err(Error::file("cannot make", &path))?;
    }
    Ok(())
}

impl Notify {
    /// Listens for a container that is about to start. `None`: it was created without.
    pub(crate) fn listen(container: &Path, manager: &OsStr) -> Result<Option<Self>, Error> {
        let place = directory(container);
        if !place.is_dir() {
            return Ok(None);
        }
        let listen = || -> io::Result<OwnedFd> {
            let directory = open_directory(&place)?;
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
            // The program may be anybody; who comes by way of the machine is stopped one directory above.
            rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(0o777))?;
            rustix::net::bind(&socket, &address(&directory, SOCKET)?)?;
            std::fs::set_permissions(
                place.join(SOCKET),
                std::os::unix::fs::PermissionsExt::from_mode(0o777),
            )?;
            Ok(socket)
        };
        let socket = listen().map_err(Error::file("cannot listen on", place.join(SOCKET)))?;
        Ok(Some(Self { socket, manager: manager.to_owned() }))
    }

    /// Waits until the program says that it is ready, or has ended, and tells the manager; `main`: the pid that the
    /// manager is to watch from then on.
    ///
    /// # Errors
    /// poll(2) fails.
    pub fn wait(&self, pidfd: BorrowedFd<'_>, main: Option<i32>) -> io::Result<()> {
        loop {
            let mut fds =
                [PollFd::new(&self.socket, PollFlags::IN), PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            let ended = !fds[1].revents().is_empty();
            if self.pass_on(main) || ended {
                return Ok(());
            }
        }
    }

    /// Reads what was said; whether it was that the program is ready.
    pub(crate) fn pass_on(&self, main: Option<i32>) -> bool {
        let mut buffer = [0; LONGEST];
        while let Ok((length, _)) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
            if buffer[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") {
                self.tell("READY=1");
                main.into_iter().for_each(|pid| self.tell(&format!("MAINPID={pid}")));
                return true;
            }
        }
        false
    }

    fn tell(&self, text: &str) {
        let address = match self.manager.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddrUnix::new_abstract_name(name),
            None => SocketAddrUnix::new(Path::new(&self.manager)),
        };
        // Where the manager is gone, nobody waits.
        let _ = address.and_then(|address| {
            let flags = SocketFlags::CLOEXEC;
            let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
            rustix::net::sendto(&socket, text.as_bytes(), SendFlags::NOSIGNAL, &address)
        });
    }
}

impl AsFd for Notify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
