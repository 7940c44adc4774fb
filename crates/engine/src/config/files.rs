//! `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf` of a container.

use super::Container;
use crate::facts::Facts;
use crate::options::RunOptions;
use crate::options::namespace::Network;
use std::path::PathBuf;

/// A file of the container's state that is mounted into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where it is written, on the host.
    pub path: PathBuf,
    /// Where it is mounted, in the container.
    pub target: PathBuf,
    /// What it says.
    pub contents: String,
}

/// The files that the container gets. A container that shares the host's network finds names as the host
/// does; one without a network has nobody to ask.
pub(super) fn generate(
    options: &RunOptions,
    container: &Container<'_>,
    facts: &Facts,
    hostname: &str,
) -> Vec<GeneratedFile> {
    let (hosts, resolv_conf) = match options.namespaces.network {
        Network::Host => (facts.hosts.clone(), facts.resolv_conf.clone()),
        Network::None => (hosts(hostname, options.domainname.as_deref()), "# no network\n".to_owned()),
    };
    [("hostname", format!("{hostname}\n")), ("hosts", hosts), ("resolv.conf", resolv_conf)]
        .map(|(name, contents)| GeneratedFile {
            path: container.files.join(name),
            target: PathBuf::from("/etc").join(name),
            contents,
        })
        .into()
}

/// The loopback names, and the container's own name at 127.0.1.1, the address that Debian gives to a
/// machine without a fixed one: so that programs which look up their own host name find it.
fn hosts(hostname: &str, domainname: Option<&str>) -> String {
    let own = match domainname {
        Some(domain) => format!("{hostname}.{domain} {hostname}"),
        None => hostname.to_owned(),
    };
    format!("127.0.0.1\tlocalhost\n127.0.1.1\t{own}\n::1\tlocalhost ip6-localhost ip6-loopback\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_finds_its_own_name() {
        assert!(hosts("web", None).contains("127.0.1.1\tweb\n"));
        assert!(hosts("web", Some("site")).contains("127.0.1.1\tweb.site web\n"));
    }
}
