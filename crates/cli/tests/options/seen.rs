//! What the probe sees of each option.

use probe::{IdMap, Report, Rlimit};
use testbed::{Need, Trial, trial};

use crate::common::{Home, own_namespace};
use crate::run_row;

pub(crate) fn trials() -> Vec<Trial> {
    PROBE.iter().map(probe_row).collect()
}

/// What an option is for, options, and a check of what the probe reports.
type Seen = (&'static str, &'static str, fn(&Report));

const PROBE: [Seen; 18] = [
    ("by default nothing of the host is shared", "", |report| {
        for kind in ["pid", "mnt", "uts", "ipc", "net", "cgroup"] {
            assert_ne!(report.namespaces[kind], own_namespace(kind), "{kind}");
        }
        for kind in ["user", "time"] {
            assert_eq!(report.namespaces[kind], own_namespace(kind), "{kind}");
        }
    }),
    ("by default there are fourteen capabilities", "", |report| {
        let sets = &report.capabilities;
        assert_eq!(sets.bounding.len(), 14);
        assert_eq!((&sets.permitted, &sets.effective), (&sets.bounding, &sets.bounding));
        assert!(sets.inheritable.is_empty() && sets.ambient.is_empty());
    }),
    ("by default there are the standard devices and no other", "", |report| {
        let nodes = report.devices.iter().filter(|device| device.kind == "char" || device.kind == "block");
        let nodes: Vec<_> = nodes.map(|device| device.path.as_str()).collect();
        let standard = ["full", "null", "ptmx", "random", "tty", "urandom", "zero"];
        let known =
            |path: &str| path == "/dev/pts/ptmx" || standard.contains(&path.trim_start_matches("/dev/"));
        assert!(nodes.iter().all(|path| known(path)) && nodes.len() >= 7, "{nodes:?}");
    }),
    ("by default the command has three descriptors", "", |report| {
        assert_eq!(report.descriptors.iter().map(|open| open.fd).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(report.descriptors[0].target, "/dev/null");
        assert_eq!(report.terminal.isatty, [false; 3]);
    }),
    ("another user than root has no capabilities", "-u 7 --cap-add NET_ADMIN", |report| {
        assert_eq!((report.ids.uids, report.ids.gids), ([7; 4], [0; 4]));
        assert!(report.capabilities.effective.is_empty() && report.capabilities.permitted.is_empty());
        assert_eq!(report.capabilities.bounding.len(), 15);
    }),
    ("capabilities are dropped from every set", "--cap-drop ALL", |report| {
        assert_eq!(report.capabilities, probe::Capabilities::default());
    }),
    ("a privileged container sees every device", "--privileged", |report| {
        assert!(report.device("/dev/kmsg").is_some() || report.device("/dev/loop-control").is_some());
        assert_eq!(report.process.seccomp, 0);
        assert!(!report.mount("/sys").unwrap().has("ro"));
        assert!(report.mounts.iter().all(|mount| !mount.point.starts_with("/proc/")));
    }),
    ("limits are set as they were asked for", "--ulimit nofile=100:200 --ulimit nproc=50", |report| {
        let limit = |soft, hard| Rlimit { soft: Some(soft), hard: Some(hard) };
        assert_eq!(report.rlimits["RLIMIT_NOFILE"], limit(100, 200));
        assert_eq!(report.rlimits["RLIMIT_NPROC"], limit(50, 50));
    }),
    ("the network of the host is shared", "--network host", |report| {
        assert_eq!(report.namespaces["net"], own_namespace("net"));
        assert_ne!(report.namespaces["uts"], own_namespace("uts"));
    }),
    ("without a network there is a loopback interface", "--network none", |report| {
        let interfaces =
            report.interfaces.iter().map(|one| (one.name.as_str(), one.up, one.addresses.join(" ")));
        let interfaces: Vec<_> = interfaces.collect();
        assert_eq!(interfaces.len(), 1);
        assert!(interfaces[0].0 == "lo" && interfaces[0].1 && interfaces[0].2.contains("127.0.0.1/8"));
    }),
    (
        "the host's other namespaces are shared",
        "--pid host --ipc host --uts host --cgroupns host",
        |report| {
            for kind in ["pid", "ipc", "uts", "cgroup"] {
                assert_eq!(report.namespaces[kind], own_namespace(kind), "{kind}");
            }
            for kind in ["mnt", "net"] {
                assert_ne!(report.namespaces[kind], own_namespace(kind), "{kind}");
            }
            assert_ne!(report.process.pid, 1);
            let cgroup = report.cgroup("memory").or(report.cgroup("")).unwrap();
            assert!(cgroup.contains("cuddy"), "{cgroup}");
        },
    ),
    ("ids are mapped as they were given", "--userns 0:200000:1000,1000:300000:10", |report| {
        let range = |inside, outside, count| IdMap { inside, outside, count };
        assert_eq!(report.ids.uid_map, [range(0, 200_000, 1000), range(1000, 300_000, 10)]);
        assert_eq!(report.ids.gid_map, report.ids.uid_map);
        assert_eq!(report.ids.uids, [0; 4]);
        assert_ne!(report.namespaces["user"], own_namespace("user"));
    }),
    ("ids that nobody uses are found", "--userns auto", |report| {
        let [map] = report.ids.uid_map[..] else { panic!("{:?}", report.ids.uid_map) };
        assert_eq!((map.inside, map.count), (0, 65536));
        assert!(map.outside >= 65536);
        assert_eq!(report.ids.setgroups, "allow");
        // Files of root are root's there, too.
        assert_eq!(report.device("/dev/null").unwrap().owner, (65534, 65534));
    }),
    ("a user namespace goes with another user", "--userns auto -u user", |report| {
        assert_eq!((report.ids.uids, report.ids.gids), ([1000; 4], [1000; 4]));
        assert_eq!(report.ids.groups, [100, 1000]);
    }),
    ("the ids of the host are the default", "--userns host", |report| {
        assert_eq!(report.namespaces["user"], own_namespace("user"));
    }),
    ("clocks are shifted", "--time-offset boottime=86400,monotonic=1000.5", |report| {
        assert_eq!(report.clocks.offsets["boottime"], (86_400, 0));
        assert_eq!(report.clocks.offsets["monotonic"], (1000, 500_000_000));
        assert_ne!(report.namespaces["time"], own_namespace("time"));
        assert!(report.clocks.boottime > 86_400.0 && report.clocks.monotonic > 1000.0);
    }),
    ("a read-only container has no writable disk", "--read-only", |report| {
        let disks = report.mounts.iter().filter(|mount| mount.point == "/" || mount.fstype == "overlay");
        assert!(disks.into_iter().all(|mount| mount.has("ro")));
    }),
    ("the command is not ours to debug", "", |report| {
        assert_eq!((report.process.dumpable, report.process.sid), (1, 1));
        assert_eq!(report.process.env.keys().collect::<Vec<_>>(), ["HOME", "HOSTNAME", "PATH"]);
        assert_eq!(report.process.umask, 0o22);
    }),
];

/// There where the kernel has them.
const TIME_NAMESPACES: &str = "/proc/self/timens_offsets";

fn probe_row((name, options, check): &'static Seen) -> Trial {
    let time = options.contains("time").then_some(Need::Path(TIME_NAMESPACES));
    let needs = [Need::Root, Need::Program("busybox")].into_iter().chain(time);
    trial(&format!("{name} [{options}]"), needs, || {
        let mut report: Report = run_row(&Home::new(), options, &["/bin/probe"]).json();
        if Need::Path(TIME_NAMESPACES).missing().is_some() {
            report.unknown.remove("clocks");
            report.namespaces.insert("time".to_owned(), 0);
        }
        assert!(report.unknown.is_empty(), "{:?}", report.unknown);
        check(&report);
    })
}
