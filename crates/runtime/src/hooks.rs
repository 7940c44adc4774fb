//! Hooks that run when the plan is done: after the program has started, and after the container is gone.

use crate::{Container, Error};
use plan::{Hook, HookKind};
use spec::Status;

impl Container {
    /// Runs the hooks that follow the start of the program.
    ///
    /// # Errors
    /// The first one that failed. The container is to be destroyed then (runtime.md, "Lifecycle", step 9).
    pub(crate) fn poststart(&self) -> Result<(), Error> {
        let state = self.state_as(Status::Running);
        self.hooks(HookKind::Poststart).try_for_each(|hook| {
            let failed = |why| Error::Hook { hook: hook.to_string(), path: hook.path.clone(), why };
            executor::run_hook(hook, &state).map_err(failed)
        })
    }

    /// Runs the hooks that follow the end of the container, when nothing of it is left; those that failed, with
    /// what became of them. A failure changes nothing (runtime.md, "Lifecycle", step 13).
    pub(crate) fn poststop(&self) -> Vec<(&Hook, String)> {
        let mut hooks = self.hooks(HookKind::Poststop).peekable();
        if hooks.peek().is_none() {
            return Vec::new();
        }
        let state = self.state_as(Status::Stopped);
        hooks.filter_map(|hook| Some((hook, executor::run_hook(hook, &state).err()?))).collect()
    }

    fn hooks(&self, kind: HookKind) -> impl Iterator<Item = &Hook> {
        self.record.hooks.iter().filter(move |hook| hook.kind == kind)
    }
}

/// One sentence for each hook that failed after the container was gone.
pub(crate) fn warnings(failed: Vec<(&Hook, String)>) -> Vec<String> {
    let sentence = |(hook, why): (&Hook, String)| {
        format!("{} hook {why} (#{}, {})", hook.kind.name(), hook.index, hook.path.display())
    };
    failed.into_iter().map(sentence).collect()
}
