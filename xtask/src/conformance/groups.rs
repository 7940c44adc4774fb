//! The control groups that a suite leaves behind, with what still runs in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How the suites name their groups. Others may make groups at the same time.
const PREFIXES: [&str; 3] = ["test-", "runtime-test", "frozen"];

/// The groups directly below the root of each hierarchy.
pub fn all() -> BTreeSet<PathBuf> {
    let children = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect()
    };
    let root = Path::new("/sys/fs/cgroup");
    children(root).iter().flat_map(|hierarchy| children(hierarchy)).chain(children(root)).collect()
}

/// Whether a suite names its groups so: by prefix, or by the UUID of a container, as a runtime writes it.
fn is_of_a_suite(name: &str) -> bool {
    let bare = ["cuddy-", ":youki:"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let parts: Vec<_> = bare.split('-').map(str::len).collect();
    let uuid = parts == [8, 4, 4, 4, 12] && bare.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    uuid || PREFIXES.iter().any(|prefix| bare.starts_with(prefix))
}

/// Ends what is in the groups that came since, and removes them.
pub fn remove_new(before: &BTreeSet<PathBuf>) {
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !before.contains(path) && is_of_a_suite(&name)
    };
    for group in all().into_iter().filter(ours) {
        // Nothing of a frozen group can end.
        let _ = fs::write(group.join("freezer.state"), "THAWED");
        let deadline = Instant::now() + Duration::from_secs(5);
        while let Err(error) = remove(&group) {
            if Instant::now() > deadline {
                eprintln!("xtask: cannot remove {}: {error}", group.display());
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// From the leaves up; what runs in a group is sent SIGKILL first.
fn remove(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group).into_iter().flatten().filter_map(Result::ok) {
        if entry.path().is_dir() {
            remove(&entry.path())?;
        }
    }
    let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in pids.lines().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::KILL);
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_the_suites() {
        let cases = [
            ("runtime-test", true),
            ("cuddy-test-tmp5pdiy7bi", true),
            (":youki:1cea04e4-46c0-a9ae-969a-cf6417bcec41", true),
            ("3187179e-bb6e-9428-7bcd-88b96d2b5276", true),
            ("cuddy-cuddy-test-19775-0", false),
            ("libpod_parent", false),
        ];
        for (name, expect) in cases {
            assert_eq!(is_of_a_suite(name), expect, "{name}");
        }
    }
}
