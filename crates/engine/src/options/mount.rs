//! `-v`, `--mount` and `--tmpfs`.

use super::{BadValue, number};
use std::path::{Component, Path, PathBuf};

/// A mount that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// What is mounted.
    pub source: MountSource,
    /// Absolute path inside the container, without `.` and `..`.
    pub target: PathBuf,
    /// Whether it cannot be written to. For a bind mount, nor can what is mounted below it.
    pub readonly: bool,
    /// Flags of mount(8) such as `noexec`.
    pub flags: Vec<&'static str>,
}

/// What a [`MountRequest`] mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A file or directory of the host.
    Bind {
        /// Absolute path on the host.
        path: PathBuf,
        /// Whether mounts below it come along.
        recursive: bool,
        /// Whether later mounts are seen on the other side.
        propagation: Propagation,
        /// Who the files belong to in the container.
        owners: Owners,
    },
    /// A new tmpfs, with its options such as `size=64m`.
    Tmpfs {
        /// Options that are not flags, as tmpfs(5) has them.
        data: Vec<String>,
    },
}

/// Whose files of the host are seen to be in a container. On the host they stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Owners {
    /// Those who own them on the host.
    #[default]
    Same,
    /// Who has the same id in the container: what is root's on the host is root's of the container. With a text in the
    /// form of crun, `uids=0-1000-10;gids=0-1000-10`, what it says.
    Mapped(Option<String>),
    /// The container's user, for those of the source's owner, and the other way round.
    MatchUser,
}

/// Propagation of mounts between host and container (mount_namespaces(7)). Docker's default is `rprivate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    /// Neither side sees the other's, here and in the mounts below.
    #[default]
    RPrivate,
    /// The same, here only.
    Private,
    /// Both sides see the other's, here and below.
    RShared,
    /// The same, here only.
    Shared,
    /// The container sees the host's, here and below.
    RSlave,
    /// The same, here only.
    Slave,
}

impl Propagation {
    const ALL: [Self; 6] =
        [Self::RPrivate, Self::Private, Self::RShared, Self::Shared, Self::RSlave, Self::Slave];

    /// Its name among the options of a mount.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RPrivate => "rprivate",
            Self::Private => "private",
            Self::RShared => "rshared",
            Self::Shared => "shared",
            Self::RSlave => "rslave",
            Self::Slave => "slave",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|propagation| propagation.name() == name)
    }
}

/// Flags that may follow `-v` and `--tmpfs`, by pairs that exclude each other.
const FLAGS: [(&str, &str); 7] = [
    ("exec", "noexec"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("atime", "noatime"),
    ("diratime", "nodiratime"),
    ("relatime", "norelatime"),
    ("strictatime", "nostrictatime"),
];

/// Flags in the order given; of two that exclude each other the later stays.
fn set_flag(flags: &mut Vec<&'static str>, name: &str) -> bool {
    let Some((on, off)) = FLAGS.into_iter().find(|(on, off)| *on == name || *off == name) else {
        return false;
    };
    flags.retain(|flag| *flag != on && *flag != off);
    flags.push(if name == on { on } else { off });
    true
}

const VOLUME_HINT: &str = "give a host path: ./data or /srv/data";

/// `-v SRC:DST[:OPTIONS]`. A relative source is taken from `cwd`, the directory of the caller.
///
/// Two things differ from Docker, on purpose. A source that does not exist is an error (found later, by
/// [`crate::facts::Facts::gather`]): Docker makes an empty directory of every typing mistake. And
/// `exec`, `suid`, `dev` and their opposites are taken, too. `z` and `Z` are taken and do nothing: cuddy does not relabel.
///
/// # Errors
/// A named or anonymous volume, a target that is not absolute, or an unknown option.
pub fn volume(text: &str, cwd: &Path) -> Result<MountRequest, BadValue> {
    let hint = "write SOURCE:TARGET or SOURCE:TARGET:ro, like ./conf:/etc/conf:ro";
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts[..] {
        [_] => {
            return Err(BadValue::new(
                "this would be an anonymous volume, and volumes do not exist yet",
                hint,
            ));
        }
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return Err(BadValue::new("there are more than two colons", hint)),
    };
    let path = host_path(source, cwd)?;
    let mut request = MountRequest {
        source: MountSource::Tmpfs { data: Vec::new() },
        target: target_path(target)?,
        readonly: false,
        flags: Vec::new(),
    };
    let mut recursive = true;
    let mut chosen = None;
    let mut owners = Owners::Same;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => request.readonly = true,
            "rw" => request.readonly = false,
            "bind" => recursive = false,
            "rbind" => recursive = true,
            "idmap" => owners = Owners::Mapped(None),
            "match-user" => owners = Owners::MatchUser,
            // Labels of SELinux; and caches that only exist where Docker runs in a virtual machine.
            "z" | "Z" | "consistent" | "cached" | "delegated" => {}
            "nocopy" => {
                return Err(BadValue::new(
                    "nocopy is about volumes, and this is a host path",
                    "leave nocopy out",
                ));
            }
            _ if option.starts_with("idmap=") => {
                owners = Owners::Mapped(option.strip_prefix("idmap=").map(str::to_owned));
            }
            _ => match Propagation::from_name(option) {
                Some(propagation) if chosen.is_none_or(|other| other == propagation) => {
                    chosen = Some(propagation);
                }
                Some(_) => {
                    return Err(BadValue::new("there are two kinds of propagation", "keep one of them"));
                }
                None if set_flag(&mut request.flags, option) => {}
                None => {
                    return Err(BadValue::new(
                        format!("{option:?} is no option of a bind mount"),
                        "known are ro, rw, idmap, match-user, z, Z, [r]private, [r]shared, [r]slave, [no]exec, [no]suid, [no]dev",
                    ));
                }
            },
        }
    }
    request.source = MountSource::Bind { path, recursive, propagation: chosen.unwrap_or_default(), owners };
    Ok(request)
}

