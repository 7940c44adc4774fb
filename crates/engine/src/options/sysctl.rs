//! `--sysctl`: a kernel parameter, and the namespace it belongs to.

use super::BadValue;
use spec::NamespaceKind;

/// A kernel parameter of one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Dotted name; a dot inside a component is a slash, as sysctl(8) has it.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The namespace that has its own copy.
    pub namespace: NamespaceKind,
}

/// The parameters of an ipc namespace that are named one by one (`ipc/ipc_sysctl.c`).
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// `--sysctl NAME=VALUE`. Takes `net/ipv4/ip_forward`, too, where dots inside a component are dots.
///
/// # Errors
/// No value, a name that is no path below `/proc/sys`, or a parameter of the whole machine.
pub fn sysctl(text: &str) -> Result<Sysctl, BadValue> {
    let hint = "write NAME=VALUE, like net.ipv4.ip_forward=1";
    let Some((name, value)) = text.split_once('=') else {
        return Err(BadValue::new("there is no value", hint));
    };
    let slashed = name.find(['.', '/']).is_some_and(|at| name.as_bytes()[at] == b'/');
    let name: String = match slashed {
        true => name
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        false => name.to_owned(),
    };
    // As a path every dot is a slash, and the other way round; no component may lead out of /proc/sys.
    let out = |component: &str| matches!(component, "" | "/" | "//") || component.contains('\0');
    if name.split('.').any(out) {
        return Err(BadValue::new("this names no kernel parameter", hint));
    }
    let namespace = match name.as_str() {
        "kernel.hostname" => {
            return Err(BadValue::new("the host name has an option of its own", "write --hostname NAME"));
        }
        "kernel.domainname" => NamespaceKind::Uts,
        _ if name.starts_with("net.") => NamespaceKind::Network,
        _ if name.starts_with("fs.mqueue.") || IPC.contains(&name.as_str()) => NamespaceKind::Ipc,
        _ => {
            return Err(BadValue::new(
                format!("{name} belongs to the whole machine, not to a namespace"),
                "set it on the host with sysctl(8); a container may set net.*, fs.mqueue.*, kernel.sem, \
                 kernel.msg*, kernel.shm* and kernel.domainname",
            ));
        }
    };
    Ok(Sysctl { name, value: value.to_owned(), namespace })
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn a_parameter_belongs_to_a_namespace_or_is_refused() {
        check(
            |text| sysctl(text).map(|s| (s.name, s.value, s.namespace)),
            &[
                ("net.ipv4.ip_forward=1", Ok("(\"net.ipv4.ip_forward\", \"1\", Network)")),
                (
                    "net/ipv4/conf/eth0.1/forwarding=1",
                    Ok("(\"net.ipv4.conf.eth0/1.forwarding\", \"1\", Network)"),
                ),
                ("kernel.sem=1 2 3 4", Ok("(\"kernel.sem\", \"1 2 3 4\", Ipc)")),
                ("kernel.shm_rmid_forced=1", Ok("(\"kernel.shm_rmid_forced\", \"1\", Ipc)")),
                ("fs.mqueue.msg_max=5", Ok("(\"fs.mqueue.msg_max\", \"5\", Ipc)")),
                ("kernel.domainname=x", Ok("(\"kernel.domainname\", \"x\", Uts)")),
                ("kernel.hostname=x", Err("the host name has an option of its own")),
                ("vm.swappiness=1", Err("vm.swappiness belongs to the whole machine, not to a namespace")),
                ("kernel.shmmax2=1", Err("kernel.shmmax2 belongs to the whole machine, not to a namespace")),
                ("net.ipv4.ip_forward", Err("there is no value")),
                ("net..x=1", Err("this names no kernel parameter")),
                ("net.//.//.etc.x=1", Err("this names no kernel parameter")),
                ("net/../../etc/x=1", Err("this names no kernel parameter")),
                ("=1", Err("this names no kernel parameter")),
            ],
        );
    }
}
