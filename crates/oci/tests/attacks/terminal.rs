//! Terminals: forged ones (CVE-2025-52565), and the caller's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use testbed::{Terminal, run};

use crate::ground::{by_number, install_call, marker, naive_shell, text, works_without};
use crate::support::{Case, SOON};

pub fn forged_terminal() {
    let (_scratch, marker) = marker();
    type Forge = fn(&Path, &str);
    let forge: [(&str, &str, Forge); 4] = [
        ("a file", "not devpts", |dev, _| {
            fs::create_dir(dev.join("pts")).unwrap();
            fs::write(dev.join("pts/ptmx"), "").unwrap();
        }),
        ("a link", "too many levels of symbolic links", |dev, marker| {
            fs::create_dir(dev.join("pts")).unwrap();
            symlink(marker, dev.join("pts/ptmx")).unwrap();
        }),
        ("a link to a directory", "too many levels of symbolic links", |dev, _| {
            symlink("/proc/self", dev.join("pts")).unwrap();
        }),
        ("nothing", "no such file or directory", |_, _| {}),
    ];
    for (what, message, forge) in forge {
        let mut case = Case::probe();
        forge(&case.bundle.rootfs().join("dev"), &marker);
        case.edit(|config| {
            config["process"]["terminal"] = json!(true);
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
        });
        let socket = case.bundle.path().join("console.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let done = run(&mut case.make(&["run", "--console-socket", socket.to_str().unwrap()]));
        assert_eq!(done.code(), 1, "{what}: {done:#?}");
        assert!(done.stderr.contains(message), "{what}: {done:#?}");
        assert_eq!(fs::read_to_string(&marker).unwrap(), "of the host");
    }

    // A link where the console shall be: what it leads to is not covered.
    let mut case = Case::probe();
    symlink("/etc/passwd", case.bundle.rootfs().join("dev/console")).unwrap();
    case.edit(|config| {
        config["process"]["terminal"] = json!(true);
        config["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/dev");
        config["linux"]["devices"] = json!([]);
    });
    fs::create_dir(case.bundle.rootfs().join("dev/pts")).unwrap();
    let socket = case.bundle.path().join("console.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let done = run(&mut case.make(&["run", "--console-socket", socket.to_str().unwrap()]));
    assert_eq!(done.code(), 1, "{done:#?}");
    assert!(done.stderr.contains("on /dev/console of the container: too many levels"), "{done:#?}");
}

/// The terminal's other end by its path, as the console.
pub fn naive_console() {
    let (_scratch, marker) = marker();
    let case = Case::probe();
    let root = case.bundle.rootfs();
    fs::create_dir(root.join("dev/pts")).unwrap();
    symlink(&marker, root.join("dev/pts/0")).unwrap();
    fs::write(root.join("dev/console"), "").unwrap();
    let done = naive_shell("mount --bind $1/dev/pts/0 $1/dev/console && cat $1/dev/console", &[&text(&root)]);
    works_without("descriptors", done.stdout == "of the host", done);
}

/// `TIOCSTI` types for whoever reads the terminal next: the caller's shell.
pub fn typing() {
    const TIOCSTI: &str = "0x5412";
    let mut case = Case::probe();
    let call = text(&install_call(&case));
    let types = by_number(&["ioctl", "0", TIOCSTI, "t:w"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "stty -echo; \"$@\"; echo done; exec cat", "sh", &call]).args(&types);
    let mut terminal = Terminal::start(&shell);
    let said = terminal.expect("done", SOON);
    works_without("a session of its own", said.contains("\"ok\""), said);
    terminal.send("ind\n");
    terminal.expect("wind", SOON);
    drop(terminal);

    let args: Vec<_> = ["/bin/call"].into_iter().chain(types.iter().map(String::as_str)).collect();
    case.args(&args);
    let run = case.make(&["run"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "stty -echo; \"$@\" </dev/tty; echo done; exec cat", "sh"]);
    shell.arg(run.get_program()).args(run.get_args());
    let mut terminal = Terminal::start(&shell);
    let said = terminal.expect("done", SOON);
    assert!(said.contains("\"EPERM\""), "{said}");
    terminal.send("ind\n");
    assert!(!terminal.expect("ind", SOON).contains("wind"));
}
