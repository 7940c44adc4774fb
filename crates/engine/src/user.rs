//! Who a command runs as: `-u`, looked up in the root file system itself.
//!
//! A root file system is hostile input. `/etc/passwd` and `/etc/group` are opened below it by descriptor
//! with openat2(2) `RESOLVE_IN_ROOT`, so that no symbolic link leads out of it; they must be regular files
//! (a named pipe would hold us up for ever) and are read up to [`LARGEST`] bytes.

use crate::options::user::{Principal, UserSpec};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};

/// The most that is read of `/etc/passwd` and of `/etc/group`, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// The ids a command runs with, and where its user is at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups; the primary one is the first, so that dropping it gains nothing.
    pub groups: Vec<u32>,
    /// Home directory, `/` for a user without an entry.
    pub home: String,
}

impl Default for User {
    fn default() -> Self {
        Self { uid: 0, gid: 0, groups: vec![0], home: "/root".to_owned() }
    }
}

/// Why there is no such user.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// A name that `/etc/passwd` does not have.
    #[error("user {0}: the root file system's /etc/passwd has no such name")]
    NoUser(String),
    /// A name that `/etc/group` does not have.
    #[error("group {0}: the root file system's /etc/group has no such name")]
    NoGroup(String),
    /// A name in an archive that is not unpacked.
    #[error("user {0}: the names of an archive are not known before it is unpacked")]
    NotUnpacked(String),
    /// The file cannot be read.
    #[error("cannot read {path} of the root file system: {}", crate::words(source))]
    Read {
        /// Path inside.
        path: &'static str,
        /// The error of the kernel.
        source: io::Error,
    },
    /// The file is something else, or too large.
    #[error("{path} of the root file system is {what}")]
    Unfit {
        /// Path inside.
        path: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl UserError {
    /// What to do about it, one line each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        vec![match self {
            Self::NoUser(_) => "give a number, or a name that the container knows".to_owned(),
            Self::NoGroup(_) => "give a number, or a group that the container knows".to_owned(),
            Self::NotUnpacked(_) => "run it, or give numbers, as in -u 1000:1000".to_owned(),
            Self::Read { .. } | Self::Unfit { .. } => "give numbers, as in -u 1000:1000".to_owned(),
        }]
    }
}

/// The user that `spec` means inside `root`, root itself if it is left out.
///
/// Docker's rules: a user's groups are the one of its passwd entry and those of `/etc/group` that list
/// it; with an explicit group it has that one alone. A number needs no entry.
///
/// # Errors
/// A name that the root does not know, or a file there that is none.
pub fn resolve(root: impl AsFd, spec: Option<&UserSpec>) -> Result<User, UserError> {
    let root = root.as_fd();
    let numbers = matches!(
        spec,
        None | Some(UserSpec { user: Principal::Id(_), group: None | Some(Principal::Id(_)) })
    );
    // Numbers mean something without these files, so a root whose files are unfit still runs.
    let file = |path| match read(root, path) {
        Err(_) if numbers => Ok(String::new()),
        other => other,
    };
    look_up(&file("etc/passwd")?, &file("etc/group")?, spec)
}

/// The same for a root file system whose files are not there to be read: numbers only.
///
/// # Errors
/// A name.
pub fn without_files(spec: Option<&UserSpec>) -> Result<User, UserError> {
    look_up("", "", spec).map_err(|error| match error {
        UserError::NoUser(name) | UserError::NoGroup(name) => UserError::NotUnpacked(name),
        other => other,
    })
}

/// The same by the texts of the two files.
///
/// # Errors
/// A name that they do not know.
pub fn look_up(passwd: &str, group: &str, spec: Option<&UserSpec>) -> Result<User, UserError> {
    let root = Principal::Id(0);
    let principal = spec.map_or(&root, |spec| &spec.user);
    let entry = passwd.lines().filter_map(Entry::read).find(|entry| match principal {
        Principal::Id(uid) => entry.uid == *uid,
        Principal::Name(name) => entry.name == name,
    });
    let (uid, own_group, home) = match (&entry, principal) {
        (Some(entry), _) => (entry.uid, entry.gid, entry.home),
        (None, Principal::Id(uid)) => (*uid, 0, "/"),
        (None, Principal::Name(name)) => return Err(UserError::NoUser(name.clone())),
    };
    let home = if home.starts_with('/') && !home.contains('\0') { home } else { "/" }.to_owned();
    if let Some(chosen) = spec.and_then(|spec| spec.group.as_ref()) {
        let gid = match chosen {
            Principal::Id(gid) => *gid,
            Principal::Name(name) => groups(group)
                .find(|(known, ..)| known == name)
                .map(|(_, gid, _)| gid)
                .ok_or_else(|| UserError::NoGroup(name.clone()))?,
        };
        return Ok(User { uid, gid, groups: vec![gid], home });
    }
    let mut all = vec![own_group];
    if let Some(entry) = &entry {
        for (_, gid, members) in groups(group) {
            if members.split(',').any(|member| member == entry.name) && !all.contains(&gid) {
                all.push(gid);
            }
        }
    }
    // NGROUPS_MAX of the kernel; a longer list would make setgroups(2) fail.
    all.truncate(65536);
    Ok(User { uid, gid: own_group, groups: all, home })
}

