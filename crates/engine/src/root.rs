//! ROOT: what a container's root file system is made from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A root file system that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// `host:` or `host:/path`: a tree of this machine, seen through a throwaway overlay.
    Host(PathBuf),
    /// A directory that holds a root file system.
    Directory(PathBuf),
    /// A file; whether it is an archive, its content says.
    Archive(PathBuf),
}

impl Root {
    /// Its absolute path on the host, without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Host(path) | Self::Directory(path) | Self::Archive(path) => path,
        }
    }
}

/// Why ROOT names no root file system.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A name without a slash.
    #[error("{name} is an image name; images are not supported yet")]
    Image {
        /// As it was typed.
        name: String,
        /// Whether a file or directory of this name is here.
        is_here: bool,
    },
    /// The path cannot be looked at.
    #[error("root file system {path}: {}", crate::words(source), path = .path.display())]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// The error of the kernel.
        source: io::Error,
    },
    /// Neither a directory nor a regular file.
    #[error("root file system {path}: it is {what}", path = .path.display())]
    Kind {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// `host:` with a path that is not absolute.
    #[error("root file system host:{0}: the path after host: is not absolute")]
    Relative(String),
    /// `host:` with a file.
    #[error("root file system host:{path}: it is no directory", path = .0.display())]
    NoDirectory(PathBuf),
}

impl RootError {
    /// What to do about it, one line each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let forms = "give a directory (./rootfs), an archive (./rootfs.tar) or host:".to_owned();
        match self {
            Self::Image { name, is_here: true } => {
                vec![format!("for the one in this directory write ./{name}")]
            }
            Self::Image { .. } => vec![forms],
            Self::Unreachable { source, .. } if source.kind() == io::ErrorKind::NotFound => vec![forms],
            Self::Unreachable { .. } => {
                vec!["look at the permissions of each directory on the way".to_owned()]
            }
            Self::Kind { .. } => vec![forms],
            Self::Relative(path) => vec![format!("write host:/{path}, or host: for the whole machine")],
            Self::NoDirectory(path) => vec![format!("for an archive write {}", path.display())],
        }
    }
}

/// Finds the root file system that `text` names.
///
/// `host:` and `host:/path` are trees of this machine. What has a slash, or is `.` or `..`, is a path: a
/// directory, or an archive. The rest are names of images.
///
/// # Errors
/// The name of an image, or a path that does not lead to a directory or a regular file.
pub fn resolve(text: &str) -> Result<Root, RootError> {
    if let Some(path) = text.strip_prefix("host:") {
        let path = if path.is_empty() { "/" } else { path };
        if !path.starts_with('/') {
            return Err(RootError::Relative(path.to_owned()));
        }
        let (path, meta) = look(Path::new(path))?;
        return if meta.is_dir() { Ok(Root::Host(path)) } else { Err(RootError::NoDirectory(path)) };
    }
    if !text.contains('/') && text != "." && text != ".." {
        let is_here = !text.is_empty() && Path::new(text).symlink_metadata().is_ok();
        return Err(RootError::Image { name: text.to_owned(), is_here });
    }
    let (path, meta) = look(Path::new(text))?;
    match kind(&meta) {
        "a directory" => Ok(Root::Directory(path)),
        "a regular file" => Ok(Root::Archive(path)),
        what => Err(RootError::Kind { path, what }),
    }
}

/// The path as the kernel resolves it now, and what is there.
fn look(path: &Path) -> Result<(PathBuf, fs::Metadata), RootError> {
    let failed = |source| RootError::Unreachable { path: path.to_owned(), source };
    let path = path.canonicalize().map_err(failed)?;
    let meta = path.metadata().map_err(failed)?;
    Ok((path, meta))
}

fn kind(meta: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = meta.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_file() {
        "a regular file"
    } else if kind.is_block_device() {
        "a block device"
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_fifo() {
        "a pipe"
    } else {
        "a socket"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let got = match resolve(text) {
            Ok(root) => format!("{root:?}"),
            Err(error) => format!("{error} | {}", error.hints().join(" | ")),
        };
        assert_eq!(got, expect, "for {text:?}");
    }

    #[test]
    fn what_a_root_is_depends_on_its_form_and_on_what_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().canonicalize().unwrap();
        fs::write(at.join("r.tar"), "").unwrap();
        let at = at.display();
        let forms = "give a directory (./rootfs), an archive (./rootfs.tar) or host:";
        check("host:", "Host(\"/\")");
        check(&format!("host:{at}"), &format!("Host(\"{at}\")"));
        check(&format!("{at}/."), &format!("Directory(\"{at}\")"));
        check(&format!("{at}/r.tar"), &format!("Archive(\"{at}/r.tar\")"));
        check(
            &format!("{at}/none"),
            &format!("root file system {at}/none: no such file or directory | {forms}"),
        );
        check(
            "host:srv",
            "root file system host:srv: the path after host: is not absolute | \
             write host:/srv, or host: for the whole machine",
        );
        check(
            &format!("host:{at}/r.tar"),
            &format!(
                "root file system host:{at}/r.tar: it is no directory | for an archive write {at}/r.tar"
            ),
        );
        check("/dev/null", &format!("root file system /dev/null: it is a character device | {forms}"));
        check("debian:12", &format!("debian:12 is an image name; images are not supported yet | {forms}"));
        check(
            "Cargo.toml",
            "Cargo.toml is an image name; images are not supported yet | for the one in this directory write ./Cargo.toml",
        );
    }
}
