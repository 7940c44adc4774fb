//! Containers that are gone when the test is.

use std::ffi::OsStr;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{binary, run};

/// A name that no other test uses: it has this process's id and a counter in it.
pub fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("cuddy-test-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// `cuddy ARGS...`, built beside the test.
pub fn cuddy<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary("cuddy"));
    command.args(args);
    command
}

/// `cuddy-oci ARGS...`, built beside the test.
pub fn cuddy_oci<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary("cuddy-oci"));
    command.args(args);
    command
}

/// A container's name. When dropped, whatever runs under it is deleted by force.
pub struct Container {
    id: String,
    global: Vec<String>,
}

impl Container {
    /// A new name; nothing is started.
    pub fn new() -> Container {
        Container { id: unique_name(), global: Vec::new() }
    }

    /// A new name in a runtime that is called with these options before its subcommand, as `--root DIR`.
    pub fn with_options(options: &[&str]) -> Container {
        Container { id: unique_name(), global: options.iter().map(|text| text.to_string()).collect() }
    }

    /// The name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `cuddy-oci` with the options of this container and these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = cuddy_oci(&self.global);
        command.args(args);
        command
    }
}

impl Default for Container {
    fn default() -> Container {
        Container::new()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // One that is deleted already is no error with --force; what else goes wrong the suite-wide check shows.
        let _ = run(self.command(&["delete", "--force"]).arg(&self.id));
    }
}
