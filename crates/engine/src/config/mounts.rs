//! The mounts of a container: Docker's defaults, the generated files, and what was asked for.

use super::files::GeneratedFile;
use super::namespaces::IdMaps;
use super::owners;
use crate::facts::Facts;
use crate::options::mount::{MountRequest, MountSource, Propagation};
use crate::options::namespace::{Ipc, Network, Shared};
use crate::options::{DEFAULT_SHM_SIZE, OptionError, RunOptions};
use crate::user::User;
use spec::Mount;
use std::path::{Path, PathBuf};

/// All mounts in the order they are made. What lies at or below a target of the user's is the user's
/// affair: the default that would be there is left out.
///
/// # Errors
/// Owners that cannot be mapped.
pub(super) fn mounts(
    options: &RunOptions,
    files: &[GeneratedFile],
    ids: &IdMaps,
    facts: &Facts,
    user: &User,
) -> Result<Vec<Mount>, OptionError> {
    let mut requests: Vec<&MountRequest> = options.mounts.iter().collect();
    // A mount on /a/b has to come after one on /a, whatever order they were given in.
    requests.sort_by_key(|request| request.target.components().count());
    let covered =
        |mount: &Mount| requests.iter().any(|request| mount.destination.starts_with(&request.target));
    let mut mounts = defaults(options, ids);
    mounts.extend(files.iter().map(|file| bind(&file.path, &file.target, &["rbind", "rprivate"])));
    mounts.retain(|mount| !covered(mount));
    for request in requests {
        let mut mount = requested(request);
        owners::apply(&mut mount, request, ids, facts, user)?;
        mounts.push(mount);
    }
    Ok(mounts)
}

fn new(kind: &str, source: &str, destination: &str, options: &[&str]) -> Mount {
    Mount {
        destination: PathBuf::from(destination),
        kind: Some(kind.to_owned()),
        source: Some(PathBuf::from(source)),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    }
}

fn bind(source: &Path, destination: &Path, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: Some("bind".to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|&option| option.to_owned()).collect(),
        ..Mount::default()
    }
}

/// What every container has.
///
/// A user namespace may mount proc, sysfs and mqueue only for a pid, network or ipc namespace that it
/// owns (user_namespaces(7)); where it shares the host's, the host's own mount is bound in place.
fn defaults(options: &RunOptions, ids: &IdMaps) -> Vec<Mount> {
    const PLAIN: [&str; 3] = ["nosuid", "noexec", "nodev"];
    let spaces = &options.namespaces;
    let access = if options.privileges.privileged { None } else { Some("ro") };
    let hosts_own = |path: &str| {
        bind(Path::new(path), Path::new(path), &["rbind", "rprivate", "nosuid", "noexec", "nodev"])
    };
    let proc = match spaces.pid {
        Shared::Host if ids.own() => hosts_own("/proc"),
        _ => new("proc", "proc", "/proc", &PLAIN),
    };
    let dev = new("tmpfs", "tmpfs", "/dev", &["nosuid", "strictatime", "mode=755", "size=65536k"]);
    let mut pts = new(
        "devpts",
        "devpts",
        "/dev/pts",
        &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    );
    // Group 5 is tty in every distribution.
    if ids.has_group(5) {
        pts.options.push("gid=5".to_owned());
    }
    let mut sys = match spaces.network {
        Network::Host if ids.own() => hosts_own("/sys"),
        _ => new("sysfs", "sysfs", "/sys", &PLAIN),
    };
    let mut cgroup = new("cgroup", "cgroup", "/sys/fs/cgroup", &PLAIN);
    for mount in [&mut sys, &mut cgroup] {
        mount.options.extend(access.map(str::to_owned));
    }
    let mqueue = match spaces.ipc {
        Ipc::Host if ids.own() => hosts_own("/dev/mqueue"),
        _ => new("mqueue", "mqueue", "/dev/mqueue", &PLAIN),
    };
    let shm = match spaces.ipc {
        Ipc::Host => Some(hosts_own("/dev/shm")),
        Ipc::NoShm => None,
        Ipc::Own | Ipc::Container(_) => {
            let size = format!("size={}", options.shm_size.unwrap_or(DEFAULT_SHM_SIZE));
            Some(new("tmpfs", "shm", "/dev/shm", &["nosuid", "noexec", "nodev", "mode=1777", &size]))
        }
    };
    [proc, dev, pts, sys, cgroup, mqueue].into_iter().chain(shm).collect()
}

/// A mount that was asked for. `rw` is never written down: a bind mount of what is read-only on the host
/// stays read-only.
fn requested(request: &MountRequest) -> Mount {
    let mut mount = match &request.source {
        MountSource::Bind { path, recursive: true, propagation, .. } => {
            // rro: what is mounted below the source is read-only with it (mount_setattr(2)).
            let mut mount = bind(path, &request.target, &["rbind", propagation.name()]);
            mount.options.extend(request.readonly.then(|| "rro".to_owned()));
            mount
        }
        MountSource::Bind { path, recursive: false, propagation, .. } => {
            let mut mount = bind(path, &request.target, &["bind", propagation.name()]);
            mount.options.extend(request.readonly.then(|| "ro".to_owned()));
            mount
        }
        MountSource::Tmpfs { data } => {
            let mut mount = new("tmpfs", "tmpfs", &request.target.to_string_lossy(), &[]);
            mount.options.extend(request.readonly.then(|| "ro".to_owned()));
            mount.options.extend(data.iter().cloned());
            mount
        }
    };
    mount.options.extend(request.flags.iter().map(|&flag| flag.to_owned()));
    mount
}

/// A mount can only receive or share what its parent, the root of the container, does.
pub(super) fn root_propagation(options: &RunOptions) -> Option<String> {
    let asks = |wanted: [Propagation; 2]| {
        options.mounts.iter().any(|mount| match &mount.source {
            MountSource::Bind { propagation, .. } => wanted.contains(propagation),
            MountSource::Tmpfs { .. } => false,
        })
    };
    if asks([Propagation::Shared, Propagation::RShared]) {
        Some("shared".to_owned())
    } else if asks([Propagation::Slave, Propagation::RSlave]) {
        Some("slave".to_owned())
    } else {
        None
    }
}
