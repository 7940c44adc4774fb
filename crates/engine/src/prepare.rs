//! Everything that is decided before the kernel is changed.

use crate::config::{self, Container, Defaults, Prepared};
use crate::error::{Error, system};
use crate::facts::{Facts, Range, own, take_ids};
use crate::options::namespace::UserNamespace;
use crate::options::{OptionError, RootAccess, RunOptions};
use crate::root::Root;
use crate::{id, user};
use image::{Origin, Progress};
use planner::{RootSource, Upper};
use rustix::fs::{CWD, Mode, OFlags};
use spec::ContainerId;
use std::path::{Path, PathBuf};

/// Where cuddy keeps things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What outlives a container.
    pub root: PathBuf,
    /// What a reboot takes away.
    pub run_root: PathBuf,
}

impl Places {
    /// `/var/lib/cuddy` and `/run/cuddy` for root; for others below `XDG_DATA_HOME`, which is `~/.local/share` where it is
    /// not set, and `XDG_RUNTIME_DIR` (XDG Base Directory Specification).
    #[must_use]
    pub fn usual() -> Self {
        let own = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = || own("XDG_DATA_HOME").or_else(|| Some(own("HOME")?.join(".local/share")));
        let root = match rustix::process::geteuid().is_root() {
            true => None,
            false => data().map(|data| data.join("cuddy")),
        };
        Self { root: root.unwrap_or_else(|| "/var/lib/cuddy".into()), run_root: runtime::default_root() }
    }
}

/// A container that is ready to be planned and started.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// Its id, 64 hexadecimal digits.
    pub id: ContainerId,
    /// Its name for people.
    pub name: ContainerId,
    /// Its bundle: the directory of its configuration and generated files. Not made yet.
    pub bundle: PathBuf,
    /// The configuration, the generated files, and notes for the user.
    pub prepared: Prepared,
    /// How its root file system is put together, and whether it has an init.
    pub how: planner::Options,
    /// What the machine is.
    pub host: plan::facts::HostFacts,
    /// What was asked for.
    pub options: RunOptions,
    /// Ids that are kept for the container until it exists.
    pub ids: Option<Range>,
}

/// The tree of a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    /// It is on disk.
    There(PathBuf),
    /// It will be, once the archive is unpacked.
    Later(PathBuf),
}

/// Prepares a container to be run: unpacks an archive if the store does not have it, and changes nothing else.
///
/// `running` finds the first process of a running container by name or id.
///
/// # Errors
/// Something that was asked for cannot be had.
pub fn prepare(
    places: &Places,
    root: &Root,
    mut options: RunOptions,
    running: impl Fn(&ContainerId) -> Option<i32>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Launch, Error> {
    check(root, &options)?;
    // Everything that can be refused is refused before an archive is unpacked.
    let (host, mut facts) = ask(root, &mut options, running)?;
    planner::check_machine(&host).map_err(Error::Plan)?;
    facts.subordinate = ids(places, &options, true)?;
    let (tree, notes) = match root {
        Root::Host(path) | Root::Directory(path) => (path.clone(), Vec::new()),
        Root::Archive(path) => {
            let layer = image::Store::open(&places.root)?.import_archive(path, progress)?;
            (layer.rootfs, left_out(path, layer.origin))
        }
    };
    let mut launch = finish(places, &Tree::There(tree), options, host, &facts)?;
    launch.prepared.notes.splice(..0, notes);
    Ok(launch)
}

/// What of an archive is not in its tree. It is said once, when the archive is unpacked.
fn left_out(archive: &Path, origin: Origin) -> Vec<String> {
    let Origin::Unpacked(tally) = origin else { return Vec::new() };
    let archive = archive.display();
    let devices = match tally.skipped_devices {
        0 => None,
        1 => Some(format!("{archive}: 1 device node is left out; the container has devices of its own")),
        count => Some(format!(
            "{archive}: {count} device nodes are left out; the container has devices of its own"
        )),
    };
    let attributes = (tally.dropped_xattrs > 0).then(|| {
        format!(
            "{archive}: {} extended attributes are left out; a layer cannot keep them",
            tally.dropped_xattrs
        )
    });
    devices.into_iter().chain(attributes).collect()
}

/// The same for `explain`: changes nothing at all. An archive is not unpacked, so its users are not known.
///
/// # Errors
/// As [`prepare`], and a user by name in an archive.
pub fn rehearse(
    places: &Places,
    root: &Root,
    mut options: RunOptions,
    running: impl Fn(&ContainerId) -> Option<i32>,
) -> Result<Launch, Error> {
    check(root, &options)?;
    let (host, mut facts) = ask(root, &mut options, running)?;
    facts.subordinate = ids(places, &options, false)?;
    let tree = match root {
        Root::Host(path) | Root::Directory(path) => Tree::There(path.clone()),
        Root::Archive(_) => Tree::Later(places.root.join("layers/sha256-DIGEST/rootfs")),
    };
    finish(places, &tree, options, host, &facts)
}

fn ask(
    root: &Root,
    options: &mut RunOptions,
    running: impl Fn(&ContainerId) -> Option<i32>,
) -> Result<(plan::facts::HostFacts, Facts), Error> {
    let host = runtime::facts(options.cgroup_manager)?;
    if host.uid != 0 {
        without_root(&host, root, options)?;
    }
    let facts = Facts::gather(options, host.clone(), running)?;
    Ok((host, facts))
}

/// An ordinary user's containers have a user namespace, in which the user is root.
fn without_root(
    host: &plan::facts::HostFacts,
    root: &Root,
    options: &mut RunOptions,
) -> Result<(), OptionError> {
    if let Root::Archive(path) = root {
        return Err(OptionError::new(
            path.display().to_string(),
            "only root can unpack an archive so far: its files have owners",
            "unpack it into a directory with tar(1), and name that",
        ));
    }
    match options.namespaces.user {
        UserNamespace::Host => options.namespaces.user = own::ids(host),
        UserNamespace::Auto(_) => {
            return Err(OptionError::new(
                "--userns auto",
                "it takes ids of the machine for each container, which is root's to do",
                "leave it out: the container's root is you, and the ids that /etc/subuid gives to you follow",
            ));
        }
        UserNamespace::Map { .. } => {}
    }
    Ok(())
}

/// The ids of `--userns auto`; with `keep` nobody else gets them.
fn ids(places: &Places, options: &RunOptions, keep: bool) -> Result<Option<Range>, Error> {
    let UserNamespace::Auto(ids) = &options.namespaces.user else { return Ok(None) };
    take_ids(&places.run_root, ids, keep).map(Some)
}

/// Refuses what is known to be wrong before anything is asked or unpacked.
fn check(root: &Root, options: &RunOptions) -> Result<(), OptionError> {
    let object = match (options.root_access, root) {
        (RootAccess::InPlace, Root::Host(_)) => "host:",
        (RootAccess::InPlace, Root::Archive(_)) => "an archive",
        _ => return Ok(()),
    };
    Err(OptionError::new(
        format!("--root-rw with {object}"),
        "what is below a container's own layer is not to be changed there",
        "leave it out: everything may be written, and is thrown away; or name a directory of your own",
    ))
}

fn finish(
    places: &Places,
    tree: &Tree,
    options: RunOptions,
    host: plan::facts::HostFacts,
    facts: &Facts,
) -> Result<Launch, Error> {
    let id = id::new_id().map_err(system("make an id with getrandom"))?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => crate::run::free_name(places).map_err(system("make a name with getrandom"))?,
    };
    let directory = places.run_root.join("containers").join(name.as_str());
    let bundle = directory.join("bundle");
    let mut user = match tree {
        Tree::There(path) => user_of(path, &options)?,
        Tree::Later(_) => user::without_files(options.process.user.as_ref())?,
    };
    if is_alone(&host, &options) {
        user.groups.clear();
    }
    let (Tree::There(path) | Tree::Later(path)) = tree;
    let (root, source) = match options.root_access {
        RootAccess::InPlace => (path.clone(), RootSource::Configured),
        // A root that is only read has a layer, too: that is where the targets of mounts are made.
        RootAccess::Throwaway | RootAccess::ReadOnly => {
            let place = bundle.join("rootfs");
            (place.clone(), RootSource::Overlay { lower: path.clone(), upper: Upper::Memory { place } })
        }
    };
    let defaults = Defaults::default();
    let container = Container { id: &id, root: &root, files: &bundle, defaults: &defaults };
    let prepared = config::config(&options, &container, facts, &user)?;
    let how = planner::Options {
        root: source,
        init: options.init,
        cgroup_manager: options.cgroup_manager,
        ..planner::Options::default()
    };
    let ids = facts.subordinate.clone();
    ids.as_ref().map_or(Ok(()), |ids| ids.give_to(name.as_str()))?;
    Ok(Launch { id, name, bundle, prepared, how, host, options, ids })
}

