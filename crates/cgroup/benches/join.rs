//! What it takes to put a process into a group, by hierarchy and by way: `cargo bench -p cgroup --bench join`, as root.
//!
//! Medians in microseconds. Each hierarchy of the machine gets two groups of ours, between which a process goes back and
//! forth.

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use sys::clone::Process;

const TIMES: usize = 40;
const REST: std::time::Duration = std::time::Duration::from_millis(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layout = host::cgroups()?;
    let v1 = layout
        .v1
        .iter()
        .map(|v1| (v1.mount.clone(), v1.mount.join(v1.own.strip_prefix("/").unwrap_or(&v1.own))));
    let v2 = layout
        .v2
        .iter()
        .map(|v2| (v2.mount.clone(), v2.mount.join(v2.own.strip_prefix("/").unwrap_or(&v2.own))));
    println!("{:32} {:>8} {:>8} {:>8} {:>8} {:>8}", "µs", "mkdir", "other", "self", "born in", "rmdir");
    for (mount, own) in v1.chain(v2) {
        let line = Pair::new(&mount)?.measure(&own)?;
        let columns: String =
            line.iter().map(|time| format!(" {:>8}", time.map_or("-".into(), |t| t.to_string()))).collect();
        println!("{:32}{columns}", mount.display());
    }
    Ok(())
}

/// Two groups, and a process that sleeps.
struct Pair {
    groups: [PathBuf; 2],
}

impl Pair {
    fn new(mount: &Path) -> io::Result<Pair> {
        let groups = ["a", "b"].map(|name| mount.join(format!("cuddy-bench-{}-{name}", std::process::id())));
        for group in &groups {
            fs::create_dir(group)?;
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(text) = fs::read_to_string(mount.join(file)) {
                    fs::write(group.join(file), text.trim())?;
                }
            }
        }
        Ok(Pair { groups })
    }

    /// mkdir; another process by `cgroup.procs`; itself by `tasks`; a child born in it; rmdir.
    fn measure(&self, own: &Path) -> io::Result<[Option<u128>; 5]> {
        let spare = self.groups[0].with_extension("spare");
        let (mut makes, mut removes) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            makes.push(timed(|| fs::create_dir(&spare))?);
            removes.push(timed(|| fs::remove_dir(&spare))?);
        }
        let mut sleeper = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn()?;
        let pid = sleeper.id().to_string();
        let others = self.back_and_forth("cgroup.procs", &pid);
        sleeper.kill()?;
        sleeper.wait()?;
        let is_v1 = own.join("tasks").exists();
        let file = if is_v1 { "tasks" } else { "cgroup.procs" };
        let selves = self.back_and_forth(file, "0");
        fs::write(own.join(file), "0")?;
        let births = if is_v1 { None } else { Some(self.births()?) };
        let times = [Some(makes), Some(others?), Some(selves?), births, Some(removes)];
        Ok(times.map(|times| times.map(median)))
    }

    fn back_and_forth(&self, file: &str, text: &str) -> io::Result<Vec<u128>> {
        let files = self.groups.each_ref().map(|group| group.join(file));
        let turn = |turn: usize| {
            // A lock that was just taken is taken again for nothing: the kernel lets go of it after a grace period.
            std::thread::sleep(REST);
            timed(|| write(&files[turn % 2], text))
        };
        (0..TIMES).map(turn).collect()
    }

    /// Until clone3(2) has returned.
    fn births(&self) -> io::Result<Vec<u128>> {
        let group = fs::File::open(&self.groups[0])?;
        let birth = |_| {
            let begun = Instant::now();
            match sys::clone::clone(0, Some(group.as_fd()))? {
                Process::Child => sys::process::exit_now(0),
                Process::Parent { pidfd, .. } => {
                    let time = begun.elapsed().as_micros();
                    let ended = rustix::process::WaitIdOptions::EXITED;
                    rustix::process::waitid(rustix::process::WaitId::PidFd(pidfd.as_fd()), ended)?;
                    Ok(time)
                }
            }
        };
        (0..TIMES).map(birth).collect()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for group in &self.groups {
            // Whoever was in it may need a moment to be gone.
            let gone = (0..100).any(|_| {
                let gone = fs::remove_dir(group).is_ok();
                std::thread::sleep(std::time::Duration::from_millis(u64::from(!gone)));
                gone
            });
            if !gone {
                eprintln!("{} is left behind", group.display());
            }
        }
    }
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(file)?.write_all(text.as_bytes())
}

fn timed(act: impl FnOnce() -> io::Result<()>) -> io::Result<u128> {
    let begun = Instant::now();
    act()?;
    Ok(begun.elapsed().as_micros())
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}
