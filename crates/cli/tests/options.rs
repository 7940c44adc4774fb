//! Every option of `cuddy run`: what is typed, and what the command then sees.

mod common;

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::linux::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use common::{Home, Rootfs, own_namespace, words};
use probe::{IdMap, Report, Rlimit};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::process::{Pid, Signal, kill_process};
use testbed::{Machine, Need, Trial, run, trial};

/// A test that needs no more than most of them.
fn with_busybox(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(name, [Need::Root, Need::Program("busybox")], test)
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    trials.extend(SHELL.iter().map(shell_row));
    trials.extend(PROBE.iter().map(probe_row));
    trials.extend(CGROUP.iter().map(cgroup_row));
    trials.extend([
        with_busybox("a volume writes through to the host", volume_writes_through),
        with_busybox("running containers never have the same ids", ids_of_their_own),
        with_busybox("files of the host get other owners in a mount, and keep their own", mapped_owners),
        with_busybox("rslave lets later mounts of the host in", || propagation("rslave", true)),
        with_busybox("rprivate keeps later mounts of the host out", || propagation("rprivate", false)),
        with_busybox("rshared lets mounts of the container out", shared_both_ways),
        with_busybox("a running container's namespaces are joined by its name", join),
        with_busybox("processes and interfaces of the host are seen where it is asked for", host_is_seen),
        with_busybox("signals reach the command below an init", init_forwards),
        with_busybox("an init reaps what the command leaves behind", init_reaps),
        with_busybox("the stop signal is in the container's record", stop_signal),
        with_busybox("a container is put below the given cgroup", cgroup_parent),
        with_busybox("without --rm the name stays taken until it is deleted", kept),
    ]);
    let disk = DISKS.into_iter().find(|disk| fs::exists(disk).unwrap_or(false)).unwrap_or(DISKS[0]);
    let needs = [Need::Root, Need::Program("busybox"), Need::Controller("blkio"), Need::Path(disk)];
    let rates = trial("rates of a disk are in the container's cgroup", needs, || device_rates(disk));
    testbed::main(trials.into_iter().chain([rates]))
}

/// One of these is on most machines.
const DISKS: [&str; 4] = ["/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0"];

