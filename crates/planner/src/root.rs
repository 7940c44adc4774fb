use crate::mount_namespace::{self, Whose};
use crate::{Draft, Error, RootSource, Upper, mounts, namespaces};
use plan::{Attr, Cause, Op, Propagation, Slot, Target, TreeSource};
use spec::NamespaceKind;
use std::path::{Path, PathBuf};

/// What the root is and where it is attached before it becomes the root.
pub(crate) fn place(draft: &Draft) -> Result<PathBuf, Error> {
    let Some(root) = &draft.config.root else {
        return Err(Error::new(
            "/root",
            "there is no root",
            "name the root file system's directory in root.path",
        ));
    };
    if root.path.as_os_str().is_empty() {
        return Err(Error::new("/root/path", "an empty path", "name the root file system's directory"));
    }
    Ok(match &draft.options.root {
        RootSource::Configured => draft.bundle.join(&root.path),
        RootSource::Overlay { upper: Upper::Memory { place } | Upper::Disk { place }, .. } => {
            place.join("root")
        }
    })
}

/// Cuts the new mount namespace off: what is mounted in it must not reach the machine.
pub(crate) fn cut_propagation(draft: &mut Draft) {
    if draft.namespaces.mounts() != Whose::Own {
        return;
    }
    draft.init(
        Op::SetPropagation { recursive: true, propagation: Propagation::Slave },
        "/linux/namespaces",
        "a new mount namespace shares events with the machine until told otherwise",
    );
}

/// Opens what the root is made of.
pub(crate) fn source(draft: &mut Draft) -> Result<(), Error> {
    if draft.namespaces.mounts() == Whose::Joined {
        return Ok(());
    }
    match draft.options.root.clone() {
        RootSource::Configured => configured(draft),
        RootSource::Overlay { .. } if draft.namespaces.joins(NamespaceKind::User) => Err(Error::new(
            "/linux/namespaces",
            "a throwaway root in a joined user namespace",
            "the owners of its files cannot be mapped; make a new user namespace, or give a directory",
        )),
        RootSource::Overlay { lower, .. } if draft.host_opens_sources() => {
            mapped_lower(draft, lower);
            Ok(())
        }
        RootSource::Overlay { .. } => Ok(()),
    }
}

fn configured(draft: &mut Draft) -> Result<(), Error> {
    let path = place(draft)?;
    let cause = |why| Cause::new("/root/path", why);
    let source = TreeSource::Path(path);
    let why = "pivot_root(2) wants a mount; a copy leaves the machine's own as it is";
    draft.sources().push(Op::CloneTree { source, recursive: true, slot: Slot::Root }, cause(why));
    let (set, clear) = (Attr::NONE, Attr::NONE);
    // A new peer group, which is what shared asks for, begins with being private.
    let copy = match propagation(draft)?.0 {
        Propagation::Slave => Propagation::Slave,
        Propagation::Shared | Propagation::Private | Propagation::Unbindable => Propagation::Private,
    };
    let op = Op::SetAttr { slot: Slot::Root, recursive: true, set, clear, propagation: Some(copy) };
    draft.sources().push(op, cause("mounts of the container do not reach the machine"));
    Ok(())
}

/// The tree that is read, with its owners mapped: what belongs to root of the machine belongs to root of the
/// user namespace, which owns nothing outside of it (mount_setattr(2), "ID-mapped mounts").
fn mapped_lower(draft: &mut Draft, lower: PathBuf) {
    let slot = draft.new_mount();
    draft.carried.lower = Some(slot);
    let users = namespaces::id_map(&draft.linux.uid_mappings);
    let groups = namespaces::id_map(&draft.linux.gid_mappings);
    let from = "/linux/uidMappings";
    let map = mounts::make_id_map(draft, &users, &groups, from);
    let source = TreeSource::Path(lower);
    draft.host(
        Op::CloneTree { source, recursive: false, slot },
        "ROOT",
        "a copy, to be shown with mapped owners",
    );
    let why = "root of the user namespace owns what root of the machine owns";
    draft.host(Op::SetIdMap { slot, map, recursive: false }, from, why);
    let (set, clear) = (Attr::RDONLY, Attr::NONE);
    let op = Op::SetAttr { slot, recursive: false, set, clear, propagation: Some(Propagation::Private) };
    draft.host(op, "ROOT", "apart from the machine's mount, and only read");
}

/// Attaches the root, so that mounts can be made on it.
pub(crate) fn mount(draft: &mut Draft) -> Result<(), Error> {
    let target = place(draft)?;
    match draft.namespaces.mounts() {
        Whose::Own => {}
        Whose::Machine => return mount_namespace::attach_on_machine(draft, target),
        Whose::Joined => {
            let op = Op::OpenRoot { directory: target };
            draft.init(op, "/root/path", "as it is there: in a mount namespace of others nothing is mounted");
            return Ok(());
        }
    }
    if let RootSource::Overlay { lower, upper } = draft.options.root.clone() {
        overlay(draft, &lower, &upper)?;
    }
    let op = Op::Attach { slot: Slot::Root, target: Target::Host(target) };
    draft.init(op, "/root/path", "a mount has to be attached before others can be made on it");
    Ok(())
}

