//! A connection: calls, their answers, and the signals that come in between.

use crate::Error;
use crate::login;
use crate::message::{HEAD, Kind, Message, Method, call, length, parse};
use crate::place::Place;
use crate::read::Malformed;
use crate::write::Writer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::fs;
use std::time::{Duration, Instant};

/// How long an answer, or the end of a job, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bus itself.
const THE_BUS: Method =
    Method { destination: "org.freedesktop.DBus", interface: "org.freedesktop.DBus", name: "", takes: "" };
const BUS_OBJECT: &str = "/org/freedesktop/DBus";
/// The signal that a job has ended.
const JOB_REMOVED: &str = "JobRemoved";
/// The name of systemd's managers on a bus.
pub(crate) const SYSTEMD: &str = "org.freedesktop.systemd1";

/// A connection that is logged in.
#[derive(Debug)]
pub(crate) struct Bus {
    socket: OwnedFd,
    serial: u32,
    /// The name that the manager's messages bear, where there is a bus: anybody can send signals over it.
    manager: Option<String>,
    /// What was received and not read yet.
    bytes: Vec<u8>,
    /// Ends of jobs that were told while an answer was waited for.
    signals: Vec<Message>,
}

impl Bus {
    /// Connects and logs in; where it is a bus, finds the manager on it.
    pub(crate) fn open(place: &Place) -> Result<Self, String> {
        let socket = sys::socket::connect(place.path(), None).map_err(words)?;
        let mut bus = Self { socket, serial: 0, manager: None, bytes: Vec::new(), signals: Vec::new() };
        bus.log_in().map_err(|error| why(&error))?;
        if matches!(place, Place::Bus(_)) {
            bus.manager = Some(bus.join().map_err(|error| why(&error))?);
        }
        Ok(bus)
    }

    fn log_in(&mut self) -> Result<(), Error> {
        const WHAT: &str = "who asks";
        let uid = rustix::process::geteuid().as_raw();
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        self.send(WHAT, login::hello(login::uid_outside(uid, &map)).as_bytes())?;
        let deadline = Instant::now() + PATIENCE;
        let end = loop {
            if let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\r\n") {
                break end + 2;
            }
            if self.bytes.len() > login::LONGEST {
                return Err(broken(WHAT, "its line does not end"));
            }
            self.receive(WHAT, deadline)?;
        };
        let line: Vec<u8> = self.bytes.drain(..end).collect();
        login::accepted(&String::from_utf8_lossy(&line)).map_err(|why| broken(WHAT, why))
    }

    /// Gets a name on the bus, asks for the end of jobs, and finds the manager.
    fn join(&mut self) -> Result<String, Error> {
        const MATCH: &str = "type='signal',sender='org.freedesktop.systemd1',member='JobRemoved'";
        self.call(Method { name: "Hello", ..THE_BUS }, BUS_OBJECT, |_| ())?;
        let add = Method { name: "AddMatch", takes: "s", ..THE_BUS };
        self.call(add, BUS_OBJECT, |body| body.text(MATCH))?;
        let owner = Method { name: "GetNameOwner", takes: "s", ..THE_BUS };
        let answer = self.call(owner, BUS_OBJECT, |body| body.text(SYSTEMD))?;
        let name = answer.read("s", |reader| reader.text()).map_err(|Malformed| malformed("GetNameOwner"))?;
        Ok(name.to_owned())
    }

    /// Calls a method and waits for its answer.
    pub(crate) fn call(
        &mut self,
        method: Method,
        object: &str,
        arguments: impl FnOnce(&mut Writer),
    ) -> Result<Message, Error> {
        let mut body = Writer::default();
        arguments(&mut body);
        self.ask(method, object, &body.bytes)
    }

    fn ask(&mut self, method: Method, object: &str, body: &[u8]) -> Result<Message, Error> {
        self.serial += 1;
        self.send(method.name, &call(self.serial, method, object, body))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.next(method.name, deadline)?;
            match &message.kind {
                Kind::Answer(serial) if *serial == self.serial => return Ok(message),
                Kind::Failure(serial, name) if *serial == self.serial => {
                    let words = message.read("s", |reader| reader.text()).unwrap_or_default();
                    let (name, message) = (name.clone(), words.trim_end_matches('.').to_owned());
                    return Err(Error::Refused { what: method.name, name, message });
                }
                Kind::Signal(name) if name == JOB_REMOVED && self.is_managers(&message) => {
                    self.signals.push(message);
                }
                _ => {}
            }
        }
    }

    /// Waits for the end of a job that `wanted` makes something of; also one that was told before.
    pub(crate) fn job_removed<T>(
        &mut self,
        what: &'static str,
        wanted: impl Fn(&Message) -> Option<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut early = std::mem::take(&mut self.signals).into_iter();
        loop {
            let message = match early.next() {
                Some(message) => message,
                None => self.next(what, deadline)?,
            };
            if matches!(&message.kind, Kind::Signal(name) if name == JOB_REMOVED)
                && self.is_managers(&message)
                && let Some(found) = wanted(&message)
            {
                return Ok(found);
            }
        }
    }

    fn is_managers(&self, message: &Message) -> bool {
        self.manager.is_none() || self.manager == message.sender
    }

    /// The next message.
    fn next(&mut self, what: &'static str, deadline: Instant) -> Result<Message, Error> {
        loop {
            if let Some(head) = self.bytes.get(..HEAD) {
                let length = length(head).map_err(|Malformed| malformed(what))?;
                if self.bytes.len() >= length {
                    let message: Vec<u8> = self.bytes.drain(..length).collect();
                    return parse(&message).map_err(|Malformed| malformed(what));
                }
            }
            self.receive(what, deadline)?;
        }
    }

    /// Waits for more bytes.
    fn receive(&mut self, what: &'static str, deadline: Instant) -> Result<(), Error> {
        let mut chunk = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) => return Err(Error::Late { what, after: PATIENCE }),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(broken(what, words(errno))),
            }
            match rustix::net::recv(&self.socket, &mut chunk, RecvFlags::empty()) {
                Ok((_, 0)) => return Err(broken(what, "it closed the connection")),
                Ok((_, count)) => {
                    self.bytes.extend(&chunk[..count]);
                    return Ok(());
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(broken(what, words(errno))),
            }
        }
    }

    fn send(&mut self, what: &'static str, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            match rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(broken(what, words(errno))),
            }
        }
        Ok(())
    }
}

fn broken(what: &'static str, why: impl Into<String>) -> Error {
    Error::Broken { what, why: why.into() }
}

pub(crate) fn malformed(what: &'static str) -> Error {
    broken(what, "what it says is not in the form of the D-Bus specification")
}

/// The cause alone, to be told with the place.
fn why(error: &Error) -> String {
    match error {
        Error::Broken { why, .. } => why.clone(),
        Error::Refused { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

fn words(errno: Errno) -> String {
    sys::words(&errno.into())
}
