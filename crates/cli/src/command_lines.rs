//! Command lines as tables: the configurations that they become, and the words that refuse them.

use crate::args::{Cli, Command, RunArgs};
use crate::failure::Failure;
use crate::lower::{self, Surroundings};
use clap::Parser;
use engine::config::{Container, Defaults, Prepared, config};
use engine::facts::{FALLBACK_FIRST_ID, Facts, GrantedDevice, Range};
use engine::options::RunOptions;
use engine::user::User;
use serde_json::Value;
use spec::{Capability, ContainerId, Device, DeviceKind, ThrottleDevice};
use std::fmt::Write;
use std::path::Path;

/// The words of a line; `''` is an empty one.
fn words(line: &str) -> impl Iterator<Item = String> {
    line.split_whitespace().map(|word| word.replace("\'\'", ""))
}

fn parse(line: &str) -> Result<Box<RunArgs>, Failure> {
    let cli = Cli::try_parse_from(["cuddy".to_owned(), "run".to_owned()].into_iter().chain(words(line)))?;
    match cli.command {
        Command::Run(args) => Ok(args),
        _ => unreachable!("the line begins with run"),
    }
}

fn options(line: &str) -> Result<RunOptions, Failure> {
    let variable = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
    let here = Surroundings { directory: Path::new("/home/me"), variable: &variable };
    Ok(lower::run(&*parse(line)?, &here)?.1)
}

/// A machine like any other, which has whatever device a line asks for.
fn facts(options: &RunOptions) -> Facts {
    let rate =
        |rate: &engine::options::device::DeviceRate| ThrottleDevice { major: 8, minor: 0, rate: rate.rate };
    let device = |request: &engine::options::device::DeviceRequest| GrantedDevice {
        node: Device {
            kind: DeviceKind::Char,
            path: request.container.clone(),
            major: Some(10),
            minor: Some(229),
            file_mode: Some(0o666),
            uid: Some(0),
            gid: Some(0),
        },
        access: request.access.clone(),
    };
    let host = plan::facts::HostFacts {
        kernel: (6, 1),
        capabilities: Capability::all().collect(),
        last_capability: 40,
        ..plan::facts::HostFacts::default()
    };
    Facts {
        host,
        hostname: "host".to_owned(),
        hosts: "10.0.0.1 host\n".to_owned(),
        resolv_conf: "nameserver 10.0.0.53\n".to_owned(),
        swap_accounting: true,
        devices: options.devices.iter().map(device).collect(),
        read_bps: options.limits.read_bps.iter().map(rate).collect(),
        write_bps: options.limits.write_bps.iter().map(rate).collect(),
        subordinate: Some(Range::unheld(FALLBACK_FIRST_ID, FALLBACK_FIRST_ID)),
        containers: [("web".parse().unwrap(), 77)].into(),
        ..Facts::default()
    }
}

fn prepared(line: &str) -> Result<Prepared, Failure> {
    let options = options(line)?;
    let id: ContainerId = "0123456789abcdef".parse().unwrap();
    let container = Container {
        id: &id,
        root: Path::new("/run/cuddy/containers/ID/rootfs"),
        files: Path::new("/run/cuddy/containers/ID"),
        defaults: &Defaults::default(),
    };
    Ok(config(&options, &container, &facts(&options), &User::default())?)
}

/// The configuration and the generated files. Of the many rules of the default filter, whether some calls that
/// depend on capabilities are in them; of the capability sets that are the same, one.
fn shown(prepared: &Prepared) -> Value {
    let mut value = serde_json::to_value(&prepared.config).unwrap();
    if let Some(rules) = value.pointer_mut("/linux/seccomp/syscalls") {
        let named = |call: &&str| rules.to_string().contains(&format!("\"{call}\""));
        *rules = ["read", "chroot", "mount", "bpf"].into_iter().filter(named).collect();
    }
    let bounding = value["process"]["capabilities"]["bounding"].clone();
    for set in ["effective", "permitted"] {
        if value["process"]["capabilities"][set] == bounding {
            value["process"]["capabilities"][set] = Value::from("as bounding");
        }
    }
    for file in &prepared.files {
        value["files"][file.target.to_str().unwrap()] = Value::from(file.contents.as_str());
    }
    value
}

/// What `new` has otherwise than `old`, one line each: `~` changed, `+` added, `-` gone. Lists of texts and
/// of mounts are compared member by member.
fn difference(at: &str, old: &Value, new: &Value, lines: &mut String) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => difference(&format!("{at}/{key}"), value, other, lines),
                    None => writeln!(lines, "  - {at}/{key}: {value}").unwrap(),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                writeln!(lines, "  + {at}/{key}: {value}").unwrap();
            }
        }
        (Value::Array(a), Value::Array(b)) if at != "/process/args" => {
            for (sign, these, those) in [('-', a, b), ('+', b, a)] {
                let only: Vec<String> =
                    these.iter().filter(|value| !those.contains(value)).map(Value::to_string).collect();
                // Texts fit on one line, mounts and rules do not.
                let separator = if only.iter().any(|value| value.starts_with('{')) {
                    format!("\n  {sign} {at}: ")
                } else {
                    " ".to_owned()
                };
                if !only.is_empty() {
                    writeln!(lines, "  {sign} {at}: {}", only.join(&separator)).unwrap();
                }
            }
        }
        _ if old != new => writeln!(lines, "  ~ {at}: {new}").unwrap(),
        _ => {}
    }
}

