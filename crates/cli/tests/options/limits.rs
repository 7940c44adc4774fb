//! Cgroups: where they are, and their files.

use std::fs;
use std::os::linux::fs::MetadataExt;
use std::path::PathBuf;

use testbed::{Need, Trial, trial};

use crate::common::{Home, Rootfs, words};
use crate::with_busybox;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = CGROUP.iter().map(cgroup_row).collect();
    trials.push(with_busybox("a container is put below the given cgroup", cgroup_parent));
    let disk = DISKS.into_iter().find(|disk| fs::exists(disk).unwrap_or(false)).unwrap_or(DISKS[0]);
    let needs = [Need::Root, Need::Program("busybox"), Need::Controller("blkio"), Need::Path(disk)];
    trials.push(trial("rates of a disk are in the container's cgroup", needs, || device_rates(disk)));
    trials
}

/// An option; the controller; the file and the value of version 1, and those of version 2.
type Setting = (&'static str, &'static str, (&'static str, &'static str), (&'static str, &'static str));

const CGROUP: [Setting; 11] = [
    ("--memory 64m", "memory", ("memory.limit_in_bytes", "67108864"), ("memory.max", "67108864")),
    (
        "--memory 64m --memory-swap 64m",
        "memory",
        ("memory.memsw.limit_in_bytes", "67108864"),
        ("memory.swap.max", "0"),
    ),
    ("--memory 64m", "memory", ("memory.memsw.limit_in_bytes", "134217728"), ("memory.swap.max", "67108864")),
    (
        "--memory-reservation 32m",
        "memory",
        ("memory.soft_limit_in_bytes", "33554432"),
        ("memory.low", "33554432"),
    ),
    ("--cpus 0.5", "cpu", ("cpu.cfs_quota_us", "50000"), ("cpu.max", "50000 100000")),
    ("--cpu-shares 512", "cpu", ("cpu.shares", "512"), ("cpu.weight", "20")),
    ("--cpuset-cpus 0", "cpuset", ("cpuset.cpus", "0"), ("cpuset.cpus", "0")),
    ("--cpuset-mems 0", "cpuset", ("cpuset.mems", "0"), ("cpuset.mems", "0")),
    ("--pids-limit 7", "pids", ("pids.max", "7"), ("pids.max", "7")),
    ("--pids-limit -1", "pids", ("pids.max", "max"), ("pids.max", "max")),
    ("--blkio-weight 300", "blkio", ("blkio.bfq.weight", "300"), ("io.bfq.weight", "default 300")),
];

fn cgroup_row((options, controller, v1, v2): &'static Setting) -> Trial {
    let needs = [Need::Root, Need::Program("busybox"), Need::Controller(controller)];
    trial(&format!("[{options}] {}", v1.0), needs, move || {
        let (home, rootfs) = (Home::new(), Rootfs::new());
        let running = home.start([words(options), vec![rootfs.text()]].concat());
        let cgroup = running.cgroup(controller);
        let (file, value) = if cgroup.join(v1.0).exists() { v1 } else { v2 };
        let found = fs::read_to_string(cgroup.join(file)).expect(file);
        assert_eq!(found.trim(), *value, "{}/{file}", cgroup.display());
        assert!(
            fs::read_to_string(cgroup.join("cgroup.procs")).unwrap().contains(&running.pid().to_string())
        );
    })
}

/// One of these is on most machines.
const DISKS: [&str; 4] = ["/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0"];

fn device_rates(disk: &str) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let number = fs::metadata(disk).unwrap().st_rdev();
    let number = format!("{}:{}", rustix::fs::major(number), rustix::fs::minor(number));
    let read = format!("--device-read-bps={disk}:1mb");
    let write = format!("--device-write-bps={disk}:2mb");
    let running = home.start([&read, &write, &rootfs.text()]);
    let cgroup = running.cgroup("blkio");
    let text = |file: &str| fs::read_to_string(cgroup.join(file)).unwrap_or_default();
    let all =
        text("blkio.throttle.read_bps_device") + &text("blkio.throttle.write_bps_device") + &text("io.max");
    let v1 = format!("{number} 1048576\n{number} 2097152\n");
    let v2 = format!("{number} rbps=1048576 wbps=2097152 riops=max wiops=max\n");
    assert!(all == v1 || all == v2, "{all}");
}

/// A cgroup in every hierarchy, as somebody makes one for a group of containers.
struct Site(Vec<PathBuf>);

impl Site {
    fn new(name: &str) -> Site {
        let top = PathBuf::from("/sys/fs/cgroup");
        let mut hierarchies = vec![top.clone()];
        if !top.join("cgroup.procs").exists() {
            let entries = fs::read_dir(&top).unwrap().flatten().map(|entry| entry.path());
            hierarchies =
                entries.filter(|path| path.join("cgroup.procs").exists() && !path.is_symlink()).collect();
        }
        let site = Site(hierarchies.into_iter().map(|hierarchy| hierarchy.join(name)).collect());
        site.0.iter().for_each(|dir| fs::create_dir(dir).unwrap());
        site
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for dir in &self.0 {
            // A container of a failed test may be in it; the machine's comparison tells.
            let _ = fs::remove_dir(dir);
        }
    }
}

fn cgroup_parent() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let parent = home.name();
    let _site = Site::new(&parent);
    let running = home.start(["--cgroup-parent", &format!("/{parent}"), &rootfs.text()]);
    for controller in ["memory", "cpu", "pids"] {
        let cgroup = running.cgroup(controller);
        assert_eq!(
            cgroup.parent().and_then(|above| above.file_name()),
            Some(parent.as_ref()),
            "{controller}"
        );
        let members = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap();
        assert!(members.contains(&running.pid().to_string()), "{members}");
    }
}
