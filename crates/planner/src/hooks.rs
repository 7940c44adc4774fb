use crate::{Draft, Error, Start};
use plan::{Hook, Op, Rendezvous};
use spec::{Config, HookKind, Status};
use std::path::{Path, PathBuf};

/// Reads and checks all hooks, in the order in which they run.
pub(crate) fn read(config: &Config, bundle: &Path) -> Result<Vec<Hook>, Error> {
    let Some(hooks) = &config.hooks else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for kind in HookKind::ALL {
        for (index, hook) in hooks.of(kind).iter().enumerate() {
            let field = pointer(kind, index);
            check(hook, &field)?;
            let args = match hook.args.is_empty() {
                true => vec![hook.path.display().to_string()],
                false => hook.args.clone(),
            };
            all.push(Hook {
                kind,
                index,
                path: hook.path.clone(),
                args,
                env: environment(config, kind, hook),
                timeout: hook.timeout.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
                directory: (kind != HookKind::StartContainer).then(|| bundle.to_owned()),
                home: kind == HookKind::StartContainer && hook.env.is_none(),
                stdout: output(config, bundle, kind, "run.oci.hooks.stdout"),
                stderr: output(config, bundle, kind, "run.oci.hooks.stderr"),
            });
        }
    }
    Ok(all)
}

fn pointer(kind: HookKind, index: usize) -> String {
    format!("/hooks/{}/{index}", kind.name())
}

fn check(hook: &spec::Hook, field: &str) -> Result<(), Error> {
    if !hook.path.is_absolute() {
        let message = format!("{:?} is not an absolute path", hook.path.display().to_string());
        return Err(Error::new(format!("{field}/path"), message, "start it with a slash"));
    }
    if hook.timeout.is_some_and(|seconds| seconds <= 0) {
        let hint = "give a whole number of seconds, or leave it out";
        return Err(Error::new(format!("{field}/timeout"), "a timeout has to be above zero", hint));
    }
    let env = hook.env.as_deref().unwrap_or_default();
    for (name, strings) in [("args", hook.args.as_slice()), ("env", env)] {
        if let Some(index) = strings.iter().position(|text| text.contains('\0')) {
            let message = "a NUL byte inside; the kernel would cut the text there";
            return Err(Error::new(format!("{field}/{name}/{index}"), message, "remove it"));
        }
    }
    if hook.path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(Error::new(format!("{field}/path"), "a NUL byte inside", "remove it"));
    }
    Ok(())
}

/// The specification does not say what a hook without `env` gets. As in runc and crun it is the environment of
/// the runtime, and for a hook inside the container that of the program.
fn environment(config: &Config, kind: HookKind, hook: &spec::Hook) -> Option<Vec<String>> {
    let of_program = || config.process.as_ref().map(|process| process.env.clone()).unwrap_or_default();
    match kind {
        HookKind::StartContainer => Some(hook.env.clone().unwrap_or_else(of_program)),
        _ => hook.env.clone(),
    }
}

/// The file that crun's annotation names for what hooks write. A hook in the container does not see the machine's files.
fn output(config: &Config, bundle: &Path, kind: HookKind, annotation: &str) -> Option<PathBuf> {
    let file = config.annotations.get(annotation).filter(|file| !file.is_empty())?;
    (kind != HookKind::StartContainer).then(|| bundle.join(file))
}

/// Hooks that are started by the process that creates the container, or by those that start and delete it.
const OUTSIDE: [HookKind; 4] =
    [HookKind::Prestart, HookKind::CreateRuntime, HookKind::Poststart, HookKind::Poststop];

const DURING_CREATE: [HookKind; 3] = [HookKind::Prestart, HookKind::CreateRuntime, HookKind::CreateContainer];

/// Whether there is one of these kinds.
fn any(draft: &Draft, kinds: &[HookKind]) -> bool {
    draft.hooks.iter().any(|hook| kinds.contains(&hook.kind))
}

