//! Exit codes, and the words for a command that cannot be run.

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{ExitCode, Stdio};

use common::{Home, Rootfs, words};
use testbed::{Need, Trial, run, trial};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    trials.extend(CODES.map(code));
    trials.extend(REFUSALS.map(refusal));
    let needs = || [Need::Root, Need::Program("busybox")];
    trials.push(trial("a container that is killed from outside ends with 137", needs(), killed));
    trials.push(trial("what the command wrote before it ended is not lost", needs(), last_words));
    testbed::main(trials)
}

/// Options, a script, and the exit code that it ends with.
const CODES: [(&str, &str, &str, i32); 11] = [
    ("success is 0", "", "true", 0),
    ("a failure is the command's own code", "", "exit 1", 1),
    ("the code may be any", "", "exit 77", 77),
    ("the highest code is 255", "", "exit 255", 255),
    ("125 may be the command's, too", "", "exit 125", 125),
    ("a shell says 127 of what it does not find", "", "no-such-command", 127),
    ("below an init the code is the command's", "--init", "exit 7", 7),
    ("below an init a signal is 128 and its number", "--init", "kill -9 $$", 137),
    ("a signal that ends the command is 128 and its number", "--pid host", "kill -TERM $$", 143),
    ("pid 1 cannot kill itself, the kernel says", "", "kill -KILL $$; exit 3", 3),
    ("a signal that the command handles is no end", "", "trap 'exit 4' USR1; kill -USR1 $$; exit 3", 4),
];

