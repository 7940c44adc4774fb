use std::path::PathBuf;

/// Limits that no group can be made from. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value that the kernel or the specification does not have.
    #[error("{pointer}: {value} {problem}{}", in_file(pointer))]
    Invalid {
        /// Where it stands in the config.
        pointer: String,
        /// The value.
        value: String,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// The machine does not have the controller that a limit needs.
    #[error("{pointer}: this machine has no cgroup controller {controller}; looked {looked}")]
    NoController {
        /// Where the limit stands in the config.
        pointer: String,
        /// Name of the controller.
        controller: &'static str,
        /// Where it could have been.
        looked: String,
    },
    /// The machine has the controller, and the part of the v2 hierarchy that groups are made in was not given it.
    #[error(
        "{pointer}: the controller {controller} was not delegated to {group}, which has {given}; give it (`Delegate=` of \
         systemd.resource-control(5), for users in user@.service), or leave the setting out",
        group = .group.display()
    )]
    Withheld {
        /// Where the setting stands in the config.
        pointer: String,
        /// Name of the controller.
        controller: String,
        /// The group that lacks it.
        group: PathBuf,
        /// The controllers that it has, in words.
        given: String,
    },
    /// A setting that cgroup v2 does not have, on a machine where v1 does not have its controller.
    #[error(
        "{pointer}: exists in cgroup v1 only, and {controller} is not mounted as v1; leave the setting out"
    )]
    OnlyV1 {
        /// Where the setting stands in the config.
        pointer: String,
        /// Name of the controller in v1.
        controller: &'static str,
    },
    /// A file of cgroup v2, on a machine that has only v1.
    #[error(
        "{pointer}: is for cgroup v2, which is not mounted; use the setting's own field in place of `unified`"
    )]
    OnlyV2 {
        /// Where the setting stands in the config.
        pointer: String,
    },
    /// An entry of `unified` for a controller that the v2 hierarchy does not have.
    #[error("{pointer}: cgroup v2 has no controller {controller} on this machine; looked {looked}")]
    NoUnified {
        /// Where the entry stands in the config.
        pointer: String,
        /// The first part of the file's name.
        controller: String,
        /// Where it could have been.
        looked: String,
    },
    /// `cgroupsPath` names no place for a group.
    #[error("/linux/cgroupsPath: {path:?} {problem}")]
    Path {
        /// The path given.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The name of a container that cannot be part of a unit's.
    #[error(
        "the name makes no name of a systemd unit: {unit}; choose one of letters, digits and -_., or set linux.cgroupsPath"
    )]
    Unit {
        /// The name that it would be.
        unit: String,
    },
    /// An annotation that is no property of a unit.
    #[error("{pointer}: {value:?} {problem}")]
    Annotation {
        /// Where it stands in the config.
        pointer: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A systemd that lacks what limits are made with.
    #[error("systemd {version} makes no groups for cuddy: it has to be {needed} or newer")]
    OldSystemd {
        /// Its version.
        version: u32,
        /// The first that would do.
        needed: u32,
    },
    /// Device rules that the v1 controller cannot express.
    #[error(
        "{pointer}: cgroup v1 cannot except {rule:?} from the wider rule {wider:?} before it; \
         list the devices one by one"
    )]
    DeviceOverlap {
        /// Where the rule stands in the config.
        pointer: String,
        /// The rule, in the words of the devices controller.
        rule: String,
        /// The rule that it would make a hole in.
        wider: String,
    },
    /// No hierarchy is mounted at all.
    #[error("no cgroup hierarchy is mounted on this machine; mount one on {}", usual.display())]
    NoHierarchy {
        /// The usual place.
        usual: PathBuf,
    },
}

/// The kernel's files for a setting, in brackets; nothing for what is not of the table.
fn in_file(pointer: &str) -> String {
    crate::table::files_at(pointer).map_or(String::new(), |files| format!(" ({files})"))
}
