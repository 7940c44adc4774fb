use super::*;
use plan::facts::CgroupV2;
use serde_json::json;

fn unified() -> CgroupLayout {
    let controllers = ["cpuset", "cpu", "io", "memory", "pids", "hugetlb"].map(String::from).to_vec();
    CgroupLayout {
        v1: vec![],
        v2: Some(CgroupV2 { mount: "/cg".into(), controllers, own: "/".into(), delegated: None }),
    }
}

fn make(linux: serde_json::Value, version: u32) -> Result<Group, Error> {
    let config = json!({ "ociVersion": "1.3.0", "linux": linux });
    let config: Config = serde_json::from_value(config).unwrap();
    let systemd = Systemd { version, group: "/".into(), ..Systemd::default() };
    group_of_unit(&config, &unified(), &systemd, &"web".parse().unwrap())
}

/// The properties that limits add to those of every unit.
fn limits(resources: serde_json::Value, version: u32) -> Vec<String> {
    let texts = |resources| -> Vec<_> {
        let group = make(json!({ "resources": resources }), version).unwrap();
        group.unit.unwrap().properties.iter().map(Property::to_string).collect()
    };
    let plain = texts(json!({}));
    texts(resources).into_iter().filter(|property| !plain.contains(property)).collect()
}

#[test]
fn a_unit_has_a_slice_and_is_delegated() {
    let group = make(json!({ "cgroupsPath": "a-b.slice:x:y" }), 252).unwrap();
    assert_eq!(group.directories, [std::path::Path::new("/cg/a.slice/a-b.slice/x-y.scope")]);
    // systemd enables what counts.
    assert_eq!(group.settings, []);
    let unit = group.unit.unwrap();
    assert!(unit.takes_processes);
    let texts: Vec<_> = unit.properties.iter().map(Property::to_string).collect();
    assert_eq!(
        texts[..8],
        [
            "Description s 'cuddy container web'",
            "Slice s a-b.slice",
            "Delegate b true",
            "MemoryAccounting b true",
            "CPUAccounting b true",
            "IOAccounting b true",
            "TasksAccounting b true",
            "DefaultDependencies b false",
        ]
    );
}

#[test]
fn limits_are_properties() {
    for (resources, expected) in [
        (
            json!({ "memory": { "limit": 100, "swap": 300, "reservation": 50 } }),
            &["MemoryMax t 100", "MemorySwapMax t 200", "MemoryLow t 50"][..],
        ),
        (
            json!({ "memory": { "limit": -1 } }),
            &["MemoryMax t 18446744073709551615", "MemorySwapMax t 18446744073709551615"],
        ),
        (
            json!({ "cpu": { "shares": 1024, "quota": 50_500, "period": 100_000, "cpus": "0-1,9" } }),
            &[
                "AllowedCPUs ay 2 3 2",
                "CPUWeight t 39",
                "CPUQuotaPeriodUSec t 100000",
                "CPUQuotaPerSecUSec t 510000",
            ],
        ),
        (json!({ "cpu": { "idle": 1, "shares": 5 } }), &["CPUWeight t 0"]),
        (json!({ "cpu": { "idle": 0, "shares": 1024 } }), &["CPUWeight t 39"]),
        (json!({ "pids": { "limit": -1 } }), &["TasksMax t 18446744073709551615"]),
        (
            json!({ "blockIO": {
                "weight": 110,
                "throttleReadBpsDevice": [
                    { "major": 8, "minor": 0, "rate": 5 },
                    { "major": 8, "minor": 16, "rate": 0 },
                ],
            } }),
            &[
                "IOWeight t 210",
                "IOReadBandwidthMax a(st) 2 /dev/block/8:0 5 /dev/block/8:16 18446744073709551615",
            ],
        ),
        (
            json!({ "memory": { "limit": 100 }, "unified": { "memory.max": "50", "memory.high": "40" } }),
            &["MemoryMax t 50", "MemoryHigh t 40"],
        ),
    ] {
        assert_eq!(limits(resources, 252), expected);
    }
}

#[test]
fn what_an_older_systemd_lacks_is_left_to_the_files() {
    assert_eq!(limits(json!({ "cpu": { "idle": 1 } }), 249), [] as [&str; 0]);
    let together = json!({ "unified": { "memory.oom.group": "1" } });
    assert_eq!(limits(together.clone(), 252), [] as [&str; 0]);
    assert_eq!(limits(together, 253), ["OOMPolicy s kill"]);
    let error = make(json!({}), 243).unwrap_err().to_string();
    assert_eq!(error, "systemd 243 makes no groups for cuddy: it has to be 244 or newer");
}

#[test]
fn the_files_say_the_same() {
    let resources = json!({ "cpu": { "quota": 50_500 }, "blockIO": { "weight": 110 }, "hugepageLimits": [
        { "pageSize": "2MB", "limit": 4_194_304 }
    ] });
    let group = make(json!({ "resources": resources }), 252).unwrap();
    let lines: Vec<_> = group
        .settings
        .iter()
        .map(|setting| {
            let second = setting.fallback.as_ref().map(|f| format!(" or {} {}", f.file.display(), f.value));
            format!("{} {}{}", setting.file.display(), setting.value, second.unwrap_or_default())
        })
        .collect();
    let scope = "/cg/system.slice/cuddy-web.scope";
    for line in [
        "/cg/cgroup.subtree_control +hugetlb".to_owned(),
        "/cg/system.slice/cgroup.subtree_control +hugetlb".to_owned(),
        format!("{scope}/cpu.max 51000"),
        format!("{scope}/io.bfq.weight 110 or {scope}/io.weight 210"),
        format!("{scope}/hugetlb.2MB.max 4194304"),
    ] {
        assert!(lines.contains(&line), "{line} in {lines:#?}");
    }
}

#[test]
fn a_slice_takes_no_processes() {
    let group = make(json!({ "cgroupsPath": "system.slice:x:a-b.slice" }), 252).unwrap();
    let unit = group.unit.unwrap();
    assert!(!unit.takes_processes);
    assert_eq!(unit.properties[1].to_string(), "Wants as 1 system.slice");
    assert_eq!(group.directories, [std::path::Path::new("/cg/a.slice/a-b.slice")]);
}
