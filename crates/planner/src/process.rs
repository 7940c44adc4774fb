use crate::mount_namespace::Whose;
use crate::{Draft, Error, mounts};
use plan::{
    Cause, Errno, Follow, MountPoint, Op, RlimitResource, Script, Side, Slot, Subject, Target, TreeSource,
};
use spec::{NamespaceKind, Process};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The process of the configuration. `create` could do without it, but then nothing could be prepared.
pub(crate) fn of<'a>(draft: &Draft<'a>) -> Result<&'a Process, Error> {
    let hint = "say in process.args what shall run";
    draft.config.process.as_ref().ok_or_else(|| Error::new("/process", "there is no process", hint))
}

/// A pseudo terminal of the container's own devpts, sent out by descriptor (CVE-2025-52565).
pub(crate) fn open_terminal(draft: &mut Draft) -> Result<(), Error> {
    if !of(draft)?.terminal {
        return Ok(());
    }
    make_terminal(draft)?;
    let from = "/process/terminal";
    if draft.namespaces.mounts() == Whose::Joined {
        draft.init(Op::UseTerminal, from, TAKE);
        return Ok(());
    }
    let slot = draft.new_mount();
    let source = TreeSource::Slot(Slot::Terminal);
    draft.init(
        Op::CloneTree { source, recursive: false, slot },
        from,
        "the terminal itself, not a path to it",
    );
    let path = Path::new("/dev/console").to_owned();
    let target = Target::Inside { path, follow: Follow::Never, missing: MountPoint::File };
    draft.init(Op::Attach { slot, target }, from, "programs write to /dev/console");
    draft.init(Op::UseTerminal, from, TAKE);
    Ok(())
}

const TAKE: &str = "controlling terminal, and standard input, output and error";

/// A terminal for one more process; `/dev/console` is the first one's.
pub(crate) fn open_terminal_here(draft: &mut Draft) -> Result<(), Error> {
    if of(draft)?.terminal {
        make_terminal(draft)?;
        draft.init(Op::UseTerminal, "/process/terminal", TAKE);
    }
    Ok(())
}

fn make_terminal(draft: &mut Draft) -> Result<(), Error> {
    let process = of(draft)?;
    draft.plan.given.push(Slot::ConsoleSocket);
    let size = process.console_size.unwrap_or_default();
    let from = "/process/terminal";
    draft.init(
        Op::OpenTerminal { rows: size.height, columns: size.width, plain_lines: draft.options.plain_lines },
        from,
        "from the container's devpts, so that the machine's terminals are not touched",
    );
    draft.init(Op::SendConsole, from, "whoever relays the terminal holds the other end");
    Ok(())
}

/// The out-of-memory score of the first process. Once it is somebody else in a user namespace its file belongs to root of
/// the machine (proc(5), "/proc/pid"): root writes it from outside, and an ordinary user before that.
pub(crate) fn score_of_init(draft: &mut Draft) -> Result<(), Error> {
    let by_host = draft.namespaces.has(NamespaceKind::User) && draft.facts.rootless.is_none();
    score(draft, if by_host { (Side::Host, Subject::Init) } else { (Side::Init, Subject::Itself) })
}

/// The out-of-memory score of one more process, up to its birth. As it is shielded from the start its file belongs to root
/// of the machine, too: it inherits the score of an ordinary user's runtime.
pub(crate) fn score_before_exec(draft: &mut Draft) -> Result<(), Error> {
    if draft.facts.rootless.is_none() { Ok(()) } else { score(draft, (Side::Host, Subject::Itself)) }
}

/// The out-of-memory score of one more process.
pub(crate) fn score_of_exec(draft: &mut Draft) -> Result<(), Error> {
    if draft.facts.rootless.is_some() { Ok(()) } else { score(draft, (Side::Init, Subject::Itself)) }
}