/// `--tmpfs TARGET[:OPTIONS]`. Docker's defaults `noexec,nosuid,nodev` hold unless their opposites are given.
///
/// # Errors
/// A target that is not absolute, or an option that tmpfs does not have.
pub fn tmpfs(text: &str) -> Result<MountRequest, BadValue> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut readonly = false;
    let mut flags = vec!["noexec", "nosuid", "nodev"];
    let mut data: Vec<String> = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let hint =
            "known are ro, rw, [no]exec, [no]suid, [no]dev, size=64m, mode=1777, uid=, gid=, nr_inodes=";
        match option.split_once('=') {
            None if option == "ro" => readonly = true,
            None if option == "rw" => readonly = false,
            None if set_flag(&mut flags, option) => {}
            Some((key, value)) => {
                tmpfs_option(key, value, hint)?;
                data.retain(|other| !other.starts_with(&format!("{key}=")));
                data.push(option.to_owned());
            }
            None => return Err(BadValue::new(format!("{option:?} is no option of tmpfs"), hint)),
        }
    }
    Ok(MountRequest { source: MountSource::Tmpfs { data }, target: target_path(target)?, readonly, flags })
}

/// Whether tmpfs(5) has the option `key` and it can have that value.
fn tmpfs_option(key: &str, value: &str, hint: &str) -> Result<(), BadValue> {
    let valid = match key {
        "size" => {
            value.strip_suffix('%').is_some_and(|percent| percent.parse::<u32>().is_ok())
                || value.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']).unwrap_or(value).parse::<u64>().is_ok()
        }
        "nr_inodes" | "nr_blocks" => {
            value.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']).unwrap_or(value).parse::<u64>().is_ok()
        }
        "mode" => u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777),
        "uid" | "gid" => value.parse::<u32>().is_ok(),
        "mpol" | "huge" => !value.is_empty(),
        _ => return Err(BadValue::new(format!("{key:?} is no option of tmpfs"), hint)),
    };
    if valid { Ok(()) } else { Err(BadValue::new(format!("{value:?} is no {key} of a tmpfs"), hint)) }
}

/// `--mount type=bind,source=…,target=…` and `--mount type=tmpfs,target=…`.
///
/// # Errors
/// An unknown type or key, a key of another type, a missing source or target, or a value that cannot be.
pub fn mount(text: &str, cwd: &Path) -> Result<MountRequest, BadValue> {
    let fields = Fields::read(text)?;
    match fields.kind.as_deref() {
        Some("bind") => fields.bind(cwd),
        Some("tmpfs") => fields.tmpfs(),
        Some("volume") | None => Err(BadValue::new(
            "this asks for a volume, and volumes do not exist yet",
            "write type=bind,source=./data,target=/data or type=tmpfs,target=/tmp",
        )),
        Some(other) => Err(BadValue::new(
            format!("{other:?} is no type of mount that cuddy knows"),
            "known are type=bind and type=tmpfs",
        )),
    }
}

