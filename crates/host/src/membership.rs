//! The control groups of a process, as `/proc/PID/cgroup` lists them (cgroups(7)).

use crate::Error;
use std::path::PathBuf;

pub(crate) const FILE: &str = "/proc/self/cgroup";

/// The group of a process in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which hierarchy.
    pub hierarchy: Hierarchy,
    /// From the root of the cgroup namespace; begins with `/..` where the group is not below that.
    pub group: PathBuf,
}

/// A hierarchy, by what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// Its controllers, with a named one as `name=systemd`.
    V1(Vec<String>),
    /// The only one of v2.
    V2,
}

/// Reads lines `ID:CONTROLLERS:GROUP`, with id 0 and no controllers for v2.
///
/// # Errors
/// A line that is none.
pub fn parse(text: &str) -> Result<Vec<Membership>, Error> {
    text.lines()
        .map(|line| {
            let mut fields = line.splitn(3, ':');
            let (Some(id), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next())
            else {
                return Err(Error::Malformed { what: FILE, text: line.to_owned() });
            };
            let hierarchy = if id == "0" && controllers.is_empty() {
                Hierarchy::V2
            } else {
                Hierarchy::V1(controllers.split(',').map(str::to_owned).collect())
            };
            Ok(Membership { hierarchy, group: group.into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_of_each_layout() {
        let of = |hierarchy, group: &str| Membership { hierarchy, group: group.into() };
        let v1 = |controllers: &[&str], group| {
            of(Hierarchy::V1(controllers.iter().map(|&c| c.to_owned()).collect()), group)
        };
        let v2 = |group| of(Hierarchy::V2, group);
        for (text, expect) in [
            ("0::/user.slice/session-1.scope\n", vec![v2("/user.slice/session-1.scope")]),
            ("0::/\n", vec![v2("/")]),
            ("0::/../..\n", vec![v2("/../..")]),
            (
                "9:name=systemd:/\n8:pids:/\n2:cpu,cpuacct:/a:b\n0::/\n",
                vec![
                    v1(&["name=systemd"], "/"),
                    v1(&["pids"], "/"),
                    v1(&["cpu", "cpuacct"], "/a:b"),
                    v2("/"),
                ],
            ),
            ("", vec![]),
        ] {
            assert_eq!(parse(text).unwrap(), expect, "{text}");
        }
        assert!(matches!(parse("moo"), Err(Error::Malformed { what: FILE, .. })));
    }
}
