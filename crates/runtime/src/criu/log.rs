//! What of criu's log tells why it failed. A line is like
//! `(00.159287)      1: Error (criu/files-reg.c:2353): Can't open file tmp/x on restore`.

use std::path::Path;

/// More than these would hide the first ones, of which the others are mostly consequences.
const MOST: usize = 8;

/// Errors of every run where the hard limit cannot be raised, and of every restore, as no container may use
/// tunnels: they change nothing.
const HARMLESS: [&str; 2] = ["rlimit: Can't setup RLIMIT_NOFILE", "tun: Unable to create tun"];

/// The errors of a log: the words of the first, and all of them as `grep -n` would print them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors {
    pub first: Option<String>,
    pub lines: Vec<String>,
}

/// The words of a line that is an error.
pub(crate) fn words(line: &str) -> Option<&str> {
    let (_, words) = line.split_once("Error (")?.1.split_once("): ")?;
    Some(words.trim())
}

impl Errors {
    /// Those of a log file; one that is not there has none.
    pub fn read(log: &Path) -> Self {
        std::fs::read(log).map_or_else(|_| Self::default(), |log| Self::find(&String::from_utf8_lossy(&log)))
    }

    fn find(log: &str) -> Self {
        let lines = log.lines().zip(1..);
        let errors = lines.filter(|(line, _)| line.contains("Error ("));
        let matters = |line: &str| !HARMLESS.iter().any(|harmless| line.contains(harmless));
        let errors: Vec<_> = errors.filter(|(line, _)| matters(line)).take(MOST).collect();
        Self {
            first: errors.first().and_then(|(line, _)| words(line)).map(str::to_owned),
            lines: errors.iter().map(|(line, number)| format!("{number}: {line}")).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_that_matters_is_the_cause() {
        let log = "(00.000010) Version: 4.2\n\
            (00.055926) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n\
            (00.100000) Warn  (criu/mount.c:1267): mnt: Can't create a temporary directory\n\
            (00.159287)      1: Error (criu/files.c:1221): Unable to open fd=2 id=0x4\n\
            (00.160354) Error (criu/cr-restore.c:2324): Restoring FAILED.\n";
        let errors = Errors::find(log);
        assert_eq!(errors.first.as_deref(), Some("Unable to open fd=2 id=0x4"));
        assert_eq!(
            errors.lines,
            [
                "4: (00.159287)      1: Error (criu/files.c:1221): Unable to open fd=2 id=0x4",
                "5: (00.160354) Error (criu/cr-restore.c:2324): Restoring FAILED.",
            ]
        );
        assert_eq!(Errors::find("nothing\nhere"), Errors::default());
        assert_eq!(Errors::find(&"Error (x): y\n".repeat(50)).lines.len(), MOST);
    }
}