/// What `--mount` says, key by key.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    source: Option<String>,
    target: Option<String>,
    readonly: bool,
    propagation: Option<Propagation>,
    owners: Owners,
    non_recursive: bool,
    size: Option<u64>,
    mode: Option<u32>,
}

impl Fields {
    fn read(text: &str) -> Result<Self, BadValue> {
        let mut fields = Self::default();
        for field in split_quoted(text)? {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
                None => (field.to_ascii_lowercase(), None),
            };
            fields.set(&key, value)?;
        }
        Ok(fields)
    }

    fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), BadValue> {
        let needed =
            || value.ok_or_else(|| BadValue::new(format!("{key} has no value"), format!("write {key}=…")));
        match key {
            "type" => self.kind = Some(needed()?.to_ascii_lowercase()),
            "source" | "src" => self.source = Some(needed()?.to_owned()),
            "target" | "destination" | "dst" => self.target = Some(needed()?.to_owned()),
            "readonly" | "ro" => self.readonly = truth(key, value)?,
            "bind-propagation" => self.propagation = Some(propagation(needed()?)?),
            "idmap" => self.owners = Owners::Mapped(value.map(str::to_owned)),
            "match-user" => self.owners = if truth(key, value)? { Owners::MatchUser } else { Owners::Same },
            "bind-nonrecursive" => self.non_recursive = truth(key, value)?,
            "bind-recursive" => {
                self.non_recursive = match needed()? {
                    // A read-only bind mount is read-only all the way down in cuddy.
                    "enabled" | "readonly" => false,
                    "disabled" => true,
                    other => {
                        return Err(BadValue::new(
                            format!("{other:?} is no kind of recursion"),
                            "write bind-recursive=enabled, readonly or disabled",
                        ));
                    }
                };
            }
            "tmpfs-size" => self.size = Some(number::bytes(needed()?)?),
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(needed()?, 8).ok().filter(|mode| *mode <= 0o7777);
                self.mode = Some(mode.ok_or_else(|| {
                    BadValue::new("tmpfs-mode is no file mode", "write octal digits, like tmpfs-mode=1777")
                })?);
            }
            "consistency" => {}
            _ if key.starts_with("volume-") => {
                return Err(BadValue::new(
                    format!("{key} is about volumes, which do not exist yet"),
                    "leave it out",
                ));
            }
            _ => {
                return Err(BadValue::new(
                    format!("{key:?} is no key of a mount"),
                    "known are type, source, target, readonly, bind-propagation, bind-recursive, idmap, match-user, tmpfs-size, tmpfs-mode",
                ));
            }
        }
        Ok(())
    }

    fn target(&self) -> Result<PathBuf, BadValue> {
        let target = self.target.as_deref();
        target_path(target.ok_or_else(|| BadValue::new("there is no target", "add target=/path"))?)
    }

    fn bind(self, cwd: &Path) -> Result<MountRequest, BadValue> {
        if self.size.is_some() || self.mode.is_some() {
            return Err(BadValue::new(
                "tmpfs-… does not go with type=bind",
                "leave it out, or write type=tmpfs",
            ));
        }
        let target = self.target()?;
        let Some(source) = self.source else {
            return Err(BadValue::new("there is no source", "add source=/path/on/the/host"));
        };
        Ok(MountRequest {
            source: MountSource::Bind {
                path: host_path(&source, cwd)?,
                recursive: !self.non_recursive,
                propagation: self.propagation.unwrap_or_default(),
                owners: self.owners,
            },
            target,
            readonly: self.readonly,
            flags: Vec::new(),
        })
    }

    fn tmpfs(self) -> Result<MountRequest, BadValue> {
        if self.source.is_some()
            || self.propagation.is_some()
            || self.non_recursive
            || self.owners != Owners::Same
        {
            return Err(BadValue::new(
                "a source, bind-…, idmap or match-user does not go with type=tmpfs",
                "leave it out, or write type=bind",
            ));
        }
        let mut data = Vec::new();
        data.extend(self.size.map(|size| format!("size={size}")));
        data.extend(self.mode.map(|mode| format!("mode={mode:o}")));
        Ok(MountRequest {
            target: self.target()?,
            source: MountSource::Tmpfs { data },
            readonly: self.readonly,
            flags: vec!["noexec", "nosuid", "nodev"],
        })
    }
}

fn propagation(name: &str) -> Result<Propagation, BadValue> {
    Propagation::from_name(name).ok_or_else(|| {
        BadValue::new(
            format!("{name:?} is no kind of propagation"),
            "known are rprivate, private, rshared, shared, rslave, slave",
        )
    })
}

