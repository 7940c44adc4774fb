//! A container without a mount namespace of its own: in the machine's, or in one that others are in.
//!
//! Both change their root with chroot(2): a pivot would change it for all who are there. Nothing that others see is masked
//! or made read-only. Among the machine's mounts those of the container are made all the same, as runc and youki do, on a copy
//! of the root which covers the root's directory; before that the copy's identity is written down, so that just this
//! mount is taken off again with the container. In a joined namespace nothing is mounted: it has a life of its own, and nobody
//! would take it off.

use crate::{Draft, Error, RootSource, root};
use plan::{Attr, Op, Propagation, Slot, Target, Undo};
use spec::NamespaceKind;
use std::path::PathBuf;

/// Whose mounts a container finds itself among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Its own.
    Own,
    /// The machine's: there is no mount namespace in the configuration.
    Machine,
    /// Those of a namespace that is joined by its path.
    Joined,
}

/// Refuses what would change the mounts of others.
pub(crate) fn check(draft: &Draft) -> Result<(), Error> {
    let whose = draft.namespaces.mounts();
    if whose == Whose::Own {
        return Ok(());
    }
    let linux = draft.linux;
    let refuse = |field: &str, what: &str| {
        let message = format!("{what} needs a mount namespace of the container's own");
        let hint = "add {\"type\": \"mount\"} without a path to /linux/namespaces, or drop this";
        Err(Error::new(field, message, hint))
    };
    if !linux.masked_paths.is_empty() {
        return refuse("/linux/maskedPaths", "hiding paths");
    }
    if !linux.readonly_paths.is_empty() {
        return refuse("/linux/readonlyPaths", "making paths read-only");
    }
    if linux.rootfs_propagation.as_ref().is_some_and(|word| !word.is_empty()) {
        return refuse("/linux/rootfsPropagation", "propagation of the root");
    }
    if draft.options.root != RootSource::Configured {
        return refuse("/linux/namespaces", "a throwaway root");
    }
    if whose == Whose::Machine && draft.namespaces.has(NamespaceKind::User) {
        return refuse(
            "/linux/namespaces",
            "a user namespace, which may not mount among the machine's mounts,",
        );
    }
    if whose == Whose::Machine {
        return Ok(());
    }
    if !draft.config.mounts.is_empty() {
        return refuse("/mounts", "mounting");
    }
    if draft.config.root.as_ref().is_some_and(|root| root.readonly) {
        return refuse("/root/readonly", "a read-only root");
    }
    if !linux.devices.is_empty() {
        return refuse("/linux/devices", "making devices");
    }
    if draft.options.notify.is_some() {
        return refuse("NOTIFY_SOCKET", "showing the socket of a service manager");
    }
    Ok(())
}

/// Attaches the root among the machine's mounts.
pub(crate) fn attach_on_machine(draft: &mut Draft, place: PathBuf) -> Result<(), Error> {
    let from = "/linux/namespaces";
    let (slot, file) = (Slot::Root, note(draft)?);
    draft.init(
        Op::NoteMount { slot, file },
        from,
        "so that this mount, and no other, is taken off in the end",
    );
    let op = Op::Attach { slot, target: Target::Host(place) };
    draft.init(
        op,
        from,
        "there is no mount namespace in the configuration, so the machine has the container's mounts",
    );
    let (set, clear) = (Attr::NONE, Attr::NONE);
    let op = Op::SetAttr { slot, recursive: true, set, clear, propagation: Some(Propagation::Private) };
    draft.init(op, from, "it has joined the peers of what it covers, who need not see what is mounted in it");
    Ok(())
}

/// Writes down how the machine gets rid of it.
pub(crate) fn undo(draft: &mut Draft) -> Result<(), Error> {
    if draft.namespaces.mounts() == Whose::Machine {
        let (place, note) = (root::place(draft)?, note(draft)?);
        draft.plan.undo.push(Undo::Unmount { place, note });
    }
    Ok(())
}

fn note(draft: &Draft) -> Result<PathBuf, Error> {
    let hint = "add {\"type\": \"mount\"} to /linux/namespaces";
    let message = "nobody would take off what is mounted for this container";
    draft.options.mount_note.clone().ok_or_else(|| Error::new("/linux/namespaces", message, hint))
}
