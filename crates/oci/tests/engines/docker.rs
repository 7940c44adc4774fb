//! dockerd with a containerd of its own.

use seccomp::{Arch, compile, default_profile};
use testbed::run;

use crate::cli::Cli;
use crate::differences;
use crate::image::IMAGE;
use crate::stage::Stage;
use crate::support::eventually;

/// The configuration that `docs/engines.md` shows, and no network of the machine's.
const DAEMON_JSON: &str = r#"{
    "runtimes": { "cuddy": { "path": "/usr/local/sbin/cuddy-oci" } },
    "default-runtime": "cuddy",
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "ipv6": false
}"#;

/// dockerd on a stage.
pub fn docker() -> Cli {
    let stage = Stage::new();
    stage.write("/etc/docker/daemon.json", DAEMON_JSON);
    stage.daemon(&["dockerd"], "/run/docker.sock");
    Cli::new("docker", stage)
}

/// A build with the daemon's own builder, which runs each step as a container.
pub fn build(docker: &Cli) {
    let text = format!("FROM {IMAGE}\nRUN echo one > /one\nENV A=b\nUSER 1000\nRUN echo $A $(id -u)\n");
    docker.stage.write("/run/context/Dockerfile", &text);
    let mut command = docker.command(&["build", "--tag", "localhost/built:1", "/run/context"]);
    let done = run(command.env("DOCKER_BUILDKIT", "0")).ok();
    assert!(done.stdout.contains("b 1000\n"), "{done:#?}");
    assert_eq!(docker.ok(&["run", "--rm", "localhost/built:1", "cat", "/one"]), "one");
}

/// The daemon asks a container how it is by executing in it.
pub fn health(docker: &Cli) {
    let check = ["--health-cmd", "test -e /tmp/well", "--health-interval", "200ms", "--health-retries", "1"];
    docker.detached("web", &check, &["sleep", "1000"]);
    let health =
        || docker.inspect("web")["State"]["Health"]["Status"].as_str().unwrap_or_default().to_owned();
    eventually("it is not well", || health() == "unhealthy");
    docker.ok(&["exec", "web", "touch", "/tmp/well"]);
    eventually("it is well", || health() == "healthy");
    docker.ok(&["rm", "--force", "web"]);
}

/// What the daemon's default filter decides, of every call, against cuddy's own for the same capabilities.
pub fn filter(docker: &Cli) {
    let id = docker.detached("web", &[], &["sleep", "1000"]);
    let bundle = format!("/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/{id}/config.json");
    let config = std::fs::read(docker.stage.path(&bundle)).expect("the configuration of the container");
    docker.ok(&["rm", "--force", "web"]);
    let config = spec::Config::from_slice(&config).expect("a configuration");
    let theirs = config.linux.and_then(|linux| linux.seccomp).expect("a filter");
    let capabilities =
        config.process.and_then(|process| process.capabilities).expect("capabilities").bounding;
    let arch = Arch::host().expect("an architecture with filters");
    let [ours, theirs] = [default_profile(capabilities, arch), theirs]
        .map(|rules| compile(&rules, arch).expect("a profile that compiles"));
    let architectures = [&[arch], arch.companions()].concat();
    if let Err(lacking) = differences::check("Docker", &ours, &theirs, &architectures) {
        panic!("{lacking}");
    }
}
