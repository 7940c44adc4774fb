//! The console socket of a container.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use super::{Case, eventually};

/// A console socket, and the terminal that arrives on it.
pub struct Console {
    listener: UnixListener,
    pub path: String,
}

impl Console {
    pub fn new(case: &Case) -> Console {
        let path = case.bundle.path().join(format!("{}.sock", testbed::unique_name()));
        Console { listener: UnixListener::bind(&path).unwrap(), path: path.to_str().unwrap().to_owned() }
    }

    pub fn terminal(&self) -> File {
        let (stream, _) = self.listener.accept().unwrap();
        let socket = OwnedFd::from(stream);
        let mut terminal = None;
        eventually("the terminal arrives", || {
            terminal = runtime::console::receive(&socket).unwrap();
            terminal.is_some()
        });
        terminal.unwrap().into()
    }
}

/// All that comes until the last process closes the terminal, which the kernel reports as an error (EIO).
pub fn read_all(mut terminal: File) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        text.extend(&buffer[..count]);
    }
    String::from_utf8_lossy(&text).into_owned()
}