/// A switch: `readonly`, `readonly=true`, `readonly=0`.
fn truth(key: &str, value: Option<&str>) -> Result<bool, BadValue> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(other) => Err(BadValue::new(
            format!("{key} cannot be {other:?}"),
            format!("write {key}=true or {key}=false"),
        )),
    }
}

/// Fields between commas; one in double quotes may have commas itself, and writes a quote as two (RFC 4180).
fn split_quoted(text: &str) -> Result<Vec<String>, BadValue> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
            Some(quoted) => {
                let mut field = String::new();
                let mut quoted = quoted;
                loop {
                    let Some((before, after)) = quoted.split_once('"') else {
                        return Err(BadValue::new(
                            "a double quote is not closed",
                            "close it, or leave it out",
                        ));
                    };
                    field.push_str(before);
                    let Some(more) = after.strip_prefix('"') else { break (field, after) };
                    field.push('"');
                    quoted = more;
                }
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(BadValue::new("text follows a closing quote", "quote the whole field")),
        }
    }
}

/// The source of a bind mount as an absolute path. A name without a slash is a volume, as in Docker.
fn host_path(source: &str, cwd: &Path) -> Result<PathBuf, BadValue> {
    let relative = source == "." || source == ".." || source.starts_with("./") || source.starts_with("../");
    if source.starts_with('/') || relative {
        // Only `.` goes: what `..` means depends on symbolic links, so it is left to the kernel.
        return Ok(cwd.join(source).components().collect());
    }
    Err(if source.is_empty() {
        BadValue::new("the source is empty", VOLUME_HINT)
    } else if source.contains('/') {
        BadValue::new(
            format!("{source:?} is no name of a volume"),
            format!("for a host path write ./{source}"),
        )
    } else {
        BadValue::new(
            format!("{source:?} would be a named volume, and volumes do not exist yet"),
            format!("for a host path write ./{source}"),
        )
    })
}

