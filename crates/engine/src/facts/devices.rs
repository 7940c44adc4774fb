//! Device nodes of the host.

use crate::options::RunOptions;
use crate::options::device::DeviceRate;
use crate::options::{BadValue, OptionError};
use rustix::fs::{FileType, StatxFlags};
use spec::{Device, DeviceKind, ThrottleDevice};
use std::fs;
use std::path::{Path, PathBuf};

/// A node that the container gets, and what it may do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedDevice {
    /// The node inside.
    pub node: Device,
    /// Letters of `rwm`.
    pub access: String,
}

/// What a privileged container does not get from the host's `/dev`: file systems that it has of its own,
/// and the nodes that every container has.
const NOT_PASSED_ON: [&str; 14] = [
    "pts",
    "shm",
    "mqueue",
    "hugepages",
    "fd",
    "console",
    "ptmx",
    "null",
    "zero",
    "full",
    "random",
    "urandom",
    "tty",
    "lxc",
];

/// More nodes than a machine has below one directory of `/dev`.
const MOST: usize = 4096;

/// The devices of `--device`, and all others of the host for a privileged container.
pub(super) fn gather(options: &RunOptions) -> Result<Vec<GrantedDevice>, OptionError> {
    let mut granted = Vec::new();
    for request in &options.devices {
        let refused = |cause: String| {
            let hint = "give a device node of this machine, or a directory of them";
            BadValue::new(cause, hint).of("--device", &request.host.display().to_string())
        };
        // The path on the host may be a link, as in /dev/disk/by-id; the node inside is none.
        let real = request.host.canonicalize().map_err(|error| refused(crate::words(&error)))?;
        let before = granted.len();
        walk(&real, &request.container, &[], &mut |node| {
            granted.push(GrantedDevice { node, access: request.access.clone() });
        });
        if granted.len() == before {
            return Err(refused("this is no device node".to_owned()));
        }
    }
    if options.privileges.privileged {
        let asked: Vec<PathBuf> = granted.iter().map(|device| device.node.path.clone()).collect();
        walk(Path::new("/dev"), Path::new("/dev"), &NOT_PASSED_ON, &mut |node| {
            if !asked.contains(&node.path) {
                granted.push(GrantedDevice { node, access: "rwm".to_owned() });
            }
        });
    }
    granted.sort_by(|a, b| a.node.path.cmp(&b.node.path));
    Ok(granted)
}

/// Every node at or below `host`, with the path it has inside; links are not followed.
fn walk(host: &Path, inside: &Path, skip: &[&str], found: &mut impl FnMut(Device)) {
    let mut left = vec![(host.to_owned(), inside.to_owned())];
    for _ in 0..MOST {
        let Some((host, inside)) = left.pop() else { return };
        if let Some(device) = node(&host, &inside) {
            found(device);
        } else if host.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            for entry in fs::read_dir(&host).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !skip.iter().any(|skipped| name == *skipped) {
                    left.push((host.join(&name), inside.join(&name)));
                }
            }
        }
    }
}

fn node(host: &Path, inside: &Path) -> Option<Device> {
    let stat = rustix::fs::statx(
        rustix::fs::CWD,
        host,
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        StatxFlags::BASIC_STATS,
    )
    .ok()?;
    let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
        FileType::BlockDevice => DeviceKind::Block,
        FileType::CharacterDevice => DeviceKind::Char,
        _ => return None,
    };
    Some(Device {
        kind,
        path: inside.to_owned(),
        major: Some(stat.stx_rdev_major),
        minor: Some(stat.stx_rdev_minor),
        file_mode: Some(u32::from(stat.stx_mode) & 0o7777),
        uid: Some(stat.stx_uid),
        gid: Some(stat.stx_gid),
    })
}

/// The numbers of the block devices that `option` names.
pub(super) fn rates(option: &str, rates: &[DeviceRate]) -> Result<Vec<ThrottleDevice>, OptionError> {
    let number = |rate: &DeviceRate| {
        let refused = |cause: String| {
            BadValue::new(cause, "give a disk of this machine, like /dev/sda; lsblk(8) lists them")
                .of(option, &rate.device.display().to_string())
        };
        let real = rate.device.canonicalize().map_err(|error| refused(crate::words(&error)))?;
        match node(&real, &real) {
            Some(Device { kind: DeviceKind::Block, major: Some(major), minor: Some(minor), .. }) => {
                Ok(ThrottleDevice { major: major.into(), minor: minor.into(), rate: rate.rate })
            }
            _ => Err(refused("this is no block device".to_owned())),
        }
    };
    rates.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::device::{device, rate};

    fn granted(text: &str) -> Result<Vec<GrantedDevice>, String> {
        let options = RunOptions { devices: vec![device(text).unwrap()], ..RunOptions::default() };
        gather(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn a_node_is_found_with_its_numbers() {
        let found = granted("/dev/null:/dev/hole:r").unwrap();
        let [GrantedDevice { node, access }] = &found[..] else { panic!("{found:?}") };
        assert_eq!((node.kind, node.major, node.minor), (DeviceKind::Char, Some(1), Some(3)));
        assert_eq!((node.path.as_path(), access.as_str()), (Path::new("/dev/hole"), "r"));
    }

    #[test]
    fn what_is_no_device_is_refused() {
        let table = [
            ("/no/such", "--device \"/no/such\": no such file or directory"),
            ("/etc/passwd", "--device \"/etc/passwd\": this is no device node"),
            ("/proc/self/fdinfo", "--device \"/proc/self/fdinfo\": this is no device node"),
        ];
        for (text, expect) in table {
            assert_eq!(granted(text), Err(expect.to_owned()));
        }
        let error = rates("--device-read-bps", &[rate("/dev/null:1m").unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), "--device-read-bps \"/dev/null\": this is no block device");
    }

    #[test]
    fn a_privileged_container_gets_the_nodes_that_it_does_not_have() {
        let mut options = RunOptions::default();
        options.privileges.privileged = true;
        let found = gather(&options).unwrap();
        assert!(found.iter().all(|device| device.access == "rwm"));
        for path in ["/dev/null", "/dev/pts/0", "/dev/console"] {
            assert!(!found.iter().any(|device| device.node.path == Path::new(path)), "{path}");
        }
    }
}
