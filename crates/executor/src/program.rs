//! Finding the program and becoming it, with words for every way that it can fail.

use crate::failure::{Error, Kind};
use rustix::fd::BorrowedFd;
use rustix::fs::{Access, AtFlags, CWD, FileType};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;

/// Finds `name` as execvp(3) does: with a slash it is a path, without one it is looked for along `search`.
pub(crate) fn find(name: &str, search: &str) -> Result<CString, Error> {
    if name.contains('/') {
        let path = CString::new(name).map_err(|_| Errno::INVAL)?;
        return match executable(&path) {
            Ok(()) => Ok(path),
            Err(errno) => Err(missing(errno, name, None)),
        };
    }
    let mut worst = Errno::NOENT;
    for directory in search.split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        let path = CString::new(format!("{directory}/{name}")).map_err(|_| Errno::INVAL)?;
        match executable(&path) {
            Ok(()) => return Ok(path),
            Err(errno @ (Errno::ACCESS | Errno::ISDIR)) => worst = errno,
            Err(_) => {}
        }
    }
    Err(missing(worst, name, Some(search)))
}

fn executable(path: &CStr) -> Result<(), Errno> {
    let stat = rustix::fs::stat(path)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return Err(Errno::ISDIR);
    }
    rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)
}

/// Engines look for the words of runc in a failure, to tell exit code 127 from 126 and both from their own: "executable
/// file not found in $PATH", "no such file or directory", "permission denied" (podman's `getOCIRuntimeError`, moby's
/// `setExitCodeFromError`).
fn missing(errno: Errno, name: &str, search: Option<&str>) -> Error {
    let (why, hint, kind) = match (errno, search) {
        (Errno::NOENT | Errno::NOTDIR, None) => (
            "no such file or directory in the container".to_owned(),
            "check the path".to_owned(),
            Kind::NotFound,
        ),
        (Errno::NOENT | Errno::NOTDIR, Some(search)) => (
            format!("executable file not found in $PATH ({search})"),
            "check the spelling, or give its whole path".to_owned(),
            Kind::NotFound,
        ),
        (Errno::ISDIR, _) => (
            "permission denied: it is a directory".to_owned(),
            "name a program".to_owned(),
            Kind::NotExecutable,
        ),
        (Errno::ACCESS, _) => (
            "permission denied".to_owned(),
            format!("{name} must be executable for the container's user, and its file system not noexec"),
            Kind::NotExecutable,
        ),
        (errno, _) => (sys::words(&errno.into()), String::new(), Kind::NotExecutable),
    };
    Error::Told { errno: errno.raw_os_error(), why, hint, kind }
}

fn strings(texts: &[String]) -> Result<Vec<CString>, Error> {
    texts.iter().map(|text| CString::new(text.as_str()).map_err(|_| Errno::INVAL.into())).collect()
}

/// Becomes the program. Returns only with an error.
pub(crate) fn exec(program: Option<&CStr>, args: &[String], env: &[String]) -> Error {
    let (program, args, env) = match (program, strings(args), strings(env)) {
        (Some(program), Ok(args), Ok(env)) => (program, args, env),
        (None, ..) => return Error::told(Errno::NOENT, "no program was found before"),
        (_, Err(error), _) | (_, _, Err(error)) => return error,
    };
    let error = sys::exec::exec(program, &args, &env);
    diagnose(program, &error)
}

