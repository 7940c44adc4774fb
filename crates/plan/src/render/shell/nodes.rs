//! Directories, devices and links.

use super::{BY_PATH, ShellLine, nearly, quote, variable};
use crate::Op;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::MakeDirectory { path, mode } => {
            nearly(format!("mkdir -p -m {mode:o} $ROOT{}", quote(path)), BY_PATH)
        }
        Op::MakeDevice { within, path, kind, major, minor, mode, .. } => nearly(
            format!(
                "mknod -m {mode:o} {}{} {} {major} {minor}",
                variable(within),
                quote(path),
                spec::DeviceRule::letter(*kind)
            ),
            BY_PATH,
        ),
        Op::MakeSymlink { target, path } => nearly(format!("ln -s {target} $ROOT{}", quote(path)), BY_PATH),
        _ => unreachable!("not about files"),
    }
}
