//! Bad input around the configuration: programs, files, the command line, the caller. Each has its own message, which names
//! what is wrong, why, and what to do; and nothing is left.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde_json::json;
use support::Case;
use support::refusal::{Bad, says};
use testbed::{Bundle, Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let setpriv = [Need::Root, Need::Program("setpriv")];
    testbed::main([
        trial("programs that cannot be executed", root.clone(), cannot_be_executed),
        trial("files of the bundle", root.clone(), bundle_files),
        trial("the command line", [], command_line),
        trial("what takes more privileges than the caller has", setpriv.clone(), more_privileges),
        trial("somebody else than root", setpriv, not_root),
        trial("a kernel that lacks the mount calls", root.clone(), lacking_kernel),
        trial("a file of the runtime that cannot be written", root, unwritable),
    ])
}

/// Files in /etc of the root file system that are no good programs.
fn programs(bundle: &Bundle) {
    let etc = bundle.rootfs().join("etc");
    let file = |name: &str, content: &[u8], mode| {
        fs::write(etc.join(name), content).unwrap();
        fs::set_permissions(etc.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    file("plain", b"", 0o644);
    file("private", b"", 0o700);
    file("empty", b"", 0o755);
    file("text", b"hello\n", 0o755);
    file("script", b"#!/no/such/interpreter -x\n", 0o755);
    let own = fs::read(bundle.rootfs().join("bin/probe")).unwrap();
    let mut foreign = own[..4096].to_vec();
    // e_machine of elf(5): 243 is RISC-V.
    foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
    file("foreign", &foreign, 0o755);
    file("loader", &with_loader(&own), 0o755);
    symlink("loop", etc.join("loop")).unwrap();
}

/// An ELF program that names a loader that is not there: a header, one program header (PT_INTERP) and the name.
fn with_loader(own: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"/lib/no-such-loader.so\0";
    let mut elf = own[..64].to_vec();
    elf[16..18].copy_from_slice(&3_u16.to_le_bytes());
    elf[32..40].copy_from_slice(&64_u64.to_le_bytes());
    elf[54..58].copy_from_slice(&[56, 0, 1, 0]);
    elf.extend(3_u32.to_le_bytes());
    elf.extend(4_u32.to_le_bytes());
    for word in [120, 120, 120, NAME.len() as u64, NAME.len() as u64, 1] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(NAME);
    elf
}

const PROGRAMS: &[Bad] = &[
    (
        |c| c["process"]["args"] = json!(["/no/such"]),
        "find \"/no/such\": no such file or directory in the container (step S of N, from /process/args/0)\n  check the path",
    ),
    (
        |c| c["process"]["args"] = json!(["no-such"]),
        "find \"no-such\": executable file not found in $PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) (step S of N, from /process/args/0)\n  check the spelling, or give its whole path",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc"]),
        "find \"/etc\": permission denied: it is a directory (step S of N, from /process/args/0)\n  name a program",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/plain"]),
        "find \"/etc/plain\": permission denied (step S of N, from /process/args/0)\n  /etc/plain must be executable for the container's user, and its file system not noexec",
    ),
    (
        |c| {
            c["process"]["args"] = json!(["/etc/private"]);
            c["process"]["user"]["uid"] = json!(1000);
        },
        "find \"/etc/private\": permission denied (step S of N, from /process/args/0)\n  /etc/private must be executable for the container's user, and its file system not noexec",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/passwd/x"]),
        "find \"/etc/passwd/x\": no such file or directory in the container (step S of N, from /process/args/0)\n  check the path",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/loop"]),
        "find \"/etc/loop\": too many levels of symbolic links (step S of N, from /process/args/0)",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/foreign"]),
        "execute \"/etc/foreign\": exec format error: it is a program for riscv64, and this is ARCH (step S of N, from /process/args)\n  use a root file system for this machine's CPU",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/script"]),
        "execute \"/etc/script\": its interpreter /no/such/interpreter: no such file or directory (step S of N, from /process/args)\n  install it in the root file system, or use a program that needs none",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/loader"]),
        "execute \"/etc/loader\": its interpreter /lib/no-such-loader.so: no such file or directory (step S of N, from /process/args)\n  install it in the root file system, or use a program that needs none",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/empty"]),
        "execute \"/etc/empty\": exec format error: it is neither a program of this machine nor a script with a #! line (step S of N, from /process/args)\n  start it through its interpreter, like `sh FILE`",
    ),
    (
        |c| c["process"]["args"] = json!(["/etc/text"]),
        "execute \"/etc/text\": exec format error: it is neither a program of this machine nor a script with a #! line (step S of N, from /process/args)\n  start it through its interpreter, like `sh FILE`",
    ),
    (
        |c| {
            c["mounts"].as_array_mut().unwrap().push(
                json!({ "destination": "/bin", "source": "rootfs/bin", "options": ["bind", "noexec"] }),
            );
        },
        "find \"/bin/probe\": permission denied (step S of N, from /process/args/0)\n  /bin/probe must be executable for the container's user, and its file system not noexec",
    ),
];

fn cannot_be_executed() {
    for (change, message) in PROGRAMS {
        let mut case = Case::probe();
        programs(&case.bundle);
        case.args(&["/bin/probe", "exit", "0"]).edit(change);
        says(&case, case.run(), message);
        assert_eq!(case.left_behind(), Vec::<String>::new(), "{message}");
    }
}

const RAISED: &[Bad] = &[
    (
        |c| {
            c["process"]["rlimits"] =
                json!([{ "type": "RLIMIT_NOFILE", "soft": 1_u64 << 40, "hard": 1_u64 << 40 }])
        },
        "set RLIMIT_NOFILE to 1099511627776:1099511627776: operation not permitted (step S of N, from /process/rlimits/0)\n  the hard limit is above cuddy's own and CAP_SYS_RESOURCE is missing; lower it, or raise cuddy's",
    ),
    (
        |c| c["process"]["oomScoreAdj"] = json!(-1000),
        "set oom_score_adj to -1000: permission denied (step S of N, from /process/oomScoreAdj)\n  to lower the score takes CAP_SYS_RESOURCE; give a value that is not below cuddy's own",
    ),
];

/// What the user asked for and the machine refuses is an error, not less than was asked for.
fn more_privileges() {
    for (change, message) in RAISED {
        let mut case = Case::probe();
        case.edit(change);
        let command = case.make(&["run"]);
        let mut less = Command::new("setpriv");
        less.arg("--bounding-set=-sys_resource").arg(command.get_program()).args(command.get_args());
        says(&case, run(less.stdin(Stdio::null())), message);
        assert_eq!(case.left_behind(), Vec::<String>::new(), "{message}");
    }
}

fn bundle_files() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, &str); 8] = [
        (
            |config| fs::remove_file(config).unwrap(),
            "cannot read BUNDLE/config.json: no such file or directory",
        ),
        (
            |config| {
                fs::remove_file(config).unwrap();
                run(Command::new("mkfifo").arg(config)).ok();
            },
            "cannot read BUNDLE/config.json: it is not a regular file",
        ),
        (
            |config| {
                fs::remove_file(config).unwrap();
                symlink("/dev/zero", config).unwrap();
            },
            "cannot read BUNDLE/config.json: it is not a regular file",
        ),
        (
            |config| fs::write(config, "").unwrap(),
            "BUNDLE/config.json: EOF while parsing a value at line L column C",
        ),
        (
            |config| {
                let text = fs::read_to_string(config).unwrap();
                fs::write(config, &text[..100]).unwrap();
            },
            "BUNDLE/config.json: /linux/maskedPaths/1: EOF while parsing a string at line L column C",
        ),
        (
            |config| fs::write(config, "[]").unwrap(),
            "BUNDLE/config.json: invalid type: sequence, expected struct Config at line L column C",
        ),
        (
            |config| fs::write(config, "{}").unwrap(),
            "BUNDLE/config.json: missing field `ociVersion` at line L column C",
        ),
        (
            |config| {
                fs::remove_file(config).unwrap();
                fs::create_dir(config).unwrap();
            },
            "cannot read BUNDLE/config.json: is a directory",
        ),
    ];
    for (change, message) in cases {
        let case = Case::probe();
        change(&case.bundle.path().join("config.json"));
        says(&case, case.run(), message);
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
    let case = Case::probe();
    let done = run(case.oci(&["run", "--bundle", "/no/such/bundle"]).arg(case.id()));
    says(&case, done, "cannot open bundle /no/such/bundle: no such file or directory");
}

