//! Bundles: a root file system and a configuration.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use probe::{Report, Verdict};
use serde_json::{Value, json};

use crate::{Container, Done, Scratch, binary, config, run};

/// An OCI bundle in a directory of its own.
pub struct Bundle {
    scratch: Scratch,
    config: Value,
}

impl Bundle {
    /// A root file system with BusyBox (every applet by its name in `/bin`) and the probe as `/bin/probe`. It runs `sh`.
    ///
    /// # Panics
    /// If `busybox` is not installed ([`Need::Program`](crate::Need::Program)) or is not static.
    pub fn busybox() -> Bundle {
        let bundle = Bundle::with(&["sh"]);
        let bin = bundle.rootfs().join("bin");
        let busybox = find_busybox();
        copy_program(&busybox, &bin.join("busybox"));
        let applets = Command::new(&busybox).arg("--list").output().expect("busybox --list");
        for applet in String::from_utf8_lossy(&applets.stdout).lines().filter(|name| *name != "busybox") {
            symlink("busybox", bin.join(applet)).expect("a link to busybox");
        }
        bundle
    }

    /// A root file system with nothing but the probe as `/bin/probe`, which it runs.
    ///
    /// # Panics
    /// If the probe has not been built; see [`binary`].
    pub fn probe() -> Bundle {
        Bundle::with(&["/bin/probe"])
    }

    fn with(args: &[&str]) -> Bundle {
        let bundle = Bundle { scratch: Scratch::new(), config: config::standard(args) };
        let root = bundle.rootfs();
        for dir in ["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr", "var"] {
            fs::create_dir_all(root.join(dir)).expect("a directory of the root file system");
        }
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("chmod 1777 tmp");
        let files = [
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n"),
            ("etc/group", "root:x:0:\ntty:x:5:\nusers:x:100:user\nuser:x:1000:\n"),
            ("etc/hostname", "rootfs\n"),
        ];
        for (path, text) in files {
            fs::write(root.join(path), text).expect("a file of the root file system");
        }
        copy_program(&binary("probe"), &root.join("bin/probe"));
        bundle.save();
        bundle
    }

    /// The bundle's directory, which has `config.json` in it.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// The root file system.
    pub fn rootfs(&self) -> PathBuf {
        self.path().join("rootfs")
    }

    /// The configuration as it stands on disk.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Changes the configuration and writes it.
    ///
    /// ```no_run
    /// # use serde_json::json;
    /// # let mut bundle = testbed::Bundle::busybox();
    /// bundle.edit(|config| config["process"]["args"] = json!(["cat", "/proc/self/status"]));
    /// ```
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) -> &mut Bundle {
        change(&mut self.config);
        self.save();
        self
    }

    /// Changes the command that is run.
    pub fn args(&mut self, args: &[&str]) -> &mut Bundle {
        self.edit(|config| config["process"]["args"] = json!(args))
    }

    fn save(&self) {
        let text = serde_json::to_vec_pretty(&self.config).expect("JSON has only text as keys");
        fs::write(self.path().join("config.json"), text).expect("a configuration in the bundle");
    }

    /// `cuddy-oci run` of this bundle to its end, under a new name.
    pub fn run(&self) -> Done {
        let container = Container::new();
        run(container.command(&["run", "--bundle"]).arg(self.path()).arg(container.id()))
    }

    /// Runs the probe in a container of this bundle and returns what it saw.
    ///
    /// # Panics
    /// If the container did not run.
    pub fn report(&mut self) -> Report {
        self.args(&["/bin/probe"]);
        self.run().ok().json()
    }

    /// Lets the probe make an attempt in a container of this bundle: `bundle.attempt(&["try-write", "/etc/passwd"])`.
    ///
    /// # Panics
    /// If the container did not run.
    pub fn attempt(&mut self, attempt: &[&str]) -> Verdict {
        self.args(&[&["/bin/probe"], attempt].concat());
        self.run().ok().json()
    }
}

/// Copies a program, with its mode, and leaves nobody who could still have it open for writing.
///
/// A copy made in this process is open for a moment in every process that another test starts meanwhile, and cannot be
/// executed while it is (`ETXTBSY`, execve(2)).
///
/// # Panics
/// If it cannot be copied.
pub fn copy_program(from: &Path, to: &Path) {
    run(Command::new("cp").arg("--reflink=auto").arg(from).arg(to)).ok();
}

/// Debian has had it in both places.
pub(crate) fn find_busybox() -> PathBuf {
    let places = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from);
    places.into_iter().find(|path| path.is_file()).expect("busybox: apt-get install busybox-static")
}