/// Becomes our own small init, which starts the program. Returns only with an error.
pub(crate) fn exec_under_init(
    cuddy: BorrowedFd,
    program: Option<&CStr>,
    args: &[String],
    env: &[String],
) -> Error {
    let Some(program) = program else { return Error::told(Errno::NOENT, "no program was found before") };
    let (args, env) = match (strings(args), strings(env)) {
        (Ok(args), Ok(env)) => (args, env),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    let mut all = vec![crate::init::NAME.to_owned(), program.to_owned()];
    all.extend(args);
    sys::exec::exec_file(cuddy, &all, &env).into()
}

/// Why execve(2) refused a program that is there and executable.
pub(crate) fn diagnose(program: &CStr, error: &io::Error) -> Error {
    let errno = Errno::from_io_error(error).unwrap_or(Errno::INVAL);
    let head = head(program);
    let (why, hint) = match errno {
        Errno::NOENT => match interpreter(&head) {
            Some(interpreter) => (
                format!("its interpreter {interpreter}: no such file or directory"),
                "install it in the root file system, or use a program that needs none".to_owned(),
            ),
            None => (
                "no such file or directory: the file itself, or what it needs to be loaded".to_owned(),
                String::new(),
            ),
        },
        Errno::NOEXEC => match machine(&head) {
            Some(machine) => (
                format!(
                    "exec format error: it is a program for {machine}, and this is {}",
                    std::env::consts::ARCH
                ),
                "use a root file system for this machine's CPU".to_owned(),
            ),
            None => (
                "exec format error: it is neither a program of this machine nor a script with a #! line"
                    .to_owned(),
                "start it through its interpreter, like `sh FILE`".to_owned(),
            ),
        },
        _ => (sys::words(error), String::new()),
    };
    let kind = if errno == Errno::NOENT { Kind::NotFound } else { Kind::NotExecutable };
    Error::Told { errno: errno.raw_os_error(), why, hint, kind }
}

/// The start of a file, as far as it can be read.
fn head(program: &CStr) -> Vec<u8> {
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(program.to_bytes()));
    let mut head = Vec::new();
    // What cannot be read cannot be told about; the errno remains.
    let _ = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    head
}

/// What a script names in its first line, or an ELF program as its loader (elf(5), `PT_INTERP`).
fn interpreter(head: &[u8]) -> Option<String> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?;
        let word = line.split(|byte| byte.is_ascii_whitespace()).find(|word| !word.is_empty())?;
        return Some(String::from_utf8_lossy(word).into_owned());
    }
    let start =
        head.windows(5).position(|window| window == b"/lib/" || window == b"/lib6" || window == b"/nix/")?;
    let text = head.get(start..)?.split(|byte| *byte == 0).next()?;
    head.starts_with(b"\x7fELF").then(|| String::from_utf8_lossy(text).into_owned())
}

/// The machine an ELF program is for, when it is another than this (elf(5), `e_machine`).
fn machine(head: &[u8]) -> Option<&'static str> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let number = u16::from_le_bytes([*head.get(18)?, *head.get(19)?]);
    let names = [
        (3, "x86"),
        (8, "mips"),
        (20, "powerpc"),
        (21, "powerpc64"),
        (22, "s390x"),
        (40, "arm"),
        (62, "x86_64"),
        (183, "aarch64"),
        (243, "riscv64"),
        (258, "loongarch64"),
    ];
    let known = names.iter().find(|(known, _)| *known == number || known.swap_bytes() == number);
    Some(known.map_or("another CPU", |(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_program_is_explained_by_its_first_bytes() {
        let elf = |machine: u16, rest: &[u8]| {
            let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
            head.extend(machine.to_le_bytes());
            head.extend(rest);
            head
        };
        let cases = [
            (b"#!/usr/bin/env python3\n".to_vec(), Some("/usr/bin/env"), None),
            (b"#! /bin/bash -e\n".to_vec(), Some("/bin/bash"), None),
            (
                elf(183, b"\0/lib/ld-linux-aarch64.so.1\0"),
                Some("/lib/ld-linux-aarch64.so.1"),
                Some("aarch64"),
            ),
            (
                elf(62, b"\0/lib64/ld-linux-x86-64.so.2\0"),
                Some("/lib64/ld-linux-x86-64.so.2"),
                Some("x86_64"),
            ),
            (b"plain text".to_vec(), None, None),
            (Vec::new(), None, None),
        ];
        for (head, loader, cpu) in cases {
            assert_eq!(interpreter(&head).as_deref(), loader);
            assert_eq!(machine(&head), cpu);
        }
    }

    #[test]
    fn a_program_is_found_along_the_path() {
        assert_eq!(find("sh", "/nowhere:/bin").unwrap().to_str(), Ok("/bin/sh"));
        for (name, errno) in
            [("no-such-program", Errno::NOENT), ("/etc", Errno::ISDIR), ("/etc/passwd", Errno::ACCESS)]
        {
            assert!(find(name, "/bin").is_err_and(|error| error.is(errno.raw_os_error())), "{name}");
        }
    }
}
