//! Logging in: one mechanism, by which the kernel tells the other side who we are (D-Bus specification,
//! "Authentication Protocol").
//!
//! ```text
//!   us     \0 AUTH EXTERNAL 30 \r\n BEGIN \r\n
//!   them   OK 1234deadbeef \r\n        or  REJECTED EXTERNAL \r\n
//!                                        from here on there are messages
//! ```
//!
//! `BEGIN` does not wait for `OK`, and messages do: when systemd reads the first of them along with `BEGIN` it leaves it
//! in its buffer until more comes.

use std::fmt::Write;

/// The longest line that is read.
pub(crate) const LONGEST: usize = 4096;

/// What is said first: the user id, as hexadecimal digits of its decimal ones. It is that of the namespace which the
/// other side is in.
pub(crate) fn hello(uid: u32) -> String {
    let mut text = "\0AUTH EXTERNAL ".to_owned();
    for digit in uid.to_string().bytes() {
        let _ = write!(text, "{digit:02x}");
    }
    text + "\r\nBEGIN\r\n"
}

/// Whether the answer lets us in; otherwise it is why not.
pub(crate) fn accepted(line: &str) -> Result<(), String> {
    match line.trim_end() {
        line if line == "OK" || line.starts_with("OK ") => Ok(()),
        line => Err(format!("it does not let user in: {line:?}")),
    }
}

/// The user id by which the parent of this user namespace knows us (user_namespaces(7)): the bus of a user is outside.
pub(crate) fn uid_outside(uid: u32, uid_map: &str) -> u32 {
    let outside = uid_map.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (inside, outside, count) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let offset = uid.checked_sub(inside).filter(|offset| *offset < count)?;
        outside.checked_add(offset)
    });
    outside.unwrap_or(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        assert_eq!(hello(0), "\0AUTH EXTERNAL 30\r\nBEGIN\r\n");
        assert_eq!(hello(1000), "\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n");
        for (line, good) in
            [("OK 12ab\r\n", true), ("OK\r\n", true), ("REJECTED EXTERNAL\r\n", false), ("", false)]
        {
            assert_eq!(accepted(line).is_ok(), good, "{line}");
        }
    }

    #[test]
    fn ids_outside_of_a_user_namespace() {
        for (uid, map, outside) in [
            (0, "         0          0 4294967295\n", 0),
            (7, "         0          0 4294967295\n", 7),
            (0, "0 1000 1\n1 100000 65536\n", 1000),
            (5, "0 1000 1\n1 100000 65536\n", 100_004),
            (5, "", 5),
            (5, "x y z\n", 5),
        ] {
            assert_eq!(uid_outside(uid, map), outside, "{uid} {map}");
        }
    }
}