fn code((name, options, script, expect): (&'static str, &'static str, &'static str, i32)) -> Trial {
    trial(name, [Need::Root, Need::Program("busybox")], move || {
        let (home, rootfs) = (Home::new(), Rootfs::new());
        let args = [words(options), vec![rootfs.text(), "sh".into(), "-c".into(), script.into()]].concat();
        let done = home.run(args);
        assert_eq!(done.code(), expect, "{done:#?}");
        assert!(!done.stderr.contains("cuddy"), "{done:#?}");
    })
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is wrong, the options and the command, the exit code, and what is said after `cannot start NAME: `, with
/// the steps left out.
const REFUSALS: [(&str, &str, i32, &str); 16] = [
    (
        "a command that no directory of PATH has",
        "ROOT nosuch",
        127,
        "find \"nosuch\": executable file not found in $PATH (PATH)\n  check the spelling, or give its whole path",
    ),
    (
        "a path where nothing is",
        "ROOT /no/such",
        127,
        "find \"/no/such\": no such file or directory in the container\n  check the path",
    ),
    (
        "a path below a file",
        "ROOT /etc/passwd/x",
        127,
        "find \"/etc/passwd/x\": no such file or directory in the container\n  check the path",
    ),
    (
        "a directory",
        "ROOT /bin",
        126,
        "find \"/bin\": permission denied: it is a directory\n  name a program",
    ),
    (
        "a file that is not executable",
        "ROOT /etc/passwd",
        126,
        "find \"/etc/passwd\": permission denied\n  /etc/passwd must be executable for the container's user, and its file \
         system not noexec",
    ),
    (
        "a program that only its owner may run",
        "-u 7 ROOT /bin/mine",
        126,
        "find \"/bin/mine\": permission denied\n  /bin/mine must be executable for the container's user, and its file \
         system not noexec",
    ),
    (
        "a program on a file system that is noexec",
        "-v ./programs:/programs:noexec ROOT /programs/busybox",
        126,
        "find \"/programs/busybox\": permission denied\n  /programs/busybox must be executable for the container's user, \
         and its file system not noexec",
    ),
    (
        "a text without an interpreter",
        "ROOT /bin/text",
        126,
        "execute \"/bin/text\": exec format error: it is neither a program of this machine nor a script with a #! line\n  start it through \
         its interpreter, like `sh FILE`",
    ),
    (
        "a file without a byte",
        "ROOT /bin/empty",
        126,
        "execute \"/bin/empty\": exec format error: it is neither a program of this machine nor a script with a #! line\n  start it through \
         its interpreter, like `sh FILE`",
    ),
    (
        "a script whose interpreter is missing",
        "ROOT /bin/script",
        127,
        "execute \"/bin/script\": its interpreter /usr/bin/python9: no such file or directory\n  install it in the root file system, or \
         use a program that needs none",
    ),
    (
        "a program whose ELF loader is missing",
        "ROOT /bin/dynamic",
        127,
        "execute \"/bin/dynamic\": its interpreter /lib/ld-none.so.1: no such file or directory\n  install it in the root file system, \
         or use a program that needs none",
    ),
    (
        "a program for another CPU",
        "ROOT /bin/foreign",
        126,
        "execute \"/bin/foreign\": exec format error: it is a program for s390x, and this is ARCH\n  use a root file system for this \
         machine's CPU",
    ),
    (
        "an entry point that is missing",
        "--entrypoint /init ROOT sh",
        127,
        "find \"/init\": no such file or directory in the container\n  check the path",
    ),
    (
        "a command that is missing below an init",
        "--init ROOT nosuch",
        127,
        "find \"nosuch\": executable file not found in $PATH (PATH)\n  check the spelling, or give its whole path",
    ),
    (
        "a command that is not along the PATH it was given",
        "-e PATH=/usr/games ROOT sh",
        127,
        "find \"sh\": executable file not found in $PATH (/usr/games)\n  check the spelling, or give its whole path",
    ),
    (
        "a working directory that is a file",
        "-w /etc/passwd ROOT sh",
        125,
        "make directory /etc/passwd: not a directory\n  choose another path, or remove the file from the root file system",
    ),
];

fn refusal((name, line, code, expect): (&'static str, &'static str, i32, &'static str)) -> Trial {
    trial(&format!("refused: {name}"), [Need::Root, Need::Program("busybox")], move || {
        let (home, rootfs) = (Home::new(), Rootfs::new());
        add_programs(&home, &rootfs);
        let (name, mut command) = home.container(words(&line.replace("ROOT", &rootfs.text())));
        let done = run(&mut command);
        let expect = expect.replace("(PATH)", &format!("({PATH})")).replace("ARCH", std::env::consts::ARCH);
        let expect = format!("cuddy: cannot start {name}: {expect}\n");
        assert_eq!((done.code(), without_steps(&done.stderr)), (code, expect));
        assert_eq!(done.stdout, "");
    })
}

/// Takes ` (step 17 of 42, from /process/args)` out of a message; the numbers depend on the machine.
fn without_steps(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (step ") else { return text.to_owned() };
    let (_, after) = rest.split_once(')').expect("a parenthesis is closed");
    format!("{before}{after}")
}

/// Programs that cannot be run, in `/bin` of the root, and BusyBox in `./programs`.
fn add_programs(home: &Home, rootfs: &Rootfs) {
    let bin = rootfs.path().join("bin");
    let programs: [(&str, Vec<u8>, u32); 6] = [
        ("text", b"plain text\n".to_vec(), 0o755),
        ("empty", Vec::new(), 0o755),
        ("script", b"#! /usr/bin/python9 -u\n".to_vec(), 0o755),
        ("mine", b"#!/bin/sh\n".to_vec(), 0o700),
        ("foreign", elf(22, ""), 0o755),
        ("dynamic", elf(if cfg!(target_arch = "x86_64") { 62 } else { 183 }, "/lib/ld-none.so.1"), 0o755),
    ];
    for (name, contents, mode) in programs {
        fs::write(bin.join(name), contents).unwrap();
        fs::set_permissions(bin.join(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(home.dir().join("programs")).unwrap();
    fs::copy(bin.join("busybox"), home.dir().join("programs/busybox")).unwrap();
}

/// The smallest ELF program for a machine that names a loader; see elf(5).
fn elf(machine: u16, loader: &str) -> Vec<u8> {
    const HEADER: u64 = 64;
    const PROGRAM_HEADER: u64 = 56;
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |elf: &mut Vec<u8>, number: u16| elf.extend(number.to_le_bytes());
    let word = |elf: &mut Vec<u8>, number: u32| elf.extend(number.to_le_bytes());
    let long = |elf: &mut Vec<u8>, number: u64| elf.extend(number.to_le_bytes());
    // ET_EXEC for the machine, version 1; entry; where program and section headers are; flags; sizes.
    [2, machine].into_iter().for_each(|number| half(&mut elf, number));
    word(&mut elf, 1);
    [0, HEADER, 0].into_iter().for_each(|number| long(&mut elf, number));
    word(&mut elf, 0);
    [HEADER as u16, PROGRAM_HEADER as u16, 1, 0, 0, 0].into_iter().for_each(|number| half(&mut elf, number));
    // PT_INTERP, readable, behind this header.
    let length = loader.len() as u64 + 1;
    [3, 4].into_iter().for_each(|number| word(&mut elf, number));
    [HEADER + PROGRAM_HEADER, 0, 0, length, length, 1].into_iter().for_each(|number| long(&mut elf, number));
    elf.extend(loader.bytes().chain([0]));
    elf
}

fn killed() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (name, mut command) = home.container(["-i", &*rootfs.text(), "sh", "-c", "echo here; exec cat"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut here = [0; 5];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut here).unwrap();
    run(home.oci(["kill", &name, "KILL"]).stdin(Stdio::null())).ok();
    assert_eq!(child.wait().unwrap().code(), Some(137));
}

fn last_words() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let done = home.run([&*rootfs.text(), "sh", "-c", "seq 100000; echo end >&2; exit 2"]);
    assert_eq!((done.code(), done.stdout.lines().last(), done.stderr.as_str()), (2, Some("100000"), "end\n"));
}
