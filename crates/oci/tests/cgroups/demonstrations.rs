//! The classic demonstrations: each limit does what it says, by what the kernel counts.

use crate::group::{Groups, usage};
use crate::needs;
use crate::support::{Case, eventually};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Instant;
use testbed::{Kernel, LoopDevice, Need, Trial, run, trial};

const MIB: u64 = 1 << 20;

/// A device that [Debian's kernel](Kernel::Debian) has.
const RDMA: &str = "/sys/class/infiniband/rxe0";

pub fn trials() -> Vec<Trial> {
    let block = [Need::Root, Need::Program("busybox"), Need::Controller("blkio")];
    let cpuset = needs("cpuset").into_iter().chain([Need::Processors(2)]);
    let rarer = [Need::Root, Need::Program("busybox"), Need::CgroupVersion(2), Need::Path(RDMA)];
    vec![
        trial("200 MB of memory and no swap: a hog is killed", needs("memory"), hog),
        trial("a limit of processes stops a fork loop", needs("pids"), fork_loop),
        trial("a quota of processor time holds, by the kernel's counters", needs("cpu"), quota),
        trial("a container runs on the processors of its set alone", cpuset, processors),
        trial("limits of the rarer controllers are the container's", rarer, rare),
        trial("a throttle on a disk holds", block, throttle),
        trial("a group goes with its container", [Need::Root], removal),
    ]
}

fn limited(case: &mut Case, resources: Value) {
    case.edit(|config| {
        for (name, value) in resources.as_object().expect("an object") {
            config["linux"]["resources"][name] = value.clone();
        }
    });
}

fn hog() {
    let mut case = crate::writable();
    limited(&mut case, json!({ "memory": { "limit": 200 * MIB, "swap": 200 * MIB } }));
    let script = format!("/bin/probe fill-memory {}; echo $? >/ended; exec sleep 1000", 300 * MIB);
    case.args(&["sh", "-c", &script]).detach();
    let ended = case.bundle.rootfs().join("ended");
    eventually("the hog ends", || fs::read_to_string(&ended).is_ok_and(|text| text == "137\n"));
    let (memory, groups) = (usage(&case)["memory"].clone(), Groups::of(&case));
    assert_eq!(memory["oomKills"], 1, "{memory:#}");
    assert_eq!(memory["usage"]["limit"], 200 * MIB);
    let peak = memory["usage"]["max"].as_u64().unwrap();
    assert!((190 * MIB..=200 * MIB).contains(&peak), "{memory:#}");
    // No swap: the sum is limited to the same on v1, swap itself to nothing on v2.
    if groups.has("memory.swap.max") {
        assert_eq!(groups.number(&["memory.swap.max"]), 0);
    } else if groups.has("memory.memsw.limit_in_bytes") {
        assert_eq!(groups.number(&["memory.memsw.limit_in_bytes"]), 200 * MIB);
    }
}

fn fork_loop() {
    let mut case = Case::probe();
    limited(&mut case, json!({ "pids": { "limit": 20 } }));
    let verdict = case.attempt(&["fork-many", "1000"]);
    let forks: probe::Forks = serde_json::from_value(verdict.detail).unwrap();
    assert_eq!((forks.made, forks.first_error.as_deref()), (19, Some("EAGAIN")), "with the probe: twenty");
}

fn quota() {
    const QUOTA: u64 = 20_000;
    let mut case = crate::writable();
    limited(&mut case, json!({ "cpu": { "quota": QUOTA, "period": 100_000 } }));
    case.args(&["sh", "-c", "/bin/probe burn 1.5; touch /done; exec sleep 1000"]).detach();
    let done = case.bundle.rootfs().join("done");
    eventually("it has burnt", || done.exists());
    let cpu = usage(&case)["cpu"].clone();
    let (periods, throttled) = (&cpu["throttling"]["periods"], &cpu["throttling"]["throttledPeriods"]);
    let (periods, throttled) = (periods.as_u64().unwrap(), throttled.as_u64().unwrap());
    assert!(throttled > 0 && throttled <= periods, "{cpu:#}");
    assert!(cpu["throttling"]["throttledTime"].as_u64().unwrap() > 0, "{cpu:#}");
    // A period is counted when it ends; and each processor may run on to its next tick, which is taken from the next period.
    let allowed = (periods + 2) * QUOTA * 1000 + 50_000_000;
    assert!(cpu["usage"]["total"].as_u64().unwrap() <= allowed, "{cpu:#}");
}

