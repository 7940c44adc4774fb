use super::*;
use plan::facts::{CgroupV1, CgroupV2, Delegated};
use spec::{Cpu, HugepageLimit, Memory, Pids};

fn v1(own: &str) -> Vec<CgroupV1> {
    let all = [&["cpu", "cpuacct"][..], &["cpuset"], &["memory"], &["devices"], &["name=systemd"]];
    all.into_iter()
        .map(|controllers| CgroupV1 {
            controllers: controllers.iter().map(|&c| c.to_owned()).collect(),
            mount: format!("/cg/{}", controllers.join(",").replace("name=", "")).into(),
            own: own.into(),
        })
        .collect()
}

fn v2(mount: &str, controllers: &[&str], own: &str) -> Option<CgroupV2> {
    let controllers = controllers.iter().map(|&c| c.to_owned()).collect();
    Some(CgroupV2 { mount: mount.into(), controllers, own: own.into(), delegated: None })
}

fn unified() -> CgroupLayout {
    CgroupLayout { v1: vec![], v2: v2("/cg", &["cpuset", "cpu", "io", "memory", "pids"], "/user/session") }
}

fn hybrid() -> CgroupLayout {
    CgroupLayout { v1: v1("/own"), v2: v2("/cg/unified", &["hugetlb"], "/own") }
}

fn make(resources: &Resources, layout: &CgroupLayout, path: Option<&str>) -> Result<Group, Error> {
    group(resources, layout, path, &"web".parse().unwrap())
}

fn limits() -> Resources {
    Resources {
        memory: Some(Memory { limit: Some(4096), ..Memory::default() }),
        cpu: Some(Cpu { cpus: Some("0".into()), ..Cpu::default() }),
        ..Resources::default()
    }
}

/// `FILE VALUE` of all settings but those for devices.
fn lines(group: &Group) -> Vec<String> {
    let settings = group.settings.iter().map(|s| format!("{} {}", s.file.display(), s.value));
    settings.filter(|line| !line.contains("devices.")).collect()
}

#[test]
fn v2_passes_controllers_on_from_the_top_before_it_limits() {
    let group = make(&limits(), &unified(), Some("/cuddy/web")).unwrap();
    assert_eq!(group.directories, [Path::new("/cg/cuddy/web")]);
    assert_eq!(group.inherit, []);
    assert_eq!(
        lines(&group),
        [
            "/cg/cgroup.subtree_control +cpuset",
            "/cg/cgroup.subtree_control +memory",
            "/cg/cgroup.subtree_control +cpu",
            "/cg/cgroup.subtree_control +io",
            "/cg/cgroup.subtree_control +pids",
            "/cg/cuddy/cgroup.subtree_control +cpuset",
            "/cg/cuddy/cgroup.subtree_control +memory",
            "/cg/cuddy/cgroup.subtree_control +cpu",
            "/cg/cuddy/cgroup.subtree_control +io",
            "/cg/cuddy/cgroup.subtree_control +pids",
            "/cg/cuddy/web/cpuset.cpus 0",
            "/cg/cuddy/web/memory.max 4096",
        ]
    );
    for setting in &group.settings {
        let counts_only = setting.value.starts_with('+') && setting.pointer == POINTER_OF_PATH;
        assert_eq!(setting.ignore.is_empty(), !counts_only, "{setting:?}");
    }
    assert_eq!(group.devices.unwrap().directory, Path::new("/cg/cuddy/web"));
}

#[test]
fn hybrid_uses_v1_where_it_has_the_controller() {
    let mut resources = limits();
    resources.hugepage_limits = vec![HugepageLimit { page_size: "2MB".into(), limit: 0 }];
    let group = make(&resources, &hybrid(), Some("/a/b")).unwrap();
    assert_eq!(
        group.directories,
        [
            "/cg/cpu,cpuacct/a/b",
            "/cg/cpuset/a/b",
            "/cg/memory/a/b",
            "/cg/devices/a/b",
            "/cg/systemd/a/b",
            "/cg/unified/a/b"
        ]
        .map(Path::new)
    );
    assert_eq!(group.inherit[0].directory, Path::new("/cg/cpuset/a/b"));
    assert_eq!(
        lines(&group),
        [
            "/cg/unified/cgroup.subtree_control +hugetlb",
            "/cg/unified/a/cgroup.subtree_control +hugetlb",
            "/cg/cpuset/a/b/cpuset.cpus 0",
            "/cg/memory/a/b/memory.limit_in_bytes 4096",
            "/cg/unified/a/b/hugetlb.2MB.max 0",
            "/cg/unified/a/b/hugetlb.2MB.rsvd.max 0",
        ]
    );
    assert_eq!(group.devices, None);
    let first_device = group.settings.iter().find(|s| s.file.ends_with("devices.deny")).unwrap();
    assert_eq!((first_device.value.as_str(), first_device.ignore), ("a", &[][..]));
}

