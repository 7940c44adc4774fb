//! ROOT: this machine, directories, archives.

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use common::{Home, Rootfs, own_namespace, with_probe};
use probe::Report;
use testbed::{Need, Trial, debian_tar, input, run, run_within, trial, unique_name};

/// Unpacking a Debian on a busy disk; downloading lists and a small package.
const LONG: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let busybox = || [Need::Root, Need::Program("busybox")];
    let mut trials = vec![
        trial("host: is this machine in namespaces of its own", [Need::Root], host_is_apart),
        trial("host: shows nothing that is mounted on the host", [Need::Root], host_mounts),
        trial("host: may be written anywhere and keeps nothing", [Need::Root], host_is_thrown_away),
        trial("without a command there is a shell", [Need::Root], shell),
        trial("host:/path is that tree, and keeps nothing", busybox(), || tree_is_thrown_away("host:")),
        trial("a directory is that tree, and keeps nothing", busybox(), || tree_is_thrown_away("")),
        trial("a directory may be named from here", busybox(), relative),
        trial("with --root-rw the directory itself is written", busybox(), root_rw),
        trial("an archive's name tells nothing, its content does", busybox(), misnamed),
        trial("two starts of one archive at once unpack it once", busybox(), at_once),
        trial("a bare name is an image", [], bare_names),
    ];
    trials.extend(COMPRESSIONS.map(busybox_archive));
    trials.extend(COMPRESSIONS.map(debian_archive));
    let mirror = Need::Reachable("deb.debian.org:80");
    let needs = [Need::Root, Need::Program("mmdebstrap"), mirror];
    trials.push(trial("apt installs in Debian with the network of the host", needs, apt));
    testbed::main(trials)
}

fn host_is_apart() {
    let home = Home::new();
    let report: Report = home.run([&*with_probe(), "host:", "/probe"]).ok().json();
    assert_eq!((report.process.pid, report.process.ppid), (1, 0));
    for kind in ["pid", "mnt", "uts", "ipc", "net", "cgroup"] {
        assert_ne!(report.namespaces[kind], own_namespace(kind), "{kind}");
    }
    for kind in ["user", "time"] {
        assert_eq!(report.namespaces[kind], own_namespace(kind), "{kind}");
    }
    assert_eq!(report.pids, [1]);
    let interfaces: Vec<_> = report.interfaces.iter().map(|one| (one.name.as_str(), one.up)).collect();
    assert_eq!(interfaces, [("lo", true)]);
    assert_eq!(report.cgroup("memory").or(report.cgroup("")), Some("/"));

    let same = home.run(["host:", "cat", "/etc/os-release"]).ok();
    assert_eq!(same.stdout, fs::read_to_string("/etc/os-release").unwrap());
}

fn host_mounts() {
    let home = Home::new();
    let point = home.write("point/covered", "");
    let point = point.parent().unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tmpfs", point, "tmpfs", flags, None::<&std::ffi::CStr>).unwrap();
    fs::write(point.join("on-the-host"), "").unwrap();

    let report: Report = home.run([&*with_probe(), "host:", "/probe"]).ok().json();
    let ours = ["/proc", "/dev", "/sys", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/probe"];
    for mount in &report.mounts {
        let known = mount.point == "/" || ours.iter().any(|ours| Path::new(&mount.point).starts_with(ours));
        assert!(known, "{mount:?}");
    }
    let list = home.run(["host:", "ls", "-A", point.to_str().unwrap()]);
    assert!(!list.stdout.contains("on-the-host"), "{list:?}");
}

fn host_is_thrown_away() {
    let home = Home::new();
    // A name that the machine does not have yet: what is written here must not be there afterwards.
    let name = unique_name();
    let places = ["/", "/etc", "/usr", "/usr/bin", "/var/lib", "/root", "/opt", "/tmp", "/run"];
    let script = format!(
        "for dir in {}; do mkdir -p $dir && echo $dir > $dir/{name} && cat $dir/{name} || exit 1; done",
        places.join(" ")
    );
    let done = home.run(["host:", "sh", "-c", &script]).ok();
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), places);
    for place in places {
        assert!(!Path::new(place).join(&name).exists(), "{place}/{name} is on the host");
    }
}

