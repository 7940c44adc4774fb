//! Ways out that naive jails leave open. `ok` means that the host was reached.
//!
//! The marker is a path that exists on the host, from its root, and not in the container.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use rustix::process::{chdir, chroot, fchdir};
use serde_json::{Map, Value, json};

use super::{Failure, Outcome};
use crate::errno;

/// More than any test nests directories.
const UP: usize = 64;

/// mkdir, chroot into it with the working directory outside, and `..` until the root of the mount namespace.
///
/// chroot(2) does not change the working directory, and `..` stops only at the root directory, which is now below it.
pub fn by_chroot(marker: &str) -> Outcome {
    let outside = File::open("/")?;
    let jail = make_directory()?;
    let jailed = chroot(&jail);
    // The jail has done its part; it need not have a name any more.
    unlinkat(&outside, jail.strip_prefix("/").unwrap_or(&jail), AtFlags::REMOVEDIR)?;
    jailed?;
    fchdir(&outside)?;
    for _ in 0..UP {
        chdir("..")?;
    }
    chroot(".")?;
    fs::symlink_metadata(marker)?;
    let names: io::Result<Vec<_>> = fs::read_dir("/")?.map(|entry| Ok(entry?.file_name())).collect();
    Ok(json!({ "root": names?.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>() }))
}

/// A new directory in the first place where one can be made.
fn make_directory() -> io::Result<PathBuf> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for place in ["/", "/tmp", "/run", "/dev/shm", "/dev"] {
        let dir = Path::new(place).join(format!("probe-jail-{}", std::process::id()));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The marker by way of each open directory and of the working directory: `/proc/self/fd/N/../../…`. The detail has what
/// each came to.
pub fn by_descriptor(marker: &str) -> Outcome {
    let relative = marker.trim_start_matches('/');
    let mut tried = Map::new();
    let mut starts = vec![("cwd".to_owned(), PathBuf::from("."))];
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        starts.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    for (name, start) in starts.into_iter().filter(|(_, start)| start.is_dir()) {
        let outcome = match File::open(start.join("../".repeat(UP)).join(relative)) {
            Ok(_) => "ok".to_owned(),
            Err(error) => errno::name(&error),
        };
        tried.insert(name, json!(outcome));
    }
    judge(tried.values().any(|outcome| outcome == "ok"), tried, Errno::NOENT)
}

/// Opens the programs of the processes it sees for writing (CVE-2019-5736). The detail has what each came to.
///
/// A program that runs cannot be written, `ETXTBSY`: the attack then waits for its end. A container is safe when the link
/// leads to a file that no host path shares, which `target` tells, or when the mount refuses: `EROFS`, `EACCES`.
pub fn by_executable() -> Outcome {
    let mut tried = Map::new();
    let mut opened = false;
    for link in ["/proc/self/exe", "/proc/1/exe"] {
        let target = fs::read_link(link).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let outcome = match OpenOptions::new().write(true).open(link) {
            Ok(_) => "ok".to_owned(),
            Err(error) => errno::name(&error),
        };
        opened |= outcome == "ok";
        tried.insert(link.to_owned(), json!({ "target": target, "write": outcome }));
    }
    judge(opened, tried, Errno::ACCESS)
}

/// An attempt that was made in several ways, of which one is enough.
fn judge(succeeded: bool, tried: Map<String, Value>, otherwise: Errno) -> Outcome {
    let detail = Value::from(tried);
    if succeeded { Ok(detail) } else { Err(Failure { error: otherwise.into(), detail }) }
}
