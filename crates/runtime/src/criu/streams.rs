//! Standard input, output and error: what they were, and what is given to criu in their place.

use super::external::Running;
use rustix::fs::OFlags;
use std::io;
use std::os::unix::fs::FileTypeExt;

/// A standard stream of the container's first process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// What is written down about it in `descriptors.json`: criu's name of what is given to it at the restore, or
    /// else what it is, for people.
    pub name: String,
    /// Whether criu has to be told that it is the machine's.
    pub external: bool,
}

impl Running {
    /// Standard input, output and error. Files and devices of the machine are external; criu knows pipes by
    /// itself, and a terminal of the container's is in the images.
    ///
    /// # Errors
    /// The container has ended.
    pub fn streams(&self) -> io::Result<Vec<Stream>> {
        (0..3).map(|number| self.stream(number)).collect()
    }

    fn stream(&self, number: u32) -> io::Result<Stream> {
        let path = self.proc.join("fd").join(number.to_string());
        let link = match std::fs::read_link(&path) {
            // Closed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Stream { name: String::new(), external: false });
            }
            link => link?,
        };
        let link = link.to_string_lossy().into_owned();
        let kind = std::fs::metadata(&path)?.file_type();
        let info = std::fs::read_to_string(self.proc.join("fdinfo").join(number.to_string()))?;
        let field =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        let (Some(mount), Some(inode)) = (field("mnt_id:"), field("ino:")) else {
            return Ok(Stream { name: link, external: false });
        };
        let inside = self.mounts.iter().any(|known| known.id == mount);
        if inside || !(kind.is_file() || kind.is_char_device()) || is_terminal(&link) {
            return Ok(Stream { name: link, external: false });
        }
        Ok(Stream { name: format!("file[{mount:x}:{inode:x}]"), external: true })
    }
}

/// A terminal of the caller is for `--shell-job`.
fn is_terminal(link: &str) -> bool {
    link.starts_with("/dev/pts/") || link.starts_with("/dev/tty")
}

/// The names under which standard streams are given to criu, for streams that were written down and those that
/// there are now, which are open like this.
///
/// criu opens a file that was external anew, and refuses one of another kind, mode or size than before. By its name
/// without the first letter, which criu takes for the path in the container, it takes the descriptor itself. That
/// is not done where one file was open for reading and for writing, which are one file to criu.
pub(crate) fn given(names: &[String], access: [Access; 3]) -> Vec<(String, i32)> {
    let mut given: Vec<(String, i32)> = Vec::new();
    for (name, number) in names.iter().zip(0..3) {
        let same = || names.iter().zip(access).filter(|(other, _)| *other == name).map(|(_, access)| access);
        let name = match name.strip_prefix('f').filter(|rest| rest.starts_with("ile[")) {
            Some(bare) if same().all(|access| same().next() == Some(access)) => bare,
            _ if ["pipe:", "socket:", "file["].iter().any(|kind| name.starts_with(kind)) => name,
            _ => continue,
        };
        if !given.iter().any(|(known, _)| known == name) {
            given.push((name.to_owned(), number));
        }
    }
    given
}

/// How a descriptor is open: `O_RDONLY`, `O_WRONLY` or `O_RDWR`; none where it is closed.
pub(crate) type Access = Option<u32>;

/// How the standard streams of this process are open.
pub(crate) fn access() -> [Access; 3] {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    streams.map(|stream| Some((rustix::fs::fcntl_getfl(stream).ok()? & OFlags::RWMODE).bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written down, how the streams are open now, and what criu is given.
    type Case = ([&'static str; 3], [Access; 3], &'static [(&'static str, i32)]);

    #[test]
    fn streams_are_given_under_the_names_that_they_had() {
        let (read, write) = (Some(0), Some(1));
        let usual = [read, write, write];
        let cases: [Case; 5] = [
            (
                ["pipe:[1]", "pipe:[2]", "pipe:[3]"],
                usual,
                &[("pipe:[1]", 0), ("pipe:[2]", 1), ("pipe:[3]", 2)],
            ),
            (["/dev/pts/0"; 3], [Some(2); 3], &[]),
            (["file[1:a]", "file[2:b]", "file[2:b]"], usual, &[("ile[1:a]", 0), ("ile[2:b]", 1)]),
            (["file[1:a]", "file[1:a]", ""], usual, &[("file[1:a]", 0)]),
            (["", "socket:[5]", "socket:[5]"], [None, write, write], &[("socket:[5]", 1)]),
        ];
        for (names, access, expect) in cases {
            let expect: Vec<_> = expect.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
            assert_eq!(given(&names.map(str::to_owned), access), expect, "{names:?}");
        }
    }
}
