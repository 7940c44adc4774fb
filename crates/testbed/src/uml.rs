//! Another kernel with other control groups: User Mode Linux.
//!
//! It is the kernel as a program. It boots in seconds with the machine's files as its root, read-only, and a script as
//! its init, which mounts what it needs inside that kernel alone. What it prints on its console is the result.

use crate::fixture;
use crate::{Need, Scratch, debian_with_systemd};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program that is the kernel: Debian's `user-mode-linux`.
pub const KERNEL: &str = "/usr/bin/linux.uml";

/// How long one may run.
const WITHIN: Duration = Duration::from_secs(240);

/// Mounts cgroup v2 alone.
pub const V2: &str = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";

/// Mounts v1 as distributions with systemd did: two controllers on one hierarchy, a named one, no v2.
pub const V1: &str = "mount -t tmpfs tmpfs /sys/fs/cgroup && cd /sys/fs/cgroup
for controllers in cpu,cpuacct memory pids devices freezer blkio net_cls; do
    mkdir $controllers && mount -t cgroup -o $controllers cgroup $controllers
done
ln -s cpu,cpuacct cpu && ln -s cpu,cpuacct cpuacct
mkdir systemd && mount -t cgroup -o none,name=systemd cgroup systemd
cd /";

/// Set for tests that run inside.
const INSIDE: &str = "CUDDY_TEST_IN_UML";

/// Whether this process runs in such a kernel, as one of the tests that [`again`] runs there.
#[must_use]
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the tests of this program again, in a kernel with these control groups, one after the other. What is given back is
/// the console, with a line for each test; those that this kernel cannot run are `ignored` in it, with the reason.
///
/// # Errors
/// The kernel cannot be booted, or not all of the tests passed; then the error is the console.
pub fn again(layout: &str) -> Result<String, Box<dyn std::error::Error>> {
    let program = std::env::current_exe()?;
    let script = format!(
        "mount -t tmpfs tmpfs /mnt && export TMPDIR=/mnt\n\
         {INSIDE}=1 exec {} --test-threads=1 --color=never",
        program.display()
    );
    let console = boot(layout, &script)?;
    match console.lines().find(|line| line.starts_with("test result: ")) {
        Some(line) if line.contains(" 0 failed") && !line.contains(" 0 passed") => Ok(console),
        _ => Err(console.into()),
    }
}

/// Boots a kernel with `/proc`, `/sys` and the control groups that `layout` mounts ([`V1`], [`V2`]), runs `script` in it
/// as a shell, and gives back all that was on the console. There is an empty disk of 8 MiB, `/dev/ubda`.
///
/// # Errors
/// The kernel cannot be started, or has not ended within four minutes.
pub fn boot(layout: &str, script: &str) -> Result<String, Box<dyn std::error::Error>> {
    let place = Scratch::new();
    let init = place.path().join("init");
    fs::write(
        &init,
        format!(
            "#!/bin/sh\n\
             export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n\
             mount -t proc proc /proc && mount -t sysfs sysfs /sys\n\
             {layout}\n\
             (\n{script}\n)\n\
             echo o > /proc/sysrq-trigger\n\
             read forever < /dev/zero\n"
        ),
    )?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
    let args = ["rootflags=/".to_owned(), format!("init={}", init.display())];
    Kernel::start(place.path(), &args)?.console()
}

/// Which control groups a systemd makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// v2 alone, as it does by itself.
    Unified,
    /// v1 with a v2 tree beside.
    Hybrid,
}

/// What [`boot_systemd`] needs.
#[must_use]
pub fn needs_of_systemd() -> Vec<Need> {
    [Need::Root, Need::Path(KERNEL)].into_iter().chain(fixture::needs_of_systemd()).collect()
}

/// Boots a kernel with a Debian that systemd runs ([`debian_with_systemd`]), in which `script` is a service, as a shell, and
/// gives back all that was on the console. The files of this machine are below `/mnt` there. There is an empty disk of
/// 8 MiB, `/dev/ubda`.
///
/// # Errors
/// As for [`boot`].
pub fn boot_systemd(hierarchy: Hierarchy, script: &str) -> Result<String, Box<dyn std::error::Error>> {
    let tree = debian_with_systemd();
    let place = Scratch::new();
    let path = place.path().join("script");
    fs::write(&path, script)?;
    let mut args = vec![
        format!("rootflags={}", tree.display()),
        format!("systemd.unit={}", fixture::TEST_UNIT),
        format!("cuddy.script={}", path.display()),
        "systemd.show_status=0".to_owned(),
    ];
    if hierarchy == Hierarchy::Hybrid {
        args.push("systemd.unified_cgroup_hierarchy=0".to_owned());
    }
    Kernel::start(place.path(), &args)?.console()
}

/// A kernel that ends with the test, with all of its processes: they are in a process group of their own.
struct Kernel(Child);

impl Kernel {
    fn start(place: &Path, args: &[String]) -> std::io::Result<Self> {
        fs::File::create_new(place.join("disk"))?.set_len(8 << 20)?;
        let child = Command::new(KERNEL)
            .args(["mem=512M", "rootfstype=hostfs", "ro", "con0=fd:0,fd:1", "con=null", "quiet"])
            .arg(format!("uml_dir={}", place.display()))
            .arg(format!("ubd0={}", place.join("disk").display()))
            .args(args)
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
        let late = self.0.try_wait()?.is_none();
        self.end();
        if late {
            return Err(format!("{KERNEL} was not done within {WITHIN:?}").into());
        }
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
