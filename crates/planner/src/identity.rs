use crate::{Draft, Error};
use plan::{Errno, Op};
use spec::NamespaceKind;

/// A session and a keyring of its own, so that the caller's terminal and keys stay the caller's.
pub(crate) fn session(draft: &mut Draft) -> Result<(), Error> {
    draft.init(Op::NewSession, "default", "job control and signals of the caller's terminal do not reach it");
    if !draft.options.no_new_keyring {
        crate::labels::of_keys(draft)?;
        draft.plan.init.push_tolerant(
            Op::NewKeyring { name: format!("_ses.{}", draft.id) },
            plan::Cause::new("default", "keys of the caller are not the container's; a kernel may have none"),
            &[Errno::ENOSYS, Errno::EDQUOT, Errno::EACCES, Errno::EPERM],
        );
    }
    Ok(())
}

/// Host name and domain name.
pub(crate) fn names(draft: &mut Draft) {
    if let Some(name) = draft.config.hostname.as_ref().filter(|name| !name.is_empty()) {
        draft.init(Op::SetHostname { name: name.clone() }, "/hostname", "in the uts namespace");
    }
    if let Some(name) = draft.config.domainname.as_ref().filter(|name| !name.is_empty()) {
        draft.init(Op::SetDomainname { name: name.clone() }, "/domainname", "in the uts namespace");
    }
}

/// Kernel parameters. Only those that a namespace of the container owns: others are the machine's.
pub(crate) fn sysctls(draft: &mut Draft) -> Result<(), Error> {
    for (name, value) in &draft.linux.sysctl {
        let field = format!("/linux/sysctl/{}", name.replace('/', "~1"));
        let path = sysctl_path(name).ok_or_else(|| {
            Error::new(
                field.clone(),
                format!("{name:?} is no name of a kernel parameter"),
                "write it like net.ipv4.ip_forward",
            )
        })?;
        let Some(owner) = sysctl_owner(&path) else {
            let message = format!("{name} belongs to the whole machine, not to a namespace");
            return Err(Error::new(field, message, "set it on the machine with sysctl(8)"));
        };
        if path == "kernel/hostname" {
            let message = "the host name has a field of its own";
            return Err(Error::new(field, message, "give it as /hostname, and drop the sysctl"));
        }
        if !draft.namespaces.has(owner) {
            let kind = format!("{owner:?}").to_ascii_lowercase();
            let message = format!("{name} is of the {kind} namespace, and the container has none of its own");
            return Err(Error::new(field, message, "add the namespace, or drop the sysctl"));
        }
        let op = Op::SetSysctl { name: path, value: value.clone() };
        draft.init(
            op,
            field,
            "through the procfs opened before, so that no mount of the container is in between",
        );
    }
    Ok(())
}

/// `net.ipv4.ip_forward` as a path below `/proc/sys`. A name with a slash uses slashes throughout, so that
/// interface names can have dots (sysctl.d(5)).
fn sysctl_path(name: &str) -> Option<String> {
    let path = match (name.find('/'), name.find('.')) {
        (Some(slash), Some(dot)) if dot < slash => name.chars().map(swap).collect(),
        (None, _) => name.replace('.', "/"),
        _ => name.to_owned(),
    };
    let sound =
        !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    sound.then_some(path)
}

fn swap(c: char) -> char {
    match c {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// The kind of namespace that has its own value of a parameter.
fn sysctl_owner(path: &str) -> Option<NamespaceKind> {
    const IPC: [&str; 9] = [
        "kernel/msgmax",
        "kernel/msgmnb",
        "kernel/msgmni",
        "kernel/sem",
        "kernel/shmall",
        "kernel/shmmax",
        "kernel/shmmni",
        "kernel/shm_rmid_forced",
        "kernel/msg_next_id",
    ];
    if path.starts_with("net/") {
        return Some(NamespaceKind::Network);
    }
    if IPC.contains(&path) || path.starts_with("fs/mqueue/") {
        return Some(NamespaceKind::Ipc);
    }
    if path == "kernel/domainname" || path == "kernel/hostname" {
        return Some(NamespaceKind::Uts);
    }
    if path.starts_with("user/") {
        return Some(NamespaceKind::User);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sysctl_names_become_paths() {
        let cases = [
            ("net.ipv4.ip_forward", Some("net/ipv4/ip_forward")),
            ("net/ipv4/conf/eth0.1/forwarding", Some("net/ipv4/conf/eth0.1/forwarding")),
            ("net.ipv4.conf.eth0/1.forwarding", Some("net/ipv4/conf/eth0.1/forwarding")),
            ("net..ipv4", None),
            ("../../sys/power/state", None),
            ("", None),
        ];
        for (name, path) in cases {
            assert_eq!(sysctl_path(name).as_deref(), path, "{name}");
        }
    }
}
