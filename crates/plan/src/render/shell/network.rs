//! Interfaces: ip(8).

use super::{ShellLine, exact, nearly, none, quote};
use crate::Op;
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::LinkUp { interface } => exact(format!("ip link set {interface} up")),
        Op::OpenNetlink => none("a shell holds no such descriptor"),
        Op::MoveNetDevice { name, new_name, .. } => nearly(
            format!("ip link set {} netns $INIT name {}", quote(Path::new(name)), quote(Path::new(new_name))),
            "the addresses are lost and have to be given again, and it has to be brought up",
        ),
        _ => unreachable!("not about interfaces"),
    }
}
