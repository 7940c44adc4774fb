//! A start that is killed in its middle, and what is left when somebody has cleaned up after it.

mod common;

use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Home, Rootfs, words};
use testbed::{Need, Trial, run, trial};

fn main() -> ExitCode {
    testbed::main(ROWS.iter().map(killed))
}

/// How many points in time there are for each row.
const POINTS: u32 = 50;

/// What is started. All of it is what a start can leave: mounts, cgroups with limits, an init below the command.
const ROWS: [&str; 3] = [
    "ROOT",
    "--memory 64m --cpus 0.5 --init --tmpfs /t -v .:/here --sysctl net.ipv4.ip_forward=1 ROOT",
    "--userns auto --time-offset boottime=1 --pids-limit 50 ROOT",
];

fn killed(line: &'static &str) -> Trial {
    let name = format!("a start that is killed at {POINTS} points leaves nothing: {line}");
    let time = line.contains("--time-offset").then_some(Need::Path("/proc/self/timens_offsets"));
    trial(&name, [Need::Root, Need::Program("busybox")].into_iter().chain(time), || {
        let (home, rootfs) = (Home::new(), Rootfs::new());
        let line = line.replace("ROOT", &rootfs.text());
        let whole = duration(&home, &line);
        let mut seen = Vec::new();
        for point in 0..POINTS {
            // From before the first step to after the last; where in a step it is, chance says.
            let moment = whole.mul_f64(f64::from(point) / f64::from(POINTS) * 1.2);
            seen.push(kill_at(&home, &line, moment));
        }
        // It would prove nothing if the start was always over, or never begun.
        assert!(seen.contains(&true), "no kill left anything to be cleaned up");
    })
}

/// How long such a start takes until its command runs.
fn duration(home: &Home, line: &str) -> Duration {
    let begin = Instant::now();
    let _running = home.start(words(line));
    begin.elapsed()
}

/// Starts, kills cuddy at that moment and deletes the container; whether the kill had left anything.
#[track_caller]
fn kill_at(home: &Home, line: &str, moment: Duration) -> bool {
    let (name, mut command) = home.container(words(line));
    // Two processes that nothing but a signal ends, and whose command line has the container's name.
    let script = "sleep 1000 & sleep 1000; exit";
    let mut child = command.args(["sh", "-c", script, &name]).spawn().unwrap();
    thread::sleep(moment);
    child.kill().expect("a child of ours can be killed");
    child.wait().expect("a child of ours can be waited for");
    let left = !home.traces().is_empty();
    let delete = run(home.oci(["delete", "--force", &name]).stdin(Stdio::null()));
    assert_eq!((delete.code(), delete.stderr.as_str()), (0, ""), "killed after {moment:?}");
    let traces = home.traces();
    assert!(traces.is_empty(), "killed after {moment:?}, deleted, and still there:\n{}", traces.join("\n"));
    left
}