fn shell() {
    let home = Home::new();
    let (_, mut command) = home.container(["-i", "host:"]);
    let done = run(command.stdin(input("echo $0 is $$; exit 3\n")));
    assert_eq!((done.stdout.as_str(), done.code()), ("sh is 1\n", 3), "{done:?}");
}

/// Everything that was in a tree: path, mode, owner and content or target.
fn contents(dir: &Path) -> Vec<String> {
    let list = "find . -printf '%p %y %m %U:%G %l\\n' | sort; find . -type f -exec cksum {} + | sort";
    let done = run(Command::new("sh").args(["-c", list]).current_dir(dir)).ok();
    done.stdout.lines().map(str::to_owned).collect()
}

fn tree_is_thrown_away(prefix: &str) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let before = contents(&rootfs.path());
    let script = "set -e; echo new > /new; echo more >> /etc/passwd; rm /etc/group; mv /bin/ls /bin/list; \
                  chmod 700 /etc; chown 7:7 /home; rm -r /var; ln -s /new /link; cat /new /link";
    let root = format!("{prefix}{}", rootfs.text());
    assert_eq!(home.run([&*root, "sh", "-c", script]).ok().stdout, "new\nnew\n");
    assert_eq!(contents(&rootfs.path()), before);
    let again = home.run([&*root, "sh", "-c", "ls /bin/list; cat /etc/group"]);
    assert!(again.stdout.starts_with("root:x:0:"), "{again:?}");
}

fn relative() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    std::os::unix::fs::symlink(rootfs.path(), home.dir().join("link")).unwrap();
    for (dir, root) in [(home.dir(), "./link"), (rootfs.path(), "."), (rootfs.path().join("etc"), "..")] {
        let (_, mut command) = home.container([root, "cat", "/etc/hostname"]);
        run(command.current_dir(dir)).ok();
    }
}

fn root_rw() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let root = rootfs.text();
    home.run(["--root-rw", &root, "sh", "-c", "echo kept > /kept; rm /etc/group"]).ok();
    assert_eq!(fs::read_to_string(rootfs.path().join("kept")).unwrap(), "kept\n");
    assert!(!rootfs.path().join("etc/group").exists());
    // What cuddy mounts into it is not written into its files.
    assert_eq!(fs::read_to_string(rootfs.path().join("etc/hostname")).unwrap(), "rootfs\n");
}

/// What follows `.tar`, and what makes it.
const COMPRESSIONS: [(&str, &[&str]); 4] =
    [("", &["cat"]), (".gz", &["gzip", "-1"]), (".zst", &["zstd", "-1"]), (".xz", &["xz", "-0", "-T0"])];

/// `FROM | FILTER > TO`.
fn compress(filter: &[&str], from: &Path, to: &Path) {
    let (from, to) = (fs::File::open(from).unwrap(), fs::File::create(to).unwrap());
    let status = Command::new(filter[0]).args(&filter[1..]).stdin(from).stdout(to).status();
    assert!(status.unwrap().success(), "{filter:?}");
}

/// A BusyBox root file system as a tar archive.
fn busybox_tar(home: &Home) -> PathBuf {
    let (rootfs, tar) = (Rootfs::new(), home.dir().join("busybox.tar"));
    run(Command::new("tar").arg("-C").arg(rootfs.path()).arg("-cf").arg(&tar).arg(".")).ok();
    tar
}

