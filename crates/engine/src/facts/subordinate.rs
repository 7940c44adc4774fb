//! Ids for `--userns auto`: ranges of the machine that no user of it has, each for one container at a time.
//!
//! ```text
//!   RUN_ROOT/userns/
//!     lock                    held while somebody chooses
//!     UID-GID-SIZE            a range that is taken, by the container whose name is in it
//! ```
//!
//! A range is taken for as long as its container exists, and before that while the process that starts it has the file
//! locked: a fcntl(2) lock, gone with that process. So nothing has to be given back, and a start that was killed takes
//! nothing with it.

use super::subid::{Span, delegated};
use crate::error::{Error, system};
use crate::options::OptionError;
use crate::options::namespace::AutoIds;
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags, fcntl_lock};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many ids `--userns auto` maps if it does not say: all that 16-bit programs know, and what distributions delegate.
pub const IDS: u32 = 65536;

/// The first host id of `--userns auto` on a machine that delegates none: far above the ids of
/// people, services and the usual delegations.
pub const FALLBACK_FIRST_ID: u32 = 0x4000_0000;

/// And the first that is not: with the sign bit some programs take ids for negative.
const FALLBACK_END: u32 = 0x8000_0000;

/// Whose delegations are taken, the first that has any: users who exist for this alone, then root.
const OWNERS: [&[&str]; 3] = [&["cuddy"], &["containers"], &["root", "0"]];

/// Ids of the host that no user of it has.
#[derive(Debug, Clone, Default)]
pub struct Range {
    /// The first user id.
    pub uid: u32,
    /// The first group id.
    pub gid: u32,
    /// The file that keeps others from taking them, while its container does not exist yet.
    held: Option<Arc<OwnedFd>>,
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        (self.uid, self.gid) == (other.uid, other.gid)
    }
}

impl Range {
    /// Ids that nobody keeps from others.
    #[must_use]
    pub fn unheld(uid: u32, gid: u32) -> Self {
        Self { uid, gid, held: None }
    }

    /// Says which container has them from now on.
    ///
    /// # Errors
    /// The name cannot be written.
    pub(crate) fn give_to(&self, name: &str) -> Result<(), Error> {
        let write = |file: &Arc<OwnedFd>| rustix::io::pwrite(file, name.as_bytes(), 0).map(drop);
        let written = self.held.as_ref().map_or(Ok(()), write);
        written.map_err(|errno| system("keep the ids of the container")(io::Error::from(errno)))
    }
}

/// What the machine delegates.
#[derive(Debug, PartialEq, Eq)]
struct Pools {
    users: Vec<Span>,
    groups: Vec<Span>,
    /// Where they come from, in words.
    from: String,
}

impl Pools {
    fn of_machine() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        Self::of(&text("/etc/subuid"), &text("/etc/subgid"))
    }

    fn of(subuid: &str, subgid: &str) -> Self {
        for names in OWNERS {
            let (users, groups) = (delegated(subuid, names), delegated(subgid, names));
            if !users.is_empty() && !groups.is_empty() {
                let from = format!("those that /etc/subuid and /etc/subgid give to {}", names[0]);
                return Self { users, groups, from };
            }
        }
        let all = vec![Span { first: FALLBACK_FIRST_ID, size: FALLBACK_END - FALLBACK_FIRST_ID }];
        Self { users: all.clone(), groups: all, from: "those from 1073741824 on".to_owned() }
    }
}

/// The lowest of so many ids in a pool that nobody uses.
fn free(pool: &[Span], used: &[Span], size: u32) -> Option<u32> {
    // A free range begins where a pool or a used one ends another.
    let starts = |span: &Span| {
        let after = used.iter().filter_map(|other| u32::try_from(other.end()).ok());
        let mut starts: Vec<u32> = after.chain([span.first]).filter(|start| *start >= span.first).collect();
        starts.sort_unstable();
        starts
    };
    let fits = |span: &Span, first: u32| {
        let wanted = Span { first, size };
        wanted.end() <= span.end() && !used.iter().any(|other| wanted.overlaps(*other))
    };
    pool.iter().find_map(|span| starts(span).into_iter().find(|first| fits(span, *first)))
}

/// Takes a range that no other container has. Without `keep` it is only looked for.
///
/// # Errors
/// None is left that is long enough, or the files that tell cannot be used.
pub(crate) fn take(run_root: &Path, ids: &AutoIds, keep: bool) -> Result<Range, Error> {
    let size = ids.size();
    let place = run_root.join("userns");
    let failed = |error: io::Error| system(format!("choose ids below {}", place.display()))(error);
    if !keep {
        let used = used(&place, run_root, false).map_err(failed)?;
        return Ok(choose(&Pools::of_machine(), &used, size)?);
    }
    fs::DirBuilder::new().recursive(true).mode(0o711).create(run_root).map_err(failed)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&place).map_err(failed)?;
    let lock = open(&place.join("lock")).map_err(failed)?;
    fcntl_lock(&lock, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
    let used = used(&place, run_root, true).map_err(failed)?;
    let range = choose(&Pools::of_machine(), &used, size)?;
    let held = open(&place.join(format!("{}-{}-{size}", range.uid, range.gid))).map_err(failed)?;
    fcntl_lock(&held, FlockOperation::NonBlockingLockExclusive).map_err(|errno| failed(errno.into()))?;
    Ok(Range { held: Some(Arc::new(held)), ..range })
}

