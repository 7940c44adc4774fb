//! `/proc/PID/cgroup` and `/proc/PID/mountinfo`. Names in them are others' to choose: of groups, and of directories on which
//! something is mounted.

#![no_main]

use std::ffi::OsStr;

use host::membership::{self, Hierarchy};
use host::mountinfo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = String::from_utf8_lossy(bytes);
    memberships(&read);
    mounts(&read);
    names(&read);
});

fn memberships(read: &str) {
    let Ok(memberships) = membership::parse(read) else { return };
    assert_eq!(memberships.len(), read.lines().count());
    for (membership, line) in memberships.iter().zip(read.lines()) {
        let controllers = match &membership.hierarchy {
            Hierarchy::V1(controllers) => controllers.join(","),
            Hierarchy::V2 => String::new(),
        };
        let end = format!(":{controllers}:{}", membership.group.display());
        assert!(line.ends_with(&end), "{line:?} as {membership:?}");
    }
}

fn mounts(read: &str) {
    let mounts = mountinfo::mounts(read);
    let groups = mountinfo::cgroup_mounts(read);
    assert!(mounts.len() <= read.lines().count());
    let points: Vec<_> =
        mounts.iter().filter(|mount| mount.fstype.starts_with("cgroup")).map(|mount| &mount.point).collect();
    assert!(groups.iter().all(|group| points.contains(&&group.point)));
    for mount in &mounts {
        let first = mounts.iter().find(|other| other.fstype == mount.fstype).map(|other| other.point.clone());
        assert_eq!(mountinfo::find(read, &mount.fstype), first);
    }
}

/// No name makes a line more, or a mount elsewhere.
fn names(name: &str) {
    let point = format!("/{name}");
    let line = format!("35 31 0:32 / {} rw,relatime - cgroup2 none rw\n", escaped(&point));
    let [mount] = &mountinfo::mounts(&line)[..] else { panic!("{line:?} is no mount") };
    assert_eq!(mount.point.as_os_str(), OsStr::new(&point));
    let [group] = &mountinfo::cgroup_mounts(&line)[..] else { panic!("{line:?} is no mount of a group") };
    assert_eq!(group.point, mount.point);
}

/// As the kernel does it (`mangle_path` in `fs/seq_file.c`).
fn escaped(name: &str) -> String {
    let octal = |letter: char| match letter {
        ' ' | '\t' | '\n' | '\\' => format!("\\{:03o}", u32::from(letter)),
        letter => letter.to_string(),
    };
    name.chars().map(octal).collect()
}
