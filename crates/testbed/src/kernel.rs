//! Kernels of their own, for what the machine's kernel or its control groups lack.
//!
//! Each boots in seconds with the machine's files as its root, read-only, and a script as its init, which mounts what it
//! needs inside that kernel alone. What it prints on its console is the result.

use crate::{Need, Scratch, ends_within, qemu, uml};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long one may run.
const WITHIN: Duration = Duration::from_secs(240);

/// Mounts cgroup v2 alone.
pub const V2: &str = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";

/// Mounts v1 as distributions with systemd did: two controllers on one hierarchy, a named one, no v2. What a kernel lacks is
/// left out.
pub const V1: &str = "mount -t tmpfs tmpfs /sys/fs/cgroup && cd /sys/fs/cgroup
for controllers in cpuset cpu,cpuacct memory pids devices freezer blkio net_cls,net_prio net_cls hugetlb rdma; do
    mkdir $controllers
    mount -t cgroup -o $controllers cgroup $controllers 2>/dev/null || rmdir $controllers
done
ln -s cpu,cpuacct cpu && ln -s cpu,cpuacct cpuacct
mkdir systemd && mount -t cgroup -o none,name=systemd cgroup systemd
cd /";

/// Set for tests that run inside, to the name of the kernel.
const INSIDE: &str = "CUDDY_TEST_KERNEL";

/// The kernel that this process runs in, as one of the tests that [`Kernel::again`] runs there.
#[must_use]
pub fn inside() -> Option<Kernel> {
    let name = std::env::var(INSIDE).ok()?;
    [Kernel::UserMode, Kernel::Debian].into_iter().find(|kernel| format!("{kernel:?}") == name)
}

/// A kernel that can be booted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// [User Mode Linux](uml): a kernel that is a program.
    UserMode,
    /// [Debian's own kernel](qemu) in QEMU, with all that a distribution builds.
    Debian,
}

impl Kernel {
    /// What it needs of the machine.
    #[must_use]
    pub fn needs(self) -> Vec<Need> {
        match self {
            Kernel::UserMode => uml::needs(),
            Kernel::Debian => qemu::needs(),
        }
    }

    /// The empty disk of 8 MiB that it is booted with.
    #[must_use]
    pub fn disk(self) -> &'static str {
        match self {
            Kernel::UserMode => "/dev/ubda",
            Kernel::Debian => "/dev/vda",
        }
    }

    /// Runs the tests of this program whose names have `filter` again, in a kernel with these control groups ([`V1`], [`V2`]),
    /// one after the other. What is given back is the console, with a line for each test; those that this kernel cannot run
    /// are `ignored` in it, with the reason.
    ///
    /// # Errors
    /// The kernel cannot be booted, or not all of the tests passed; then the error is the console.
    pub fn again(self, layout: &str, filter: &str) -> Result<String, Box<dyn std::error::Error>> {
        let program = std::env::current_exe()?;
        let script = format!(
            "mount -t tmpfs tmpfs /mnt && export TMPDIR=/mnt\n\
             {INSIDE}={self:?} exec {} --test-threads=1 --color=never '{filter}'",
            program.display()
        );
        let console = self.boot(layout, &script)?;
        match console.lines().find(|line| line.starts_with("test result: ")) {
            Some(line) if line.contains(" 0 failed") && !line.contains(" 0 passed") => Ok(console),
            _ => Err(console.into()),
        }
    }

    /// Boots it with `/proc`, `/sys` and the control groups that `layout` mounts, runs `script` in it as a shell, and gives
    /// back all that was on the console.
    ///
    /// # Errors
    /// The kernel cannot be started, or has not ended within four minutes.
    pub fn boot(self, layout: &str, script: &str) -> Result<String, Box<dyn std::error::Error>> {
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
        let command = match self {
            Kernel::UserMode => uml::command(place.path(), &uml::machine_as_root(&init)),
            Kernel::Debian => qemu::command(place.path(), &init),
        };
        Guest::start(place.path(), command)?.console()
    }
}

/// A kernel that runs. It ends with the test, with all of its processes: they are in a process group of their own.
pub(crate) struct Guest {
    child: Child,
    command: String,
}

impl Guest {
    /// Starts it with a new, empty [`disk`].
    pub(crate) fn start(place: &Path, mut command: Command) -> std::io::Result<Self> {
        fs::File::create_new(disk(place))?.set_len(8 << 20)?;
        command
            .current_dir(place)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Ok(Self { child: command.spawn()?, command: command.get_program().display().to_string() })
    }

    /// All that it prints until it ends or its time is over.
    pub(crate) fn console(&mut self) -> Result<String, Box<dyn std::error::Error>> {
        let mut pipe = self.child.stdout.take().ok_or("no console")?;
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let result = pipe.read_to_end(&mut bytes);
            result.map(|_| String::from_utf8_lossy(&bytes).replace('\r', ""))
        });
        let in_time = ends_within(WITHIN, &self.child);
        self.end();
        let console = reader.join().map_err(|_| "the reader of the console failed")??;
        match in_time {
            true => Ok(console),
            false => Err(format!("{} was not done within {WITHIN:?}:\n{console}", self.command).into()),
        }
    }

    fn end(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Nobody may be left in it.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.end();
    }
}

/// The file that is the kernel's disk.
pub(crate) fn disk(place: &Path) -> std::path::PathBuf {
    place.join("disk")
}
