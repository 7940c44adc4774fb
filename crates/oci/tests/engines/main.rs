//! Engines that people use, with cuddy-oci as their runtime.
//!
//! Each test sets a [stage](stage) on which it runs an engine as its users do. No registry is asked and no daemon of the machine is.
//! To see whether a failure is the test's or the machine's, run them with another runtime:
//! `CUDDY_ENGINES_RUNTIME=/usr/sbin/runc cargo nextest run -p cuddy-oci -E 'binary(engines)'`.

#[path = "../support/mod.rs"]
mod support;

mod buildah;
mod cli;
mod containerd;
#[path = "../../../seccomp/tests/support/differences.rs"]
mod differences;
mod docker;
mod image;
mod life;
mod network;
mod options;
mod podman;
mod stage;
mod systemd;
mod v2;

use std::process::ExitCode;

use testbed::{Need, Trial, trial};

/// What stages are made with.
const STAGE: [Need; 8] = [
    Need::Root,
    Need::Program("busybox"),
    Need::Program("ip"),
    Need::Program("nsenter"),
    Need::Program("setpriv"),
    Need::Program("tar"),
    Need::Program("unshare"),
    Need::Filesystem("overlay"),
];

fn main() -> ExitCode {
    let mut trials = both();
    trials.extend(others());
    testbed::main(trials)
}

/// A test of podman or of Docker: its name, and what it does with the engine.
type Scenario = (&'static str, fn(&cli::Cli));

/// What podman and Docker do alike.
const ALIKE: &[Scenario] = &[
    ("output and exit codes", life::exit_codes),
    ("a life from run to rm", life::life),
    ("paused, resumed and updated", life::paused_and_updated),
    ("terminals", life::terminal),
    ("the end of memory is reported", life::out_of_memory),
    ("started again", life::restarts),
    ("eight at once", life::at_once),
    ("namespaces of another container", life::shared_namespaces),
    ("files are copied in and out", life::copies),
    ("options for files", options::files),
    ("options for the process", options::process),
    ("privileged", options::privileged),
    ("options for limits", options::limits),
    ("options for namespaces", options::namespaces),
    ("a network with names and ports", network::bridge),
];

const PODMAN: &[Scenario] = &[
    ("the runtime by its path", podman::runtime_by_path),
    ("a pod", podman::pod),
    ("a pod of Kubernetes", podman::kube),
    ("its own options", podman::options),
    ("user namespaces", podman::user_namespaces),
    ("made, initialised and started", podman::step_by_step),
];

const DOCKER: &[Scenario] = &[
    ("build", docker::build),
    ("health", docker::health),
    ("every difference from its filter is named", docker::filter),
];

fn both() -> Vec<Trial> {
    type Engine = (&'static [&'static str], fn() -> cli::Cli, &'static [Scenario]);
    let engines: [Engine; 2] = [
        (&["podman", "conmon"], podman::podman, PODMAN),
        (&["docker", "dockerd", "containerd", "containerd-shim-runc-v2"], docker::docker, DOCKER),
    ];
    let mut trials = Vec::new();
    for (programs, start, alone) in engines {
        for &(name, scenario) in ALIKE.iter().chain(alone) {
            trials.push(trial(&format!("{}: {name}", programs[0]), needs(programs), move || {
                scenario(&start());
            }));
        }
    }
    trials
}

fn others() -> Vec<Trial> {
    let containerd = || needs(&["containerd", "containerd-shim-runc-v2", "ctr"]);
    let buildah = || needs(&["buildah"]);
    let kernel = |programs: &[&'static str]| {
        let mut needs = needs(programs);
        needs.extend(testbed::Kernel::UserMode.needs());
        needs
    };
    let on_systemd = || [needs(&["podman", "conmon"]), testbed::uml::needs_of_systemd()].concat();
    let mut criu = needs(&["podman", "conmon"]);
    criu.push(Need::Criu(None));
    vec![
        trial("podman: saved and restored", criu, || podman::checkpoint(&podman::podman())),
        trial("podman: on cgroup v2", kernel(&["podman", "conmon"]), v2::podman),
        trial("podman: where systemd makes the groups", on_systemd(), systemd::podman),
        trial("docker: on cgroup v2", kernel(&["docker", "dockerd", "containerd"]), v2::docker),
        trial("containerd: containers that run to their end", containerd(), containerd::runs),
        trial("containerd: a life from run to delete", containerd(), containerd::life),
        trial("containerd: paused, resumed and measured", containerd(), containerd::paused_and_measured),
        trial("containerd: containers of a pod", containerd(), containerd::pod),
        trial("buildah: run", buildah(), buildah::run),
        trial("buildah: bud", buildah(), buildah::build),
    ]
}

fn needs(programs: &[&'static str]) -> Vec<Need> {
    STAGE.into_iter().chain(programs.iter().map(|program| Need::Program(program))).collect()
}
