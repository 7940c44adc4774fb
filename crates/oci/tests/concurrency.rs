//! Many commands at once, of the same container and of others: each wins or says why not, and nothing is left.

mod support;

use std::process::{Command, ExitCode, Stdio};
use std::thread;

use support::Case;
use testbed::{Container, Done, Need, run, trial};

/// How many processes do the same at once.
const MANY: usize = 8;

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("of many that create a container one does", root.clone(), create),
        trial("of many that start it one does", root.clone(), start),
        trial("many may kill it, and look at it", root.clone(), kill),
        trial("of many that delete it one does", root.clone(), delete),
        trial("names come and go while others look, kill and delete", root.clone(), churn),
        trial("who attends to a container minds that others delete it", root.clone(), attended),
        trial("many containers at once do not mind each other", root, others),
    ])
}

fn sleeper() -> Case {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    case
}

/// Runs commands at the same time.
fn at_once(commands: Vec<Command>) -> Vec<Done> {
    let threads: Vec<_> = commands
        .into_iter()
        .map(|mut command| thread::spawn(move || run(command.stdin(Stdio::null()))))
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("a command that ends")).collect()
}

fn many(command: impl Fn() -> Command) -> Vec<Done> {
    at_once((0..MANY).map(|_| command()).collect())
}

/// How many succeeded; the others said one of these.
#[track_caller]
fn winners(done: &[Done], excuses: &[&str]) -> usize {
    for done in done.iter().filter(|done| done.code() != 0) {
        assert!(excuses.iter().any(|excuse| done.stderr.contains(excuse)), "{done:#?}");
    }
    done.iter().filter(|done| done.code() == 0).count()
}

fn create() {
    let case = sleeper();
    let done = many(|| case.make(&["create"]));
    assert_eq!(winners(&done, &["exists already"]), 1, "{done:#?}");
    assert_eq!(case.status(), "created");
    case.does("start").ok();
}

fn start() {
    let case = sleeper();
    run(&mut case.make(&["create"])).ok();
    let done = many(|| on(&case, &["start"]));
    assert_eq!(winners(&done, &["is running; start needs it created"]), 1, "{done:#?}");
    assert_eq!(case.status(), "running");
}

/// A command on the container.
fn on(case: &Case, words: &[&str]) -> Command {
    let mut command = case.oci(&words[..1]);
    let (options, operands): (Vec<&str>, Vec<&str>) =
        words[1..].iter().partition(|word| word.starts_with('-'));
    command.args(options).arg(case.id()).args(operands);
    command
}

const NOT_RUNNING: &str = "container not running";
const MISSING: &str = "does not exist";

fn kill() {
    let case = sleeper();
    case.detach();
    let words: [&[&str]; 6] =
        [&["kill", "KILL"], &["state"], &["ps"], &["kill", "-a", "KILL"], &["kill", "TERM"], &["list", "-q"]];
    let commands = |_| words.map(|words| if words[0] == "list" { case.oci(words) } else { on(&case, words) });
    let done = at_once((0..4).flat_map(commands).collect());
    assert!(winners(&done, &[NOT_RUNNING]) >= 12, "{done:#?}");
    case.wait_until_stopped();
}

fn delete() {
    for force in [false, true] {
        let case = sleeper();
        case.detach();
        if !force {
            run(&mut on(&case, &["kill", "KILL"])).ok();
            case.wait_until_stopped();
        }
        let words: &[&str] = if force { &["delete", "--force"] } else { &["delete"] };
        let done = many(|| on(&case, words));
        let won = winners(&done, &[MISSING]);
        assert_eq!(won, if force { MANY } else { 1 }, "{done:#?}");
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn churn() {
    let case = sleeper();
    // The last three: a container that is being created is not one to be signalled yet, or it was, and its creator tells.
    let excuses = [
        "exists already",
        MISSING,
        NOT_RUNNING,
        "delete needs it stopped",
        "kill needs it created or running",
        "the other process has died",
        "was killed before it was ready",
    ];
    let rounds = |words: &'static [&'static str]| {
        let mut commands: Vec<_> =
            (0..10).map(|_| if words[0] == "create" { case.make(words) } else { on(&case, words) }).collect();
        thread::spawn(move || {
            commands.iter_mut().map(|command| run(command.stdin(Stdio::null()))).collect::<Vec<_>>()
        })
    };
    let words: [&[&str]; 7] = [
        &["create"],
        &["create"],
        &["delete", "--force"],
        &["delete", "--force"],
        &["delete"],
        &["kill", "KILL"],
        &["state"],
    ];
    let threads = words.map(|words| (words, rounds(words)));
    for (words, thread) in threads {
        let done = thread.join().expect("commands that end");
        let won = winners(&done, &excuses);
        assert!(won == 10 || words != ["delete", "--force"], "{done:#?}");
    }
    run(&mut on(&case, &["delete", "--force"])).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn attended() {
    let case = sleeper();
    let mut child = case.make(&["run"]).stdin(Stdio::null()).spawn().unwrap();
    support::eventually("it runs", || {
        let done = case.does("state");
        done.code() == 0 && done.stdout.contains("\"running\"")
    });
    let done = many(|| on(&case, &["delete", "--force"]));
    assert_eq!(winners(&done, &[]), MANY);
    assert_eq!(child.wait().unwrap().code(), Some(137));
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn others() {
    let case = sleeper();
    let root = case.state_dir().to_str().unwrap();
    let containers: Vec<_> = (0..MANY).map(|_| Container::with_options(&["--root", root])).collect();
    let bundle = case.bundle.path().to_str().unwrap();
    for words in
        [&["create", "--bundle", bundle][..], &["start"], &["state"], &["pause"], &["delete", "--force"]]
    {
        let command = |container: &Container| {
            let mut command = container.command(words);
            command.arg(container.id());
            command
        };
        let done = at_once(containers.iter().map(command).collect());
        assert_eq!(winners(&done, &[]), MANY, "{done:#?}");
    }
    for container in &containers {
        let machine = testbed::Machine::snapshot_with(&[case.state_dir()]);
        assert_eq!(machine.mentioning(container.id()), Vec::<String>::new());
    }
}
