//! What is timed: each peer starts `/bin/true` in a container that its runtime makes from the same configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::workspace;

/// Every peer that can be asked for, in the order of the table.
pub const NAMES: [&str; 6] = ["floor", "cuddy-oci", "crun", "youki", "runc", "unshare"];

/// One program that starts a container and waits for its end.
pub struct Peer {
    /// Its name in the table.
    pub name: &'static str,
    program: PathBuf,
    kind: Kind,
    /// What runs in the container.
    words: &'static [&'static str],
}

enum Kind {
    /// `PROGRAM --root STATE run --bundle BUNDLE ID`
    Oci { state: PathBuf, bundle: PathBuf, config: Value },
    /// `floor ROOTFS CGROUP COMMAND`
    Floor { rootfs: PathBuf, cgroup: String },
    /// `unshare -mpfiun chroot ROOTFS COMMAND`: what a shell script would do.
    Unshare { rootfs: PathBuf },
}

impl Peer {
    /// Changes what runs in the container.
    pub fn set_words(&mut self, words: &'static [&'static str]) -> Result<()> {
        self.words = words;
        if let Kind::Oci { bundle, config, .. } = &mut self.kind {
            config["process"]["args"] = json!(words);
            fs::write(bundle.join("config.json"), serde_json::to_vec_pretty(config)?)?;
        }
        Ok(())
    }

    /// `PROGRAM --root STATE WORDS...`, of an OCI runtime.
    pub fn does(&self, words: &[&str]) -> Result<Command> {
        let Kind::Oci { state, .. } = &self.kind else { bail!("{} is no OCI runtime", self.name) };
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(state).args(words).stdin(Stdio::null());
        Ok(command)
    }

    /// The same for a new container `id`, in a cgroup of its name, that runs `program`.
    pub fn makes(&self, words: &[&str], id: &str, program: &[&str]) -> Result<Command> {
        let Kind::Oci { bundle, config, .. } = &self.kind else { bail!("{} is no OCI runtime", self.name) };
        let mut config = config.clone();
        config["process"]["args"] = json!(program);
        config["linux"]["cgroupsPath"] = json!(format!("/{id}"));
        fs::write(bundle.join("config.json"), serde_json::to_vec_pretty(&config)?)?;
        let mut command = self.does(words)?;
        command.arg("--bundle").arg(bundle).arg(id);
        Ok(command)
    }

    /// The command that starts and ends one container, `id`.
    pub fn command(&self, id: &str) -> Command {
        let mut command = Command::new(&self.program);
        match &self.kind {
            Kind::Oci { state, bundle, .. } => {
                command.arg("--root").arg(state).args(["run", "--bundle"]).arg(bundle).arg(id)
            }
            Kind::Floor { rootfs, cgroup } => command.arg(rootfs).arg(cgroup).args(self.words),
            Kind::Unshare { rootfs } => command.args(["-mpfiun", "chroot"]).arg(rootfs).args(self.words),
        };
        command.stdin(Stdio::null());
        command
    }
}

/// The files that the peers share.
pub struct Bed {
    /// Everything below is removed with it.
    pub dir: PathBuf,
    /// The cgroups and containers of this run begin with this name.
    pub prefix: String,
    /// `runc spec`'s configuration, changed as [`configuration`] says.
    config: Value,
}

impl Bed {
    /// Lays out a BusyBox root file system and the configuration in `dir`, which is empty.
    pub fn new(dir: &Path, prefix: String) -> Result<Bed> {
        let bed = Bed { dir: dir.to_owned(), prefix, config: configuration(dir)? };
        for name in ["bin", "proc", "sys", "dev", "etc", "tmp"] {
            fs::create_dir_all(bed.rootfs().join(name))?;
        }
        let busybox =
            ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|path| path.exists());
        let busybox = busybox.context("no busybox: apt-get install busybox-static")?;
        fs::copy(busybox, bed.rootfs().join("bin/busybox"))?;
        for applet in ["sh", "sleep", "true"] {
            std::os::unix::fs::symlink("busybox", bed.rootfs().join("bin").join(applet))?;
        }
        Ok(bed)
    }

    fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// Prepares the peer `name` to run `/bin/true`; an error says why it cannot take part.
    pub fn peer(&self, name: &'static str) -> Result<Peer> {
        let rootfs = self.rootfs();
        let (program, kind) = match name {
            "floor" => {
                (self.compile_floor()?, Kind::Floor { rootfs, cgroup: format!("{}-floor", self.prefix) })
            }
            "unshare" => ("unshare".into(), Kind::Unshare { rootfs }),
            "cuddy-oci" => (workspace::release_binary("cuddy-oci", name)?, self.oci(name)?),
            name => (PathBuf::from(name), self.oci(name)?),
        };
        if program.components().count() == 1 {
            anyhow::ensure!(workspace::on_path(name), "it is not installed");
        }
        let mut peer = Peer { name, program, kind, words: &[] };
        peer.set_words(&["/bin/true"])?;
        Ok(peer)
    }

    /// The program without a runtime; see the head of `floor.c`.
    fn compile_floor(&self) -> Result<PathBuf> {
        let source = workspace::root().join("xtask/src/bench/floor.c");
        let program = self.dir.join("floor");
        workspace::run(Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(source))?;
        Ok(program)
    }

    /// Each runtime has its own bundle, as the bundle names the cgroup; the root file system is one for all.
    fn oci(&self, name: &str) -> Result<Kind> {
        let mut config = self.config.clone();
        config["root"]["path"] = json!(self.rootfs());
        config["linux"]["cgroupsPath"] = json!(format!("/{}-{name}", self.prefix));
        let bundle = self.dir.join(format!("bundle-{name}"));
        fs::create_dir(&bundle)?;
        Ok(Kind::Oci { state: self.dir.join(format!("state-{name}")), bundle, config })
    }
}

/// `runc spec`'s configuration without a terminal. On a host that has version 1 hierarchies, runc 1.1
/// leaves the cgroup namespace out; it is added, so that the configuration is the same everywhere.
fn configuration(dir: &Path) -> Result<Value> {
    workspace::run(Command::new("runc").args(["spec", "--bundle"]).arg(dir))?;
    let mut config: Value = serde_json::from_slice(&fs::read(dir.join("config.json"))?)?;
    config["process"]["terminal"] = json!(false);
    let namespaces = config["linux"]["namespaces"].as_array_mut().context("runc spec wrote no namespaces")?;
    if !namespaces.iter().any(|namespace| namespace["type"] == "cgroup") {
        namespaces.push(json!({ "type": "cgroup" }));
    }
    Ok(config)
}
