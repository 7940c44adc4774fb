//! Attempts on files.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use lexopt::Error;
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat};
use serde_json::{Value, json};

use super::{Outcome, flags};
use crate::errno;

/// How much of a file is read.
const ENOUGH: u64 = 4096;

/// Reads the first bytes. The detail is the text.
pub fn read(path: &str) -> Outcome {
    let mut text = Vec::new();
    File::open(path)?.take(ENOUGH).read_to_end(&mut text)?;
    Ok(json!(String::from_utf8_lossy(&text)))
}

/// Appends a line, creating the file if it is not there.
pub fn write(path: &str) -> Outcome {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(b"written by the probe\n")?;
    Ok(Value::Null)
}

/// Writes a value in one write(2), as files of the kernel want it.
pub fn write_value(path: &str, value: &str) -> Outcome {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())?;
    Ok(Value::Null)
}

/// Writes to a file what it has: the right to change it, without a change. The detail is the text.
pub fn rewrite(path: &str) -> Outcome {
    let mut text = Vec::new();
    File::open(path)?.take(ENOUGH).read_to_end(&mut text)?;
    // A write of nothing is none to the kernel.
    let written = if text.is_empty() { b"\n".as_slice() } else { &text };
    OpenOptions::new().write(true).open(path)?.write_all(written)?;
    Ok(json!(String::from_utf8_lossy(&text)))
}

/// Connects to a socket: a path, or `@` and a name of the abstract name space (unix(7)).
pub fn connect(address: &str) -> Outcome {
    let address = match address.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    UnixStream::connect_addr(&address)?;
    Ok(Value::Null)
}

/// Listens on a TCP port of this machine.
pub fn bind_tcp(port: u16) -> Outcome {
    TcpListener::bind(("127.0.0.1", port))?;
    Ok(Value::Null)
}

/// Connects to a TCP port of this machine.
pub fn connect_tcp(port: u16) -> Outcome {
    TcpStream::connect(("127.0.0.1", port))?;
    Ok(Value::Null)
}

/// open(2) with these flags.
pub fn open(path: &str, names: &str) -> Result<Outcome, Error> {
    const TABLE: [(&str, OFlags); 10] = [
        ("rdonly", OFlags::RDONLY),
        ("wronly", OFlags::WRONLY),
        ("rdwr", OFlags::RDWR),
        ("append", OFlags::APPEND),
        ("creat", OFlags::CREATE),
        ("excl", OFlags::EXCL),
        ("trunc", OFlags::TRUNC),
        ("directory", OFlags::DIRECTORY),
        ("nofollow", OFlags::NOFOLLOW),
        ("path", OFlags::PATH),
    ];
    let mut how = OFlags::CLOEXEC;
    flags(names, &TABLE, |flag| how |= flag)?;
    let opened = rustix::fs::open(path, how, Mode::from_raw_mode(0o644));
    Ok(opened.map(|_| Value::Null).map_err(Into::into))
}

/// Makes a device and opens it: cgroups may allow the one and not the other. The detail is what the opening came to.
pub fn mknod(path: &str, kind: &str, major: u32, minor: u32) -> Result<Outcome, Error> {
    let kind = match kind {
        "c" => FileType::CharacterDevice,
        "b" => FileType::BlockDevice,
        other => return Err(format!("no kind of device `{other}`").into()),
    };
    let made = mknodat(CWD, path, kind, Mode::from_raw_mode(0o666), makedev(major, minor));
    Ok(made.map_err(Into::into).map(|()| match File::open(path) {
        Ok(_) => json!({ "open": "ok" }),
        Err(error) => json!({ "open": errno::name(&error) }),
    }))
}

/// Opens one file and another in turn until a third exists; the detail is how often each was opened, and how often not.
pub fn open_in_turn(allowed: &str, forbidden: &str, stop: &str) -> Result<Outcome, Error> {
    let mut counts = [[0u64; 2]; 2];
    while !std::fs::exists(stop).unwrap_or(true) {
        for (path, count) in [allowed, forbidden].into_iter().zip(&mut counts) {
            count[usize::from(File::open(path).is_err())] += 1;
        }
    }
    let [[opened, refused], [slipped, denied]] = counts;
    Ok(Ok(json!({ "opened": opened, "refused": refused, "slipped": slipped, "denied": denied })))
}
