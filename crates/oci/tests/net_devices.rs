//! Network interfaces that become the container's (config-linux.md, "Network Devices"), in networks of the tests' own.

mod support;

use std::process::{Command, ExitCode};

use probe::{Interface, Report};
use serde_json::{Value, json};
use support::{Case, map_ids, set_namespace};
use testbed::{Done, Need, run, trial};

fn main() -> ExitCode {
    let needs = [Need::Root, Need::Program("ip"), Need::Program("unshare")];
    testbed::main([
        trial("an interface moves with its permanent addresses, and is up", needs.clone(), moves),
        trial("a user namespace gets interfaces, too", needs.clone(), user_namespace),
        trial("an interface moves into a joined network namespace", needs.clone(), joined),
        trial("the kernel numbers a template", needs.clone(), template),
        trial("what cannot be moved is refused by its name", needs, refused),
    ])
}

/// A veth pair in a network of its own: one end is for the container.
const NETWORK: &str = "
    ip link set lo up
    ip link add cut0 mtu 1400 address 02:00:00:00:00:07 type veth peer name peer0
    ip addr add 10.9.8.7/24 brd 10.9.8.77 dev cut0
    ip addr add 10.9.8.8/24 dev cut0
    ip addr add 10.9.7.7/24 scope link dev cut0
    ip addr add 10.9.6.7/24 valid_lft 1000 preferred_lft 1000 dev cut0
    ip -6 addr add fd00:9::7/64 dev cut0
    ip link set peer0 up
";

/// Runs the container from inside such a network.
fn run_there(case: &Case, before: &str) -> Done {
    let make = case.make(&["run"]);
    let script = format!("set -e\n{NETWORK}\n{before}\n\"$@\"\nip -o link | grep -c ': cut0' >&2 || true");
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &script, "sh"]).arg(make.get_program()).args(make.get_args());
    run(command.stdin(std::process::Stdio::null()))
}

fn move_it(case: &mut Case, devices: Value) {
    case.edit(|config| config["linux"]["netDevices"] = devices);
}

#[track_caller]
fn interface<'a>(report: &'a Report, name: &str) -> &'a Interface {
    report
        .interfaces
        .iter()
        .find(|interface| interface.name == name)
        .unwrap_or_else(|| panic!("{name}: {:?}", report.interfaces))
}

#[track_caller]
fn check(done: Done, name: &str) {
    let done = done.ok();
    let report: Report = done.json();
    let interface = interface(&report, name);
    assert!(interface.up, "{interface:?}");
    let mut addresses: Vec<&str> = interface.addresses.iter().map(String::as_str).collect();
    // What the kernel makes up by itself when the interface comes up.
    addresses.retain(|address| !address.starts_with("fe80:"));
    addresses.sort_unstable();
    assert_eq!(addresses, ["10.9.8.7/24", "10.9.8.8/24", "fd00:9::7/64"]);
    assert_eq!(done.stderr.trim(), "0", "it is gone from where it was");
}

fn moves() {
    for (device, name) in [(json!({}), "cut0"), (json!({ "name": "eth0" }), "eth0")] {
        let mut case = Case::probe();
        case.args(&["/bin/probe"]);
        move_it(&mut case, json!({ "cut0": device }));
        check(run_there(&case, ""), name);
    }
    // What of it the probe does not tell, asked while the container runs.
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    move_it(&mut case, json!({ "cut0": { "name": "eth0" } }));
    let pid_file = case.state_dir().join("pid");
    let make = case.make(&["run", "--detach", "--pid-file", pid_file.to_str().unwrap()]);
    // The other end of the pair is in the test's network, and with it the pair would end.
    let ask = "nsenter --net=/proc/$(cat $0)/ns/net ip addr show eth0";
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", &format!("set -e\n{NETWORK}\n\"$@\"\n{ask}")]).arg(&pid_file);
    command.arg(make.get_program()).args(make.get_args()).stdin(std::process::Stdio::null());
    let shown = run(&mut command).ok().stdout;
    for part in [
        "mtu 1400",
        "02:00:00:00:00:07",
        "10.9.8.7/24 brd 10.9.8.77 scope global eth0",
        "10.9.8.8/24 scope global",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

fn user_namespace() {
    let mut case = Case::probe();
    map_ids(&mut case);
    case.args(&["/bin/probe"]);
    move_it(&mut case, json!({ "cut0": { "name": "eth0" } }));
    check(run_there(&case, ""), "eth0");
}

fn joined() {
    let mut other = Case::probe();
    other.args(&["/bin/probe", "sleep"]).detach();
    let path = format!("/proc/{}/ns/net", other.pid());
    let mut case = Case::probe();
    case.args(&["/bin/probe"]);
    case.edit(|config| set_namespace(config, "network", Some(json!({ "type": "network", "path": path }))));
    move_it(&mut case, json!({ "cut0": {} }));
    check(run_there(&case, ""), "cut0");
}

fn template() {
    let mut case = Case::probe();
    case.args(&["/bin/probe"]);
    move_it(&mut case, json!({ "cut0": { "name": "eth%d" }, "cut1": { "name": "eth%d" } }));
    let done = run_there(&case, "ip link add cut1 type veth peer name peer1");
    let report: Report = done.ok().json();
    assert!(interface(&report, "eth0").up && interface(&report, "eth1").up);
    assert_eq!(interface(&report, "eth1").addresses.len(), 0);
}

fn refused() {
    // What is asked for, and what is said after "cannot start ID: ".
    let cases = [
        (
            json!({ "none0": {} }),
            "move network interface none0 into the container: the machine has no such interface",
        ),
        (
            json!({ "cut0": { "name": "lo" } }),
            "move network interface cut0 into the container as lo: there is an interface lo in the container already",
        ),
        (
            json!({ "lo": { "name": "eth0" } }),
            "move network interface lo into the container as eth0: invalid argument",
        ),
        (json!({ "cut0": { "name": "a/b" } }), "/linux/netDevices/cut0: \"a/b\" is no name of an interface"),
        (json!({ "cut%d": {} }), "/linux/netDevices/cut%d: \"cut%d\" is no name of an interface"),
        (
            json!({ "cut0": { "name": "x" }, "peer0": { "name": "x" } }),
            "/linux/netDevices/peer0: a second interface that shall be x in the container",
        ),
    ];
    for (devices, message) in cases {
        let mut case = Case::probe();
        case.args(&["/bin/probe", "exit", "0"]);
        move_it(&mut case, devices);
        let done = run_there(&case, "");
        assert!(done.code() != 0 && done.stderr.contains(message), "{message}: {done:#?}");
        assert_eq!(case.left_behind(), Vec::<String>::new(), "{message}");
    }
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]);
    case.edit(|config| set_namespace(config, "network", None));
    move_it(&mut case, json!({ "cut0": {} }));
    let done = run_there(&case, "");
    assert!(
        done.stderr.contains("/linux/netDevices/cut0: the container has no network namespace"),
        "{done:#?}"
    );
}