fn processors() {
    let all = fs::read_to_string("/proc/self/status").unwrap();
    let all = all.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let last = all.rsplit([',', '-']).next().unwrap();
    let mut case = crate::writable();
    limited(&mut case, json!({ "cpu": { "cpus": last, "mems": "0" } }));
    case.args(&["grep", "Cpus_allowed_list", "/proc/self/status"]);
    assert_eq!(case.run().ok().stdout, format!("Cpus_allowed_list:\t{last}\n"));
}

fn rare() {
    const FILES: [(&str, &str); 6] = [
        ("cpu.max.burst", "10000"),
        ("hugetlb.2MB.max", "4194304"),
        ("hugetlb.2MB.rsvd.max", "4194304"),
        ("rdma.max", "rxe0 hca_handle=3 hca_object=max"),
        ("io.bfq.weight", "default 300"),
        ("memory.oom.group", "1"),
    ];
    let mut case = crate::writable();
    limited(
        &mut case,
        json!({
            "cpu": { "quota": 50_000, "burst": 10_000 },
            "hugepageLimits": [{ "pageSize": "2MB", "limit": 4 * MIB }],
            "rdma": { "rxe0": { "hcaHandles": 3 } },
            "blockIO": { "weight": 300 },
            "unified": { "memory.oom.group": "1" },
        }),
    );
    case.args(&["sh", "-c", "cd /sys/fs/cgroup && cat \"$@\"", "sh"]);
    case.edit(|config| {
        let args = config["process"]["args"].as_array_mut().unwrap();
        args.extend(FILES.map(|(file, _)| json!(file)));
    });
    let read: Vec<_> = case.run().ok().stdout.lines().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(read, FILES.map(|(_, text)| text));
}

/// A disk for the test: on another kernel the one that it was booted with, which is 8 MiB.
enum Disk {
    Loop(LoopDevice),
    Booted(Kernel),
}

impl Disk {
    fn number(&self) -> (u32, u32) {
        use std::os::unix::fs::MetadataExt;
        match self {
            Disk::Loop(device) => device.number(),
            Disk::Booted(kernel) => {
                let device = fs::metadata(kernel.disk()).expect("the disk of the kernel").rdev();
                (rustix::fs::major(device), rustix::fs::minor(device))
            }
        }
    }
}

fn throttle() {
    let disk = match testbed::kernel::inside() {
        Some(kernel) => Disk::Booted(kernel),
        None => Disk::Loop(LoopDevice::new(8 * MIB)),
    };
    let (major, minor) = disk.number();
    let mut case = crate::writable();
    let rate = json!([{ "major": major, "minor": minor, "rate": MIB }]);
    limited(
        &mut case,
        json!({
            "blockIO": { "throttleReadBpsDevice": rate, "throttleWriteBpsDevice": rate },
            "devices": [{ "allow": true, "type": "b", "major": major, "minor": minor, "access": "rw" }],
        }),
    );
    case.edit(|config| {
        config["linux"]["devices"] =
            json!([{ "path": "/dev/disk", "type": "b", "major": major, "minor": minor }]);
    });
    for (from, to, flag, op) in
        [("/dev/disk", "/dev/null", "iflag", "Read"), ("/dev/zero", "/dev/disk", "oflag", "Write")]
    {
        let copy = format!("dd if={from} of={to} {flag}=direct bs=65536 count=32 2>/dev/null && touch /done");
        case.args(&["sh", "-c", &format!("{copy}; exec sleep 1000")]);
        let start = Instant::now();
        case.detach();
        let done = case.bundle.rootfs().join("done");
        eventually("it has read or written two megabytes", || done.exists());
        // What a busy machine adds makes it longer. A slice of the kernel's is a tenth of a second.
        let taken = start.elapsed();
        assert!(taken.as_millis() >= 1500, "{op}: 2 MiB in {taken:?} at 1 MiB a second");
        let counted = counted_bytes(&usage(&case), (major, minor), op);
        assert_eq!(counted, 2 * MIB, "{op}");
        run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
        fs::remove_file(done).unwrap();
    }
}

fn counted_bytes(usage: &Value, (major, minor): (u32, u32), op: &str) -> u64 {
    let entries = usage["blkio"]["ioServiceBytesRecursive"].as_array().expect("I/O by device");
    let of_disk = |entry: &&Value| entry["major"] == major && entry["minor"] == minor && entry["op"] == op;
    entries
        .iter()
        .find(of_disk)
        .and_then(|entry| entry["value"].as_u64())
        .unwrap_or_else(|| panic!("{usage:#}"))
}

fn removal() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let groups: Vec<_> = crate::support::groups(case.pid()).into_iter().map(|(_, path)| path).collect();
    assert!(groups.iter().all(|group| group.exists()) && !groups.is_empty());
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    let left: Vec<_> = groups.iter().filter(|group| Path::exists(group)).collect();
    assert_eq!(left, Vec::<&std::path::PathBuf>::new());
}