/// Whether nobody but root is in an ordinary user's container. setgroups(2) is denied there, also for the own group
/// (user_namespaces(7)).
fn is_alone(host: &plan::facts::HostFacts, options: &RunOptions) -> bool {
    let UserNamespace::Map { groups, .. } = &options.namespaces.user else { return false };
    host.uid != 0 && groups.iter().map(|range| range.size).sum::<u32>() == 1
}

fn user_of(tree: &Path, options: &RunOptions) -> Result<user::User, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, tree, flags, Mode::empty())
        .map_err(system(format!("open the root file system {}", tree.display())))?;
    Ok(user::resolve(&root, options.process.user.as_ref())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { root: "/no/such/lib".into(), run_root: "/no/such/run".into() }
    }

    #[test]
    fn a_rehearsal_of_this_machine_changes_nothing() {
        let launch = rehearse(&places(), &Root::Host("/".into()), RunOptions::default(), |_| None).unwrap();
        let place = launch.bundle.join("rootfs");
        assert_eq!(
            launch.how.root,
            RootSource::Overlay { lower: "/".into(), upper: Upper::Memory { place: place.clone() } }
        );
        assert_eq!(launch.prepared.config.root.unwrap().path, place);
        assert!(!Path::new("/no/such").exists());
    }

    #[test]
    fn what_is_below_is_not_written_to() {
        let options = RunOptions { root_access: RootAccess::InPlace, ..RunOptions::default() };
        for (root, expect) in [(Root::Host("/".into()), "host:"), (Root::Archive("/x".into()), "an archive")]
        {
            let error = rehearse(&places(), &root, options.clone(), |_| None).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "--root-rw with {expect}: what is below a container's own layer is not to be changed there"
                )
            );
        }
    }

    #[test]
    fn the_users_of_an_archive_are_not_known_before_it_is_unpacked() {
        let mut options = RunOptions::default();
        let root = Root::Archive("/x.tar".into());
        options.process.user = Some(crate::options::user::user("7:8").unwrap());
        let launch = rehearse(&places(), &root, options.clone(), |_| None).unwrap();
        assert_eq!(launch.prepared.config.process.unwrap().user.additional_gids, [8]);
        options.process.user = Some(crate::options::user::user("web").unwrap());
        assert!(rehearse(&places(), &root, options, |_| None).is_err());
    }
}
