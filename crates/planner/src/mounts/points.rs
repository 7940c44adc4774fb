use super::entry::{Entry, entries};
use crate::{Draft, Error};
use plan::{Errno, MountPoint, Op, TreeSource};

/// Makes what is mounted on where the root file system lacks it, for criu, which makes no mount points. Those on
/// a file system of the container's own come with it out of the images.
pub(crate) fn make_points(draft: &mut Draft) -> Result<(), Error> {
    let entries = entries(draft)?;
    for entry in entries.iter().filter(|entry| !entry.is_top() && !entry.options.remount) {
        if entries.iter().any(|above| holds(above, entry)) {
            continue;
        }
        let Some(source) = entry.source.as_ref().filter(|_| entry.is_bind()) else {
            let op = Op::MakeDirectory { path: entry.destination.clone(), mode: 0o755 };
            let cause = entry.cause("criu mounts there and makes no mount points");
            draft.plan.init.push_tolerant(op, cause, &[Errno::EEXIST, Errno::EROFS]);
            continue;
        };
        let slot = draft.new_mount();
        let source = TreeSource::Path(draft.bundle.join(source));
        let recursive = entry.options.bind == Some(true);
        let cause = entry.cause("what is mounted below may need its place in there");
        draft.plan.init.push(Op::CloneTree { source, recursive, slot }, cause);
        let op = Op::Attach { slot, target: entry.target(MountPoint::Same) };
        draft.plan.init.push(op, entry.cause("criu mounts there and makes no mount points"));
    }
    Ok(())
}

/// Whether `entry` lies on a file system of the container's own that `above` is.
fn holds(above: &Entry, entry: &Entry) -> bool {
    let below = entry.destination != above.destination && entry.destination.starts_with(&above.destination);
    below && !above.is_bind() && !above.options.remount
}
