//! What can go wrong, in words for the person who gave the archive.
//!
//! The first line of a message names the object and the cause; where there is something to do about
//! it, a second line says what.

use crate::compression::Compression;
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why an archive is not in the store. Nothing of it is left there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The archive could not be opened or looked at.
    #[error("cannot open {}: {cause}", archive.display())]
    Open {
        /// The archive.
        archive: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The archive is not a regular file.
    #[error("cannot unpack {}: it is {what}, not a file\n  {hint}", archive.display())]
    NotAFile {
        /// The archive.
        archive: PathBuf,
        /// What it is, with its article.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The archive has no bytes at all.
    #[error("cannot unpack {}: the file is empty\n  was it downloaded or written to its end?", archive.display())]
    EmptyFile {
        /// The archive.
        archive: PathBuf,
    },
    /// What is in the file, after decompression, is no tar archive.
    #[error("{}", not_tar(archive, *compression, starts_with, *known))]
    NotTar {
        /// The archive.
        archive: PathBuf,
        /// How the file is compressed.
        compression: Compression,
        /// The first bytes, printable.
        starts_with: String,
        /// What the file is instead and what to do, where that is easily told.
        known: Option<&'static str>,
    },
    /// The archive is an image in an OCI or Docker archive, not a root file system.
    #[error(
        "cannot use {} as a root file system: it is an image archive (it contains {marker})\n  \
         give a tar archive of the root file system itself, as `docker export` writes it",
        archive.display()
    )]
    ImageArchive {
        /// The archive.
        archive: PathBuf,
        /// The entry that gives it away.
        marker: &'static str,
    },
    /// Somebody wrote to the archive while it was read.
    #[error("cannot unpack {}: the file changed while it was read\n  wait until it is written, then run again", archive.display())]
    Changed {
        /// The archive.
        archive: PathBuf,
    },
    /// The archive is damaged, hostile, or asks for what cannot be had.
    #[error("cannot unpack {}: {place}{fault}", archive.display())]
    Unpack {
        /// The archive.
        archive: PathBuf,
        /// Where in the archive.
        place: Place,
        /// What is wrong there.
        fault: Fault,
    },
    /// The store itself cannot be used.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Store {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the kernel said.
        cause: io::Error,
    },
}

fn not_tar(
    archive: &std::path::Path,
    compression: Compression,
    start: &str,
    known: Option<&'static str>,
) -> String {
    let archive = archive.display();
    let inside = match compression {
        Compression::None => String::new(),
        other => format!("what is {other}-compressed in it is "),
    };
    match known {
        Some(known) => format!("cannot unpack {archive}: {inside}not a tar archive but {known}"),
        None => format!(
            "cannot unpack {archive}: {inside}not a tar archive (starts with {start})\n  \
             expected a root file system in a tar archive, plain or compressed with gzip, zstd or xz"
        ),
    }
}