/// What every row finds where it is typed.
fn prepare(home: &Home) {
    home.write("conf/file", "from the host\n");
    home.write("vars", "# a comment\nA=1\nB=x y\nCUDDY_TEST_HERE\n");
    home.write("read-only.json", r#"{"paths": [{"path": "/", "access": ["read", "execute"]}]}"#);
    home.write(
        "no-mkdir.json",
        r#"{"defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}"#,
    );
}

/// Runs a row; `$CUDDY_TEST_HERE` is `from here` where it is typed.
#[track_caller]
fn run_row(home: &Home, options: &str, command: &[&str]) -> testbed::Done {
    prepare(home);
    let rootfs = Rootfs::new();
    let (_, mut cuddy) = home.container(words(options));
    cuddy.arg(rootfs.path()).args(command).env("CUDDY_TEST_HERE", "from here");
    run(&mut cuddy).ok()
}

/// Options, a script, and what it prints.
const SHELL: [(&str, &str, &str); 49] = [
    ("-e A=1 -e B=two", "echo $A $B", "1 two"),
    ("-e CUDDY_TEST_HERE", "echo $CUDDY_TEST_HERE", "from here"),
    ("", "echo ${CUDDY_TEST_HERE-unset}", "unset"),
    ("-e HOME=/etc -e PATH=/bin", "echo $HOME $PATH", "/etc /bin"),
    ("--env-file ./vars", "echo $A, $B, $CUDDY_TEST_HERE", "1, x y, from here"),
    ("--env-file ./vars -e A=2", "echo $A", "2"),
    ("-w /etc", "pwd", "/etc"),
    ("-w /made/for/it", "pwd; stat -c %a .", "/made/for/it\n755"),
    ("-u user", "id -u; id -g; id -G; echo $HOME", "1000\n1000\n1000 100\n/home"),
    ("-u user:users", "id -u; id -g; id -G", "1000\n100\n100"),
    ("-u 7:8", "id -u; id -g; id -G; echo $HOME", "7\n8\n8\n/"),
    ("-u 1000", "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo allowed", "refused\nallowed"),
    ("--hostname web", "hostname; cat /etc/hostname; grep -c -w web /etc/hosts", "web\nweb\n1"),
    ("--hostname web", "hostname other 2>/dev/null || echo refused", "refused"),
    ("--domainname site", "cat /proc/sys/kernel/domainname", "site"),
    (
        "--read-only",
        "touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo allowed",
        "refused\nallowed",
    ),
    ("--read-only --tmpfs /tmp", "touch /tmp/x && echo allowed", "allowed"),
    (
        "-v ./conf:/etc/conf:ro",
        "cat /etc/conf/file; touch /etc/conf/x 2>/dev/null || echo refused",
        "from the host\nrefused",
    ),
    ("-v ./conf/file:/new/dir/one", "cat /new/dir/one", "from the host"),
    ("-v ./conf/file:/etc/passwd:ro", "cat /etc/passwd", "from the host"),
    ("-v .:/here", "cat /here/conf/file", "from the host"),
    ("-v ./conf:/a -v ./conf:/a/b/c", "cat /a/file /a/b/c/file", "from the host\nfrom the host"),
    (
        "--mount type=bind,source=./conf,target=/c,readonly",
        "cat /c/file; touch /c/x 2>/dev/null || echo refused",
        "from the host\nrefused",
    ),
    (
        "--mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1700",
        "df -k /t | awk 'END{print $2}'; stat -c %a /t",
        "1024\n1700",
    ),
    ("--tmpfs /run:size=2m,mode=711", "df -k /run | awk 'END{print $2}'; stat -c %a /run", "2048\n711"),
    ("--tmpfs /t", "cp /bin/busybox /t/; /t/busybox true 2>/dev/null || echo noexec", "noexec"),
    ("--tmpfs /t:exec", "cp /bin/busybox /t/; /t/busybox echo exec", "exec"),
    ("", "df -k /dev/shm | awk 'END{print $2}'", "65536"),
    ("--shm-size 3m", "df -k /dev/shm | awk 'END{print $2}'", "3072"),
    ("--ulimit nofile=100:200 --ulimit core=0", "ulimit -n; ulimit -Hn; ulimit -c", "100\n200\n0"),
    ("--cap-drop CHOWN", "touch /x; chown 7 /x 2>/dev/null || echo refused", "refused"),
    ("--cap-drop ALL --cap-add CHOWN", "touch /x; chown 7 /x; stat -c %u /x", "7"),
    ("", "mount -t tmpfs none /tmp 2>/dev/null || echo refused", "refused"),
    ("--cap-add SYS_ADMIN", "mount -t tmpfs none /tmp && echo allowed", "allowed"),
    (
        "--privileged",
        "mount -t tmpfs none /tmp && test -w /proc/sys/kernel/domainname && echo allowed",
        "allowed",
    ),
    ("", "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status", "NoNewPrivs:\t0\nSeccomp:\t2"),
    ("--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
    ("--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", "Seccomp:\t0"),
    (
        "--security-opt seccomp=./no-mkdir.json",
        "mkdir /x 2>/dev/null || echo refused; touch /y && echo allowed",
        "refused\nallowed",
    ),
    (
        "--security-opt landlock=./read-only.json",
        "touch /y 2>&1 | grep -o 'Permission denied'",
        "Permission denied",
    ),
    ("--security-opt systempaths=unconfined", "grep -c ' /proc/[a-z]' /proc/self/mountinfo; true", "0"),
    ("--sysctl net.ipv4.ip_forward=1", "cat /proc/sys/net/ipv4/ip_forward", "1"),
    (
        "--sysctl kernel.msgmax=65536 --sysctl fs.mqueue.msg_max=20",
        "cd /proc/sys; cat kernel/msgmax fs/mqueue/msg_max",
        "65536\n20",
    ),
    ("--ipc none", "grep -c /dev/shm /proc/self/mountinfo; true", "0"),
    ("--entrypoint echo", "x", "sh -c x"),
    ("--oom-score-adj 500", "cat /proc/self/oom_score_adj", "500"),
    ("--device /dev/fuse", "stat -c '%t %T' /dev/fuse; true < /dev/fuse && echo opened", "a e5\nopened"),
    (
        "--device /dev/fuse:/dev/other:r",
        "true < /dev/other && echo read; (true > /dev/other) 2>/dev/null || echo refused",
        "read\nrefused",
    ),
    ("--init", "echo $$; grep -c ^cuddy-init /proc/1/cmdline", "2\n1"),
];

fn shell_row((options, script, expect): &'static (&str, &str, &str)) -> Trial {
    let device = options.contains("/dev/fuse").then_some(Need::Path("/dev/fuse"));
    let landlock = options.contains("landlock").then_some(Need::Landlock(5));
    let needs = [Need::Root, Need::Program("busybox")].into_iter().chain(device).chain(landlock);
    trial(&format!("[{options}] {script}"), needs, || {
        let done = run_row(&Home::new(), options, &["sh", "-c", script]);
        assert_eq!(done.stdout.trim_end(), *expect, "{done:#?}");
        // A machine may lack a capability that was not asked for by name: that is said, once.
        let said: Vec<_> = done.stderr.lines().collect();
        let note = |line: &&str| {
            options.contains("--privileged") && line.contains("the container goes without CAP_")
        };
        assert!(said.is_empty() || said.len() == 1 && said.iter().all(note), "{done:#?}");
    })
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

fn volume_writes_through() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    prepare(&home);
    let script = "echo more >> /c/file; echo new > /c/new; chown 7:8 /c/new; rm /c/gone";
    home.write("conf/gone", "");
    home.run(["-v", "./conf:/c", &rootfs.text(), "sh", "-c", script]).ok();
    let conf = home.dir().join("conf");
    assert_eq!(fs::read_to_string(conf.join("file")).unwrap(), "from the host\nmore\n");
    let new = fs::metadata(conf.join("new")).unwrap();
    assert_eq!((new.st_uid(), new.st_gid()), (7, 8));
    assert!(!conf.join("gone").exists());
}

fn ids_of_their_own() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let root = rootfs.text();
    let start = || home.start(["--userns", "auto:size=1000", &root]);
    let first_id = |name: &str| -> u32 {
        let map = run(&mut home.oci(["exec", name, "cat", "/proc/self/uid_map"])).ok().stdout;
        let numbers: Vec<u32> = map.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!((numbers[0], numbers[2]), (0, 1000));
        numbers[1]
    };
    let (one, two) = (start(), start());
    let (first, second) = (first_id(&one.name), first_id(&two.name));
    assert!(first.abs_diff(second) >= 1000, "{first} and {second}");
    // What nobody has any more is taken again.
    drop(one);
    let three = start();
    assert_eq!(first_id(&three.name), first);

    let done = home.run(["--userns", "auto:size=1073741824", &root, "true"]);
    assert!(done.stderr.contains("--userns auto: no 1073741824 ids are left of"), "{done:#?}");
}

fn mapped_owners() {
    // Options, the owners of a directory of 33:44 and of files of 0:0 and 1000:1000 in it, and of what is made there.
    let cases = [
        ("", "33:44 0:0 1000:1000", (1000, 1000)),
        (":match-user", "1000:1000 0:0 33:44", (33, 44)),
        (":idmap=uids=33-1000-1;gids=44-1000-1", "1000:1000 65534:65534 65534:65534", (33, 44)),
    ];
    let user = ["-u", "1000:1000"];
    for (option, expect, new) in cases {
        owners(&[&user[..], &["-v"]].concat(), option, expect, new);
    }
    let auto = ["--userns", "auto:size=2000", "-u", "1000:1000"];
    for (option, expect, new) in
        [(":idmap", "33:44 0:0 1000:1000", (1000, 1000)), (":match-user", "1000:1000 0:0 33:44", (33, 44))]
    {
        owners(&[&auto[..], &["-v"]].concat(), option, expect, new);
    }
}

#[track_caller]
fn owners(options: &[&str], option: &str, expect: &str, new: (u32, u32)) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let data = home.dir().join("data");
    fs::create_dir(&data).unwrap();
    for (name, user, group) in [("", 33, 44), ("root", 0, 0), ("user", 1000, 1000)] {
        let path = data.join(name);
        if !name.is_empty() {
            fs::write(&path, "").unwrap();
        }
        std::os::unix::fs::chown(&path, Some(user), Some(group)).unwrap();
    }
    fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let (volume, root) = (format!("./data:/data{option}"), rootfs.text());
    let script = "stat -c %u:%g /data /data/root /data/user; touch /data/new";
    let done = home.run([options, &[&volume, &root, "sh", "-c", script]].concat()).ok();
    assert_eq!(done.stdout.split_whitespace().collect::<Vec<_>>().join(" "), expect, "{option}");
    let owner = |name: &str| {
        let file = fs::metadata(data.join(name)).unwrap();
        (file.st_uid(), file.st_gid())
    };
    assert_eq!((owner("new"), owner("root"), owner("user")), (new, (0, 0), (1000, 1000)), "{option}");
}