fn score(draft: &mut Draft, (by, whose): (Side, Subject)) -> Result<(), Error> {
    if let Some(value) = of(draft)?.oom_score_adj {
        if !(-1000..=1000).contains(&value) {
            let message = format!("{value} is not from -1000 to 1000");
            return Err(Error::new(
                "/process/oomScoreAdj",
                message,
                "proc_pid_oom_score_adj(5) has the scale",
            ));
        }
        if let Some(own) =
            draft.facts.rootless.as_ref().map(|rootless| rootless.oom_score_adj).filter(|own| value < *own)
        {
            let why = "it takes root of the machine to lower it";
            draft.notes.push(format!("/process/oomScoreAdj: stays {own} and not {value}: {why}"));
            return Ok(());
        }
        let (op, from) = (Op::SetOomScoreAdj { whose, value }, "/process/oomScoreAdj");
        let why = "who is ended first when memory runs out";
        match by {
            Side::Host => draft.host(op, from, why),
            Side::Init => draft.init(op, from, why),
        }
    }
    Ok(())
}

/// Resource limits.
pub(crate) fn limits(draft: &mut Draft) -> Result<(), Error> {
    let process = of(draft)?;
    let mut seen: Vec<&str> = Vec::new();
    for (index, rlimit) in process.rlimits.iter().enumerate() {
        let field = format!("/process/rlimits/{index}");
        let resource = RlimitResource::from_name(&rlimit.kind).ok_or_else(|| {
            let message = format!("unknown resource limit {:?}", rlimit.kind);
            Error::new(format!("{field}/type"), message, "`man 2 getrlimit` has the list")
        })?;
        if seen.contains(&resource.name()) {
            return Err(Error::new(field, format!("a second {}", resource.name()), "list each once"));
        }
        seen.push(resource.name());
        if rlimit.soft > rlimit.hard {
            let message = format!("soft limit {} is above hard limit {}", rlimit.soft, rlimit.hard);
            return Err(Error::new(field, message, "lower the soft limit"));
        }
        let op = Op::SetRlimit { resource, soft: rlimit.soft, hard: rlimit.hard };
        draft.init(op, field, "kept over execve(2)");
    }
    Ok(())
}

/// Makes the working directory where it is missing, as runc does for the first process of a container.
pub(crate) fn make_directory(draft: &mut Draft) -> Result<(), Error> {
    if let Some(path) = cwd(draft)? {
        let op = Op::MakeDirectory { path, mode: 0o755 };
        let cause = Cause::new("/process/cwd", "a working directory that is missing is made");
        draft.plan.init.push_tolerant(op, cause, &[Errno::EEXIST, Errno::EROFS]);
    }
    Ok(())
}

/// The working directory in its plain form; `None`: the root.
fn cwd(draft: &Draft) -> Result<Option<PathBuf>, Error> {
    let process = of(draft)?;
    if !process.cwd.is_absolute() {
        let message =
            format!("working directory {:?} is not an absolute path", process.cwd.display().to_string());
        return Err(Error::new("/process/cwd", message, "start it with a slash"));
    }
    let path = mounts::inside(&process.cwd);
    if path.is_none() && process.cwd.components().any(|c| c == std::path::Component::ParentDir) {
        let message = format!("working directory {} contains \"..\"", process.cwd.display());
        return Err(Error::new("/process/cwd", message, "write the path out"));
    }
    Ok(path)
}

/// Enters the working directory, and what goes with it: the umask, and who owns the standard streams.
pub(crate) fn directory(draft: &mut Draft) -> Result<(), Error> {
    let path = cwd(draft)?;
    let process = of(draft)?;
    let path = path.unwrap_or_else(|| "/".into());
    let op = Op::ChangeDirectory { path };
    draft.init(op, "/process/cwd", "and it is proven to lie inside the root (CVE-2024-21626)");
    let mask = process.user.umask.unwrap_or(0o022);
    if mask > 0o777 {
        let message = format!("{mask} (0{mask:o} in octal) is not from 0 to 0777");
        return Err(Error::new("/process/user/umask", message, "write it in decimal: 18 is 022"));
    }
    draft.init(
        Op::SetUmask { mask },
        "/process/user/umask",
        "until here everything got the mode it was given",
    );
    if process.user.uid != 0 {
        let cause = Cause::new("/process/user/uid", "so that it can open /dev/stdout again");
        let ignore = [Errno::EPERM, Errno::EINVAL, Errno::EROFS];
        let op = Op::OwnStdio { uid: process.user.uid, gid: process.user.gid };
        draft.plan.init.push_tolerant(op, cause, &ignore);
    }
    Ok(())
}

