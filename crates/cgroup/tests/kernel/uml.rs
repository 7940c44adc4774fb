//! The same tests on other layouts of control groups, in kernels of their own: v2 alone, and v1 as distributions with
//! systemd mounted it, with two controllers on one hierarchy and a named one, without v2.
//!
//! User Mode Linux is the kernel as a program. It boots with the machine's files as its root, read-only, and a script
//! as its init that mounts what it needs (inside that kernel alone) and runs this very program. It has an empty disk
//! for the limits of disks.

use crate::scratch::Outcome;
use crate::skipped;
use libtest_mimic::Trial;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const KERNEL: &str = "/usr/bin/linux.uml";
/// Set for the tests inside.
const INSIDE: &str = "CUDDY_TEST_IN_UML";
/// How long the whole may take.
const WITHIN: Duration = Duration::from_secs(120);

const V2: &str = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";
const V1: &str = "mount -t tmpfs tmpfs /sys/fs/cgroup && cd /sys/fs/cgroup
for controllers in cpu,cpuacct memory pids devices freezer blkio; do
    mkdir $controllers && mount -t cgroup -o $controllers cgroup $controllers
done
ln -s cpu,cpuacct cpu && ln -s cpu,cpuacct cpuacct
mkdir systemd && mount -t cgroup -o none,name=systemd cgroup systemd
cd /";

pub fn trials() -> Vec<Trial> {
    if inside() {
        return vec![];
    }
    let layouts = [("v2_in_user_mode_linux", V2), ("v1_in_user_mode_linux", V1)];
    let trial = |(name, mounts): (&str, &'static str)| match Path::new(KERNEL).exists() {
        true => Trial::test(name, || Ok(boot(mounts).map_err(|e| e.to_string())?)),
        false => skipped(name, format!("no {KERNEL}: apt install user-mode-linux")),
    };
    layouts.into_iter().map(trial).collect()
}

fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Ends the kernel, if this is the init of one. Before that, the verdict is on the console.
pub fn leave() {
    if inside() {
        // Whatever comes of it: the test outside goes by the console.
        let _ = fs::write("/proc/sysrq-trigger", "o");
        std::thread::sleep(WITHIN);
    }
}

fn boot(mounts: &str) -> Outcome {
    let place = Place::new()?;
    let init = place.0.join("init");
    let program = std::env::current_exe()?;
    fs::write(
        &init,
        format!(
            "#!/bin/sh\n\
             export PATH=/usr/sbin:/usr/bin:/sbin:/bin {INSIDE}=1\n\
             mount -t proc proc /proc && mount -t sysfs sysfs /sys\n\
             {mounts}\n\
             exec {} --test-threads=1 --color=never\n",
            program.display()
        ),
    )?;
    fs::File::create_new(place.0.join("disk"))?.set_len(8 << 20)?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
    let mut kernel = Kernel::start(&place.0, &init)?;
    let console = kernel.console()?;
    let verdict = console.lines().find(|line| line.starts_with("test result: "));
    match verdict {
        Some(line) if line.contains(" 0 failed") && !line.contains(" 0 passed") => Ok(()),
        _ => Err(console.into()),
    }
}

/// A directory that ends with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> std::io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cuddy-test-uml-{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A kernel that ends with the test, with all of its processes: they are in a process group of their own.
struct Kernel(Child);

impl Kernel {
    fn start(place: &Path, init: &Path) -> std::io::Result<Self> {
        let child = Command::new(KERNEL)
            .args([
                "mem=512M",
                "rootfstype=hostfs",
                "rootflags=/",
                "ro",
                "con0=fd:0,fd:1",
                "con=null",
                "quiet",
            ])
            .arg(format!("uml_dir={}", place.display()))
            .arg(format!("ubd0={}", place.join("disk").display()))
            .arg(format!("init={}", init.display()))
            .env("TMPDIR", place)
            .current_dir(place)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// All that it prints until it ends or its time is over.
    fn console(&mut self) -> Result<String, Box<dyn std::error::Error>> {
        let mut pipe = self.0.stdout.take().ok_or("no console")?;
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let result = pipe.read_to_end(&mut bytes);
            result.map(|_| String::from_utf8_lossy(&bytes).replace('\r', ""))
        });
        let start = Instant::now();
        while self.0.try_wait()?.is_none() && start.elapsed() < WITHIN {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.end();
        Ok(reader.join().map_err(|_| "the reader of the console failed")??)
    }

    fn end(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.end();
    }
}
