//! Version, privileges, and which system calls are let through.

use crate::Error;
use rustix::fs::{CWD, Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use spec::CapabilitySet;
use std::path::Path;

/// The environment variable that, set to `1`, makes [`probe`](crate::probe) report the new mount calls as
/// missing: tests use it to take the fallbacks on any machine.
pub const NO_NEW_MOUNT_API: &str = "CUDDY_NO_NEW_MOUNT_API";

/// Version of the running kernel, from uname(2).
pub fn version() -> Result<(u32, u32), Error> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    parse_release(&release)
        .ok_or_else(|| Error::Malformed { what: "the release in uname", text: release.into_owned() })
}

/// Reads `6.1.0-13-amd64` as `(6, 1)`.
fn parse_release(release: &str) -> Option<(u32, u32)> {
    let (major, rest) = release.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Effective capabilities, from capget(2).
pub fn capabilities() -> Result<CapabilitySet, Error> {
    let sets = rustix::thread::capabilities(None).map_err(|source| Error::Call { call: "capget", source })?;
    Ok(CapabilitySet::from_bits(sets.effective.bits()))
}

/// The last capability that the kernel has (capabilities(7), `/proc/sys/kernel/cap_last_cap`).
pub fn last_capability() -> Result<u8, Error> {
    const FILE: &str = "/proc/sys/kernel/cap_last_cap";
    let text = read(FILE)?;
    text.trim().parse().map_err(|_| Error::Malformed { what: FILE, text })
}

/// Whether the calls of the new mount interface reach the kernel.
///
/// open_tree(2) looks at its flags before anything else, so a flag that does not exist tells the kernel's
/// own answer (EINVAL) from that of a kernel without the call (ENOSYS) and of a seccomp filter (EPERM, as
/// older container engines answer; ENOSYS, as newer ones). Filters treat the calls of this family alike.
pub fn new_mount_api() -> bool {
    if std::env::var_os(NO_NEW_MOUNT_API).is_some_and(|value| value == "1") {
        return false;
    }
    let no_such_flag = OpenTreeFlags::from_bits_retain(1 << 30);
    !matches!(open_tree(CWD, c"", no_such_flag), Err(Errno::NOSYS | Errno::PERM))
}

/// Whether SELinux is on: its file system is mounted where it always is.
pub fn selinux() -> bool {
    const SELINUX_MAGIC: i64 = 0xf97c_ff8c;
    rustix::fs::statfs(c"/sys/fs/selinux").is_ok_and(|found| found.f_type == SELINUX_MAGIC)
}

/// Whether AppArmor is on: the parameters of its module say so (apparmor(7)).
pub fn apparmor() -> bool {
    std::fs::read("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with(b"Y"))
}

/// Reads a text file of the kernel's; what is not UTF-8 (a mount point may be anything) is replaced.
pub fn read(path: impl AsRef<Path>) -> Result<String, Error> {
    let path = path.as_ref();
    let read = || {
        let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut bytes = Vec::new();
        // The kernel does not say how much there is, and gives at most a page at once.
        let mut page = [0; 4096];
        loop {
            match rustix::io::read(&file, &mut page) {
                Ok(0) => return Ok(bytes),
                Ok(count) => bytes.extend_from_slice(&page[..count]),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    };
    let bytes = read().map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_up_to_its_minor_number() {
        for (release, expect) in [
            ("6.18.44-fc-v595", Some((6, 18))),
            ("5.15", Some((5, 15))),
            ("6.1-rc3", Some((6, 1))),
            ("6.1+", Some((6, 1))),
            ("moo", None),
            ("6.", None),
            ("", None),
        ] {
            assert_eq!(parse_release(release), expect, "{release}");
        }
    }
}
