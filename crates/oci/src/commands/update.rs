//! `update`.

use super::Context;
use crate::args::UpdateTo;
use runtime::{Error, document};
use spec::{ContainerId, Memory, Resources};

pub(super) fn update(context: &Context, id: &ContainerId, change: &UpdateTo) -> Result<(), Error> {
    let resources = match change {
        UpdateTo::Options(resources) => Resources::clone(resources),
        UpdateTo::File(path) => document::read(path)?,
        UpdateTo::Input => document::read_input()?,
    };
    if resources.memory.as_ref().is_some_and(|memory| memory.kernel.or(memory.kernel_tcp).is_some()) {
        context.log.note("limits of kernel memory are ignored; kernels have none any more");
    }
    context.store.update(id, &complete(resources))
}

/// Who takes the limit of memory away takes that of memory and swap away with it, as in runc: the kernel refuses
/// the one without the other.
fn complete(mut resources: Resources) -> Resources {
    if let Some(Memory { limit: Some(-1), swap: swap @ None, .. }) = &mut resources.memory {
        *swap = Some(-1);
    }
    if let Some(memory) = &mut resources.memory {
        (memory.kernel, memory.kernel_tcp) = (None, None);
    }
    resources
}
