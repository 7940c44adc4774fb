//! `HOME`, from the container's own `/etc/passwd`.
//!
//! The file is hostile input: it is opened below the root, must be a regular file (a named pipe would hold init up for
//! ever), and of a large one only the beginning counts.

use crate::failure::Error;
use crate::{Slots, inside};
use plan::{Follow, Slot};
use rustix::fs::{FileType, OFlags};
use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The home directory of a user; `/` where nobody says.
pub(crate) fn find(slots: &Slots, uid: u32) -> Result<String, Error> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = inside::open(slots.get(Slot::Root)?, Path::new("etc/passwd"), flags, Follow::InRoot);
    // A root file system need not have users.
    let Ok(file) = file else { return Ok("/".to_owned()) };
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Ok("/".to_owned());
    }
    let mut bytes = Vec::new();
    File::from(file).take(LARGEST).read_to_end(&mut bytes)?;
    Ok(of(&String::from_utf8_lossy(&bytes), uid).unwrap_or("/").to_owned())
}

/// The sixth field of the first line for this user (passwd(5)).
fn of(passwd: &str, uid: u32) -> Option<&str> {
    let uid = uid.to_string();
    let fields = |line: &str| line.split(':').nth(2) == Some(uid.as_str());
    let home = passwd.lines().find(|line| fields(line))?.split(':').nth(5)?;
    (home.starts_with('/') && !home.contains('\0')).then_some(home)
}

/// The environment with `HOME`, where it was looked up.
pub(crate) fn add<'a>(env: &'a [String], home: Option<&str>) -> Cow<'a, [String]> {
    let Some(home) = home else { return Cow::Borrowed(env) };
    let others = env.iter().filter(|entry| !entry.starts_with("HOME=")).cloned();
    others.chain([format!("HOME={home}")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_of_a_user() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n# moo\n\nodd:x:7\nweb:x:33:33::/srv/www:/bin/false\n\
                      web2:x:33:33::/else:\nrelative:x:34:34::srv:\n";
        let cases = [(0, Some("/root")), (33, Some("/srv/www")), (7, None), (34, None), (35, None)];
        for (uid, home) in cases {
            assert_eq!(of(passwd, uid), home, "{uid}");
        }
    }

    #[test]
    fn a_home_replaces_an_empty_one() {
        let env = ["A=1".to_owned(), "HOME=".to_owned()];
        assert_eq!(*add(&env, Some("/root")), ["A=1".to_owned(), "HOME=/root".to_owned()]);
        assert_eq!(*add(&env, None), env);
    }
}