/// The name of a user by the text of a passwd(5).
pub(crate) fn name_of(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().filter_map(Entry::read).find(|entry| entry.uid == uid).map(|entry| entry.name)
}

/// One line of passwd(5).
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    /// The entry, if the line is one. Lines that are not are passed over, as the C library does.
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        let _password = fields.next()?;
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let _comment = fields.next();
        Some(Self { name, uid, gid, home: fields.next().unwrap_or("/") })
    }
}

/// The lines of group(5): name, id, members.
fn groups(text: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        let _password = fields.next()?;
        Some((name, fields.next()?.parse().ok()?, fields.next().unwrap_or_default()))
    })
}

/// A file of the root; empty if there is none.
fn read(root: impl AsFd, path: &'static str) -> Result<String, UserError> {
    let failed = |error: io::Error| UserError::Read { path, source: error };
    let fd = match open(root, path) {
        Ok(fd) => fd,
        // ENOTDIR: /etc is a file. A root without users is fine.
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(String::new()),
        Err(errno) => return Err(failed(errno.into())),
    };
    let stat = rustix::fs::fstat(&fd).map_err(|errno| failed(errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(UserError::Unfit { path, what: "no regular file" });
    }
    let mut bytes = Vec::new();
    File::from(fd).take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(UserError::Unfit { path, what: "larger than 1 MiB" });
    }
    // A comment field may be in any encoding; names and numbers are ASCII.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens without waiting: O_NONBLOCK lets a named pipe be opened and then refused.
fn open(root: impl AsFd, path: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    sys::path::open(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::user::user;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# no: entry\n\nweb:x:33:33:,,,:/var/www:/bin/false\n\
                          broken:x:many:1::/:\nbare:x:7:8\nrel:x:9:9::home:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nweb:x:33:\nadm:x:4:syslog,web\nssl:x:100:web,other\nsame:x:33:web\n";

    fn lookup(text: &str) -> String {
        let spec = user(text).unwrap();
        match look_up(PASSWD, GROUP, Some(&spec)) {
            Ok(user) => format!("{}:{} {:?} {}", user.uid, user.gid, user.groups, user.home),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn users_and_groups_are_those_of_the_root() {
        let table = [
            ("web", "33:33 [33, 4, 100] /var/www"),
            ("33", "33:33 [33, 4, 100] /var/www"),
            ("web:adm", "33:4 [4] /var/www"),
            ("web:7", "33:7 [7] /var/www"),
            ("0", "0:0 [0] /root"),
            ("1000", "1000:0 [0] /"),
            ("1000:adm", "1000:4 [4] /"),
            ("bare", "7:8 [8] /"),
            ("rel", "9:9 [9] /"),
            ("nobody", "user nobody: the root file system's /etc/passwd has no such name"),
            ("broken", "user broken: the root file system's /etc/passwd has no such name"),
            ("web:none", "group none: the root file system's /etc/group has no such name"),
        ];
        for (text, expect) in table {
            assert_eq!(lookup(text), expect, "for {text:?}");
        }
        assert_eq!(look_up("", "", None).unwrap().home, "/");
    }

    fn resolve_in(root: &Path, text: &str) -> String {
        let root = File::open(root).unwrap();
        match resolve(&root, Some(&user(text).unwrap())) {
            Ok(user) => format!("{}:{}", user.uid, user.gid),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_hostile_root_gives_an_error_and_nothing_of_the_host() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("passwd"), "mole:x:0:0::/:\n").unwrap();
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        let none = "user mole: the root file system's /etc/passwd has no such name";

        assert_eq!(resolve_in(root.path(), "mole"), none, "no /etc at all");
        fs::write(&etc, "").unwrap();
        assert_eq!(resolve_in(root.path(), "mole"), none, "/etc is a file");
        fs::remove_file(&etc).unwrap();
        symlink(outside.path(), &etc).unwrap();
        assert_eq!(resolve_in(root.path(), "mole"), none, "/etc leads out of the root");
        fs::remove_file(&etc).unwrap();

        fs::create_dir(&etc).unwrap();
        let passwd = etc.join("passwd");
        symlink(format!("../../../../..{}/passwd", outside.path().display()), &passwd).unwrap();
        assert_eq!(resolve_in(root.path(), "mole"), none, "/etc/passwd leads out of the root");
        fs::remove_file(&passwd).unwrap();

        rustix::fs::mknodat(
            File::open(&etc).unwrap(),
            "passwd",
            FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        assert_eq!(resolve_in(root.path(), "mole"), "etc/passwd of the root file system is no regular file");
        assert_eq!(resolve_in(root.path(), "5:6"), "5:6", "numbers do not need the file");
        fs::remove_file(&passwd).unwrap();

        File::create(&passwd).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(
            resolve_in(root.path(), "mole"),
            "etc/passwd of the root file system is larger than 1 MiB"
        );

        fs::write(&passwd, b"m\xf6l\xe9:x:1:1::/:\nweb:x:33:33:M\xfcller:/:\n").unwrap();
        assert_eq!(resolve_in(root.path(), "web"), "33:33");
    }
}