fn overlay(draft: &mut Draft, lower: &Path, upper: &Upper) -> Result<(), Error> {
    let place = match upper {
        Upper::Disk { place } => place,
        Upper::Memory { place } => {
            let slot = draft.new_mount();
            let options = vec![("mode".to_owned(), Some("700".to_owned()))];
            let source = Some("cuddy".to_owned());
            let attr = Attr::NODEV.with(Attr::NOSUID);
            draft.init(
                Op::NewMount { fstype: "tmpfs".to_owned(), source, options, attr, slot },
                "ROOT",
                "overlayfs refuses to write into the tree that it reads, so the writes go to memory",
            );
            let names = ["upper", "work", "root", "lower"].map(str::to_owned).to_vec();
            draft.init(
                Op::MakeDirectories { slot, names },
                "ROOT",
                "what overlayfs needs, and where it will be",
            );
            let target = Target::Host(place.clone());
            draft.init(Op::Attach { slot, target }, "ROOT", "overlayfs takes its directories by path");
            place
        }
    };
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| {
            let message = format!("{} is not UTF-8", path.display());
            Error::new("/root/path", message, "rename the directory")
        })
    };
    let mut lower = lower.to_owned();
    let mapped = draft.carried.lower.take();
    if let Some(slot) = mapped {
        lower = place.join("lower");
        draft.init(
            Op::Attach { slot, target: Target::Host(lower.clone()) },
            "ROOT",
            "overlayfs takes it by path",
        );
    }
    let options = [
        ("lowerdir", text(&lower)?.replace('\\', "\\\\").replace(':', "\\:")),
        ("upperdir", text(&place.join("upper"))?),
        ("workdir", text(&place.join("work"))?),
    ];
    if let Some((name, value)) = options.iter().find(|(_, value)| value.len() > 255) {
        let message = format!("{name} of the overlay has {} bytes; the kernel takes 255", value.len());
        return Err(Error::new("/root/path", message, "use a shorter path"));
    }
    let mut options: Vec<_> =
        options.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
    if draft.namespaces.has(NamespaceKind::User) {
        // trusted.* attributes are not for user namespaces.
        options.push(("userxattr".to_owned(), None));
    }
    draft.init(
        Op::NewMount {
            fstype: "overlay".to_owned(),
            source: Some("overlay".to_owned()),
            options,
            attr: Attr::NONE,
            slot: Slot::Root,
        },
        "ROOT",
        "copy on write: what is below is only read, what is written lies above",
    );
    Ok(())
}

/// The container's root becomes the root.
pub(crate) fn change(draft: &mut Draft) -> Result<(), Error> {
    if draft.config.root.as_ref().is_some_and(|root| root.readonly) {
        draft.init(
            Op::MakeRootReadOnly,
            "/root/readonly",
            "all mount points are made, nothing has to be written now",
        );
    }
    if draft.namespaces.mounts() != Whose::Own {
        let why = "to pivot would change the root of all who are in that mount namespace";
        draft.init(Op::Chroot, "/linux/namespaces", why);
    } else if draft.options.no_pivot {
        draft.init(
            Op::MoveRoot,
            "--no-pivot",
            "a ramdisk cannot be pivoted away from; the old root stays mounted below, where exec does not go",
        );
    } else {
        draft.init(
            Op::PivotRoot,
            "/root/path",
            "the machine's tree leaves the namespace, nothing can climb back",
        );
    }
    let (propagation, recursive) = propagation(draft)?;
    if matches!(propagation, Propagation::Shared | Propagation::Unbindable) {
        let why = "only now: what is shared cannot become the root, what is unbindable cannot be copied";
        draft.init(Op::SetPropagation { recursive, propagation }, PROPAGATION, why);
    }
    Ok(())
}

const PROPAGATION: &str = "/linux/rootfsPropagation";

/// How mount events travel between the container's root and its copies, and whether that is said of all mounts
/// below, too (config-linux.md, "Rootfs Mount Propagation"). Where nothing is said the root is apart from
/// the machine.
fn propagation(draft: &Draft) -> Result<(Propagation, bool), Error> {
    match draft.linux.rootfs_propagation.as_deref() {
        None | Some("") => Ok((Propagation::Private, true)),
        Some(word) => mounts::parse_propagation(word).ok_or_else(|| {
            let message = format!("{word:?} is no propagation");
            Error::new(PROPAGATION, message, "shared, slave, private or unbindable")
        }),
    }
}
