//! Groups with processes in them.

use crate::scratch::{Outcome, Scratch, layout};
use crate::skipped;
use cgroup::device::{rules, v2::program};
use cgroup::live::{Cgroup, Error, end, remove};
use libtest_mimic::Trial;
use spec::{Cpu, DeviceRule, Memory, Pids, Resources};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Its name, what it does, and what this machine lacks for it.
type Test = (&'static str, fn() -> Outcome, Option<String>);

pub fn trials() -> Vec<Trial> {
    let layout = layout().unwrap_or_default();
    let no = |has: bool, what: &str| (!has).then(|| format!("this machine has no {what}"));
    let has = |v1: &str, v2: &str| {
        layout.v1_with(v1).is_some()
            || layout.v2.as_ref().is_some_and(|hierarchy| hierarchy.controllers.iter().any(|c| c == v2))
    };
    let tests: Vec<Test> = vec![
        ("a_process_is_in_every_hierarchy", in_every_hierarchy, None),
        ("processes_are_found_in_groups_below", found_below, None),
        ("kill_all_ends_processes_that_fork", kill_forking, None),
        ("kill_all_ends_a_frozen_group", kill_frozen, None),
        ("kill_all_does_without_v2", kill_v1, no(layout.v1_with("freezer").is_some(), "v1 freezer")),
        (
            "frozen_processes_stand_still_v1",
            || freeze("freezer"),
            no(layout.v1_with("freezer").is_some(), "v1 freezer"),
        ),
        ("frozen_processes_stand_still_v2", || freeze(""), no(layout.v2.is_some(), "cgroup v2")),
        ("remove_takes_groups_below_along", remove_below, None),
        ("remove_waits_for_processes_that_are_ending", remove_ending, None),
        ("end_kills_and_removes", end_busy, None),
        ("remove_names_the_process_in_its_way", remove_busy, None),
        (
            "what_is_used_is_counted",
            counted,
            no(has("cpuacct", "cpu") && has("pids", "pids"), "controllers that count"),
        ),
        ("an_oom_kill_is_reported", oom, no(has("memory", "memory"), "memory controller")),
        ("a_limit_below_the_usage_is_refused", below_usage, no(has("memory", "memory"), "memory controller")),
        ("a_limit_of_processes_bites", fork_limit, no(has("pids", "pids"), "pids controller")),
        ("devices_are_denied_v1", devices, no(layout.v1_with("devices").is_some(), "v1 devices controller")),
        ("devices_are_denied_v2", device_program, no(layout.v2.is_some(), "cgroup v2")),
        ("what_is_no_group_of_a_container_is_refused", refused, None),
    ];
    tests
        .into_iter()
        .map(|(name, test, missing)| {
            let name = format!("life::{name}");
            match missing {
                None => Trial::test(name, move || Ok(test().map_err(|e| e.to_string())?)),
                Some(reason) => skipped(&name, reason),
            }
        })
        .collect()
}

fn none() -> Resources {
    Resources::default()
}

/// The container's shares of the machine, that a start of it would ask for; enables the controllers that count.
fn small() -> Resources {
    Resources { cpu: Some(Cpu { shares: Some(512), ..Cpu::default() }), ..none() }
}

fn in_every_hierarchy() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let pid = scratch.run("exec sleep 60")?.id();
    let name = scratch.group.directories[0].file_name().ok_or("no name")?.to_string_lossy().into_owned();
    let membership = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let places = membership.lines().filter(|line| line.ends_with(&format!(":/{name}"))).count();
    assert_eq!(places, scratch.group.directories.len(), "{membership}");
    assert_eq!(scratch.open()?.processes()?, [i32::try_from(pid)?]);
    Ok(())
}

/// Makes a group below in each hierarchy; in v1 cpusets need filling first.
fn nest(scratch: &Scratch) -> Result<Vec<PathBuf>, Box<dyn std::error::Error>> {
    let below: Vec<_> = scratch.group.directories.iter().map(|directory| directory.join("below")).collect();
    for directory in &below {
        fs::create_dir(directory)?;
    }
    for inherit in &scratch.group.inherit {
        cgroup::live::inherit_cpuset(&inherit.directory.join("below"), &inherit.mount)?;
    }
    Ok(below.into_iter().map(|directory| directory.join("cgroup.procs")).collect())
}

fn found_below() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let below = nest(&scratch)?;
    let inner = i32::try_from(scratch.run_in("exec sleep 60", &below)?.id())?;
    assert_eq!(scratch.open()?.processes()?, [inner]);
    scratch.open()?.kill_all()?;
    assert!(scratch.open()?.processes()?.is_empty());
    Ok(())
}

