//! Attacks that other runtimes fell to, and the breaks of naive jails. Each is made for real; all fail, and the host is
//! as it was.

mod support;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::{Case, eventually, map_ids, set_namespace};
use testbed::{Done, Need, Scratch, binary, copy_program, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        // CVE-2019-5736
        trial("our binary as the program cannot be written from inside", busybox.clone(), own_binary),
        trial(
            "our binary as the interpreter of a script cannot be written",
            busybox.clone(),
            own_binary_by_script,
        ),
        // CVE-2021-30465, CVE-2019-19921
        trial(
            "a mount point that is swapped for a link leads nowhere outside",
            root.clone(),
            swapped_mount_point,
        ),
        trial("a link in place of /proc or /sys is refused", root.clone(), linked_proc),
        trial("links of mount points end at the root of the container", root.clone(), linked_mount_points),
        // CVE-2019-16884, CVE-2025-52881
        trial("nothing is mounted over /proc", root.clone(), forged_proc),
        trial("nothing is mounted over /proc through a link", root.clone(), forged_proc_through_link),
        // CVE-2024-21626
        trial(
            "a working directory that is a leaked descriptor is refused",
            busybox.clone(),
            leaked_working_directory,
        ),
        trial("none of our own descriptors is a working directory", root.clone(), own_descriptors),
        trial("what waits for its start holds nothing of the machine", busybox.clone(), waiting),
        trial("exec has no leaked descriptors, either", busybox.clone(), leaked_in_exec),
        // CVE-2025-31133
        trial("a forged /dev/null masks nothing and is not followed", root.clone(), forged_null),
        // CVE-2025-52565
        trial("a forged terminal is not used", root.clone(), forged_terminal),
        // CVE-2020-15257
        trial("the start socket is a file that only root reaches", root.clone(), start_socket),
        // CVE-2016-9962
        trial("exec shows nothing of the machine to a user namespace", busybox.clone(), exec_into_hostile),
        trial("mkdir, chroot and .. stay inside", root.clone(), chroot),
        trial("open directories lead nowhere outside", busybox.clone(), open_directories),
        trial("processes of the host are neither seen nor killed", busybox.clone(), host_processes),
        trial("/proc stays read-only and masked", busybox.clone(), remounts),
        trial("the disk of the host can be made and not opened", root.clone(), host_disk),
        trial("files of the kernel cannot be written", root.clone(), kernel_files),
        trial("setuid programs give nothing", root, setuid),
        trial("fork bombs and memory hogs end with their container", busybox, left_running),
    ])
}

/// What must not change: the file's content and what the file system knows of it.
fn fingerprint(path: &Path) -> (u64, u64, i64, i64) {
    let mut hasher = DefaultHasher::new();
    fs::read(path).unwrap().hash(&mut hasher);
    let metadata = fs::metadata(path).unwrap();
    (hasher.finish(), metadata.ino(), metadata.mtime(), metadata.ctime())
}

/// Gives the process of a configuration these capabilities.
fn grant(config: &mut Value, names: &[&str]) {
    config["process"]["capabilities"] =
        json!({ "bounding": names, "effective": names, "permitted": names, "inheritable": names });
}

/// A file of the host that no container has, removed with the directory.
fn marker() -> (Scratch, String) {
    let scratch = Scratch::new();
    let path = scratch.path().join("marker");
    fs::write(&path, "of the host").unwrap();
    let text = path.to_str().unwrap().to_owned();
    (scratch, text)
}

/// `cuddy-oci ARGS...` with descriptors 7 and 9 open at directories of the host.
fn with_leaks(command: Command) -> Done {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 7</ 9</etc; exec \"$@\"", "sh"]).arg(command.get_program());
    run(shell.args(command.get_args()).stdin(Stdio::null()))
}

