//! The modification times of directories, which can be set only when nothing is put into them any more.
//!
//! They wait in a file and not in memory, whose size an archive must not choose. Each record is a path,
//! a NUL, seconds, a space, nanoseconds and a line feed.

use crate::pax::Time;
use rustix::fd::AsFd;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

/// Directories with the time that each is to have, in the order of the archive.
pub(crate) struct DirectoryTimes(BufWriter<File>);

impl DirectoryTimes {
    /// An empty list, kept in a file in `work` that has no name.
    pub(crate) fn new(work: impl AsFd) -> Result<Self, Errno> {
        const NAME: &str = "times";
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&work, NAME, flags, Mode::RUSR | Mode::WUSR)?;
        rustix::fs::unlinkat(&work, NAME, AtFlags::empty())?;
        Ok(Self(BufWriter::new(File::from(file))))
    }

    /// Remembers the time of the directory `path`, which contains no NUL.
    pub(crate) fn push(&mut self, path: &[u8], time: Time) -> io::Result<()> {
        self.0.write_all(path)?;
        writeln!(self.0, "\0{} {}", time.seconds, time.nanoseconds)
    }

    /// Ends the list and gives it back from its start.
    pub(crate) fn into_records(self) -> io::Result<Records> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Records(BufReader::new(file)))
    }
}

/// The list, read from its start.
pub(crate) struct Records(BufReader<File>);

impl Iterator for Records {
    type Item = io::Result<(Vec<u8>, Time)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl Records {
    fn read(&mut self) -> io::Result<Option<(Vec<u8>, Time)>> {
        let (mut path, mut time) = (Vec::new(), String::new());
        if self.0.read_until(0, &mut path)? == 0 {
            return Ok(None);
        }
        path.pop();
        self.0.read_line(&mut time)?;
        let parsed = time.trim_end().split_once(' ').and_then(|(seconds, nanoseconds)| {
            Some(Time { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok()? })
        });
        parsed.map(|time| Some((path, time))).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// What utimensat(2) is to set: the modification time alone.
pub(crate) fn modification(time: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_comes_back_in_order() {
        let base = tempfile::tempdir().unwrap();
        let mut list = DirectoryTimes::new(File::open(base.path()).unwrap()).unwrap();
        let records = [(&b""[..], -3, 0), (b"a\nb\xff", i64::MAX, 999_999_999)];
        for (path, seconds, nanoseconds) in records {
            list.push(path, Time { seconds, nanoseconds }).unwrap();
        }
        let back: Vec<_> = list.into_records().unwrap().map(Result::unwrap).collect();
        let expect =
            records.map(|(path, seconds, nanoseconds)| (path.to_vec(), Time { seconds, nanoseconds }));
        assert_eq!(back, expect);
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
