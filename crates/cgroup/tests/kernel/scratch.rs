//! A group for one test, and processes in it.

use cgroup::live::{Cgroup, inherit_cpuset, remove};
use cgroup::{Group, Setting};
use plan::facts::CgroupLayout;
use spec::Resources;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

pub type Outcome = Result<(), Box<dyn Error>>;

/// A group that ends with the test.
pub struct Scratch {
    pub group: Group,
    children: Vec<Child>,
}

impl Scratch {
    /// Makes a group with these limits in every hierarchy, by the steps of a container start.
    pub fn new(resources: &Resources) -> Result<Self, Box<dyn Error>> {
        Self::with(resources, [])
    }

    /// As [`Scratch::new`], after these settings of groups above were written.
    pub fn with<'a>(
        resources: &Resources,
        above: impl IntoIterator<Item = &'a Setting>,
    ) -> Result<Self, Box<dyn Error>> {
        above.into_iter().try_for_each(write)?;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = format!("/cuddy-test-{}-{number}", std::process::id());
        let group = cgroup::group(resources, &layout()?, Some(&path), &"unused".parse()?)?;
        let scratch = Self { group, children: Vec::new() };
        for directory in &scratch.group.directories {
            fs::create_dir(directory)?;
        }
        for inherit in &scratch.group.inherit {
            inherit_cpuset(&inherit.directory, &inherit.mount)?;
        }
        for setting in &scratch.group.settings {
            write(setting)?;
        }
        Ok(scratch)
    }

    pub fn open(&self) -> Result<Cgroup, Box<dyn Error>> {
        Ok(Cgroup::open(&self.group.directories)?)
    }

    /// Starts a shell script in the group: the shell waits until it has joined every hierarchy.
    pub fn run(&mut self, script: &str) -> Result<&mut Child, Box<dyn Error>> {
        let joins: Vec<_> = self.group.directories.iter().map(|group| group.join("cgroup.procs")).collect();
        self.run_in(script, &joins)
    }

    /// Starts a shell script in the groups given.
    pub fn run_in(&mut self, script: &str, joins: &[impl AsRef<Path>]) -> Result<&mut Child, Box<dyn Error>> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("read joined; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let joined = joins.iter().try_for_each(|join| fs::write(join, child.id().to_string()));
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        self.children.push(child);
        joined?;
        stdin.write_all(b"\n")?;
        self.children.last_mut().ok_or_else(|| "no child".into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Ended already is ended.
            let _ = child.kill();
        }
        let ended = self.open().and_then(|group| Ok(group.kill_all()?));
        for child in &mut self.children {
            let _ = child.wait();
        }
        let removed = remove(&self.group.directories);
        if !std::thread::panicking() {
            ended.expect("the test's group is ended");
            removed.expect("the test's group is removed");
        }
    }
}

/// Which controllers the root of v2 passes on. A limit that needs one enables it, for good; the tests put it back.
pub struct Enabled(Option<(PathBuf, String)>);

impl Enabled {
    pub fn note() -> Self {
        let file = layout().ok().and_then(|layout| Some(layout.v2?.mount.join("cgroup.subtree_control")));
        Self(file.and_then(|file| Some((file.clone(), fs::read_to_string(file).ok()?))))
    }

    pub fn restore(self) {
        let Some((file, before)) = self.0 else { return };
        let after = fs::read_to_string(&file).unwrap_or_default();
        let before: Vec<_> = before.split_whitespace().collect();
        for added in after.split_whitespace().filter(|controller| !before.contains(controller)) {
            // A group that was made meanwhile may need it.
            let _ = write_file(&file, &format!("-{added}"));
        }
    }
}

/// The control groups of this machine.
pub fn layout() -> Result<CgroupLayout, host::Error> {
    host::cgroups()
}

/// Writes a setting as the executor does.
fn write(setting: &Setting) -> Result<(), Box<dyn Error>> {
    let written = match (write_file(&setting.file, &setting.value), &setting.fallback) {
        (Err(error), Some(second)) if error.kind() == io::ErrorKind::NotFound => {
            write_file(&second.file, &second.value)
        }
        (result, _) => result,
    };
    let tolerated =
        |error: &io::Error| setting.ignore.iter().any(|errno| error.raw_os_error() == Some(errno.raw()));
    match written {
        Err(error) if !tolerated(&error) => {
            Err(format!("write {:?} to {}: {error}", setting.value, setting.file.display()).into())
        }
        _ => Ok(()),
    }
}

fn write_file(file: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(file)?.write_all(text.as_bytes())
}
