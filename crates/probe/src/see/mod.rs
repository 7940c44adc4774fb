//! Gathering of the report, one module for each part of the system.

use std::fs;
use std::io;

use probe::Report;

mod files;
mod limits;
mod mounts;
mod network;
mod process;
mod terminal;

/// Fills in its part of the report.
type Look = fn(&mut Report) -> io::Result<()>;

/// Looks at everything. A part that cannot be seen is left out and named in [`Report::unknown`].
pub fn everything(sysctls: &[String]) -> Report {
    let mut report = Report::default();
    // First, while no file of ours is open.
    let parts: [(&str, Look); 14] = [
        ("descriptors", files::descriptors),
        ("process", process::process),
        ("status", process::status),
        ("ids", process::id_maps),
        ("namespaces", process::namespaces),
        ("cgroups", process::cgroups),
        ("pids", process::visible),
        ("keyrings", process::keyrings),
        ("mounts", mounts::mounts),
        ("devices", files::devices),
        ("rlimits", limits::rlimits),
        ("clocks", limits::clocks),
        ("interfaces", network::interfaces),
        ("terminal", terminal::terminal),
    ];
    for (name, look) in parts {
        if let Err(error) = look(&mut report) {
            report.unknown.insert(name.to_owned(), error.to_string());
        }
    }
    for name in sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let value = fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned());
        report.sysctls.insert(name.clone(), value);
    }
    report
}

/// The error for a file of the kernel that is not written as its man page says.
fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}