/// What the attacker runs: finds our binary at work inside, opens it, ends it, and writes to it once nobody runs it. Until
/// then the kernel itself refuses (ETXTBSY).
const OVERWRITE: &str = "
    while [ -z \"$pid\" ]; do
        for p in /proc/[0-9]*; do
            case $(tr '\\0' ' ' <$p/cmdline) in /proc/self/ex[e]*) pid=${p#/proc/};; esac
        done
    done 2>/dev/null
    exe=/proc/$pid/exe
    mount -o remount,bind,rw $exe && echo remounted
    mount --bind $exe /tmp/exe && echo bound
    exec 9<$exe && echo opened
    kill -9 $pid
    for turn in $(seq 100); do
        (: >>/proc/self/fd/9) && echo opened for appending
        (echo x 1<>/proc/self/fd/9) && echo overwritten
        sleep 0.02
    done
    echo attacked
";

/// A container whose program attacks, and in it our binary, which waits there for ever, started by exec as `command`.
///
/// The binary is a copy that nothing else runs.
fn attack_own_binary(command: &[&str]) {
    let mut case = Case::busybox();
    let root = case.bundle.rootfs();
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        grant(config, &["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SYS_PTRACE"]);
        // The attacker sees all of /proc.
        config["linux"]["maskedPaths"] = json!([]);
    });
    let script = root.join("bin/script");
    fs::write(&script, "#!/proc/self/exe --log\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    run(Command::new("mkfifo").arg(root.join("fifo"))).ok();
    fs::write(root.join("tmp/exe"), "").unwrap();
    case.args(&[
        "sh",
        "-c",
        &format!("({OVERWRITE}) >/tmp/part 2>/dev/null; mv /tmp/part /tmp/result; sleep 1000"),
    ]);

    let oci = case.bundle.path().join("cuddy-oci");
    copy_program(&binary("cuddy-oci"), &oci);
    let before = fingerprint(&oci);
    let ours = |args: &[&str]| {
        let mut command = Command::new(&oci);
        command.arg("--root").arg(case.state_dir()).args(args).stdin(Stdio::null());
        run(&mut command).ok();
    };
    ours(&["run", "--detach", "--bundle", case.bundle.path().to_str().unwrap(), case.id()]);
    ours(&[&["exec", "--detach", case.id()], command].concat());
    let result = root.join("tmp/result");
    eventually("the attacker has done all that they could", || result.exists());
    assert_eq!(fs::read_to_string(&result).unwrap(), "opened\nattacked\n");
    assert_eq!(fingerprint(&oci), before);
}

fn own_binary() {
    attack_own_binary(&["/proc/self/exe", "exec", "--process", "/fifo", "x"]);
}

fn own_binary_by_script() {
    // The kernel puts the script's name after the first argument, as the value of the option.
    attack_own_binary(&["/bin/script", "exec", "--process", "/fifo", "x"]);
    // As the first program of a container it only says that it makes no sense there.
    let before = fingerprint(&binary("cuddy-oci"));
    for args in [&["/proc/self/exe", "--version"][..], &["/proc/self/exe", "delete", "--force", "x"]] {
        let mut case = Case::probe();
        case.args(args);
        case.run();
        assert_eq!(fingerprint(&binary("cuddy-oci")), before);
    }
}

fn bind_mount(case: &mut Case, source: &Path, destination: &str) {
    let mount = json!({ "destination": destination, "type": "bind", "source": source });
    case.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount));
}

fn swapped_mount_point() {
    let victim = Scratch::new();
    let (source, _) = marker();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]);
    bind_mount(&mut case, source.path(), "/volume/swapped/made/by/start");
    let volume = case.bundle.rootfs().join("volume");
    fs::create_dir_all(volume.join("directory")).unwrap();
    // Up from wherever the link is taken to be.
    symlink(format!("../../../../../../../../{}", victim.path().display()), volume.join("link")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (swapped, directory, link) =
                (volume.join("swapped"), volume.join("directory"), volume.join("link"));
            while !stop.load(Ordering::Relaxed) {
                // Each is there in turn, and sometimes neither.
                for other in [&directory, &link] {
                    let _ = fs::rename(other, &swapped);
                    std::thread::yield_now();
                    let _ = fs::rename(&swapped, other);
                }
            }
        });
        for _ in 0..30 {
            // It may fail, as when what it just made is gone.
            case.run();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 0);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn linked_proc() {
    for (name, number) in [("proc", 0), ("sys", 5)] {
        for target in ["/", "/tmp", "../../../../..", "/dev/shm"] {
            let mut case = Case::probe();
            case.args(&["/bin/probe"]);
            let root = case.bundle.rootfs();
            fs::remove_dir(root.join(name)).unwrap();
            symlink(target, root.join(name)).unwrap();
            let done = case.run();
            let refused = format!("on /{name} of the container: too many levels of symbolic links");
            assert_eq!(done.code(), 1);
            assert!(done.stderr.contains(&refused), "{target}: {done:#?}");
            assert!(done.stderr.contains(&format!("from /mounts/{number})")), "{done:#?}");
        }
    }
}