fn command_line() {
    let (long, longer) = ("x".repeat(256), "x".repeat(1024));
    let cases: [(&[&str], &str); 34] = [
        (&[], "which command?"),
        (&["moo"], "there is no command \"moo\""),
        (&["--moo"], "invalid option '--moo'"),
        (&["run"], "which name shall the container have?"),
        (&["run", "--moo", "x"], "invalid option '--moo'"),
        (&["run", "a", "b"], "unexpected argument \"b\""),
        (&["run", "--bundle"], "missing argument for option '--bundle'"),
        (&["run", "--preserve-fds", "x", "a"], "--preserve-fds takes a number, not \"x\""),
        (&["state"], "which container?"),
        (&["state", "a", "b"], "unexpected argument \"b\""),
        (&["kill"], "which container?"),
        (&["delete", "--force"], "which container?"),
        (&["exec", "x"], "which command?"),
        (&["exec", "--user", "moo", "x", "y"], "--user takes UID[:GID], not \"moo\""),
        (&["list", "--format", "moo"], "--format is table or json, not \"moo\""),
        (&["--log-format", "moo", "list"], "--log-format is text or json, not \"moo\""),
        (
            &["--cgroup-manager", "docker", "list"],
            "--cgroup-manager is cgroupfs, systemd or disabled, not \"docker\"",
        ),
        (&["--systemd-cgroup=maybe", "list"], "--systemd-cgroup is true or false, not \"maybe\""),
        (&["--rootless", "perhaps", "list"], "--rootless is true, false or auto, not \"perhaps\""),
        (&["update", "--memory", "3x", "a"], "--memory takes bytes, like 1048576, 200M or -1, not \"3x\""),
        (&["update", "--cpu-share", "x", "a"], "--cpu-share takes a number, not \"x\""),
        (&["ps"], "which container?"),
        (&["pause", "--force", "a"], "invalid option '--force'"),
        (&["state", ""], "a container's name cannot be empty"),
        (&["state", "."], "\".\" names a directory and cannot name a container"),
        (&["state", ".."], "\"..\" names a directory and cannot name a container"),
        (&["state", "a/b"], "container name \"a/b\": '/' is not one of A-Z a-z 0-9 _ + - ."),
        (&["run", "a b"], "container name \"a b\": ' ' is not one of A-Z a-z 0-9 _ + - ."),
        (&["delete", "\u{fc}"], "container name \"\u{fc}\": '\u{fc}' is not one of A-Z a-z 0-9 _ + - ."),
        (&["create", &long], "a container's name has at most 255 bytes, not 256"),
        (&["run", &longer], "a container's name has at most 255 bytes, not 1024"),
        (&["run", "/"], "container name \"/\": '/' is not one of A-Z a-z 0-9 _ + - ."),
        (&["kill", "../x"], "container name \"../x\": '/' is not one of A-Z a-z 0-9 _ + - ."),
        (&["delete", "--force", ".."], "\"..\" names a directory and cannot name a container"),
    ];
    for (args, message) in cases {
        let done = run(testbed::cuddy_oci(args).stdin(Stdio::null()));
        let expected =
            format!("cuddy-oci: error: {message}\n  `cuddy-oci --help` lists commands and options\n");
        assert_eq!(
            (done.code(), done.stdout.as_str(), done.stderr.as_str()),
            (1, "", expected.as_str()),
            "{args:?}"
        );
    }
}

