//! Options of `run` as they arrive in the container, under podman and under Docker.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::cli::Cli;

/// Options, a script for the container's shell, and what it prints.
pub type Case<'a> = (&'a [&'a str], &'a str, &'a str);

/// Runs one container after another and tells all that differ.
pub fn check(engine: &Cli, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (options, script, expect) in cases {
        let done = engine.once(options, &["sh", "-c", script]);
        if done.code() != 0 || done.stdout.trim_end() != *expect {
            wrong.push(format!(
                "{options:?}: expected {expect:?}, got {}\n{}{}",
                done.code(),
                done.stdout,
                done.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The root, mounts and devices.
pub fn files(engine: &Cli) {
    let dir = engine.stage.shared("volume");
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("file"), "text\n").expect("a file");
    let dir = dir.to_str().expect("a path of ours");
    let (writable, read_only) = (format!("{dir}:/data"), format!("{dir}:/data:ro"));
    let private = format!("type=bind,source={dir},target=/data,bind-propagation=rshared");
    check(
        engine,
        &[
            (&["--read-only"], "touch /etc/x 2>/dev/null || echo refused", "refused"),
            (
                &["--read-only", "--tmpfs", "/data:size=1m,mode=700"],
                "touch /data/x && stat -c %a /data && df -k /data | awk 'END { print $2 }'",
                "700\n1024",
            ),
            (&["--volume", &writable], "cat /data/file && echo more >> /data/file", "text"),
            (
                &["--volume", &read_only],
                "cat /data/file; touch /data/x 2>/dev/null || echo refused",
                "text\nmore\nrefused",
            ),
            (&["--mount", &private], "grep -c ' /data .* shared:' /proc/self/mountinfo", "1"),
            (&["--volume", "named:/data"], "echo kept > /data/x", ""),
            (&["--volume", "named:/data"], "cat /data/x", "kept"),
            (&["--shm-size", "1m"], "df -k /dev/shm | awk 'END { print $2 }'", "1024"),
            (
                &["--device", "/dev/null:/dev/nothing:r"],
                "stat -c %t:%T /dev/nothing; cat /dev/nothing",
                "1:3",
            ),
            (
                &["--device", "/dev/kmsg:/dev/log:r"],
                "head -c 0 /dev/log; (echo x > /dev/log) 2>/dev/null || echo refused",
                "refused",
            ),
            (
                &["--device-cgroup-rule", "c 10:200 rwm", "--cap-add", "mknod"],
                "mknod /dev/x c 10 200 && echo made",
                "made",
            ),
        ],
    );
    engine.ok(&["volume", "rm", "named"]);
}

/// What the process is and may do.
pub fn process(engine: &Cli) {
    let profile = engine.stage.shared("seccomp.json");
    let text = r#"{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 }] }"#;
    fs::write(&profile, text).expect("a profile");
    fs::set_permissions(&profile, fs::Permissions::from_mode(0o644)).expect("a mode");
    let profile = format!("seccomp={}", profile.display());
    let status = |field: &str| format!("sed -n 's/^{field}:\\t//p' /proc/self/status");
    check(
        engine,
        &[
            (
                &["--env", "A=b c", "--workdir", "/tmp", "--hostname", "web"],
                "echo $A; pwd; hostname",
                "b c\n/tmp\nweb",
            ),
            (&["--user", "1000:100", "--group-add", "7"], "id -u; id -g; id -G", "1000\n100\n100 7"),
            (&["--user", "1000"], &status("CapEff"), "0000000000000000"),
            (&["--cap-drop", "all"], &status("CapEff"), "0000000000000000"),
            (
                &["--cap-drop", "all", "--cap-add", "chown", "--cap-add", "kill"],
                &status("CapBnd"),
                "0000000000000021",
            ),
            (&[], &status("Seccomp"), "2"),
            (&["--security-opt", "seccomp=unconfined"], &status("Seccomp"), "0"),
            (
                &["--security-opt", &profile],
                "mkdir /tmp/x 2>&1 || true",
                "mkdir: can't create directory '/tmp/x': Function not implemented",
            ),
            (&["--security-opt", "no-new-privileges"], &status("NoNewPrivs"), "1"),
            (
                &["--ulimit", "nofile=100:200", "--ulimit", "nproc=300:300"],
                "ulimit -n; ulimit -Hn",
                "100\n200",
            ),
            (&["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj", "500"),
            (&["--init"], "[ $$ -ne 1 ] && echo a child", "a child"),
            (&["--sysctl", "kernel.msgmax=1000"], "cat /proc/sys/kernel/msgmax", "1000"),
            (&["--entrypoint", "echo"], "-n", "sh -c -n"),
        ],
    );
}

/// All capabilities that there are, all devices, a writable /sys, and no filter.
pub fn privileged(engine: &Cli) {
    check(
        engine,
        &[
            (&["--privileged"], "mount -t tmpfs x /tmp && echo mounted", "mounted"),
            (&["--privileged"], "[ -c /dev/kmsg ] && head -c 0 /dev/kmsg && echo there", "there"),
            (&["--privileged"], "grep -c ' /sys sysfs rw' /proc/mounts", "1"),
            (&["--privileged"], "sed -n 's/^Seccomp:\t//p' /proc/self/status", "0"),
        ],
    );
}

/// Limits, as the files of the container's groups say them on either version.
pub fn limits(engine: &Cli) {
    let file = |v1: &str, v2: &str| {
        format!("cd /sys/fs/cgroup; if [ -e cgroup.controllers ]; then cat {v2}; else cat {v1}; fi")
    };
    check(
        engine,
        &[
            (&["--pids-limit", "20"], &file("pids/pids.max", "pids.max"), "20"),
            (&["--memory", "64m"], &file("memory/memory.limit_in_bytes", "memory.max"), "67108864"),
            (
                &["--memory-reservation", "32m"],
                &file("memory/memory.soft_limit_in_bytes", "memory.low"),
                "33554432",
            ),
            (&["--cpus", "0.5"], &file("cpu/cpu.cfs_quota_us", "cpu.max | cut -d ' ' -f 1"), "50000"),
            (&["--cpu-shares", "512"], &file("cpu/cpu.shares | sed s/512/20/", "cpu.weight"), "20"),
            (&["--cpuset-cpus", "0"], &file("cpuset/cpuset.cpus", "cpuset.cpus"), "0"),
            (
                &["--cgroup-parent", "/above"],
                "grep -c above /proc/self/cgroup >/dev/null && echo below",
                "below",
            ),
        ],
    );
}

/// The machine's own namespaces, and new ones.
pub fn namespaces(engine: &Cli) {
    let outside = |name: &str| engine.stage.run(&["readlink", &format!("/proc/self/ns/{name}")]).ok().stdout;
    for (option, name) in
        [("--network", "net"), ("--pid", "pid"), ("--ipc", "ipc"), ("--uts", "uts"), ("--cgroupns", "cgroup")]
    {
        let link = format!("/proc/self/ns/{name}");
        let inside = |options: &[&str]| engine.once(options, &["readlink", &link]).ok().stdout;
        assert_eq!(inside(&[option, "host"]), outside(name), "{option} host");
        let own = match name {
            "net" => "none",
            "uts" => "",
            _ => "private",
        };
        let options = [option, own];
        // Neither has a word for a UTS namespace of its own, nor old Docker for a pid namespace: it is what they make.
        let said = !own.is_empty() && name != "pid";
        assert_ne!(inside(if said { &options } else { &[] }), outside(name), "{option} {own}");
    }
}
