//! Starts that are refused, and what is said of them.

use serde_json::Value;
use testbed::Done;

use super::{Case, without_steps};

/// What is changed of the standard configuration, and what is said: after "cannot start ID: ", with ID for the name, BUNDLE
/// for the bundle's path, "step S of N", "line L column C", and ARCH for this machine's CPU.
pub type Bad = (fn(&mut Value), &'static str);

/// Refuses each, and leaves nothing.
#[track_caller]
pub fn check(table: &[Bad]) {
    for (change, message) in table {
        let mut case = Case::probe();
        case.args(&["/bin/probe", "exit", "0"]).edit(change);
        says(&case, case.run(), message);
        assert_eq!(case.left_behind(), Vec::<String>::new(), "{message}");
    }
}

/// Compares all that a failed start said.
#[track_caller]
pub fn says(case: &Case, done: Done, message: &str) {
    let said = without_steps(&done.stderr).replace(case.id(), "ID");
    let said = said.replace(case.bundle.path().to_str().expect("a path of ours"), "BUNDLE");
    let said = without_place(&said.replace(std::env::consts::ARCH, "ARCH"));
    let expected = format!("cuddy-oci: error: cannot start ID: {message}\n");
    assert_eq!((done.code(), done.stdout.as_str(), said.as_str()), (1, "", expected.as_str()));
}

/// Where in the document a value is depends on all that is before it. The pointer that is told with it does not.
fn without_place(message: &str) -> String {
    let Some((before, after)) = message.split_once(" at line ") else { return message.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix(" column ") else { return message.to_owned() };
    format!("{before} at line L column C{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