fn linked_mount_points() {
    let (victim, _) = marker();
    let (source, _) = marker();
    let host = victim.path().display();
    let cases = [
        (format!("{host}"), "/link/new"),
        (format!("../../../../../../../..{host}"), "/link/new"),
        ("/proc/self/root/etc".to_owned(), "/link/new"),
        ("/proc/1/root/etc".to_owned(), "/link/new"),
        ("/proc/self/cwd".to_owned(), "/link/new"),
        ("link".to_owned(), "/link/new"),
    ];
    for (target, destination) in cases {
        let mut case = Case::probe();
        symlink(&target, case.bundle.rootfs().join("link")).unwrap();
        bind_mount(&mut case, source.path(), destination);
        case.args(&["/bin/probe", "try-read", &format!("{destination}/marker")]);
        let done = case.run();
        // Inside, or not at all.
        let inside = done.code() == 0 && done.stdout.contains("of the host");
        assert!(inside || done.code() == 1, "{target}: {done:#?}");
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 1, "{target}");
        assert!(!Path::new("/etc/new").exists());
    }
}

fn forged_proc() {
    let (source, _) = marker();
    let source = source.path();
    let tmpfs = |destination: &str| json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs" });
    let bind = |destination: &str| json!({ "destination": destination, "type": "bind", "source": source });
    let cases = [
        ("/proc", tmpfs("/proc")),
        ("/proc", bind("/proc")),
        ("/proc", tmpfs("/./proc/")),
        ("/proc/self/attr", tmpfs("/proc/self/attr")),
        ("/proc/sys", bind("/proc//sys")),
        ("/proc/1", tmpfs("/proc/1")),
        ("/proc/net", bind("/proc/net")),
        ("/proc/sys/kernel/core_pattern", bind("/proc/sys/kernel/core_pattern")),
    ];
    for (path, mount) in cases {
        let mut case = Case::probe();
        case.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount));
        let done = case.run();
        let expected = format!(
            "cuddy-oci: error: cannot start {}: /mounts/7/destination: a mount on {path} would let the container forge /proc\n  \
             mount it somewhere else\n",
            case.id()
        );
        assert_eq!((done.code(), done.stderr), (1, expected));
    }
}

fn forged_proc_through_link() {
    let (source, _) = marker();
    let cases = [
        ("/proc", "/link"),
        ("proc", "/link/sys"),
        ("/proc/self", "/link/attr"),
        ("../dev/../proc", "/link/sys/kernel"),
    ];
    for (target, destination) in cases {
        let mut case = Case::probe();
        symlink(target, case.bundle.rootfs().join("link")).unwrap();
        bind_mount(&mut case, source.path(), destination);
        case.args(&["/bin/probe"]);
        let done = case.run();
        assert_eq!(done.code(), 1, "{target} {destination}: {done:#?}");
        assert!(done.stderr.contains("would let the container forge /proc"), "{done:#?}");
    }
}

