//! `ps`.

use super::print;
use runtime::{Error, Store};
use spec::ContainerId;
use std::path::Path;
use std::process::{Command, Stdio};

/// Lists a container's processes: their pids as JSON, or the lines that ps(1) has for them.
pub(super) fn list(store: &Store, id: &ContainerId, json: bool, options: &[String]) -> Result<(), Error> {
    let pids = store.processes(id)?;
    if json {
        return print(&serde_json::to_string(&pids).unwrap_or_default());
    }
    let mut ps = Command::new("ps");
    match options.is_empty() {
        true => ps.arg("-ef"),
        false => ps.args(options),
    };
    let run = ps.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = run.map_err(|error| Error::reading(Path::new("the output of ps"), error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(Error::Program { program: "ps", status: output.status.to_string() });
    }
    let lines =
        lines_of(&text, &pids).ok_or(Error::Program { program: "ps", status: "shows no PID".into() })?;
    lines.into_iter().try_for_each(print)
}

/// The headings, and the lines that have one of these pids in the column PID.
fn lines_of<'a>(text: &'a str, pids: &[i32]) -> Option<Vec<&'a str>> {
    let headings = text.lines().next()?;
    let column = headings.split_whitespace().position(|heading| heading == "PID")?;
    let is_one = |line: &&str| {
        let pid = line.split_whitespace().nth(column).and_then(|word| word.parse().ok());
        pid.is_some_and(|pid| pids.contains(&pid))
    };
    Some(std::iter::once(headings).chain(text.lines().skip(1).filter(is_one)).collect())
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn lines_are_found_by_their_pid() {
        let text = "  PID TTY      CMD\n    1 ?        init 12\n   12 ?        sleep 1\n  120 ?        x\n";
        assert_eq!(lines_of(text, &[12, 99]).unwrap(), ["  PID TTY      CMD", "   12 ?        sleep 1"]);
        assert_eq!(lines_of("UID CMD\n0 x\n", &[0]), None);
        assert_eq!(lines_of("", &[]), None);
    }
}