/// Where in an archive something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before the first entry, or nowhere in particular.
    Archive,
    /// In this entry.
    Entry(EntryName),
    /// Between this entry and what should follow.
    After(EntryName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive => Ok(()),
            Self::Entry(name) => write!(f, "entry {name}: "),
            Self::After(name) => write!(f, "after entry {name}: "),
        }
    }
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The archive ends before its end marker, or its compressed stream before its own.
    #[error("the archive is truncated at byte {offset} of the tar stream\n  get or make it again")]
    Truncated {
        /// Bytes of the tar stream that could be read.
        offset: u64,
    },
    /// The first block is not the header of a tar archive. Becomes [`Error::NotTar`].
    #[error("not a tar archive")]
    NotTar(Vec<u8>),
    /// The decompressor refused the data.
    #[error(
        "cannot decompress the {compression} data: {cause}\n  the archive is damaged; get or make it again"
    )]
    Decompress {
        /// Which decompressor.
        compression: Compression,
        /// What it said.
        cause: io::Error,
    },
    /// The file could not be read.
    #[error("read: {0}\n  the disk or the network file system that it is on may be failing")]
    Read(io::Error),
    /// A header that no tar writes.
    #[error(
        "bad header at byte {offset} of the tar stream: {reason}\n  the archive is damaged; get or make it again"
    )]
    Header {
        /// Where the header starts in the tar stream.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive has no entries.
    #[error(
        "the archive has no entries\n  make it from a root file system, like `tar -C rootfs -cf rootfs.tar .`"
    )]
    NoEntries,
    /// An entry of a type that makes no sense in a root file system.
    #[error("entries of type '{}' are not supported\n  make the archive again with tar", _0.escape_ascii())]
    UnknownType(u8),
    /// The name, or the target of a hard link, has a `..` in it.
    #[error(
        "{what} contains '..', which could lead out of the root\n  \
         if the archive can be trusted, unpack it with tar and give the directory"
    )]
    DotDot {
        /// The name or the target.
        what: &'static str,
    },
    /// A name that no file can have.
    #[error("{0}")]
    BadName(String),
    /// A parent of the entry is there, but is no directory.
    #[error(
        "its parent {0} is not a directory (a file, or a link to nothing in the archive)\n  \
         the archive is damaged or hostile; get or make it again"
    )]
    Parent(EntryName),
    /// The entry for the root itself is not a directory.
    #[error(
        "the root of the archive is not a directory\n  make it from a root file system, like `tar -C rootfs -cf rootfs.tar .`"
    )]
    RootKind,
    /// The target of a hard link is not in the archive, or cannot be linked to.
    #[error("hard link to {target}: {reason}\n  the archive is damaged or hostile; get or make it again")]
    HardLink {
        /// What the entry says that it links to.
        target: EntryName,
        /// Why it cannot.
        reason: &'static str,
    },
    /// The archive goes over one of the [`Limits`](crate::Limits).
    #[error(
        "the archive has more than {limit} {what}, the limit for one archive\n  if it can be trusted, unpack it with tar and give the directory"
    )]
    Limit {
        /// What is counted.
        what: &'static str,
        /// How many are allowed.
        limit: u64,
    },
    /// Unpacking further would fill the store's file system.
    #[error(
        "the store's file system is full: {free} bytes are free, {keep} are kept so\n  \
         free some space, or put the store on a larger file system"
    )]
    DiskFull {
        /// Bytes that are free.
        free: u64,
        /// Bytes that stay free ([`Limits::keep_free`](crate::Limits::keep_free)).
        keep: u64,
    },
    /// A system call failed.
    #[error("{call}: {cause}{}", hint(*cause))]
    Call {
        /// The call with its arguments.
        call: String,
        /// What the kernel said.
        cause: Errno,
    },
}

impl Fault {
    pub(crate) fn call(call: impl Into<String>, cause: Errno) -> Self {
        Self::Call { call: call.into(), cause }
    }

    pub(crate) fn io(call: &'static str, cause: &io::Error) -> Self {
        Self::call(call, Errno::from_io_error(cause).unwrap_or(Errno::IO))
    }
}

/// What to do about a refusal of the kernel.
fn hint(cause: Errno) -> &'static str {
    match cause {
        Errno::NOSPC => "\n  the store's file system is out of space or inodes",
        Errno::DQUOT => "\n  the disk quota of this user is used up",
        Errno::ROFS => "\n  the store is on a file system that is mounted read-only",
        Errno::MLINK => "\n  the store's file system allows no more hard links to one file",
        Errno::FBIG => "\n  the store's file system cannot hold so large a file",
        Errno::NOSYS => "\n  cuddy needs openat2(2), Linux 5.6; the kernel or a seccomp filter refuses it",
        _ => "",
    }
}

/// The name of an entry as the archive has it: any bytes. Shown quoted, with what is not printable
/// escaped, and shortened in the middle.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryName(pub Vec<u8>);

impl EntryName {
    /// The most bytes that are shown whole.
    const SHOWN: usize = 160;
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = &self.0;
        if bytes.len() <= Self::SHOWN {
            return write!(f, "'{}'", printable(bytes));
        }
        let (head, tail) = (&bytes[..Self::SHOWN - 40], &bytes[bytes.len() - 40..]);
        write!(f, "'{}…{}' ({} bytes)", printable(head), printable(tail), bytes.len())
    }
}

impl fmt::Debug for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text with control characters and broken UTF-8 escaped, so that a name cannot speak to the terminal.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '\\' => text.extend(['\\', character]),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_control_characters() {
        let check = |name: &[u8], expect: &str| assert_eq!(EntryName(name.to_vec()).to_string(), expect);
        check(b"usr/bin", "'usr/bin'");
        check("grün".as_bytes(), "'grün'");
        check(b"a\x1b[31m\xff\n", "'a\\u{1b}[31m\\xff\\n'");
        assert!(EntryName(vec![b'a'; 5000]).to_string().len() < 200);
    }
}