/// Who has no `HOME` in the environment gets that of the container's `/etc/passwd`, as runc and crun do it.
pub(crate) fn home(draft: &mut Draft) -> Result<(), Error> {
    let process = of(draft)?;
    let home = process.env.iter().rev().find_map(|entry| entry.strip_prefix("HOME="));
    if home.is_some_and(|home| !home.is_empty()) {
        return Ok(());
    }
    let op = Op::FindHome { uid: process.user.uid };
    draft.init(op, "/process/env", "there is no HOME in it, and programs expect one");
    Ok(())
}

/// Looks for the program while there is still somebody to tell that it is missing.
pub(crate) fn find(draft: &mut Draft) -> Result<(), Error> {
    let process = of(draft)?;
    let Some(name) = process.args.first().filter(|name| !name.is_empty()) else {
        return Err(Error::new("/process/args", "there is no command", "say what shall run"));
    };
    for (field, strings) in [("args", &process.args), ("env", &process.env)] {
        if let Some(index) = strings.iter().position(|text| text.contains('\0')) {
            let message = "a NUL byte inside; the kernel would cut the text there";
            return Err(Error::new(format!("/process/{field}/{index}"), message, "remove it"));
        }
    }
    // As execvp(3) does where the environment has no PATH.
    let path = process.env.iter().rev().find_map(|entry| entry.strip_prefix("PATH="));
    let search = path.unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").to_owned();
    draft.init(Op::FindProgram { name: name.clone(), search }, "/process/args/0", "as the user who runs it");
    Ok(())
}

/// Closes what was opened for the start, before anything is waited for: a container that was created and not started
/// yet holds nothing of the machine that those who look into it could use.
pub(crate) fn close_descriptors(draft: &mut Draft) {
    let op = Op::CloseDescriptors { from: 3 + draft.options.preserve_fds, keep: Vec::new() };
    draft.init(op, "default", "no descriptor of the machine reaches the container (CVE-2024-21626)");
}

/// Leaves open what the steps after that need.
pub(crate) fn keep_descriptors(script: &mut Script) {
    let place = script.0.iter().position(|step| matches!(step.op, Op::CloseDescriptors { .. }));
    let Some((step, rest)) = place.and_then(|place| script.0[place..].split_first_mut()) else { return };
    if let Op::CloseDescriptors { keep, .. } = &mut step.op {
        *keep = plan::check::needed(rest);
    }
}

/// The program's environment, with what the caller puts in its place. Of a variable that is there twice the last one
/// counts, as in runc: programs differ in which one they would take.
fn environment(process: &Process, ours: &[String]) -> Vec<String> {
    let name = |entry: &'_ str| entry.split('=').next().unwrap_or_default().to_owned();
    let mut seen = BTreeSet::new();
    let last_first = process.env.iter().chain(ours).rev().filter(|entry| seen.insert(name(entry)));
    let mut environment: Vec<String> = last_first.cloned().collect();
    environment.reverse();
    environment
}

/// The end of the plan.
pub(crate) fn exec(draft: &mut Draft) {
    let Some(process) = &draft.config.process else { return };
    let (args, env) = (process.args.clone(), environment(process, &draft.options.env));
    if draft.options.init {
        draft.init(Op::ExecUnderInit { args, env }, "--init", "a pid 1 that forwards signals and reaps");
    } else {
        draft.init(Op::Exec { args, env }, "/process/args", "init becomes the program");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_variable_the_last_counts() {
        let cases: [(&[&str], &[&str], &[&str]); 4] = [
            (&["A=1", "B=2"], &[], &["A=1", "B=2"]),
            (&["A=1", "B=2", "A=3"], &[], &["B=2", "A=3"]),
            (&["A=1", "B=2"], &["A=4"], &["B=2", "A=4"]),
            (&["A", "A=", "AB=1"], &[], &["A=", "AB=1"]),
        ];
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (env, ours, expect) in cases {
            let process = Process { env: owned(env), ..Process::default() };
            assert_eq!(environment(&process, &owned(ours)), owned(expect), "{env:?} and {ours:?}");
        }
    }
}