fn busybox_archive((suffix, filter): (&'static str, &'static [&'static str])) -> Trial {
    let needs = [Need::Root, Need::Program("busybox"), Need::Program(filter[0])];
    trial(&format!("BusyBox runs from a .tar{suffix}"), needs, move || {
        let home = Home::new();
        let tar = busybox_tar(&home);
        compress(filter, &tar, &home.dir().join("root"));
        starts_at_once_the_second_time(&home, "./root", "wc -c < /bin/busybox; cat /etc/passwd", |out| {
            assert!(out.contains("user:x:1000:1000:user:/home:/bin/sh"), "{out}");
        });
    })
}

fn debian_archive((suffix, filter): (&'static str, &'static [&'static str])) -> Trial {
    let needs = [Need::Root, Need::Program("mmdebstrap"), Need::Program(filter[0])];
    trial(&format!("Debian runs from a .tar{suffix}"), needs, move || {
        let home = Home::in_memory();
        let name = format!("debian.tar{suffix}");
        compress(filter, &debian_tar(), &home.dir().join(&name));
        let script = ". /etc/os-release; echo $ID; dpkg --get-selections | wc -l; id -un; stat -c %a /tmp";
        starts_at_once_the_second_time(&home, &format!("./{name}"), script, |out| {
            let lines: Vec<_> = out.lines().collect();
            assert_eq!((lines[0], &lines[2..]), ("debian", &["root", "1777"][..]));
            assert!(lines[1].parse::<u32>().unwrap() > 50, "{out}");
        });
    })
}

/// Runs the script twice. The second time nothing in the store is new, and nothing of the first run is seen.
fn starts_at_once_the_second_time(home: &Home, root: &str, script: &str, check: fn(&str)) {
    let script = format!("[ -e /first ] && echo not thrown away; echo > /first; {script}");
    let run = || run_within(LONG, &mut home.container([root, "sh", "-c", &script]).1).ok();
    let first = run();
    check(&first.stdout);
    let store = store(home);
    let second = run();
    // What is left out of an archive is said once.
    assert_eq!((second.stdout, second.stderr.as_str()), (first.stdout, ""));
    assert_eq!(self::store(home), store);
}

/// Every directory in the store with its inode and the time of its last change.
fn store(home: &Home) -> Vec<String> {
    let layers: Vec<_> = fs::read_dir(home.root().join("layers")).unwrap().flatten().collect();
    assert_eq!(layers.iter().filter(|layer| layer.path().is_dir()).count(), 1, "{layers:?}");
    let rootfs = layers.iter().map(|layer| layer.path().join("rootfs"));
    let paths = layers.iter().map(|layer| layer.path()).chain(rootfs).filter(|path| path.exists());
    let line = |path: PathBuf| {
        let meta = fs::metadata(&path).unwrap();
        format!("{} {} {}.{}", path.display(), meta.ino(), meta.ctime(), meta.ctime_nsec())
    };
    paths.map(line).collect()
}

fn misnamed() {
    let home = Home::new();
    let tar = busybox_tar(&home);
    compress(&["gzip", "-1"], &tar, &home.dir().join("plain.tar"));
    fs::rename(&tar, home.dir().join("packed.tar.xz")).unwrap();
    for root in ["./plain.tar", "./packed.tar.xz"] {
        assert_eq!(home.run([root, "echo", "here"]).ok().stdout, "here\n");
    }
}

fn at_once() {
    let home = Home::new();
    busybox_tar(&home);
    let start = |_| {
        let mut command = home.container(["./busybox.tar", "echo", "here"]).1;
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cuddy starts")
    };
    let children: Vec<_> = (0..2).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "here\n", "{output:?}");
    }
    store(&home);
}

fn bare_names() {
    let home = Home::new();
    home.write("rootfs/file", "");
    let forms = "give a directory (./rootfs), an archive (./rootfs.tar) or host:";
    let cases = [
        ("debian", forms),
        ("debian:12", forms),
        ("rootfs", "for the one in this directory write ./rootfs"),
        ("host", forms),
    ];
    for (name, hint) in cases {
        let done = home.run([name, "sh"]);
        let expect = format!("cuddy: {name} is an image name; images are not supported yet\n  {hint}\n");
        assert_eq!((done.code(), done.stderr.as_str(), done.stdout.as_str()), (125, expect.as_str(), ""));
    }
}

fn apt() {
    let home = Home::in_memory();
    let tar = debian_tar();
    let script = "set -e; apt-get -q update; apt-get -qy install hello; hello";
    let (_, mut command) = home.container(["--network", "host", tar.to_str().unwrap(), "sh", "-c", script]);
    let done = run_within(LONG, &mut command).ok();
    assert!(done.stdout.ends_with("Hello, world!\n"), "{done:#?}");
    let gone = home.run([tar.to_str().unwrap(), "hello"]);
    assert_eq!(gone.code(), 127, "{gone:?}");
}