fn not_root() {
    let case = Case::probe();
    for dir in [case.bundle.path(), case.state_dir()] {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    }
    // Who is not root may not read where the test's own build is.
    let oci = case.bundle.path().join("cuddy-oci");
    testbed::copy_program(&testbed::binary("cuddy-oci"), &oci);
    let command = case.make(&["run"]);
    let mut other = Command::new("setpriv");
    other.args(["--reuid=1000", "--regid=1000", "--clear-groups"]).arg(&oci).args(command.get_args());
    let message = "/linux/namespaces: a rootless container requires a user namespace\n  add {\"type\": \"user\"} to \
                   /linux/namespaces with uidMappings and gidMappings, as `spec --rootless` does, or run it as root";
    says(&case, run(other.stdin(Stdio::null())), message);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn lacking_kernel() {
    let case = Case::probe();
    let done = run(case.make(&["run"]).env("CUDDY_NO_NEW_MOUNT_API", "1"));
    let hint = "an outer container or its seccomp filter refuses fsopen(2); allow the mount calls";
    says(&case, done, &format!("the kernel's mount calls are not let through\n  {hint}"));
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn unwritable() {
    let case = Case::probe();
    let done = run(&mut case.make(&["run", "--pid-file", "/no/such/directory/pid"]));
    says(&case, done, "write the container's state: no such file or directory (step S of N, from default)");
    assert_eq!(case.left_behind(), Vec::<String>::new());

    let file = case.bundle.path().join("config.json");
    let mut command = testbed::cuddy_oci(["--root", file.to_str().unwrap(), "run", "--bundle"]);
    let done = run(command.arg(case.bundle.path()).arg(case.id()).stdin(Stdio::null()));
    says(&case, done, "cannot make BUNDLE/config.json/containers/ID: not a directory");
}