fn kill_forking() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    scratch.run("while :; do sleep 60 & sleep 0.01; done")?;
    forked(&scratch)?;
    scratch.open()?.kill_all()?;
    assert!(scratch.open()?.processes()?.is_empty());
    Ok(())
}

/// Waits until a script that forks has done so.
fn forked(scratch: &Scratch) -> Outcome {
    let start = Instant::now();
    while scratch.open()?.processes()?.len() <= 2 {
        assert!(start.elapsed() < Duration::from_secs(20), "the script does not fork");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn kill_frozen() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    scratch.run("while :; do :; done")?;
    let group = scratch.open()?;
    group.freeze()?;
    group.kill_all()?;
    assert!(group.processes()?.is_empty());
    Ok(())
}

/// As on a machine that has only v1: nothing but the freezer keeps forks from getting away.
fn kill_v1() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let mounts: Vec<_> = layout()?.v1.into_iter().map(|v1| v1.mount).collect();
    let directories = scratch.group.directories.clone();
    let v1 = || Cgroup::open(directories.iter().filter(|d| mounts.iter().any(|mount| d.starts_with(mount))));
    for frozen in [false, true] {
        scratch.run("while :; do sleep 60 & sleep 0.01; done")?;
        forked(&scratch)?;
        if frozen {
            v1()?.freeze()?;
        }
        v1()?.kill_all()?;
        assert!(v1()?.processes()?.is_empty());
    }
    Ok(v1()?.remove()?)
}

/// Freezes through one hierarchy: v1's by the name of its controller, v2 by the empty name.
fn freeze(controller: &str) -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let pid = scratch.run("while :; do :; done")?.id();
    let layout = layout()?;
    let mount = match controller {
        "" => layout.v2.map(|v2| v2.mount),
        name => layout.v1_with(name).map(|v1| v1.mount.clone()),
    };
    let mount = mount.ok_or("no such hierarchy")?;
    let group =
        Cgroup::open(scratch.group.directories.iter().filter(|directory| directory.starts_with(&mount)))?;
    let ticks = || -> Result<String, Box<dyn std::error::Error>> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Ok(stat.split(' ').nth(13).ok_or("short stat")?.to_owned())
    };
    assert!(!group.is_frozen()?);
    group.freeze()?;
    assert!(group.is_frozen()?);
    let before = ticks()?;
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(ticks()?, before);
    group.thaw()?;
    assert!(!group.is_frozen()?);
    let start = Instant::now();
    while ticks()? == before {
        assert!(start.elapsed() < Duration::from_secs(10), "the process does not go on");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn remove_below() -> Outcome {
    let scratch = Scratch::new(&none())?;
    nest(&scratch)?;
    scratch.open()?.remove()?;
    assert!(scratch.open()?.is_gone());
    remove(&scratch.group.directories)?;
    Ok(())
}

fn remove_ending() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    scratch.run("exec sleep 0.3")?;
    remove(&scratch.group.directories)?;
    assert!(scratch.open()?.is_gone());
    Ok(())
}

fn remove_busy() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let pid = i32::try_from(scratch.run("exec sleep 60")?.id())?;
    match scratch.open()?.remove() {
        Err(Error::Remove { pids, .. }) => assert_eq!(pids, [pid]),
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}

fn end_busy() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let below = nest(&scratch)?;
    scratch.run("while :; do sleep 60 & sleep 0.01; done")?;
    scratch.run_in("exec sleep 60", &below[..1])?;
    end(&scratch.group.directories)?;
    assert!(scratch.open()?.is_gone());
    Ok(())
}