#[test]
fn a_plain_run() {
    insta::assert_json_snapshot!(shown(&prepared("host:").unwrap()));
}

#[test]
fn each_option_changes_its_own_part_of_the_configuration() {
    let lines = [
        "host: ls -l /",
        "-it host:",
        "-e A=1 -e LANG -e NONE -e PATH=/bin --entrypoint /init host: --flag",
        "-w /srv --name web --hostname web --domainname site host:",
        "--init --rm --stop-signal RTMIN+3 --oom-score-adj -500 host:",
        "--ulimit nofile=1024:2048 --ulimit core=0 --ulimit core=-1 host:",
        "--read-only --tmpfs /run:size=64m,mode=1777 host:",
        "-v ./conf:/etc/conf:ro -v /data:/data:rslave,noexec host:",
        "--mount type=bind,source=/a,target=/b,readonly --mount type=tmpfs,target=/b/t,tmpfs-size=1m host:",
        "-v /a:/x/y -v /b:/x host:",
        "-v ./etc:/etc --tmpfs /dev/shm host:",
        "--shm-size 1g host:",
        "--memory 200m host:",
        "--memory 200m --memory-swap 200m --memory-reservation 100m host:",
        "--memory 1g --memory-swap -1 --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0-1 --cpuset-mems 0 host:",
        "--pids-limit 5 --blkio-weight 300 --device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:2mb host:",
        "--device /dev/fuse --device /dev/x:/dev/y:r host:",
        "--cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges host:",
        "--cap-add SYS_ADMIN host:",
        "--privileged host:",
        "--security-opt seccomp=unconfined --security-opt systempaths=unconfined host:",
        "--security-opt apparmor=web --security-opt label=type:web_t host:",
        "--sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=65536 host:",
        "--network host host:",
        "--pid host --ipc host --uts host --cgroupns host host:",
        "--pid container:web --ipc container:web host:",
        "--ipc none host:",
        "--userns auto host:",
        "--userns auto:size=100,uidmapping=0:1000:1 host:",
        "--userns 0:100000:5 host:",
        "--userns 0:100000:5 -v /data:/data:idmap host:",
        "--userns auto --network host --pid host host:",
        "--cgroup-parent /site host:",
        "--cgroup-parent web.slice host:",
        "--cgroup-manager systemd --cgroup-parent web.slice host:",
        "--time-offset boottime=86400,monotonic=-1.5 host:",
    ];
    let plain = shown(&prepared("host:").unwrap());
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
        match prepared(line) {
            Ok(prepared) => difference("", &plain, &shown(&prepared), &mut text),
            Err(failure) => panic!("{line}: {failure}"),
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn each_refusal_has_its_own_words() {
    let lines = [
        "",
        "''",
        "--moo host:",
        "--memmory 1g host:",
        "--name",
        "--read-only --root-rw host:",
        "--name a/b host:",
        "-e =1 host:",
        "--env-file /no/such host:",
        "-w srv host:",
        "-u '' host:",
        "-u web: host:",
        "--hostname -x host:",
        "-v data:/data host:",
        "-v ./conf host:",
        "-v ./conf:etc host:",
        "-v /a:/b:moo host:",
        "--mount type=bind,target=/b host:",
        "--mount target=/b host:",
        "--tmpfs /run:color=red host:",
        "-v /a:/x -v /b:/x host:",
        "--shm-size big host:",
        "--memory 12q host:",
        "--memory 4k host:",
        "--memory-swap 1g host:",
        "--memory 1g --memory-swap 1m host:",
        "--cpus 0.001 host:",
        "--cpu-shares 1 host:",
        "--cpuset-cpus 3-1 host:",
        "--pids-limit -2 host:",
        "--blkio-weight 5 host:",
        "--device sda host:",
        "--device-read-bps /dev/sda host:",
        "--ulimit files=1 host:",
        "--ulimit nofile=2:1 host:",
        "--oom-score-adj 2000 host:",
        "--cap-add MOO host:",
        "--security-opt moo host:",
        "--sysctl vm.swappiness=1 host:",
        "--sysctl kernel.hostname=x host:",
        "--network host --sysctl net.ipv4.ip_forward=1 host:",
        "--network bridge host:",
        "--pid mine host:",
        "--ipc container:a/b host:",
        "--uts host --hostname x host:",
        "--userns 0:1 host:",
        "--userns 5:100000:10 host:",
        "--cgroupns x host:",
        "--stop-signal MOO host:",
        "--cgroup-parent /../x host:",
        "--cgroup-manager docker host:",
        "--cgroup-manager systemd --cgroup-parent /site host:",
        "--time-offset realtime=1 host:",
        "--security-opt seccomp=x.json host:",
    ];
    let mut text = String::new();
    for line in lines {
        match prepared(line) {
            Ok(_) => panic!("{line} is not refused"),
            Err(failure) => {
                assert_eq!(failure.code, 125, "{line}");
                writeln!(text, "$ cuddy run {line}\n{failure}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}
