//! `/proc/self/mountinfo`.

use std::{fs, io};

use probe::{Mount, Report};

use super::malformed;

pub fn mounts(report: &mut Report) -> io::Result<()> {
    let lines = fs::read_to_string("/proc/self/mountinfo")?;
    report.mounts =
        lines.lines().map(|line| parse(line).ok_or_else(|| malformed(line))).collect::<Result<_, _>>()?;
    Ok(())
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse(line: &str) -> Option<Mount> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut mount = mount.split(' ');
    let mut filesystem = filesystem.split(' ');
    Some(Mount {
        id: mount.next()?.parse().ok()?,
        parent: mount.next()?.parse().ok()?,
        // The device number is between the parent and the root.
        root: unescape(mount.nth(1)?),
        point: unescape(mount.next()?),
        options: list(mount.next()?),
        propagation: mount.map(str::to_owned).collect(),
        fstype: filesystem.next()?.to_owned(),
        source: unescape(filesystem.next()?),
        super_options: list(filesystem.next().unwrap_or_default()),
    })
}

fn list(options: &str) -> Vec<String> {
    options.split(',').filter(|option| !option.is_empty()).map(unescape).collect()
}

/// The kernel writes space, tab, newline and backslash as a backslash and three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                plain.extend(&part.as_bytes()[3..]);
            }
            None => {
                plain.push(b'\\');
                plain.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_variable_number_of_propagation_fields() {
        let cases = [
            ("1 2 8:1 / /mnt rw - ext4 /dev/sda1 rw", vec![]),
            ("1 2 8:1 / /mnt rw shared:3 master:4 - ext4 /dev/sda1 rw", vec!["shared:3", "master:4"]),
        ];
        for (line, expect) in cases {
            let mount = parse(line).unwrap();
            assert_eq!((mount.id, mount.parent, mount.point.as_str()), (1, 2, "/mnt"));
            assert_eq!((mount.fstype.as_str(), mount.source.as_str()), ("ext4", "/dev/sda1"));
            assert_eq!(mount.propagation, expect);
        }
        assert!(parse("1 2 8:1 / /mnt rw").is_none());
    }

    #[test]
    fn octal_escapes_are_undone() {
        let cases = [(r"/a\040b", "/a b"), (r"/a\134b", r"/a\b"), (r"/a\b", r"/a\b"), ("/ä", "/ä")];
        for (escaped, expect) in cases {
            assert_eq!(unescape(escaped), expect);
        }
    }
}
