//! Which file is which digest, so that an archive that has not changed need not be read again.
//!
//! The index is a cache: one small file per archive, named by the archive's device and inode, with the
//! size and times that the archive had and the digest of its bytes. A record that does not match in every
//! part, or that cannot be read, is no record.

use crate::digest::Digest;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{self, Read, Write};

/// What tells one state of a file from another. The time of change (ctime) is the kernel's alone: whoever
/// writes to the file cannot set it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    /// Bytes.
    pub size: u64,
    modified: (i64, u64),
    changed: (i64, u64),
}

impl Identity {
    pub(crate) fn of(file: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::from_stat(&rustix::fs::fstat(file)?))
    }

    fn from_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size as u64,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// A file name for the file, whatever its state: unique on this machine while the file exists.
    pub(crate) fn file_name(&self) -> String {
        format!("{:x}-{:x}", self.device, self.inode)
    }

    /// Whether a write from now on is sure to change the identity. File systems take times from a clock
    /// that ticks every few milliseconds, some round them to a second or two; a file that was changed in
    /// the present tick could be changed again without a trace.
    pub(crate) fn is_settled(&self) -> bool {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let now = (now.tv_sec, now.tv_nsec as u64);
        match self.changed {
            (seconds, 0) => seconds + 2 < now.0,
            changed => changed < now,
        }
    }

    fn record(&self, digest: &Digest) -> String {
        let Self { size, modified, changed, .. } = self;
        format!("{size} {}.{:09} {}.{:09} {digest}\n", modified.0, modified.1, changed.0, changed.1)
    }
}

/// The digest of the file with this identity, if it is known.
pub(crate) fn recall(index: impl AsFd, identity: &Identity) -> Option<Digest> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(index, identity.file_name(), flags, Mode::empty()).ok()?;
    let mut record = String::new();
    File::from(file).take(1024).read_to_string(&mut record).ok()?;
    let digest = record.trim_end().rsplit(' ').next()?.parse().ok()?;
    (record == identity.record(&digest)).then_some(digest)
}

/// Writes down the digest of the file with this identity. One caller at a time per file.
pub(crate) fn remember(index: impl AsFd, identity: &Identity, digest: &Digest) -> io::Result<()> {
    let name = identity.file_name();
    let new = format!(".new-{name}");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&index, &new, flags, Mode::RUSR | Mode::WUSR)?;
    File::from(file).write_all(identity.record(digest).as_bytes())?;
    Ok(rustix::fs::renameat(&index, new, &index, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_for_one_state_of_one_file() {
        let base = tempfile::tempdir().unwrap();
        let index = File::open(base.path()).unwrap();
        let digest = Digest::from_bytes([7; 32]);
        let identity = Identity { device: 1, inode: 2, size: 3, modified: (4, 5), changed: (-6, 7) };
        assert_eq!(recall(&index, &identity), None);
        remember(&index, &identity, &digest).unwrap();
        assert_eq!(recall(&index, &identity), Some(digest));
        for other in [
            Identity { device: 9, ..identity.clone() },
            Identity { inode: 9, ..identity.clone() },
            Identity { size: 9, ..identity.clone() },
            Identity { modified: (4, 9), ..identity.clone() },
            Identity { changed: (-9, 7), ..identity.clone() },
        ] {
            assert_eq!(recall(&index, &other), None, "{other:?}");
        }
        std::fs::write(base.path().join(identity.file_name()), "3 4.0").unwrap();
        assert_eq!(recall(&index, &identity), None);
    }
}
