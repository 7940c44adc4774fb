//! Sockets are files (CVE-2020-15257).

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};

use testbed::{run, unique_name};

use crate::ground::{text, works_without};
use crate::support::{Case, map_ids, set_namespace};

pub fn start_socket() {
    let case = Case::probe();
    // The least careful caller that there is.
    let command = case.make(&["create"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    run(shell.stdin(Stdio::null())).ok();
    let socket = case.state_dir().join("containers").join(case.id()).join("start.sock");
    let owner_and_mode = |path: &Path| {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.uid(), metadata.mode() & 0o7777)
    };
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(owner_and_mode(&socket), (0, 0o600));
    assert_eq!(owner_and_mode(&socket.with_file_name("state.json")), (0, 0o600));
    assert_eq!(owner_and_mode(socket.parent().unwrap()), (0, 0o711), "others can neither list nor write");

    // Sockets of processes whose names are in their paths; those of the abstract name space begin with @.
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    let ours: Vec<_> =
        sockets.lines().filter(|line| line.contains(case.id()) || line.contains("start.sock")).collect();
    assert!(!ours.is_empty());
    let is_path = |line: &&str| line.split_whitespace().nth(7).is_some_and(|name| name.starts_with('/'));
    assert!(ours.iter().all(is_path), "{ours:?}");

    let inside = case.pid();
    let abstracts = fs::read_to_string(format!("/proc/{inside}/net/unix")).unwrap();
    assert!(!abstracts.contains('@'), "{abstracts}");
    case.does("start").ok();
    assert!(!socket.exists());
}

/// Who shares the network of the host reaches every abstract socket, whoever they are; a file they do not.
pub fn in_the_network_of_the_host() {
    let name = unique_name();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let mut case = Case::probe();
    map_ids(&mut case);
    case.edit(|config| {
        set_namespace(config, "network", None);
        config["mounts"]
            .as_array_mut()
            .unwrap()
            .retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/sys"));
    });
    let reached = case.attempt(&["try-connect", &format!("@{name}")]);
    works_without("sockets that are files", reached.succeeded(), reached);

    let waiting = Case::probe();
    run(&mut waiting.make(&["create"])).ok();
    let socket = waiting.state_dir().join("containers").join(waiting.id()).join("start.sock");
    assert!(socket.exists());
    // By its path on the host, which is nothing inside, and by the name that an abstract one would have.
    for address in [text(&socket), format!("@{}", text(&socket))] {
        let outcome = case.attempt(&["try-connect", &address]).outcome;
        assert!(["ENOENT", "ECONNREFUSED"].contains(&outcome.as_str()), "{address}: {outcome}");
    }
}
