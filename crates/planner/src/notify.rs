use crate::Draft;
use plan::{Attr, Cause, Follow, MountPoint, Op, Propagation, Slot, Target, TreeSource};

const FROM: &str = "NOTIFY_SOCKET";

/// Opens the directory of the socket that the program says over that it is ready.
pub(crate) fn source(draft: &mut Draft) -> Option<Slot> {
    let source = TreeSource::Path(draft.options.notify.as_ref()?.directory.clone());
    let slot = draft.new_mount();
    let cause = |why| Cause::new(FROM, why);
    let why = "the socket is made in it when the program starts";
    draft.sources().push(Op::CloneTree { source, recursive: false, slot }, cause(why));
    let set = Attr::RDONLY.with(Attr::NOSUID).with(Attr::NODEV).with(Attr::NOEXEC);
    let propagation = Some(Propagation::Private);
    let op = Op::SetAttr { slot, recursive: false, set, clear: Attr::NONE, propagation };
    draft.sources().push(op, cause("a socket can be written to, and nothing else"));
    Some(slot)
}

/// Shows it to the container.
pub(crate) fn mount(draft: &mut Draft) {
    let (Some(slot), Some(notify)) = (draft.carried.notify.take(), &draft.options.notify) else { return };
    let path = notify.path.clone();
    let target = Target::Inside { path, follow: Follow::InRoot, missing: MountPoint::Directory };
    draft.init(Op::Attach { slot, target }, FROM, "the program says over it that it is ready");
}
