use crate::{Draft, Error, RootSource, Upper};
use plan::{Attr, Cause, Op, Propagation, Slot, Target, TreeSource};
use std::path::{Path, PathBuf};

/// What the root is and where it is attached before it becomes the root.
fn place(draft: &Draft) -> Result<PathBuf, Error> {
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
    draft.init(
        Op::SetPropagation { recursive: true, propagation: Propagation::Slave },
        "/linux/namespaces",
        "a new mount namespace shares events with the machine until told otherwise",
    );
}

/// Opens the configured root.
pub(crate) fn source(draft: &mut Draft) -> Result<(), Error> {
    if draft.options.root != RootSource::Configured {
        return Ok(());
    }
    let path = place(draft)?;
    let cause = |why| Cause::new("/root/path", why);
    let source = TreeSource::Path(path);
    let why = "pivot_root(2) wants a mount; a copy leaves the machine's own as it is";
    draft.sources().push(Op::CloneTree { source, recursive: true, slot: Slot::Root }, cause(why));
    let (set, clear) = (Attr::NONE, Attr::NONE);
    let op =
        Op::SetAttr { slot: Slot::Root, recursive: true, set, clear, propagation: Some(Propagation::Slave) };
    draft.sources().push(op, cause("mounts of the container do not reach the machine"));
    Ok(())
}

/// Attaches the root, so that mounts can be made on it.
pub(crate) fn mount(draft: &mut Draft) -> Result<(), Error> {
    let target = place(draft)?;
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
            let names = ["upper", "work", "root"].map(str::to_owned).to_vec();
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
    let options = [
        ("lowerdir", text(lower)?.replace('\\', "\\\\").replace(':', "\\:")),
        ("upperdir", text(&place.join("upper"))?),
        ("workdir", text(&place.join("work"))?),
    ];
    if let Some((name, value)) = options.iter().find(|(_, value)| value.len() > 255) {
        let message = format!("{name} of the overlay has {} bytes; the kernel takes 255", value.len());
        return Err(Error::new("/root/path", message, "use a shorter path"));
    }
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
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
pub(crate) fn pivot(draft: &mut Draft) -> Result<(), Error> {
    if draft.config.root.as_ref().is_some_and(|root| root.readonly) {
        draft.init(
            Op::MakeRootReadOnly,
            "/root/readonly",
            "all mount points are made, nothing has to be written now",
        );
    }
    if draft.options.no_pivot {
        draft.init(
            Op::Chroot,
            "--no-pivot",
            "a ramdisk cannot be pivoted away from; the old root stays mounted",
        );
    } else {
        draft.init(
            Op::PivotRoot,
            "/root/path",
            "the machine's tree leaves the namespace, nothing can climb back",
        );
    }
    match draft.linux.rootfs_propagation.as_deref() {
        None | Some("" | "slave" | "rslave") => {}
        Some(word @ ("private" | "rprivate" | "unbindable" | "runbindable")) => {
            let bare = word.trim_start_matches('r');
            let propagation = if bare == "private" { Propagation::Private } else { Propagation::Unbindable };
            let op = Op::SetPropagation { recursive: bare.len() != word.len(), propagation };
            draft.init(op, "/linux/rootfsPropagation", "how the container's own copies of its mounts relate");
        }
        Some(word @ ("shared" | "rshared")) => {
            let op = Op::SetPropagation { recursive: word == "rshared", propagation: Propagation::Shared };
            draft.init(op, "/linux/rootfsPropagation", "mounts of the container reach its own copies");
        }
        Some(word) => {
            let message = format!("{word:?} is no propagation");
            return Err(Error::new(
                "/linux/rootfsPropagation",
                message,
                "shared, slave, private or unbindable",
            ));
        }
    }
    Ok(())
}
