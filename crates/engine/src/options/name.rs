//! `--name`, `--hostname`, `--domainname`, `--workdir`, `--cgroup-parent`.

use super::BadValue;
use planner::CgroupManager;
use spec::{ContainerId, InvalidId};
use std::path::{Component, Path, PathBuf};

/// `--name`.
///
/// # Errors
/// A name that a container cannot have, or one that begins with a sign.
pub fn container(text: &str) -> Result<ContainerId, BadValue> {
    let hint = "use letters, digits, _ . and -, and begin with a letter or digit";
    if !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(BadValue::new("a name begins with a letter or a digit", hint));
    }
    id(text, hint)
}

/// A container's name or id; the error does not repeat the whole of it.
pub(super) fn id(text: &str, hint: &str) -> Result<ContainerId, BadValue> {
    text.parse().map_err(|error| {
        let cause = match error {
            InvalidId::Character { character, .. } => {
                format!("{character:?} is not one of A-Z a-z 0-9 _ + - .")
            }
            other => other.to_string(),
        };
        BadValue::new(cause, hint)
    })
}

/// `--hostname` and `--domainname`.
///
/// # Errors
/// Empty, longer than the 64 bytes of uname(2), or with a character that no host name has.
pub fn host(text: &str) -> Result<String, BadValue> {
    let hint = "use letters, digits, - . and _, at most 64 of them, and begin with a letter or digit";
    if text.is_empty() || text.len() > 64 {
        return Err(BadValue::new(format!("it has {} bytes; the kernel takes 1 to 64", text.len()), hint));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        Some(other) => Err(BadValue::new(format!("{other:?} cannot be part of a host name"), hint)),
        None if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            Err(BadValue::new("a host name begins with a letter or a digit", hint))
        }
        None => Ok(text.to_owned()),
    }
}

/// `--workdir`.
///
/// # Errors
/// A path that is not absolute, or that has a NUL byte.
pub fn workdir(text: &str) -> Result<PathBuf, BadValue> {
    let hint = "write an absolute path inside the container, like /srv";
    if text.contains('\0') || !text.starts_with('/') {
        return Err(BadValue::new("it is not an absolute path", hint));
    }
    Ok(Path::new(text).components().collect())
}

/// `--cgroup-parent`: a path from the root of the hierarchies, or the name of a systemd slice.
///
/// # Errors
/// A path with `..` or with nothing in it.
pub fn cgroup_parent(text: &str) -> Result<String, BadValue> {
    let hint = "write a path like /site/web, or the name of a slice like web.slice";
    let mut parts = Path::new(text).components().filter(|part| *part != Component::RootDir).peekable();
    if text.contains(['\0', ':', '\n']) || parts.peek().is_none() {
        return Err(BadValue::new("it names no control group", hint));
    }
    if parts.any(|part| !matches!(part, Component::Normal(_))) {
        return Err(BadValue::new("it leads out of the tree with ..", hint));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Whether a group is one that systemd makes others in.
pub(crate) fn is_slice(group: &str) -> bool {
    group.ends_with(".slice") && !group.contains('/')
}

/// `--cgroup-manager`.
///
/// # Errors
/// Another word.
pub fn cgroup_manager(text: &str) -> Result<CgroupManager, BadValue> {
    match text {
        "cgroupfs" => Ok(CgroupManager::Cgroupfs),
        "systemd" => Ok(CgroupManager::Systemd),
        _ => Err(BadValue::new("it is neither cgroupfs nor systemd", "name one of the two")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn names() {
        check(
            |text| container(text).map(String::from),
            &[
                ("web", Ok("\"web\"")),
                ("-x", Err("a name begins with a letter or a digit")),
                ("..", Err("a name begins with a letter or a digit")),
                ("", Err("a container's name cannot be empty")),
            ],
        );
        check(
            host,
            &[
                ("web.example", Ok("\"web.example\"")),
                ("", Err("it has 0 bytes; the kernel takes 1 to 64")),
                ("-a", Err("a host name begins with a letter or a digit")),
                ("a b", Err("' ' cannot be part of a host name")),
            ],
        );
        check(
            workdir,
            &[
                ("/srv//x/", Ok("\"/srv/x\"")),
                ("srv", Err("it is not an absolute path")),
                ("", Err("it is not an absolute path")),
            ],
        );
        check(
            cgroup_parent,
            &[
                ("/a/b/", Ok("\"/a/b\"")),
                ("web.slice", Ok("\"web.slice\"")),
                ("/", Err("it names no control group")),
                ("", Err("it names no control group")),
                ("/a/../..", Err("it leads out of the tree with ..")),
            ],
        );
    }
}
