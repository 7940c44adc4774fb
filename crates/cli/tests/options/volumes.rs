//! What is mounted from the host: who writes, who owns, and which later mounts are seen.

use std::ffi::CStr;
use std::fs;
use std::os::linux::fs::MetadataExt;
use std::path::PathBuf;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use testbed::{Trial, run};

use crate::common::{Home, Rootfs};
use crate::{typed, with_busybox};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        with_busybox("a volume writes through to the host", volume_writes_through),
        with_busybox("running containers never have the same ids", ids_of_their_own),
        with_busybox("files of the host get other owners in a mount, and keep their own", mapped_owners),
        with_busybox("rslave lets later mounts of the host in", || propagation("rslave", true)),
        with_busybox("rprivate keeps later mounts of the host out", || propagation("rprivate", false)),
        with_busybox("rshared lets mounts of the container out", shared_both_ways),
    ]
}

fn volume_writes_through() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    typed(&home.dir());
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
