//! `cuddy explain run`: what would be done, and that nothing is.

mod common;

use std::fs;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};

use common::{Home, Rootfs, words};
use serde_json::Value;
use testbed::{Done, Need, Trial, run, trial};

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = ROWS.iter().map(explained).collect();
    let busybox = || [Need::Root, Need::Program("busybox")];
    trials.extend([
        trial("an option is the cause of its step", busybox(), causes),
        trial("an archive is explained and not unpacked", busybox(), archive),
        trial("what run refuses, explain refuses in the same words", busybox(), refusals),
        trial("a reader that has seen enough is no failure", busybox(), broken_pipe),
        trial("without a root file system the format's names are told", [], formats),
    ]);
    testbed::main(trials)
}

/// Command lines after `cuddy explain run`, without the format.
const ROWS: [&str; 7] = [
    "host: sh",
    "--rm -it ROOT sh",
    "--read-only -u 7:8 -w /etc -e A=1 --hostname web ROOT sh -c true",
    "--memory 64m --cpus 0.5 --pids-limit 5 --cpu-shares 512 --init ROOT sh",
    "-v .:/here:ro --tmpfs /t --shm-size 1m --device /dev/null:/dev/other ROOT sh",
    "--privileged --network host --pid host --ipc host --uts host --cgroupns host ROOT sh",
    "--userns auto --time-offset boottime=1 --sysctl net.ipv4.ip_forward=1 --cap-drop ALL ROOT sh",
];

/// `cuddy explain run --format FORMAT --name NAME LINE`.
#[track_caller]
fn explain(home: &Home, format: &str, line: &str) -> Done {
    let mut command = home.cuddy(["explain", "run", "--format", format, "--name", &home.name()]);
    run(command.args(words(line))).ok()
}

fn explained(line: &'static &str) -> Trial {
    trial(&format!("explained, and not done: {line}"), [Need::Root, Need::Program("busybox")], || {
        let (home, rootfs) = (Home::new(), Rootfs::new());
        let before = contents(&rootfs);
        let line = line.replace("ROOT", &rootfs.text());

        let plan: Value = explain(&home, "json", &line).json();
        let steps: Vec<&Value> =
            ["host", "init"].iter().flat_map(|side| plan[side].as_array().unwrap()).collect();
        assert!(steps.len() > 30, "{}", steps.len());
        for step in &steps {
            assert!(step["op"].is_string(), "{step}");
            let (from, why) = (step["cause"]["from"].as_str(), step["cause"]["why"].as_str());
            assert!(why.is_some_and(|why| why.len() > 3), "{step}");
            // A place in the configuration, an option, or a word of the command line.
            let words = ["default", "run", "ROOT"];
            let known = |from: &str| words.contains(&from) || from.starts_with('/') || from.starts_with("--");
            assert!(from.is_some_and(known), "{step}");
        }

        let syscalls = explain(&home, "syscall", &line).stdout;
        let shell = explain(&home, "shell", &line).stdout;
        for text in [&syscalls, &shell] {
            let numbers =
                text.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(". ")?.0.parse().ok());
            let numbers: Vec<usize> = numbers.collect();
            assert_eq!(numbers, (1..=steps.len()).collect::<Vec<_>>());
        }
        assert!(syscalls.contains("\n  clone3({"));
        assert!(["\n  execve(", "\n  execveat("].iter().any(|call| syscalls.contains(call)));
        check_shell(&home, &shell);

        assert_eq!(home.traces(), Vec::<String>::new());
        for dir in [home.root(), home.run_root()] {
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{}", dir.display());
        }
        assert_eq!(contents(&rootfs), before);
    })
}

/// Every step has a command, or says that there is none; and the whole is a script that a shell can read.
#[track_caller]
fn check_shell(home: &Home, text: &str) {
    for step in
        text.split("\n# ").skip(1).filter(|step| step.starts_with(|first: char| first.is_ascii_digit()))
    {
        let lines: Vec<_> = step.lines().skip(1).filter(|line| !line.is_empty()).collect();
        assert!(lines.first().is_some_and(|line| line.starts_with("  ")), "{step}");
    }
    let script = home.write("script", text);
    run(Command::new("sh").arg("-n").arg(script)).ok();
}

/// Names and times of a tree, which a mount or a new directory in it would change.
fn contents(rootfs: &Rootfs) -> String {
    run(Command::new("find").arg(rootfs.path()).args(["-printf", "%p %m %C@\\n"])).ok().stdout
}

fn causes() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let line = format!("--memory 64m --hostname web -v .:/here:ro -w /etc --init {} sh", rootfs.text());
    let plan: Value = explain(&home, "json", &line).json();
    let steps = ["host", "init"].map(|side| plan[side].as_array().unwrap().clone()).concat();
    let by = |from: &str| {
        let found: Vec<_> = steps.iter().filter(|step| step["cause"]["from"] == from).collect();
        assert!(!found.is_empty(), "nothing is from {from}");
        found.iter().map(|step| step.to_string()).collect::<String>()
    };
    assert!(by("/linux/resources/memory/limit").contains("67108864"));
    assert!(by("/hostname").contains("web"));
    assert!(by("/process/cwd").contains("/etc"));
    by("--init");
    let mounts: String =
        steps.iter().map(Value::to_string).filter(|step| step.contains("/mounts/")).collect();
    assert!(mounts.contains("/here"));
}

fn archive() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let tar = home.dir().join("root.tar");
    run(Command::new("tar").arg("-C").arg(rootfs.path()).arg("-cf").arg(&tar).arg(".")).ok();
    let text = explain(&home, "syscall", "./root.tar sh").stdout;
    assert!(text.contains("/layers/sha256-DIGEST/rootfs"));
    assert_eq!(fs::read_dir(home.root()).unwrap().count(), 0);

    let done = run(&mut home.cuddy(["explain", "run", "-u", "user", "./root.tar"]));
    let expect = "cuddy: user user: the names of an archive are not known before it is unpacked\n  run it, or give numbers, as \
                  in -u 1000:1000\n";
    assert_eq!((done.code(), done.stderr.as_str(), done.stdout.as_str()), (125, expect, ""));
}

fn refusals() {
    let home = Home::new();
    for line in [
        "./nowhere sh",
        "debian sh",
        "--cap-add MOO host: sh",
        "-v ./nowhere:/x host: sh",
        "--memory 4k host:",
    ] {
        let args =
            |first: &[&str]| [first.iter().map(|word| word.to_string()).collect(), words(line)].concat();
        let explained = run(&mut home.cuddy(args(&["explain", "run"])));
        let refused = run(&mut home.cuddy(args(&["run"])));
        assert_eq!((explained.code(), &explained.stderr), (125, &refused.stderr), "{line}");
        assert_eq!(explained.stdout, "");
    }
}

fn broken_pipe() {
    let home = Home::new();
    let mut command = home.cuddy(["explain", "run", "host:", "sh"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

fn formats() {
    let done = run(&mut Home::new().cuddy(["explain", "run", "--format", "xml", "host:"]));
    assert_eq!(done.code(), 125, "{done:#?}");
    assert!(done.stderr.starts_with("cuddy: invalid value 'xml' for '--format <FORMAT>'"), "{done:#?}");
}
