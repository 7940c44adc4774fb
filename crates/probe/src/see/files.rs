//! Open descriptors and the contents of `/dev`.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use probe::{Descriptor, Device, Report};
use rustix::fs::{OFlags, major, minor};

/// How deep `/dev` is read.
const DEPTH: usize = 3;

pub fn descriptors(report: &mut Report) -> io::Result<()> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    for fd in numbers {
        // The descriptor of the directory that was just read is closed by now and has no link.
        let Ok(target) = fs::read_link(format!("/proc/self/fd/{fd}")) else { continue };
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}"))?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok()).unwrap_or_default();
        let target = target.to_string_lossy().into_owned();
        report.descriptors.push(Descriptor { fd, target, flags: flag_names(flags) });
    }
    Ok(())
}

fn flag_names(bits: u32) -> Vec<String> {
    const NAMES: [(OFlags, &str); 9] = [
        (OFlags::CLOEXEC, "O_CLOEXEC"),
        (OFlags::APPEND, "O_APPEND"),
        (OFlags::NONBLOCK, "O_NONBLOCK"),
        (OFlags::DIRECTORY, "O_DIRECTORY"),
        (OFlags::NOFOLLOW, "O_NOFOLLOW"),
        (OFlags::PATH, "O_PATH"),
        (OFlags::DIRECT, "O_DIRECT"),
        (OFlags::DSYNC, "O_DSYNC"),
        (OFlags::NOATIME, "O_NOATIME"),
    ];
    let flags = OFlags::from_bits_retain(bits);
    let access = match flags & OFlags::RWMODE {
        OFlags::WRONLY => "O_WRONLY",
        OFlags::RDWR => "O_RDWR",
        _ => "O_RDONLY",
    };
    let set = NAMES.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    [access].into_iter().chain(set).map(str::to_owned).collect()
}

pub fn devices(report: &mut Report) -> io::Result<()> {
    walk(Path::new("/dev"), DEPTH, &mut report.devices)?;
    report.devices.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

fn walk(dir: &Path, depth: usize, devices: &mut Vec<Device>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        // A terminal may be gone between the listing and here.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let kind = metadata.file_type();
        let device = kind.is_char_device() || kind.is_block_device();
        devices.push(Device {
            path: path.to_string_lossy().into_owned(),
            kind: kind_name(kind).to_owned(),
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            number: device.then(|| (major(metadata.rdev()), minor(metadata.rdev()))),
            target: fs::read_link(&path).ok().map(|target| target.to_string_lossy().into_owned()),
        });
        if kind.is_dir() && depth > 1 {
            walk(&path, depth - 1, devices)?;
        }
    }
    Ok(())
}

fn kind_name(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_char_device() => "char",
        kind if kind.is_block_device() => "block",
        kind if kind.is_symlink() => "link",
        kind if kind.is_dir() => "dir",
        kind if kind.is_fifo() => "fifo",
        kind if kind.is_socket() => "socket",
        _ => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_mode_comes_first() {
        let cases = [
            (OFlags::RDONLY, vec!["O_RDONLY"]),
            (OFlags::RDWR | OFlags::CLOEXEC, vec!["O_RDWR", "O_CLOEXEC"]),
            (OFlags::WRONLY | OFlags::APPEND, vec!["O_WRONLY", "O_APPEND"]),
        ];
        for (flags, expect) in cases {
            assert_eq!(flag_names(flags.bits()), expect);
        }
    }
}
