//! What is on the machine, to compare before and after.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that are ours: containers, directories and cgroups of tests and benches begin with it.
const OURS: &str = "cuddy";
/// Programs that are ours.
const PROGRAMS: [&str; 3] = ["cuddy", "cuddy-oci", "probe"];
/// Cgroups that others make and remove at any time.
const FOREIGN: [&str; 6] =
    ["system.slice", "user.slice", "machine.slice", "init.scope", "process_api", "docker"];
/// How deep state directories are read.
const DEPTH: usize = 4;

/// A list of what a container can leave behind, one line of text for each thing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Mounts of this mount namespace.
    pub mounts: BTreeSet<String>,
    /// Directories in all cgroup hierarchies, without those of other managers.
    pub cgroups: BTreeSet<String>,
    /// Processes of our programs or in cgroups of ours.
    pub processes: BTreeSet<String>,
    /// Network interfaces and named network namespaces.
    pub network: BTreeSet<String>,
    /// State directories and temporary files.
    pub files: BTreeSet<String>,
}

impl Machine {
    /// The machine as it is, with the state in `/run/cuddy` and `/var/lib/cuddy`.
    pub fn snapshot() -> Machine {
        Machine::snapshot_with(&[Path::new("/run/cuddy"), Path::new("/var/lib/cuddy")])
    }

    /// The machine as it is, with the state in these directories.
    pub fn snapshot_with(roots: &[&Path]) -> Machine {
        Machine {
            mounts: mounts(),
            cgroups: cgroups(),
            processes: processes(),
            network: network(),
            files: files(roots),
        }
    }

    /// What differs between two snapshots, one line each: `left behind: …` and `gone: …`.
    pub fn diff(before: &Machine, after: &Machine) -> Vec<String> {
        let mut lines = Vec::new();
        for ((kind, before), (_, after)) in before.kinds().into_iter().zip(after.kinds()) {
            lines.extend(after.difference(before).map(|thing| format!("left behind: {kind} {thing}")));
            lines.extend(before.difference(after).map(|thing| format!("gone: {kind} {thing}")));
        }
        lines
    }

    /// What has this text in it, such as a container's name: for a test that runs beside others.
    pub fn mentioning(&self, text: &str) -> Vec<String> {
        let all = self.kinds().into_iter().flat_map(|(kind, things)| {
            things.iter().filter(|thing| thing.contains(text)).map(move |thing| format!("{kind} {thing}"))
        });
        all.collect()
    }

    fn kinds(&self) -> [(&'static str, &BTreeSet<String>); 5] {
        [
            ("mount", &self.mounts),
            ("cgroup", &self.cgroups),
            ("process", &self.processes),
            ("network", &self.network),
            ("file", &self.files),
        ]
    }
}

/// `POINT TYPE SOURCE ROOT`, with a number where the same is mounted on top of itself.
fn mounts() -> BTreeSet<String> {
    let mut mounts = BTreeSet::new();
    for line in fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines() {
        let Some((mount, filesystem)) = line.split_once(" - ") else { continue };
        let (mount, filesystem): (Vec<_>, Vec<_>) =
            (mount.split(' ').collect(), filesystem.split(' ').collect());
        let name = format!("{} {} {} {}", mount[4], filesystem[0], filesystem[1], mount[3]);
        let numbered = (2..).map(|n| format!("{name} ({n})"));
        let free = [name.clone()].into_iter().chain(numbered).find(|name| !mounts.contains(name));
        mounts.extend(free);
    }
    mounts
}

fn cgroups() -> BTreeSet<String> {
    let mut dirs = BTreeSet::new();
    collect_cgroups(Path::new("/sys/fs/cgroup"), &mut dirs);
    dirs
}

fn collect_cgroups(dir: &Path, dirs: &mut BTreeSet<String>) {
    for path in entries(dir).filter(|path| path.is_dir() && !path.is_symlink()) {
        let text = path.display().to_string();
        let foreign = path.components().any(|part| FOREIGN.iter().any(|name| part.as_os_str() == *name));
        if !foreign || text.contains(OURS) {
            dirs.insert(text);
        }
        collect_cgroups(&path, dirs);
    }
}

/// `PID COMMAND LINE`.
fn processes() -> BTreeSet<String> {
    let mut processes = BTreeSet::new();
    for dir in entries(Path::new("/proc")) {
        let pid = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if pid.parse::<u32>().is_err() {
            continue;
        }
        let program = fs::read_link(dir.join("exe")).unwrap_or_default();
        let program = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let cgroups = fs::read_to_string(dir.join("cgroup")).unwrap_or_default();
        if PROGRAMS.contains(&program) || cgroups.contains(OURS) {
            let command = fs::read(dir.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            processes.insert(format!("{pid} {program}: {}", command.trim_end()));
        }
    }
    processes
}

fn network() -> BTreeSet<String> {
    let name = |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let interfaces = entries(Path::new("/sys/class/net")).map(|path| format!("interface {}", name(path)));
    let namespaces = entries(Path::new("/run/netns")).map(|path| format!("namespace {}", name(path)));
    interfaces.chain(namespaces).collect()
}

/// What is in the state directories, and what lies in the places for temporary files under a name of ours.
fn files(roots: &[&Path]) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for root in roots {
        collect_files(root, DEPTH, &mut files);
    }
    let places = [env::temp_dir(), PathBuf::from("/dev/shm")];
    let temporary = places.iter().flat_map(|place| entries(place)).map(|path| path.display().to_string());
    files.extend(temporary.filter(|path| path.contains(OURS)));
    files
}

fn collect_files(dir: &Path, depth: usize, files: &mut BTreeSet<String>) {
    for path in entries(dir) {
        files.insert(path.display().to_string());
        if depth > 1 && path.is_dir() && !path.is_symlink() {
            collect_files(&path, depth - 1, files);
        }
    }
}

/// What is in a directory, if it is there: processes and cgroups may go while they are looked at.
fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(mounts: &[&str], files: &[&str]) -> Machine {
        let set = |things: &[&str]| things.iter().map(|thing| thing.to_string()).collect();
        Machine { mounts: set(mounts), files: set(files), ..Machine::default() }
    }

    #[test]
    fn a_diff_names_what_came_and_what_went() {
        let before = machine(&["/ ext4"], &["/tmp/cuddy-a"]);
        let after = machine(&["/ ext4", "/mnt tmpfs"], &[]);
        assert_eq!(
            Machine::diff(&before, &after),
            ["left behind: mount /mnt tmpfs", "gone: file /tmp/cuddy-a"]
        );
        assert!(Machine::diff(&after, &after).is_empty());
    }

    #[test]
    fn what_mentions_a_name_is_found_in_every_kind() {
        let machine = machine(&["/run/web overlay"], &["/run/cuddy/web"]);
        assert_eq!(machine.mentioning("web"), ["mount /run/web overlay", "file /run/cuddy/web"]);
    }
}
