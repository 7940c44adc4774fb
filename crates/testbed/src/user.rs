//! Ordinary users, who are gone when the test is.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::binary::cache_dir;
use crate::{Scratch, binary, copy_program, run};

/// How many ids a user may map besides its own.
const SUBORDINATE: u32 = 65536;

/// A user of the machine with a home, a runtime directory, a copy of `cuddy-oci`, and ids for user namespaces. When
/// dropped, user, home and shared memory are removed.
pub struct User {
    name: String,
    /// The user's id.
    pub uid: u32,
    /// The id of the user's group.
    pub gid: u32,
    /// The first of the 65536 ids that are the user's in `/etc/subuid` and `/etc/subgid`.
    pub first: u32,
    home: Scratch,
}

impl User {
    /// A new one.
    ///
    /// # Panics
    /// If useradd(8) or usermod(8) fails; they need root.
    pub fn new() -> User {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cuddyt{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = Scratch::new();
        let held = lock();
        run(Command::new("useradd")
            .args(["--no-create-home", "--shell", "/bin/sh", "--home-dir"])
            .arg(home.path())
            .arg(&name))
        .ok();
        // From here on it is removed whatever happens.
        let mut user = User { name, uid: 0, gid: 0, first: 0, home };
        (user.uid, user.gid) = user.ids();
        user.first = user.take_subordinate();
        drop(held);
        user.make_home();
        user
    }

    fn ids(&self) -> (u32, u32) {
        let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let own = passwd.lines().map(fields).find(|fields| fields[0] == self.name).expect("the new user");
        (own[2].parse().expect("an id"), own[3].parse().expect("an id"))
    }

    /// Ids of its own, where useradd(8) has not given the user any already (login.defs(5), `SUB_UID_COUNT`).
    fn take_subordinate(&self) -> u32 {
        for (file, option) in [("/etc/subuid", "--add-subuids"), ("/etc/subgid", "--add-subgids")] {
            if subordinate(file, &self.name).is_none() {
                let first = 0x4800_0000 + self.uid % 8192 * SUBORDINATE;
                let range = format!("{first}-{}", first + SUBORDINATE - 1);
                run(Command::new("usermod").args([option, &range, &self.name])).ok();
            }
        }
        let first = subordinate("/etc/subuid", &self.name).expect("subordinate ids");
        assert_eq!(Some(first), subordinate("/etc/subgid", &self.name), "the same ids for users and groups");
        first
    }

    /// Changes the user as usermod(8) does.
    ///
    /// # Panics
    /// If that fails.
    pub fn modify(&self, options: &[&str]) {
        let _held = lock();
        run(Command::new("usermod").args(options).arg(&self.name)).ok();
    }

    fn make_home(&self) {
        let (home, runtime) = (self.home(), self.runtime_dir());
        fs::set_permissions(home, fs::Permissions::from_mode(0o755)).expect("a directory of ours");
        for (directory, mode) in [(runtime, 0o700), (home.join("bin"), 0o755)] {
            fs::create_dir(&directory).expect("a directory in a home");
            fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).expect("a directory of ours");
        }
        copy_program(&binary("cuddy-oci"), &home.join("bin/cuddy-oci"));
        self.take(home);
    }

    /// Makes the user the owner of a directory with all that is in it.
    ///
    /// # Panics
    /// If that fails.
    pub fn take(&self, path: &Path) {
        run(Command::new("chown")
            .args(["--recursive", "--no-dereference", &format!("{}:{}", self.uid, self.gid)])
            .arg(path))
        .ok();
        chown(path, Some(self.uid), Some(self.gid)).expect("root gives away what it likes");
    }

    /// POSIX shared memory outlives who made it: podman keeps its locks there (shm_overview(7)).
    fn remove_shared_memory(&self) {
        let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        let own = entries.filter(|entry| entry.metadata().is_ok_and(|made| made.uid() == self.uid));
        for entry in own {
            if let Err(error) = fs::remove_file(entry.path()) {
                eprintln!("testbed: {} is left behind: {error}", entry.path().display());
            }
        }
    }

    /// The user's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// `XDG_RUNTIME_DIR`.
    pub fn runtime_dir(&self) -> PathBuf {
        self.home().join("run")
    }

    /// A command that the user types at home: an environment of its own, no other groups, nothing on standard input.
    /// setpriv(1) and env(1) are in between, so that it can be started on a [`Terminal`](crate::Terminal), too.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        let (uid, gid) = (format!("--reuid={}", self.uid), format!("--regid={}", self.gid));
        command.args([&uid, &gid, "--clear-groups", "env", "-i"]);
        let (home, runtime) = (self.home().display(), self.runtime_dir());
        command.args([
            format!("PATH={home}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            format!("HOME={home}"),
            format!("USER={}", self.name),
            format!("XDG_RUNTIME_DIR={}", runtime.display()),
            "TERM=xterm".to_owned(),
            program.to_owned(),
        ]);
        command.current_dir(self.home()).stdin(Stdio::null());
        command
    }
}

impl Default for User {
    fn default() -> User {
        User::new()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _held = lock();
        self.remove_shared_memory();
        // What still runs is the test's own failure; the user goes all the same.
        let gone = run(Command::new("userdel").args(["--force", &self.name]));
        if !gone.status.success() {
            eprintln!("testbed: user {} is left behind: {}", self.name, gone.stderr);
        }
    }
}

/// useradd(8) and its like give up where another one is at work, and tests are processes of their own.
fn lock() -> File {
    let dir = cache_dir();
    fs::create_dir_all(&dir).expect("a directory for fixtures in the target directory");
    let lock = File::create(dir.join("users.lock")).expect("a lock file");
    lock.lock().expect("a lock on a file of ours");
    lock
}

/// The first id of a user in subuid(5).
fn subordinate(file: &str, user: &str) -> Option<u32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(user)).then(|| fields.next()?.parse().ok())?
    })
}