fn leaked_working_directory() {
    let cases = [
        ("/proc/self/fd/7", None),
        ("/proc/self/fd/9", None),
        ("/proc/thread-self/fd/7", None),
        ("/link", Some("/proc/self/fd/7")),
        ("/link/etc", Some("/proc/self/fd/7/")),
        ("/link", Some("proc/1/fd/7/../../")),
    ];
    for (cwd, link) in cases {
        let mut case = Case::busybox();
        case.args(&["cat", "etc/hostname", "hostname"]);
        if let Some(target) = link {
            symlink(target, case.bundle.rootfs().join("link")).unwrap();
        }
        case.edit(|config| config["process"]["cwd"] = json!(cwd));
        let done = with_leaks(case.make(&["run"]));
        assert_eq!((done.code(), done.stdout.as_str()), (1, ""), "{cwd}: {done:#?}");
        assert!(done.stderr.contains("/process/cwd"), "{done:#?}");
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn own_descriptors() {
    let (_scratch, marker) = marker();
    for fd in 3..16 {
        let mut case = Case::probe();
        case.args(&["/bin/probe", "fd-escape", &marker]);
        case.edit(|config| config["process"]["cwd"] = json!(format!("/proc/self/fd/{fd}")));
        let done = case.run();
        if done.code() == 0 {
            let verdict: probe::Verdict = done.json();
            assert!(!verdict.succeeded(), "{fd}: {verdict:?}");
        } else {
            assert!(done.stderr.contains("/process/cwd"), "{fd}: {done:#?}");
        }
    }
}

/// Whoever shares a pid namespace with it looks into /proc/1/fd.
fn waiting() {
    let case = Case::busybox();
    run(&mut case.make(&["create"])).ok();
    let open = std::fs::read_dir(format!("/proc/{}/fd", case.pid())).unwrap();
    let held: Vec<_> = open.map(|fd| std::fs::read_link(fd.unwrap().path()).unwrap()).collect();
    // Its standard streams, the socket on which it waits, and the one on which its creator was told.
    let kinds = ["/dev/null", "pipe:", "socket:", "/memfd:", "/tmp/"];
    for file in &held {
        assert!(kinds.iter().any(|kind| file.to_string_lossy().starts_with(kind)), "{held:?}");
    }
    let sockets = held.iter().filter(|file| file.to_string_lossy().starts_with("socket:")).count();
    assert_eq!(sockets, 2, "{held:?}");
}

fn leaked_in_exec() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    let exec = |options: &[&str], command: &[&str]| {
        let mut exec = case.oci(&["exec"]);
        exec.args(options).arg(case.id()).args(command);
        with_leaks(exec)
    };
    let report: probe::Report = exec(&[], &["/bin/probe"]).ok().json();
    assert_eq!(report.descriptors.iter().map(|open| open.fd).collect::<Vec<_>>(), [0, 1, 2]);
    for cwd in ["/proc/self/fd/7", "/proc/self/fd/9", "/proc/self/fd/3", "/proc/self/fd/4"] {
        let done = exec(&["--cwd", cwd], &["cat", "etc/hostname"]);
        assert_eq!((done.code(), done.stdout.as_str()), (255, ""), "{cwd}: {done:#?}");
    }
}

fn forged_null() {
    type Forge = fn(&Path);
    let forge: [(&str, Forge); 3] = [
        ("a link", |null| symlink("/proc/sys/kernel/core_pattern", null).unwrap()),
        ("a file", |null| fs::write(null, "forged").unwrap()),
        ("a directory", |null| fs::create_dir(null).unwrap()),
    ];
    for (what, forge) in forge {
        let mut case = Case::probe();
        forge(&case.bundle.rootfs().join("dev/null"));
        fs::write(case.bundle.rootfs().join("etc/secret"), "secret").unwrap();
        case.edit(|config| {
            config["linux"]["maskedPaths"].as_array_mut().unwrap().push(json!("/etc/secret"));
        });
        // Under a /dev of its own the forgery is not seen.
        assert_eq!(case.attempt(&["try-read", "/etc/secret"]).detail, "", "{what}");
        // In the /dev of the root file system it is, and no container is made with it.
        case.edit(|config| {
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
        });
        let done = case.run();
        assert_eq!(done.code(), 1, "{what}: {done:#?}");
        assert!(done.stderr.contains("make device /dev/null: something else is there already"), "{done:#?}");
    }
}

fn forged_terminal() {
    let (_scratch, marker) = marker();
    type Forge = fn(&Path, &str);
    let forge: [(&str, &str, Forge); 4] = [
        ("a file", "not devpts", |dev, _| {
            fs::create_dir(dev.join("pts")).unwrap();
            fs::write(dev.join("pts/ptmx"), "").unwrap();
        }),
        ("a link", "too many levels of symbolic links", |dev, marker| {
            fs::create_dir(dev.join("pts")).unwrap();
            symlink(marker, dev.join("pts/ptmx")).unwrap();
        }),
        ("a link to a directory", "too many levels of symbolic links", |dev, _| {
            symlink("/proc/self", dev.join("pts")).unwrap();
        }),
        ("nothing", "no such file or directory", |_, _| {}),
    ];
    for (what, message, forge) in forge {
        let mut case = Case::probe();
        forge(&case.bundle.rootfs().join("dev"), &marker);
        case.edit(|config| {
            config["process"]["terminal"] = json!(true);
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
        });
        let socket = case.bundle.path().join("console.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let done = run(&mut case.make(&["run", "--console-socket", socket.to_str().unwrap()]));
        assert_eq!(done.code(), 1, "{what}: {done:#?}");
        assert!(done.stderr.contains(message), "{what}: {done:#?}");
        assert_eq!(fs::read_to_string(&marker).unwrap(), "of the host");
    }

    // A link where the console shall be: what it leads to is not covered.
    let mut case = Case::probe();
    symlink("/etc/passwd", case.bundle.rootfs().join("dev/console")).unwrap();
    case.edit(|config| {
        config["process"]["terminal"] = json!(true);
        config["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/dev");
        config["linux"]["devices"] = json!([]);
    });
    fs::create_dir(case.bundle.rootfs().join("dev/pts")).unwrap();
    let socket = case.bundle.path().join("console.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let done = run(&mut case.make(&["run", "--console-socket", socket.to_str().unwrap()]));
    assert_eq!(done.code(), 1, "{done:#?}");
    assert!(done.stderr.contains("on /dev/console of the container: too many levels"), "{done:#?}");
}

fn start_socket() {
    let case = Case::probe();
    // The least careful caller that there is.
    let command = case.make(&["create"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    run(shell.stdin(Stdio::null())).ok();
    let socket = case.state_dir().join("containers").join(case.id()).join("start.sock");
    let owner_and_mode = |path: &Path| {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.uid(), metadata.mode() & 0o7777)
    };
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(owner_and_mode(&socket), (0, 0o600));
    assert_eq!(owner_and_mode(&socket.with_file_name("state.json")), (0, 0o600));
    assert_eq!(owner_and_mode(socket.parent().unwrap()), (0, 0o711), "others can neither list nor write");

    // Sockets of processes whose names are in their paths; those of the abstract name space begin with @.
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    let ours: Vec<_> =
        sockets.lines().filter(|line| line.contains(case.id()) || line.contains("start.sock")).collect();
    assert!(!ours.is_empty());
    let is_path = |line: &&str| line.split_whitespace().nth(7).is_some_and(|name| name.starts_with('/'));
    assert!(ours.iter().all(is_path), "{ours:?}");

    let inside = case.pid();
    let abstracts = fs::read_to_string(format!("/proc/{inside}/net/unix")).unwrap();
    assert!(!abstracts.contains('@'), "{abstracts}");
    case.does("start").ok();
    assert!(!socket.exists());
}

/// All capabilities that there are, by the names of the features document.
fn all_capabilities(case: &Case) -> Vec<String> {
    let features: Value = run(&mut case.oci(&["features"])).ok().json();
    serde_json::from_value(features["linux"]["capabilities"].clone()).unwrap()
}

fn exec_into_hostile() {
    let (_scratch, marker) = marker();
    let mut case = Case::busybox();
    map_ids(&mut case);
    let all = all_capabilities(&case);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    // Whoever joins is looked through: its root, its working directory, its descriptors and its program.
    let script = format!(
        "while :; do for p in /proc/[0-9]*; do for way in root cwd fd/3 fd/4 fd/5 fd/6 fd/7 fd/8; do \
         [ -e $p/$way{marker} ] && echo $p/$way >>/dev/shm/escaped; done; done; touch /dev/shm/looked; done",
    );
    case.edit(|config| grant(config, &all));
    case.args(&["sh", "-c", &script]).detach();
    for _ in 0..20 {
        case.exec(&[], &["true"]).ok();
    }
    eventually("the attacker looked", || case.exec(&[], &["test", "-e", "/dev/shm/looked"]).code() == 0);
    let done = case.exec(&[], &["cat", "/dev/shm/escaped"]);
    assert_eq!((done.code(), done.stdout.as_str()), (1, ""), "{done:#?}");
}

fn chroot() {
    let (_scratch, marker) = marker();
    for readonly in [true, false] {
        let mut case = Case::probe();
        case.edit(|config| {
            grant(config, &["CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"]);
            config["root"]["readonly"] = json!(readonly);
        });
        let verdict = case.attempt(&["chroot-escape", &marker]);
        assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");
    }
    // And without the capability not even this.
    assert_eq!(Case::probe().attempt(&["chroot-escape", &marker]).outcome, "EPERM");
}

fn open_directories() {
    let (_scratch, marker) = marker();
    let mut case = Case::busybox();
    case.args(&["/bin/probe", "fd-escape", &marker]);
    let verdict: probe::Verdict = with_leaks(case.make(&["run"])).ok().json();
    assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");

    // A process that stays and holds a directory, while another is started beside it.
    case.args(&["/bin/probe", "hold-open", "/"]).detach();
    let verdict: probe::Verdict = case.exec(&[], &["/bin/probe", "fd-escape", &marker]).ok().json();
    assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");
    for way in ["/proc/1/root", "/proc/1/cwd", "/proc/1/fd/3/../../../.."] {
        let done = case.exec(&[], &["cat", &format!("{way}{marker}")]);
        assert_eq!(done.stdout, "", "{way}: {done:#?}");
    }
}

fn host_processes() {
    let mut victim = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = victim.id().to_string();
    let mut case = Case::busybox();
    case.edit(|config| grant(config, &["CAP_KILL", "CAP_SYS_PTRACE"]));
    assert_eq!(case.report().pids, [1]);
    // The victim's pid is some process inside only by chance; there is none but the first.
    assert_eq!(case.attempt(&["kill", &pid]).outcome, "ESRCH");
    let done = case.args(&["sh", "-c", "kill -9 -1; echo alive; ls -d /proc/[0-9]*"]).run();
    assert!(done.stdout.starts_with("alive\n/proc/1\n"), "{done:#?}");
    assert!(!done.stdout.contains(&format!("/proc/{pid}\n")), "{done:#?}");
    let lives = victim.try_wait().unwrap().is_none();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(lives);
}

fn remounts() {
    let mut case = Case::busybox();
    let attempts: [&[&str]; 6] = [
        &["try-remount", "/proc/sys", "bind"],
        &["try-remount", "/proc", "-"],
        &["try-remount", "/", "bind"],
        &["try-mount", "proc", "/tmp", "proc", "-"],
        &["try-mount", "/proc/sys", "/tmp", "none", "bind"],
        &["try-mount", "none", "/proc", "none", "shared"],
    ];
    for attempt in attempts {
        assert_eq!(case.attempt(attempt).outcome, "EPERM", "{attempt:?}");
    }
    let done = case.args(&["umount", "/proc/keys"]).run();
    assert_eq!(done.code(), 1, "{done:#?}");
    for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/panic", "/proc/irq/default_smp_affinity"]
    {
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "EROFS", "{path}");
    }
    // A new user namespace gives no power over mounts that were made outside it.
    let done = case.args(&["unshare", "-Ur", "-m", "umount", "/proc/keys"]).run();
    assert_ne!(done.code(), 0, "{done:#?}");
}

fn host_disk() {
    let device = fs::metadata("/").unwrap().dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_DAC_OVERRIDE"]));
    let block = [("b", major, minor), ("b", 7, 0), ("c", 1, 1), ("c", 1, 4), ("c", 10, 223)];
    for (kind, major, minor) in block {
        let numbers = [major.to_string(), minor.to_string()];
        let verdict = case.attempt(&["mknod", "/dev/shm/node", kind, &numbers[0], &numbers[1]]);
        // A file system that is mounted nodev refuses with EACCES; /dev itself is not.
        assert_eq!(
            (verdict.outcome.as_str(), &verdict.detail["open"]),
            ("ok", &json!("EACCES")),
            "{verdict:?}"
        );
        let verdict = case.attempt(&["mknod", "/dev/node", kind, &numbers[0], &numbers[1]]);
        assert_eq!(
            (verdict.outcome.as_str(), &verdict.detail["open"]),
            ("ok", &json!("EPERM")),
            "{verdict:?}"
        );
    }
    // Without the capability there is no node at all.
    assert_eq!(Case::probe().attempt(&["mknod", "/dev/node", "b", "7", "0"]).outcome, "EPERM");
}

fn kernel_files() {
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_DAC_OVERRIDE"]));
    let existing = [
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/sys/kernel/uevent_helper",
        "/sys/kernel/mm/ksm/run",
    ];
    for path in existing.into_iter().filter(|path| Path::new(path).exists()) {
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "EROFS", "{path}");
    }
    let groups = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    for path in groups.map(|dir: PathBuf| dir.join("cgroup.procs")).filter(|path| path.exists()) {
        let verdict = case.attempt(&["try-open", path.to_str().unwrap(), "wronly"]);
        assert_eq!(verdict.outcome, "EROFS", "{verdict:?}");
    }
}

fn setuid() {
    for (no_new_privs, effective) in [(true, 1000), (false, 0)] {
        let mut case = Case::probe();
        let program = case.bundle.rootfs().join("bin/suid");
        copy_program(&case.bundle.rootfs().join("bin/probe"), &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).unwrap();
        case.edit(|config| {
            config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 });
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
        });
        case.args(&["/bin/suid"]);
        let report: probe::Report = case.run().ok().json();
        assert_eq!((report.ids.uids[0], report.ids.uids[1]), (1000, effective));
        // Even then it has no more than the bounding set.
        assert!(!report.capabilities.permitted.contains("CAP_SYS_ADMIN"));
    }
}

fn left_running() {
    let mut case = Case::busybox();
    case.edit(|config| {
        set_namespace(config, "pid", None);
        config["linux"]["resources"]["pids"] = json!({ "limit": 50 });
    });
    let bomb = format!("bomb() {{ bomb | bomb & }}; : {}; bomb; sleep 1000", case.id());
    case.args(&["sh", "-c", &bomb]).detach();
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}