/// A path inside the container: absolute, not the root, without `..`.
pub(super) fn target_path(target: &str) -> Result<PathBuf, BadValue> {
    let hint = "write an absolute path inside the container, like /data";
    let path: PathBuf = Path::new(target).components().collect();
    if !path.is_absolute() {
        return Err(BadValue::new(format!("the target {target:?} is not absolute"), hint));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(BadValue::new(format!("the target {target:?} goes up with .."), hint));
    }
    if path == Path::new("/") {
        return Err(BadValue::new("the target cannot be the root of the container", hint));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    /// A mount on one line: `source -> target options`.
    fn line(request: MountRequest) -> String {
        let access = if request.readonly { "ro" } else { "rw" };
        let flags = request.flags.join(",");
        let target = request.target.display();
        match request.source {
            MountSource::Bind { path, recursive, propagation, owners } => {
                let bind = if recursive { "rbind" } else { "bind" };
                let owners = match owners {
                    Owners::Same => String::new(),
                    other => format!(" {other:?}"),
                };
                format!(
                    "{} -> {target} {bind},{access},{} {flags}{owners}",
                    path.display(),
                    propagation.name()
                )
            }
            MountSource::Tmpfs { data } => format!("tmpfs -> {target} {access} {flags} {}", data.join(",")),
        }
    }

    fn quoted(table: &[(&str, Result<&str, &str>)], parse: impl Fn(&str) -> Result<MountRequest, BadValue>) {
        let owned: Vec<_> =
            table.iter().map(|(text, e)| (*text, e.map(|line| format!("{line:?}")))).collect();
        let table: Vec<_> =
            owned.iter().map(|(text, e)| (*text, e.as_ref().map(String::as_str).map_err(|e| *e))).collect();
        check(|text| parse(text).map(line), &table);
    }

    #[test]
    fn volumes() {
        let cwd = Path::new("/home/me");
        quoted(
            &[
                ("/a:/b", Ok("/a -> /b rbind,rw,rprivate ")),
                ("./conf:/etc/conf:ro", Ok("/home/me/conf -> /etc/conf rbind,ro,rprivate ")),
                ("..:/up", Ok("/home/me/.. -> /up rbind,rw,rprivate ")),
                ("/a:/b/./c//d/:rw,rshared,noexec,z", Ok("/a -> /b/c/d rbind,rw,rshared noexec")),
                ("/a:/b:noexec,exec,bind", Ok("/a -> /b bind,rw,rprivate exec")),
                ("/a:/b:idmap,ro", Ok("/a -> /b rbind,ro,rprivate  Mapped(None)")),
                (
                    "/a:/b:idmap=uids=0-1-10#10-20-5;gids=0-1-10",
                    Ok("/a -> /b rbind,rw,rprivate  Mapped(Some(\"uids=0-1-10#10-20-5;gids=0-1-10\"))"),
                ),
                ("/a:/b:match-user", Ok("/a -> /b rbind,rw,rprivate  MatchUser")),
                ("data:/b", Err("\"data\" would be a named volume, and volumes do not exist yet")),
                ("a/b:/b", Err("\"a/b\" is no name of a volume")),
                ("/b", Err("this would be an anonymous volume, and volumes do not exist yet")),
                (":/b", Err("the source is empty")),
                ("/a:b", Err("the target \"b\" is not absolute")),
                ("/a:/", Err("the target cannot be the root of the container")),
                ("/a:/b/../..", Err("the target \"/b/../..\" goes up with ..")),
                ("/a:/b:ro:rw", Err("there are more than two colons")),
                ("/a:/b:nocopy", Err("nocopy is about volumes, and this is a host path")),
                ("/a:/b:shared,slave", Err("there are two kinds of propagation")),
                ("/a:/b:moo", Err("\"moo\" is no option of a bind mount")),
            ],
            |text| volume(text, cwd),
        );
    }

    #[test]
    fn mounts() {
        let cwd = Path::new("/home/me");
        quoted(
            &[
                ("type=bind,source=/a,target=/b", Ok("/a -> /b rbind,rw,rprivate ")),
                (
                    "type=bind,src=./x,dst=/b,readonly,bind-propagation=rslave",
                    Ok("/home/me/x -> /b rbind,ro,rslave "),
                ),
                ("type=bind,\"source=/a,b\",target=/b,ro=false", Ok("/a,b -> /b rbind,rw,rprivate ")),
                ("type=bind,src=/a,dst=/b,bind-recursive=disabled", Ok("/a -> /b bind,rw,rprivate ")),
                (
                    "type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1777",
                    Ok("tmpfs -> /t rw noexec,nosuid,nodev size=67108864,mode=1777"),
                ),
                ("type=bind,src=/a,dst=/b,match-user", Ok("/a -> /b rbind,rw,rprivate  MatchUser")),
                ("type=bind,src=/a,dst=/b,idmap", Ok("/a -> /b rbind,rw,rprivate  Mapped(None)")),
                ("source=a,target=/b", Err("this asks for a volume, and volumes do not exist yet")),
                ("type=npipe", Err("\"npipe\" is no type of mount that cuddy knows")),
                ("type=bind,target=/b", Err("there is no source")),
                ("type=bind,source=/a", Err("there is no target")),
                ("type=bind,source", Err("source has no value")),
                ("type=bind,source=/a,target=/b,readonly=maybe", Err("readonly cannot be \"maybe\"")),
                ("type=bind,sauce=/a", Err("\"sauce\" is no key of a mount")),
                (
                    "type=tmpfs,source=/a,target=/b",
                    Err("a source, bind-…, idmap or match-user does not go with type=tmpfs"),
                ),
                ("type=bind,source=/a,target=/b,tmpfs-size=1", Err("tmpfs-… does not go with type=bind")),
                ("type=tmpfs,target=/b,tmpfs-mode=999", Err("tmpfs-mode is no file mode")),
                ("type=bind,\"source=/a", Err("a double quote is not closed")),
                ("type=bind,volume-nocopy", Err("volume-nocopy is about volumes, which do not exist yet")),
            ],
            |text| mount(text, cwd),
        );
    }

    #[test]
    fn tmpfs_mounts() {
        quoted(
            &[
                ("/run", Ok("tmpfs -> /run rw noexec,nosuid,nodev ")),
                (
                    "/run:rw,noexec,size=64m,mode=1777",
                    Ok("tmpfs -> /run rw nosuid,nodev,noexec size=64m,mode=1777"),
                ),
                ("/run:ro,exec,size=1m,size=2m", Ok("tmpfs -> /run ro nosuid,nodev,exec size=2m")),
                ("run", Err("the target \"run\" is not absolute")),
                ("/run:size=huge", Err("\"huge\" is no size of a tmpfs")),
                ("/run:mode=9", Err("\"9\" is no mode of a tmpfs")),
                ("/run:color=red", Err("\"color\" is no option of tmpfs")),
                ("/run:fast", Err("\"fast\" is no option of tmpfs")),
            ],
            tmpfs,
        );
    }
}
