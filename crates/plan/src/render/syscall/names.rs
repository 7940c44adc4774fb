//! What a namespace is called, and its parameters.

use super::{Call, call, write_proc};
use crate::Op;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::SetHostname { name } => vec![call("sethostname", format!("{name:?}, {}", name.len()))],
        Op::SetDomainname { name } => vec![call("setdomainname", format!("{name:?}, {}", name.len()))],
        Op::SetSysctl { name, value } => write_proc(&format!("sys/{name}"), value),
        _ => unreachable!("not about names"),
    }
}
