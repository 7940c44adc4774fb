//! A disk for one test.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Scratch, run};

/// A block device over a file (loop(4)), with `mq-deadline`, `bfq` or whatever the machine gives it as its scheduler. It is
/// detached when dropped.
pub struct LoopDevice {
    path: PathBuf,
    // Dropped after the device is detached.
    _file: Scratch,
}

impl LoopDevice {
    /// An empty disk of so many bytes.
    ///
    /// # Panics
    /// If there is none to be had ([`Need::Path`](crate::Need::Path) `/dev/loop-control`, and `losetup`).
    pub fn new(bytes: u64) -> LoopDevice {
        let scratch = Scratch::new();
        let file = scratch.path().join("disk");
        File::create_new(&file).and_then(|file| file.set_len(bytes)).expect("a file in a directory of ours");
        let done = run(Command::new("losetup").args(["--find", "--show"]).arg(&file)).ok();
        LoopDevice { path: done.stdout.trim().into(), _file: scratch }
    }

    /// `/dev/loopN`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Major and minor number.
    ///
    /// # Panics
    /// If the device is gone.
    pub fn number(&self) -> (u32, u32) {
        let device = fs::metadata(&self.path).expect("the device is there").rdev();
        (rustix::fs::major(device), rustix::fs::minor(device))
    }

    /// Gives it another I/O scheduler; whether the kernel has that.
    ///
    /// # Panics
    /// If the device has a strange name.
    pub fn schedule_by(&self, scheduler: &str) -> bool {
        let name = self.path.file_name().and_then(|name| name.to_str()).expect("a name like loop0");
        fs::write(format!("/sys/block/{name}/queue/scheduler"), scheduler).is_ok()
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // A container that still has it open keeps it until it ends.
        let _ = run(Command::new("losetup").arg("--detach").arg(&self.path));
    }
}