const NO_DATA: Option<&CStr> = None;

/// A directory of the host whose mounts are shared, in this test's own mount namespace.
fn shared_directory(home: &Home) -> PathBuf {
    let dir = home.dir().join("shared");
    fs::create_dir_all(dir.join("point")).unwrap();
    mount_bind(&dir, &dir).unwrap();
    mount_change(&dir, MountPropagationFlags::SHARED).unwrap();
    dir
}

/// Whether a process has a mount there, by its own view.
fn mounted(pid: u32, point: &str) -> bool {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(point))
}

fn propagation(kind: &str, arrives: bool) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let dir = shared_directory(&home);
    let running = home.start(["-v", &format!("./shared:/s:{kind}"), &rootfs.text()]);
    mount("tmpfs", dir.join("point"), "tmpfs", MountFlags::empty(), NO_DATA).unwrap();
    assert_eq!(mounted(running.pid(), "/s/point"), arrives);
}

fn shared_both_ways() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let dir = shared_directory(&home);
    let script = "mount -t tmpfs none /s/point && echo there > /s/point/file";
    let args = ["-v", "./shared:/s:rshared", "--cap-add", "SYS_ADMIN", &rootfs.text(), "sh", "-c", script];
    home.run(args).ok();
    assert_eq!(fs::read_to_string(dir.join("point/file")).unwrap(), "there\n");
    rustix::mount::unmount(dir.join("point"), rustix::mount::UnmountFlags::DETACH).unwrap();
}

