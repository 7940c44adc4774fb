//! `--device`, `--device-read-bps` and `--device-write-bps`.

use super::{BadValue, mount, number};
use std::path::{Component, Path, PathBuf};

/// A device node of the host that the container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// Path on the host: a node, or a directory with nodes.
    pub host: PathBuf,
    /// Absolute path inside.
    pub container: PathBuf,
    /// Letters of `rwm`: read, write, make nodes.
    pub access: String,
}

/// `--device HOST[:CONTAINER][:rwm]`.
///
/// # Errors
/// A path that is not absolute, or letters other than `r`, `w` and `m`.
pub fn device(text: &str) -> Result<DeviceRequest, BadValue> {
    let hint = "write /dev/x, /dev/x:/dev/y or /dev/x:/dev/y:rw";
    let parts: Vec<&str> = text.split(':').collect();
    let (host, container, access) = match parts[..] {
        [host] => (host, host, "rwm"),
        [host, second] if second.starts_with('/') => (host, second, "rwm"),
        [host, second] => (host, host, second),
        [host, container, access] => (host, container, access),
        _ => return Err(BadValue::new("there are more than two colons", hint)),
    };
    let repeats = |letter: char| access.matches(letter).count() > 1;
    if access.is_empty() || access.chars().any(|letter| !"rwm".contains(letter) || repeats(letter)) {
        return Err(BadValue::new(format!("{access:?} is no access: its letters are r, w and m"), hint));
    }
    let host = host_node(host, hint)?;
    Ok(DeviceRequest { host, container: mount::target_path(container)?, access: access.to_owned() })
}

/// A rate for one block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRate {
    /// The device on the host.
    pub device: PathBuf,
    /// Bytes each second.
    pub rate: u64,
}

/// `--device-read-bps PATH:RATE`, like `/dev/sda:1mb`.
///
/// # Errors
/// A path that is not absolute, or a rate that is no number of bytes or zero.
pub fn rate(text: &str) -> Result<DeviceRate, BadValue> {
    let hint = "write a device and bytes each second, like /dev/sda:1mb";
    let Some((device, rate)) = text.rsplit_once(':') else {
        return Err(BadValue::new("there is no rate", hint));
    };
    let device = host_node(device, hint)?;
    match number::bytes(rate)? {
        0 => Err(BadValue::new("a rate of 0 would stop the device", hint)),
        rate => Ok(DeviceRate { device, rate }),
    }
}

fn host_node(path: &str, hint: &str) -> Result<PathBuf, BadValue> {
    let path: PathBuf = Path::new(path).components().collect();
    if path.is_absolute() && !path.components().any(|part| part == Component::ParentDir) {
        Ok(path)
    } else {
        Err(BadValue::new(format!("{} is no absolute path", path.display()), hint))
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn devices() {
        let line = |request: DeviceRequest| {
            format!("{} {} {}", request.host.display(), request.container.display(), request.access)
        };
        check(
            |text| device(text).map(line),
            &[
                ("/dev/fuse", Ok("\"/dev/fuse /dev/fuse rwm\"")),
                ("/dev/sda:/dev/xvda", Ok("\"/dev/sda /dev/xvda rwm\"")),
                ("/dev/sda:r", Ok("\"/dev/sda /dev/sda r\"")),
                ("/dev/sda:/dev/x:rw", Ok("\"/dev/sda /dev/x rw\"")),
                ("sda", Err("sda is no absolute path")),
                ("/dev/../sda", Err("/dev/../sda is no absolute path")),
                ("/dev/sda:/dev/x:rx", Err("\"rx\" is no access: its letters are r, w and m")),
                ("/dev/sda:rr", Err("\"rr\" is no access: its letters are r, w and m")),
                ("/dev/sda:/dev/x:", Err("\"\" is no access: its letters are r, w and m")),
                ("/a:/b:r:w", Err("there are more than two colons")),
            ],
        );
    }

    #[test]
    fn rates() {
        check(
            |text| rate(text).map(|rate| (rate.device, rate.rate)),
            &[
                ("/dev/sda:1mb", Ok("(\"/dev/sda\", 1048576)")),
                ("/dev/sda", Err("there is no rate")),
                ("/dev/sda:0", Err("a rate of 0 would stop the device")),
                ("sda:1", Err("sda is no absolute path")),
                ("/dev/sda:fast", Err("this is no number of bytes")),
            ],
        );
    }
}
