//! What a namespace is called, and its parameters.

use super::{ShellLine, exact, quote};
use crate::Op;
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::SetHostname { name } => exact(format!("hostname {}", quote(Path::new(name)))),
        Op::SetDomainname { name } => exact(format!("domainname {}", quote(Path::new(name)))),
        Op::SetSysctl { name, value } => {
            exact(format!("echo {} > /proc/sys/{name}", quote(Path::new(value))))
        }
        _ => unreachable!("not about names"),
    }
}
