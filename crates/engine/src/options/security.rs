//! `--cap-add`, `--cap-drop`, `--security-opt`.

use super::BadValue;
use spec::Capability;
use std::path::PathBuf;

/// What `--cap-add` and `--cap-drop` name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapabilityName {
    /// `ALL`.
    All,
    /// One of capabilities(7).
    One(Capability),
}

/// A name like `NET_ADMIN`, `cap_net_admin` or `ALL`.
///
/// # Errors
/// A name that capabilities(7) does not have.
pub fn capability(text: &str) -> Result<CapabilityName, BadValue> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(CapabilityName::All);
    }
    text.parse().map(CapabilityName::One).map_err(|_| {
        BadValue::new("there is no such capability", "write a name of capabilities(7) like NET_ADMIN, or ALL")
    })
}

/// The system call filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SeccompChoice {
    /// cuddy's own profile.
    #[default]
    Default,
    /// No filter.
    Unconfined,
    /// A profile of the user's: the path of a JSON file in Docker's form or in that of the OCI.
    File(PathBuf),
}

/// One `--security-opt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityOption {
    /// Whether execve can raise privileges.
    NoNewPrivileges(bool),
    /// The system call filter.
    Seccomp(SeccompChoice),
    /// Rules for Landlock: the path of a JSON file.
    Landlock(PathBuf),
    /// An AppArmor profile, or `unconfined`.
    AppArmor(String),
    /// SELinux: a part of the label, or `disable`.
    Label(LabelOption),
    /// Whether the masked and read-only paths of `/proc` and `/sys` are left as they are.
    SystemPathsUnconfined,
}

/// What `label=` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelOption {
    /// No label.
    Disable,
    /// `user`, `role`, `type` or `level`, and its value.
    Part(LabelPart, String),
}

/// The four parts of an SELinux label, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelPart {
    /// The SELinux user.
    User,
    /// The role.
    Role,
    /// The type of the process.
    Type,
    /// The sensitivity and categories.
    Level,
}

/// `--security-opt KEY[=VALUE]`; `KEY:VALUE`, as Docker once had it, is taken, too.
///
/// # Errors
/// An unknown key, or a value that the key cannot have.
pub fn security(text: &str) -> Result<SecurityOption, BadValue> {
    let hint = "known are no-new-privileges, seccomp=FILE|unconfined, landlock=FILE, apparmor=PROFILE, \
                label=disable, systempaths=unconfined";
    let (key, value) = match text.find(['=', ':']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    match (key, value) {
        ("no-new-privileges", None | Some("true")) => Ok(SecurityOption::NoNewPrivileges(true)),
        ("no-new-privileges", Some("false")) => Ok(SecurityOption::NoNewPrivileges(false)),
        ("no-new-privileges", Some(_)) => {
            Err(BadValue::new("no-new-privileges is true or false", "write no-new-privileges"))
        }
        ("seccomp" | "landlock" | "apparmor" | "label" | "systempaths", None | Some("")) => {
            Err(BadValue::new(format!("{key} has no value"), hint))
        }
        ("seccomp", Some(value)) => Ok(SecurityOption::Seccomp(match value {
            "unconfined" => SeccompChoice::Unconfined,
            "default" | "builtin" => SeccompChoice::Default,
            file => SeccompChoice::File(PathBuf::from(file)),
        })),
        ("landlock", Some(file)) => Ok(SecurityOption::Landlock(PathBuf::from(file))),
        ("apparmor", Some(profile)) => Ok(SecurityOption::AppArmor(profile.to_owned())),
        ("label", Some(value)) => label(value).map(SecurityOption::Label),
        ("systempaths", Some("unconfined")) => Ok(SecurityOption::SystemPathsUnconfined),
        ("systempaths", Some(_)) => {
            Err(BadValue::new("systempaths can only be unconfined", "write systempaths=unconfined"))
        }
        _ => Err(BadValue::new(format!("there is no security option {key:?}"), hint)),
    }
}

fn label(value: &str) -> Result<LabelOption, BadValue> {
    let hint = "write label=disable, or label=type:container_t, also with user, role and level";
    if value == "disable" {
        return Ok(LabelOption::Disable);
    }
    let part = match value.split_once(':') {
        Some(("user", rest)) => (LabelPart::User, rest),
        Some(("role", rest)) => (LabelPart::Role, rest),
        Some(("type", rest)) => (LabelPart::Type, rest),
        Some(("level", rest)) => (LabelPart::Level, rest),
        _ => return Err(BadValue::new(format!("{value:?} is no part of a label"), hint)),
    };
    if part.1.is_empty() {
        return Err(BadValue::new("that part of the label is empty", hint));
    }
    Ok(LabelOption::Part(part.0, part.1.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn capabilities() {
        check(
            |text| {
                capability(text).map(|name| match name {
                    CapabilityName::All => "ALL",
                    CapabilityName::One(capability) => capability.name(),
                })
            },
            &[
                ("net_admin", Ok("\"CAP_NET_ADMIN\"")),
                ("CAP_SYS_TIME", Ok("\"CAP_SYS_TIME\"")),
                ("all", Ok("\"ALL\"")),
                ("MOO", Err("there is no such capability")),
            ],
        );
    }

    #[test]
    fn security_options() {
        check(
            security,
            &[
                ("no-new-privileges", Ok("NoNewPrivileges(true)")),
                ("no-new-privileges:true", Ok("NoNewPrivileges(true)")),
                ("no-new-privileges=false", Ok("NoNewPrivileges(false)")),
                ("no-new-privileges=maybe", Err("no-new-privileges is true or false")),
                ("seccomp=unconfined", Ok("Seccomp(Unconfined)")),
                ("seccomp=./a=b:c.json", Ok("Seccomp(File(\"./a=b:c.json\"))")),
                ("seccomp", Err("seccomp has no value")),
                ("landlock=rules.json", Ok("Landlock(\"rules.json\")")),
                ("landlock", Err("landlock has no value")),
                ("apparmor=web", Ok("AppArmor(\"web\")")),
                ("label=disable", Ok("Label(Disable)")),
                ("label:type:svirt_t", Ok("Label(Part(Type, \"svirt_t\"))")),
                ("label=level:s0:c1,c2", Ok("Label(Part(Level, \"s0:c1,c2\"))")),
                ("label=color:red", Err("\"color:red\" is no part of a label")),
                ("label=type:", Err("that part of the label is empty")),
                ("systempaths=unconfined", Ok("SystemPathsUnconfined")),
                ("systempaths=x", Err("systempaths can only be unconfined")),
                ("moo=1", Err("there is no security option \"moo\"")),
            ],
        );
    }
}
