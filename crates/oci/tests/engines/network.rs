//! Networks that engines make, in the stage's own network namespace.

use crate::cli::Cli;
use crate::image::IMAGE;
use crate::life::nothing_left;
use crate::support::eventually;

/// Two containers on a bridge: one reaches the other by name, and the stage reaches a published port.
pub fn bridge(engine: &Cli) {
    engine.ok(&["network", "create", "lan"]);
    let server = ["httpd", "-f", "-p", "80", "-h", "/etc"];
    let id = engine.detached("server", &["--network", "lan", "--publish", "8080:80"], &server);
    let client = ["run", "--rm", "--network", "lan", IMAGE, "wget", "-q", "-O", "-", "http://server/passwd"];
    eventually("the server answers", || engine.does(&client).stdout.starts_with("root:x:0:0"));
    let address = engine.ok(&["exec", "server", "sh", "-c", "ip -4 -o addr show dev eth0 | wc -l"]);
    assert_eq!(address, "1");
    let published = engine.stage.run(&["busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/passwd"]);
    assert!(published.stdout.starts_with("root:x:0:0"), "{published:#?}");
    engine.ok(&["rm", "--force", "server"]);
    engine.ok(&["network", "rm", "lan"]);
    nothing_left(&engine.stage, &id);
    let links = engine.stage.run(&["ip", "-o", "link"]).ok().stdout;
    assert!(!links.contains("veth"), "{links}");
}
