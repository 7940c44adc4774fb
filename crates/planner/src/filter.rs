//! The system call filter, and who is asked about calls.

use crate::{Draft, Error, Start};
use plan::{BpfInstruction, Cause, Errno, Op, Rendezvous};
use seccomp::{Action, Arch, Filter};
use serde_json::{Value, json};
use spec::{Seccomp, State, SyscallRule};
use std::path::PathBuf;

const FROM: &str = "/linux/seccomp";
const LISTENER: &str = "/linux/seccomp/listenerPath";

/// A filter, and the socket that its listener is sent to.
pub(crate) struct Compiled {
    filter: Filter,
    listener: Option<Listener>,
}

struct Listener {
    socket: PathBuf,
    /// The container process state.
    state: Value,
    /// Errors after which the start goes on.
    ignore: &'static [Errno],
}

/// Compiles the rules of the configuration. `state` is the container's, for who listens.
pub(crate) fn compile(draft: &Draft, state: &State) -> Result<Option<Compiled>, Error> {
    let Some(rules) = &draft.linux.seccomp else { return Ok(None) };
    let native = Arch::host().ok_or_else(|| {
        Error::new(FROM, "there is no filter compiler for this architecture", "use x86_64 or aarch64")
    })?;
    let filter = seccomp::compile(rules, native).map_err(|error| {
        Error::new("", error.to_string(), "config-linux.md, \"Seccomp\", lists what is allowed")
    })?;
    refuse_unknown_calls(draft, rules)?;
    let listener = listener(draft, rules, &filter, state)?;
    Ok(Some(Compiled { filter, listener }))
}

/// crun's annotation for those who would rather have an error than a rule that is passed over (crun(1)).
fn refuse_unknown_calls(draft: &Draft, rules: &spec::Seccomp) -> Result<(), Error> {
    let asked = draft.config.annotations.get("run.oci.seccomp_fail_unknown_syscall");
    if asked.is_none_or(|value| value == "0") {
        return Ok(());
    }
    let names = rules.syscalls.iter().enumerate().flat_map(|(rule, syscall)| {
        syscall.names.iter().enumerate().map(move |(index, name)| (rule, index, name))
    });
    match names.into_iter().find(|(.., name)| !seccomp::is_call(name)) {
        Some((rule, index, name)) => {
            let field = format!("/linux/seccomp/syscalls/{rule}/names/{index}");
            let hint = "correct the name, or drop the annotation run.oci.seccomp_fail_unknown_syscall";
            Err(Error::new(field, format!("there is no system call {name:?}"), hint))
        }
        None => Ok(()),
    }
}

impl Compiled {
    /// Whether somebody is to be told at `create` already: who waits for the listener may wait for it before he
    /// says `start`, as with runc.
    pub(crate) fn is_loaded_early(&self) -> bool {
        self.listener.is_some()
    }

    /// Loads it.
    pub(crate) fn load(self, draft: &mut Draft) {
        let Self { filter, listener } = self;
        let summary = seccomp::describe(&filter);
        let program = filter
            .program
            .iter()
            .map(|i| BpfInstruction { code: i.code, jt: i.jt, jf: i.jf, k: i.k })
            .collect();
        let asked = if listener.is_some() { plan::NEW_LISTENER } else { 0 };
        let flags = filter.flags | asked;
        let op = Op::SetSeccomp { flags, program, summary };
        draft.init(op, FROM, "last, so that cuddy's own calls need not be allowed");
        let Some(Listener { socket, state, ignore }) = listener else { return };
        let why = "by its number, with one write(2): any other call may be one that the filter asks about";
        draft.init(Op::OfferListener, LISTENER, why);
        draft.host(
            Op::TakeListener,
            LISTENER,
            "the host is under no filter, and its process sees the socket",
        );
        let cause = Cause::new(LISTENER, "from now on he is asked about the calls of the container");
        draft.plan.host.push_tolerant(Op::SendListener { socket, state }, cause, ignore);
        let rendezvous = Rendezvous::ListenerTaken;
        draft.host(Op::Send { rendezvous }, LISTENER, "init may let go of it");
        draft.init(Op::Await { rendezvous }, LISTENER, "execve(2) closes it here");
    }
}

/// Who listens, if somebody does. What the filter asks nobody about is as the specification has it ("this
/// value is ignored") and yet as crun has it, whose callers wait for a listener all the same: it is sent to who is
/// there, in crun's words.
fn listener(
    draft: &Draft,
    rules: &Seccomp,
    filter: &Filter,
    state: &State,
) -> Result<Option<Listener>, Error> {
    let path = rules.listener_path.clone().filter(|path| !path.as_os_str().is_empty());
    let Some(socket) = path else {
        if rules.listener_metadata.as_ref().is_some_and(|text| !text.is_empty()) {
            let hint = "name a socket in listenerPath, or drop it";
            return Err(Error::new("/linux/seccomp/listenerMetadata", "there is no listenerPath", hint));
        }
        if filter.notify {
            let message = "SCMP_ACT_NOTIFY needs somebody to notify";
            return Err(Error::new(LISTENER, message, "name the socket of a seccomp agent"));
        }
        return Ok(None);
    };
    let waiting = if draft.options.start == Start::OnRequest { &["accept4"][..] } else { &[] };
    let refused = ["write", "read", "execve"].iter().chain(waiting).find(|call| !passes(filter, call));
    if !filter.notify {
        let usable = socket.is_absolute() && refused.is_none();
        let state = process_state("0.2.0", rules, state);
        let ignore = &[Errno::ENOENT, Errno::ENOTDIR, Errno::EACCES, Errno::ECONNREFUSED];
        return Ok(usable.then_some(Listener { socket, state, ignore }));
    }
    if !socket.is_absolute() {
        let message = format!("{} is not an absolute path", socket.display());
        return Err(Error::new(
            LISTENER,
            message,
            "name a socket like /run/agent.sock; abstract ones are nobody's",
        ));
    }
    let asks_about_write = |rule: &SyscallRule| {
        rule.action == "SCMP_ACT_NOTIFY" && rule.names.iter().any(|name| name == "write")
    };
    if let Some(index) = rules.syscalls.iter().position(asks_about_write) {
        let field = format!("/linux/seccomp/syscalls/{index}/action");
        let message =
            "SCMP_ACT_NOTIFY cannot be used for the write syscall, by which its listener is handed over";
        return Err(Error::new(field, message, "use another action, or leave it out"));
    }
    if let Some(call) = refused {
        let message = format!(
            "a filter with SCMP_ACT_NOTIFY has to allow {call}, by which its listener is handed over"
        );
        return Err(Error::new("/linux/seccomp/syscalls", message, "add a rule that allows it"));
    }
    let state = process_state(spec::VERSION, rules, state);
    Ok(Some(Listener { socket, state, ignore: &[] }))
}

/// Whether a call is made, or is made when who listens says so.
fn passes(filter: &Filter, call: &str) -> bool {
    matches!(filter.action(call), Some(Action::Allow | Action::Log | Action::Notify) | None)
}

/// The container process state (config-linux.md), but for the pids.
fn process_state(version: &str, rules: &Seccomp, state: &State) -> Value {
    let mut text = json!({ "ociVersion": version, "fds": ["seccompFd"], "state": state });
    if let Some(metadata) = &rules.listener_metadata {
        text["metadata"] = metadata.clone().into();
    }
    text
}
