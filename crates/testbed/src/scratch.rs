//! Directories for one test.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};

/// A new directory, removed when dropped.
///
/// A failed container may have left mounts in it, perhaps of the host's own directories: all that is mounted below is let
/// go before anything is removed, and if that does not work nothing is.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An empty directory in the machine's place for temporary files, with "cuddy" in its name.
    pub fn new() -> Scratch {
        let dir = tempfile::Builder::new().prefix("cuddy-test-").tempdir().expect("a temporary directory");
        let path = fs::canonicalize(dir.keep()).expect("a path of a directory that was just made");
        Scratch { path }
    }

    /// Its path, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn remove(&self) -> io::Result<()> {
        for point in mounts_below(&self.path)?.iter().rev() {
            unmount(point, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
        }
        if let Some(left) = mounts_below(&self.path)?.first() {
            return Err(io::Error::other(format!("{} is still a mount", left.display())));
        }
        fs::remove_dir_all(&self.path)
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("testbed: {} is left behind: {error}", self.path.display());
        }
    }
}

/// Mount points at or below a directory, in the order in which they were mounted.
fn mounts_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    Ok(points.filter(|point| point.starts_with(dir)).collect())
}