#[test]
fn hybrid_leaves_v2_controllers_alone_that_no_limit_needs() {
    assert!(
        !lines(&make(&limits(), &hybrid(), None).unwrap())
            .iter()
            .any(|line| line.contains("subtree_control"))
    );
}

#[test]
fn a_relative_path_is_below_our_own_group() {
    let group = make(&Resources::default(), &hybrid(), Some("x")).unwrap();
    assert_eq!(group.directories[2], Path::new("/cg/memory/own/x"));
    assert_eq!(group.directories[5], Path::new("/cg/unified/own/x"));
    let group = make(&Resources::default(), &unified(), Some("x")).unwrap();
    assert_eq!(group.directories, [Path::new("/cg/user/x")]);
}

#[test]
fn a_limit_without_its_controller_says_what_is_missing_and_where_it_was_looked_for() {
    let pids = Resources { pids: Some(Pids { limit: Some(5) }), ..Resources::default() };
    let burst =
        Resources { unified: [("misc.max".to_owned(), "1".to_owned())].into(), ..Resources::default() };
    let swappiness = Resources {
        memory: Some(Memory { swappiness: Some(5), ..Memory::default() }),
        ..Resources::default()
    };
    let v1_only = CgroupLayout { v1: v1("/"), v2: None };
    for (resources, layout, expect) in [
        (
            &pids,
            hybrid(),
            "/linux/resources/pids/limit: this machine has no cgroup controller pids; looked among the v1 \
             hierarchies and in /cg/unified/cgroup.controllers",
        ),
        (
            &pids,
            v1_only.clone(),
            "/linux/resources/pids/limit: this machine has no cgroup controller pids; looked among the v1 hierarchies",
        ),
        (
            &burst,
            unified(),
            "/linux/resources/unified/misc.max: cgroup v2 has no controller misc on this machine; looked in \
             /cg/cgroup.controllers",
        ),
        (
            &burst,
            v1_only,
            "/linux/resources/unified/misc.max: is for cgroup v2, which is not mounted; use the setting's own field \
             in place of `unified`",
        ),
        (
            &swappiness,
            unified(),
            "/linux/resources/memory/swappiness: exists in cgroup v1 only, and memory is not mounted as v1; leave \
             the setting out",
        ),
        (
            &pids,
            CgroupLayout::default(),
            "no cgroup hierarchy is mounted on this machine; mount one on /sys/fs/cgroup",
        ),
    ] {
        assert_eq!(make(resources, &layout, None).unwrap_err().to_string(), expect);
    }
}

#[test]
fn who_was_given_a_part_of_v2_begins_there_and_has_what_that_has() {
    let delegated = |controllers: &[&str]| {
        let mut layout = unified();
        let controllers = controllers.iter().map(|&c| c.to_owned()).collect();
        layout.v2.as_mut().unwrap().delegated = Some(Delegated { group: "/cg/user/a".into(), controllers });
        make(&Resources { cpu: None, ..limits() }, &layout, Some("/user/a/b/c"))
    };
    let group = delegated(&["cpu", "memory", "pids"]).unwrap();
    assert_eq!(group.devices, None);
    let enabled: Vec<_> = lines(&group).into_iter().filter(|line| line.contains("subtree_control")).collect();
    let above =
        |controller| ["a", "a/b"].map(|above| format!("user/{above}/cgroup.subtree_control +{controller}"));
    for controller in ["cpu", "memory", "pids"] {
        for line in above(controller) {
            assert!(enabled.iter().any(|enabled| enabled.ends_with(&line)), "{line}: {enabled:?}");
        }
    }
    assert_eq!(enabled.len(), 6, "{enabled:?}");
    let error = delegated(&["cpu"]).unwrap_err().to_string();
    assert!(
        error.contains("the controller memory was not delegated to /cg/user/a, which has cpu;"),
        "{error}"
    );
    let error = delegated(&[]).unwrap_err().to_string();
    assert!(error.contains("to /cg/user/a, which has none;"), "{error}");
}

#[test]
fn a_value_that_changes_nothing_needs_no_controller() {
    let pids = Resources { pids: Some(Pids { limit: Some(-1) }), ..Resources::default() };
    assert_eq!(lines(&make(&pids, &hybrid(), None).unwrap()), [] as [&str; 0]);
}

#[test]
fn groups_above_a_group() {
    for (group, expect) in [("/cg/a/b", &["/cg", "/cg/a"][..]), ("/cg/a", &["/cg"]), ("/cg", &[])] {
        let expect: Vec<_> = expect.iter().map(PathBuf::from).collect();
        assert_eq!(groups_above(Path::new("/cg"), Path::new(group)), expect, "{group}");
    }
}