fn choose(pools: &Pools, used: &[(Span, Span)], size: u32) -> Result<Range, OptionError> {
    let (users, groups): (Vec<_>, Vec<_>) = used.iter().copied().unzip();
    match (free(&pools.users, &users, size), free(&pools.groups, &groups, size)) {
        (Some(uid), Some(gid)) => Ok(Range::unheld(uid, gid)),
        _ => Err(OptionError::new(
            "--userns auto",
            format!("no {size} ids are left of {}; {} containers have theirs", pools.from, used.len()),
            "ask for fewer (--userns auto:size=1024), or give more to the user `cuddy` in /etc/subuid and /etc/subgid",
        )),
    }
}

/// The ranges that are taken, of users and of groups. Files of those that are not any more are removed.
fn used(place: &Path, run_root: &Path, remove: bool) -> io::Result<Vec<(Span, Span)>> {
    let entries = match fs::read_dir(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut used = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(spans) = path.file_name().and_then(|name| spans(name.to_str()?)) else { continue };
        if is_taken(&path, run_root)? {
            used.push(spans);
        } else if remove {
            fs::remove_file(&path)?;
        }
    }
    Ok(used)
}

/// `UID-GID-SIZE`.
fn spans(name: &str) -> Option<(Span, Span)> {
    let numbers: Option<Vec<u32>> = name.split('-').map(|number| number.parse().ok()).collect();
    let [uid, gid, size] = numbers.as_deref()?.as_array::<3>().copied()?;
    Some((Span { first: uid, size }, Span { first: gid, size }))
}

fn is_taken(file: &Path, run_root: &Path) -> io::Result<bool> {
    let open = match open_there(file) {
        Err(Errno::NOENT) => return Ok(false),
        open => open?,
    };
    match fcntl_lock(&open, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN | Errno::ACCESS) => return Ok(true),
        result => result?,
    }
    let name = fs::read_to_string(file)?;
    Ok(!name.is_empty() && run_root.join("containers").join(name).exists())
}

fn open(path: &PathBuf) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?)
}

fn open_there(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u32, size: u32) -> Span {
        Span { first, size }
    }

    #[test]
    fn who_exists_for_it_comes_before_root() {
        let (cuddy, root) = ("cuddy:7:10\nroot:100:10\n", "containers:50:10\nroot:100:10\n");
        let first = |subuid, subgid| Pools::of(subuid, subgid).users[0].first;
        assert_eq!(first(cuddy, cuddy), 7);
        assert_eq!(first(root, root), 50);
        // One kind of ids is of no use.
        assert_eq!(first(cuddy, root), 100);
        assert_eq!(first("", ""), FALLBACK_FIRST_ID);
    }

    #[test]
    fn ranges_are_taken_where_nobody_is() {
        let pool = [span(100, 10), span(1000, 100)];
        let table: [(&[Span], u32, Option<u32>); 7] = [
            (&[], 10, Some(100)),
            (&[], 11, Some(1000)),
            (&[span(100, 4)], 6, Some(104)),
            (&[span(104, 4)], 4, Some(100)),
            (&[span(104, 4)], 5, Some(1000)),
            (&[span(0, 4_000_000_000)], 1, None),
            (&[span(90, 11), span(103, 1000)], 2, Some(101)),
        ];
        for (used, size, expect) in table {
            assert_eq!(free(&pool, used, size), expect, "{size} beside {used:?}");
        }
    }

    #[test]
    fn a_range_is_taken_while_its_container_exists() {
        let root = tempfile::tempdir().unwrap();
        let (place, containers) = (root.path().join("userns"), root.path().join("containers"));
        fs::create_dir_all(containers.join("web")).unwrap();
        fs::create_dir(&place).unwrap();
        for (name, text) in [("10-20-5", "web"), ("30-40-5", "gone"), ("50-60-5", ""), ("lock", "")] {
            fs::write(place.join(name), text).unwrap();
        }
        let web = vec![(span(10, 5), span(20, 5))];
        assert_eq!(used(&place, root.path(), false).unwrap(), web);
        assert!(place.join("30-40-5").exists());
        assert_eq!(used(&place, root.path(), true).unwrap(), web);
        assert!(!place.join("30-40-5").exists() && place.join("lock").exists());
    }

    #[test]
    fn what_is_used_up_is_told() {
        let pools = Pools::of("root:100:10", "root:100:10");
        let error = choose(&pools, &[(span(100, 8), span(100, 8))], 3).unwrap_err().to_string();
        let expect = "--userns auto: no 3 ids are left of those that /etc/subuid and /etc/subgid give to root; 1 containers \
                      have theirs";
        assert_eq!(error, expect);
    }
}