fn counted() -> Outcome {
    let mut scratch = Scratch::new(&small())?;
    scratch.run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sleep 60")?;
    let group = scratch.open()?;
    let start = Instant::now();
    // The kernel counts in batches, so that the first may come late.
    let statistics = loop {
        let statistics = group.statistics()?;
        let used_memory = statistics.memory.as_ref().is_some_and(|memory| memory.current > 0);
        if used_memory && statistics.cpu.as_ref().is_some_and(|cpu| cpu.usage_ns > 1_000_000) {
            break statistics;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{statistics:?}");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(statistics.pids.map(|pids| (pids.current, pids.limit)), Some((1, None)));
    let memory = statistics.memory.ok_or("memory is not counted")?;
    assert!(memory.limit.is_none() && memory.oom_kills == 0, "{memory:?}");
    assert!(statistics.devices.is_some());
    Ok(())
}

fn memory(limit: i64) -> Resources {
    Resources { memory: Some(Memory { limit: Some(limit), ..Memory::default() }), ..none() }
}

fn oom() -> Outcome {
    const LIMIT: i64 = 32 << 20;
    let mut scratch = Scratch::new(&memory(LIMIT))?;
    // It holds the last line of an endless file.
    let status = scratch.run("exec tail /dev/zero")?.wait()?;
    assert_eq!(status.signal(), Some(9));
    let report = scratch.open()?.oom_report()?.ok_or("no memory controller")?;
    assert_eq!((report.kills, report.limit), (1, Some(LIMIT.cast_unsigned())));
    assert!(report.peak.is_none_or(|peak| peak <= LIMIT.cast_unsigned() && peak > 30 << 20), "{report:?}");
    let text = report.to_string();
    assert!(text.starts_with("memory limit 32 MiB reached"), "{text}");
    assert!(text.contains("cuddy-test-"), "{text}");
    Ok(())
}

fn below_usage() -> Outcome {
    let mut scratch = Scratch::new(&memory(64 << 20))?;
    scratch.run("a=$(head -c 8000000 /dev/zero | tr '\\0' a); while :; do sleep 60; done")?;
    let group = scratch.open()?;
    let start = Instant::now();
    while group.statistics()?.memory.is_none_or(|memory| memory.current < 8_000_000) {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", group.statistics()?);
        std::thread::sleep(Duration::from_millis(10));
    }
    let check = Memory { limit: Some(4 << 20), check_before_update: Some(true), ..Memory::default() };
    let refused = group.update(&Resources { memory: Some(check), ..none() });
    assert!(matches!(refused, Err(Error::BelowUsage { limit: 4_194_304, .. })), "{refused:?}");
    Ok(())
}

fn fork_limit() -> Outcome {
    let resources = Resources { pids: Some(Pids { limit: Some(2) }), ..none() };
    let mut scratch = Scratch::new(&resources)?;
    // The second process is let, the third is not: dash ends with 2 then.
    let status = scratch.run("sleep 1 & sleep 1 & wait")?.wait()?;
    assert_eq!(status.code(), Some(2));
    Ok(())
}

fn devices() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let mut run = |script: &str| -> Result<Option<i32>, Box<dyn std::error::Error>> {
        Ok(scratch.run(script)?.wait()?.code())
    };
    assert_eq!(run("exec 3<>/dev/null 4</dev/zero 5</dev/urandom")?, Some(0));
    assert_eq!(run("exec 3</dev/kmsg")?, Some(2));
    let mut scratch =
        Scratch::new(&Resources { devices: vec![DeviceRule::default(), read_kmsg()], ..none() })?;
    assert_eq!(scratch.run("exec 3</dev/kmsg")?.wait()?.code(), Some(0));
    assert_eq!(scratch.run("exec 3>/dev/kmsg")?.wait()?.code(), Some(2));
    Ok(())
}

/// The rule that lets a process read the kernel's log, and not write to it.
fn read_kmsg() -> DeviceRule {
    let (major, minor) = (Some(1), Some(11));
    DeviceRule { allow: true, kind: Some("c".into()), major, minor, access: Some("r".into()) }
}

fn device_program() -> Outcome {
    let mut scratch = Scratch::new(&none())?;
    let v2 = layout()?.v2.ok_or("no v2")?.mount;
    let directory =
        scratch.group.directories.iter().find(|d| d.starts_with(&v2)).ok_or("no v2 group")?.clone();
    let program = program(&rules(&[DeviceRule::default(), read_kmsg()])?);
    let program = sys::bpf::load_device_program(&program.words())?;
    sys::bpf::attach_device_program(fs::File::open(&directory)?, program)?;
    let joins = [directory.join("cgroup.procs")];
    for (script, code) in [
        ("exec 3<>/dev/null 4</dev/zero 5</dev/urandom", 0),
        ("exec 3</dev/kmsg", 0),
        ("exec 3>/dev/kmsg", 2),
        ("exec 3</dev/mem", 2),
    ] {
        assert_eq!(scratch.run_in(script, &joins)?.wait()?.code(), Some(code), "{script}");
    }
    Ok(())
}

fn refused() -> Outcome {
    let layout = layout()?;
    let mounts = layout.v1.iter().map(|v1| &v1.mount).chain(layout.v2.iter().map(|v2| &v2.mount));
    for path in mounts.chain([&PathBuf::from("/proc")]) {
        let opened = Cgroup::open([path]);
        assert!(matches!(opened, Err(Error::NotAGroup { .. })), "{}: {opened:?}", path.display());
    }
    assert!(Cgroup::open(["/sys/fs/cgroup/no/such/group"])?.is_gone());
    Ok(())
}