fn join() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let root = rootfs.text();
    let running = home.start([&root]);
    let container = format!("container:{}", running.name);
    let report: Report =
        home.run(["--pid", &container, "--ipc", &container, &root, "/bin/probe"]).ok().json();
    for (kind, joined) in [("pid", true), ("ipc", true), ("uts", false), ("net", false), ("mnt", false)] {
        let theirs = fs::metadata(format!("/proc/{}/ns/{kind}", running.pid())).unwrap();
        assert_eq!(report.namespaces[kind] == theirs.st_ino(), joined, "{kind}");
    }
    assert!(report.pids.contains(&1) && report.process.pid != 1, "{:?}", report.pids);
}

fn host_is_seen() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let report: Report =
        home.run(["--pid", "host", "--network", "host", &rootfs.text(), "/bin/probe"]).ok().json();
    assert!(report.pids.contains(&std::process::id()));
    let interfaces: BTreeSet<_> =
        report.interfaces.iter().map(|interface| format!("interface {}", interface.name)).collect();
    let host = Machine::snapshot().network;
    assert!(interfaces.iter().all(|name| host.contains(name)), "{interfaces:?} are not among {host:?}");
}

fn init_forwards() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = "trap 'echo told; exit 9' USR1; echo ready; while :; do sleep 0.1; done";
    let (_, mut command) = home.container(["--init", &rootfs.text(), "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill_process(Pid::from_child(&child), Signal::USR1).unwrap();
    out.read_to_string(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("ready\ntold\n", Some(9)));
}

fn init_reaps() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    // The inner shell ends before its child, which then belongs to pid 1. sleep(1) reaps nobody.
    let script = "sh -c 'sleep 0.2 &'; sleep 1; grep -l 'State:.Z' /proc/[0-9]*/status | wc -l";
    let done = home.run(["--init", &rootfs.text(), "sh", "-c", script]).ok();
    assert_eq!(done.stdout, "0\n");
}

fn stop_signal() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let running = home.start(["--stop-signal", "SIGUSR2", &rootfs.text()]);
    let state: serde_json::Value = run(home.oci(["state"]).arg(&running.name)).ok().json();
    assert_eq!(state["annotations"]["org.opencontainers.image.stopSignal"], "SIGUSR2");
    assert_eq!((&state["id"], &state["status"]), (&running.name.as_str().into(), &"running".into()));
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

fn kept() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (name, root) = (home.name(), rootfs.text());
    let once = || run(&mut home.cuddy(["run", "--name", &name, &root, "true"]));
    once().ok();
    let again = once();
    assert_eq!(again.code(), 125, "{again:#?}");
    assert!(again.stderr.contains(&format!("container {name} exists already")), "{again:#?}");
    // Nothing but the record is left of one that has ended.
    let left = home.traces();
    assert!(left.iter().all(|trace| trace.starts_with("file ")), "{left:?}");
    run(home.oci(["delete", &name]).stdin(Stdio::null())).ok();
    once().ok();
    run(home.oci(["delete", &name]).stdin(Stdio::null())).ok();
}
