use super::*;
use usage::{COMMANDS, Opt};

fn parse(args: &[&str]) -> Result<Command, String> {
    parse_from(Parser::from_args(args)).1
}

/// A value that the option takes.
fn sample(option: &Opt) -> &'static str {
    match option.value {
        _ if !option.choices.is_empty() => option.choices[0],
        Some("ADDRESS:PORT") => "localhost:1",
        Some("DURATION") => "1s",
        Some("0|1") => "1",
        Some("UID[:GID]") => "1:2",
        Some("NAMESPACE") => "network",
        Some("TYPE:NAME") => "apparmor:x",
        Some("N" | "US" | "BYTES" | "GID" | "FD") => "11",
        _ => "x",
    }
}

fn operands(command: &str) -> &'static [&'static str] {
    match command {
        "exec" => &["id", "true"],
        "features" | "list" | "spec" => &[],
        _ => &["id"],
    }
}

#[test]
fn every_option_of_the_table_means_something() {
    for command in COMMANDS {
        for option in command.options {
            let long = format!("--{}", option.name);
            let with_value = format!("--{}={}", option.name, sample(option));
            let short = option.short.map(|letter| format!("-{letter}"));
            let value = option.value.map(|_| sample(option));
            let mut forms = vec![vec![long.as_str()], vec![short.as_deref().unwrap_or(&long)]];
            forms.iter_mut().for_each(|form| form.extend(value));
            if value.is_some() {
                forms.push(vec![with_value.as_str()]);
            }
            for form in forms {
                let args = [&[command.name], &form[..], operands(command.name)].concat();
                let parsed = parse(&args);
                assert!(parsed.is_ok(), "{args:?}: {parsed:?}");
            }
        }
    }
}

#[test]
fn every_command_has_help() {
    for command in COMMANDS {
        for help in [&["--help"][..], &["-h"], &["id", "--help"]] {
            let args = [&[command.name], help].concat();
            let is_for_it = command.passes_on && help.len() == 2;
            assert_eq!(matches!(parse(&args), Ok(Command::Help(_))), !is_for_it, "{args:?}");
        }
        assert!(matches!(parse(&["help", command.name]), Ok(Command::Help(_))));
    }
}

#[test]
fn switches_can_be_given_a_value() {
    for (args, on) in [
        (&["run", "-d", "x"][..], true),
        (&["run", "--detach", "x"], true),
        (&["run", "--detach=true", "x"], true),
        (&["run", "--detach=1", "x"], true),
        (&["run", "--detach=false", "x"], false),
        (&["run", "-d", "--detach=F", "x"], false),
        (&["run", "x"], false),
    ] {
        let Ok(Command::Run(start)) = parse(args) else { panic!("{args:?}") };
        assert_eq!(start.detach, on, "{args:?}");
    }
    assert_eq!(parse(&["run", "--detach=yes", "x"]).unwrap_err(), "--detach is true or false, not \"yes\"");
    assert!(matches!(parse(&["--systemd-cgroup=false", "state", "x"]), Ok(Command::State { .. })));
}

#[test]
fn what_follows_the_container_of_exec_is_the_command() {
    let Ok(Command::Exec(exec)) = parse(&["exec", "-t", "-e", "A=1", "id", "ls", "-t", "--env=x"]) else {
        panic!("no exec")
    };
    assert_eq!(
        (exec.tty, exec.env, exec.args),
        (true, vec!["A=1".into()], vec!["ls".into(), "-t".into(), "--env=x".into()])
    );
}

#[test]
fn a_failure_is_logged_where_the_options_say() {
    let (global, command) = parse_from(Parser::from_args(["--log=l", "--log-format", "json", "moo"]));
    assert_eq!((global.log, global.log_json), (Some("l".into()), true));
    assert!(command.is_err());
}