/// Whether the host's process has to stay in the namespaces of the runtime, since it runs hooks there.
pub(crate) fn outside(draft: &Draft) -> bool {
    any(draft, &OUTSIDE)
}

/// Whether others may look at the container for as long as a hook likes, while it is being created.
pub(crate) fn during_create(draft: &Draft) -> bool {
    any(draft, &DURING_CREATE)
}

/// Hooks of the runtime's namespaces, and then those of the container's, while the root is still the machine's.
pub(crate) fn create(draft: &mut Draft) {
    let (first, second) = (HookKind::Prestart, HookKind::CreateRuntime);
    if any(draft, &[first, second]) {
        let kind = if any(draft, &[first]) { first } else { second };
        let from = format!("/hooks/{}", kind.name());
        let (made, done) = (Rendezvous::MountsMade, Rendezvous::HooksDone);
        draft.init(Op::Send { rendezvous: made }, from.clone(), "hooks find the container's mounts made");
        draft.init(Op::Await { rendezvous: done }, from.clone(), "and its root not yet changed");
        draft.host(Op::Await { rendezvous: made }, from.clone(), "hooks find the container's mounts made");
        for hook in of(draft, &[first, second]) {
            let (op, from) = step(draft, hook);
            draft.host(op, from, "in the namespaces of the runtime");
        }
        draft.host(Op::Send { rendezvous: done }, from, "init goes on when all of them have succeeded");
    }
    let inside = of(draft, &[HookKind::CreateContainer]);
    if inside.is_empty() {
        return;
    }
    let from = format!("/hooks/{}", HookKind::CreateContainer.name());
    draft.init(Op::SetUmask { mask: 0o022 }, from.clone(), "what a hook makes is not for everybody to write");
    for hook in inside {
        let (op, from) = step(draft, hook);
        draft.init(op, from, "in the container's namespaces, where the machine's files can still be seen");
    }
    draft.init(Op::SetUmask { mask: 0 }, from, "what is made gets the mode that it is given");
}

/// Hooks of the runtime's namespaces, which run while the container is made.
pub(crate) fn of_runtime(draft: &Draft) -> Vec<Hook> {
    of(draft, &[HookKind::Prestart, HookKind::CreateRuntime])
}

/// Hooks in the container, between the start and the program: by its user, and under its filter.
pub(crate) fn start(draft: &mut Draft) {
    for hook in of(draft, &[HookKind::StartContainer]) {
        let (op, from) = step(draft, hook);
        draft.init(op, from, "in the container, as the program's user and under its filter");
    }
}

/// Hooks that are no steps: they run when the plan is done.
pub(crate) fn later(draft: &Draft) -> Vec<Hook> {
    of(draft, &[HookKind::Poststart, HookKind::Poststop])
}

fn of(draft: &Draft, kinds: &[HookKind]) -> Vec<Hook> {
    draft.hooks.iter().filter(|hook| kinds.contains(&hook.kind)).cloned().collect()
}

fn step(draft: &Draft, hook: Hook) -> (Op, String) {
    let from = pointer(hook.kind, hook.index);
    let status = if hook.kind == HookKind::StartContainer { Status::Created } else { Status::Creating };
    let state = draft.state(status);
    (Op::RunHook { hook, state }, from)
}

/// The record as others find it from here on. While hooks run it says that the container is being created.
pub(crate) fn record(draft: &mut Draft) {
    if during_create(draft) {
        let why = "whoever asks for this container while hooks run finds that it is not ready";
        draft.host(Op::Record { status: Status::Creating }, "default", why);
    } else {
        record_ready(draft);
    }
}

/// The record of a container that is ready for its start, or about to start at once.
pub(crate) fn record_ready(draft: &mut Draft) {
    let status = match draft.options.start {
        Start::AtOnce => Status::Running,
        Start::OnRequest => Status::Created,
    };
    draft.host(Op::Record { status }, "default", "whoever asks for this container later finds it");
}
