//! Mount points that lead elsewhere (CVE-2021-30465, CVE-2019-19921).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;
use testbed::{Scratch, run};

use crate::ground::{bind_mount, marker, naive, naive_shell, text, works_without};
use crate::support::Case;

pub fn swapped_mount_point() {
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

pub fn linked_mount_points() {
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

pub fn linked_sources() {
    let (victim, _) = marker();
    let host = victim.path().display();
    let seen = |case: &Case| {
        let script = "mount --bind \"$1\" \"$2\" && cat \"$2\"/marker";
        let root = case.bundle.rootfs();
        naive_shell(script, &[&text(&root.join("link")), &text(&root.join("tmp"))]).stdout == "of the host"
    };
    for target in
        [format!("{host}"), format!("../../../../../../../..{host}"), format!("/proc/self/root{host}")]
    {
        let mut case = Case::probe();
        symlink(&target, case.bundle.rootfs().join("link")).unwrap();
        works_without("openat2", seen(&case), &target);
        let source = case.bundle.rootfs().join("link");
        bind_mount(&mut case, &source, "/tmp");
        case.args(&["/bin/probe", "try-read", "/tmp/marker"]);
        let done = case.run();
        assert_eq!(done.code(), 1, "{target}: {done:#?}");
        assert!(done.stderr.contains("copy the mount of /link of the container: "), "{target}: {done:#?}");
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

pub fn linked_proc() {
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

/// So many mounts, in so many containers: ten thousand in all.
const MOUNTS: usize = 100;
const CONTAINERS: usize = 100;

/// A directory of the root file system and a link to one of the host, which change places all the time.
struct Swapped {
    victim: Scratch,
    directory: PathBuf,
    link: PathBuf,
}

impl Swapped {
    fn new(root: &Path) -> Swapped {
        let victim = Scratch::new();
        let (directory, link) = (root.join("volume/swapped"), root.join("volume/link"));
        fs::create_dir_all(directory.join("below")).unwrap();
        // The same path is there inside, so that no mount point is ever missing.
        fs::create_dir(victim.path().join("below")).unwrap();
        fs::create_dir_all(root.join(victim.path().strip_prefix("/").unwrap()).join("below")).unwrap();
        symlink(victim.path(), &link).unwrap();
        Swapped { victim, directory, link }
    }

    /// Does this while they change places.
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    renameat_with(CWD, &self.directory, CWD, &self.link, RenameFlags::EXCHANGE).unwrap();
                    std::thread::yield_now();
                }
            });
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            stop.store(true, Ordering::Relaxed);
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Every mount of a container meets the directory or the link; both are inside.
pub fn ten_thousand_swaps() {
    let (source, _) = marker();
    let mut case = Case::probe();
    let swapped = Swapped::new(&case.bundle.rootfs());
    let path = text(&swapped.directory);

    let by_path = naive(&["naive-mount", &text(source.path()), &path, "10000"]);
    let verdict: probe::Verdict = swapped.during(|| {
        run(std::process::Command::new("unshare")
            .arg("--mount")
            .arg(by_path.get_program())
            .args(by_path.get_args()))
        .ok()
        .json()
    });
    works_without("descriptors", verdict.succeeded(), &verdict);
    assert_eq!(verdict.detail["mounted on"], json!(text(swapped.victim.path())));

    case.edit(|config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        for turn in 0..MOUNTS {
            let destination = if turn % 2 == 0 { "/volume/swapped" } else { "/volume/swapped/below" };
            mounts.push(json!({ "destination": destination, "type": "bind", "source": source.path() }));
        }
    });
    let inside = text(swapped.victim.path());
    let mut met = BTreeSet::new();
    for _ in 0..CONTAINERS {
        let report = swapped.during(|| case.report());
        let points = report.mounts.iter().map(|mount| mount.point.as_str());
        let ours = points.filter(|point| point.starts_with("/volume") || point.starts_with(&inside));
        let ours: Vec<_> = ours.map(str::to_owned).collect();
        assert_eq!(ours.len(), MOUNTS);
        met.extend(ours);
    }
    // Both sides of the race were met, so that the ten thousand were tries.
    for place in ["/volume", inside.as_str()] {
        assert!(met.iter().any(|point| point.starts_with(place)), "{met:?}");
    }
    assert_eq!(fs::read_dir(swapped.victim.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(swapped.victim.path().join("below")).unwrap().count(), 0);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

/// Joins a path of the host and one of the container, as careless runtimes do.
pub fn naive_paths() {
    let (victim, _) = marker();
    let (source, _) = marker();
    let case = Case::probe();
    let root = case.bundle.rootfs();
    symlink(victim.path(), root.join("link")).unwrap();
    fs::remove_dir(root.join("proc")).unwrap();
    symlink(victim.path(), root.join("proc")).unwrap();
    let mounted_on_victim = |mount: &str, point: &str| {
        let script = format!("{mount} \"$1\" \"$2\" && cut -d' ' -f5 /proc/self/mountinfo | tail -n1");
        let done = naive_shell(&script, &[&text(source.path()), &text(&root.join(point))]);
        done.stdout.trim_end() == text(victim.path())
    };
    for (mount, point) in [("mount --bind", "link"), ("mount -t proc", "proc")] {
        works_without("openat2", mounted_on_victim(mount, point), mount);
    }
}
