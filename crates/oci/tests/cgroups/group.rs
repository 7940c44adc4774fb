//! The kernel's files of a container's groups.

use crate::support::{Case, groups};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use testbed::run;

/// Where the container's groups were when it ran; their files are there until it is deleted.
pub struct Groups(Vec<(String, PathBuf)>);

impl Groups {
    pub fn of(case: &Case) -> Groups {
        Groups(groups(case.pid()))
    }

    /// The first of these files that is there, v1's before v2's as they are given.
    #[track_caller]
    pub fn path(&self, files: &[&str]) -> PathBuf {
        let all = files.iter().flat_map(|file| self.0.iter().map(move |(_, group)| group.join(file)));
        all.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no group has one of {files:?}"))
    }

    pub fn has(&self, file: &str) -> bool {
        self.0.iter().any(|(_, group)| group.join(file).exists())
    }

    #[track_caller]
    pub fn text(&self, files: &[&str]) -> String {
        let path = self.path(files);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }

    #[track_caller]
    pub fn number(&self, files: &[&str]) -> u64 {
        let text = self.text(files);
        text.trim().parse().unwrap_or_else(|_| panic!("{files:?}: {text}"))
    }

    /// The number in the line `NAME NUMBER` of a file.
    #[track_caller]
    pub fn field(&self, files: &[&str], name: &str) -> u64 {
        let text = self.text(files);
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }
}

/// The `data` of `events --stats`.
#[track_caller]
pub fn usage(case: &Case) -> Value {
    let line: Value = run(case.oci(&["events", "--stats"]).arg(case.id())).ok().json();
    line["data"].clone()
}
