use crate::unit::{Manager, Property, Unit};
use crate::{Constant, Hook, IdKind, Numbers, Op, Subject, Target, TreeSource};
use std::path::Path;

/// How close a shell command comes to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// It does the same.
    Exact,
    /// It does nearly the same; the reason says what differs.
    Approximate(&'static str),
    /// There is none; the reason says why.
    Impossible(&'static str),
}

/// A step as a line of shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellLine {
    /// The command; empty where there is none.
    pub command: String,
    /// How close it is.
    pub fidelity: Fidelity,
}

fn exact(command: String) -> ShellLine {
    ShellLine { command, fidelity: Fidelity::Exact }
}

fn nearly(command: String, reason: &'static str) -> ShellLine {
    ShellLine { command, fidelity: Fidelity::Approximate(reason) }
}

fn none(reason: &'static str) -> ShellLine {
    ShellLine { command: String::new(), fidelity: Fidelity::Impossible(reason) }
}

/// `busctl call` with the arguments of `StartTransientUnit`; systemd-run(1) moves no process that exists.
fn start_unit(unit: &Unit, properties: &[Property], takes_init: bool) -> String {
    let whose = if unit.manager == Manager::User { " --user" } else { "" };
    let mut texts: Vec<_> = properties.iter().map(Property::to_string).collect();
    texts.extend(takes_init.then(|| "PIDs au 1 $INIT".to_owned()));
    format!(
        "busctl{whose} call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
         StartTransientUnit 'ssa(sv)a(sa(sv))' {} replace {} {} 0",
        unit.name,
        texts.len(),
        texts.join(" "),
    )
}

const BY_PATH: &str = "a shell resolves the path as a string, where a container can swap a link in";

/// A step as a shell would do it, with `$ROOT` for the container's root.
#[must_use]
pub fn shell(op: &Op) -> ShellLine {
    match op {
        Op::MakeCgroup { directory } => exact(format!("mkdir -p {}", quote(directory))),
        Op::InheritCpuset { directory, .. } => nearly(
            format!(
                "cd {} && cat ../cpuset.cpus > cpuset.cpus && cat ../cpuset.mems > cpuset.mems",
                quote(directory)
            ),
            "the groups above may be empty, too",
        ),
        Op::WriteCgroup { file, value, .. } => {
            exact(format!("echo {} > {}", quote(Path::new(value)), quote(file)))
        }
        Op::AssignResctrl { group, makes: true, schemata, monitor: None } => {
            let (lines, group) = (schemata.join("\n"), quote(group));
            exact(format!(
                "mkdir {group} && echo {} > {group}/schemata && echo $INIT > {group}/tasks",
                quote(Path::new(&lines))
            ))
        }
        Op::AssignResctrl { group, .. } => nearly(
            format!("echo $INIT > {}/tasks", quote(group)),
            "its schemata are compared, and it is counted alone",
        ),
        Op::JoinCgroup { file } => exact(format!("echo $INIT > {}", quote(file))),
        Op::EnterCgroup { file } => exact(format!("echo 0 > {}", quote(file))),
        Op::OpenCgroup { .. } => none("a shell holds no such descriptor"),
        Op::StartUnit { unit, properties, takes_init } => {
            nearly(start_unit(unit, properties, *takes_init), "busctl does not wait until the unit runs")
        }
        Op::FilterDevices { .. } => none("an eBPF program has to be loaded"),
        Op::GiveCgroup { directory, uid } => nearly(
            format!("cd {} && chown {uid} . $(cat /sys/kernel/cgroup/delegate)", quote(directory)),
            "files that this group lacks are passed over",
        ),
        Op::OpenProc | Op::OpenNamespace { .. } => none("a shell holds no such descriptor"),
        Op::OpenCuddy => none("a shell holds no such descriptor"),
        Op::MakeIdMap { .. } => none("a shell cannot hold a user namespace that nobody is in"),
        Op::SetIdMap { .. } => none("mount(8) before 2.39 cannot map the owners of a mount"),
        Op::CopyMode { slot, path } => {
            nearly(format!("chmod --reference=$ROOT{} {}", quote(path), variable(&slot.to_string())), BY_PATH)
        }
        Op::CopyUp { slot, path, .. } => {
            nearly(format!("cp -ax $ROOT{}/. {}", quote(path), variable(&slot.to_string())), BY_PATH)
        }
        Op::NoteMount { .. } => none("a mount that has no place has no name for a shell"),
        Op::SetLabel { slot, label } => {
            exact(format!("chcon {} {}", quote(Path::new(label)), variable(&slot.to_string())))
        }
        Op::Reconfigure { path, options } => {
            nearly(format!("mount -o remount,{} $ROOT{}", words(options).join(","), quote(path)), BY_PATH)
        }
        Op::ChangeMount { path, set, propagation, .. } => {
            let mut words = vec!["remount".to_owned(), "bind".to_owned()];
            words.extend(Some(set.options()).filter(|words| !words.is_empty()));
            words.extend(propagation.map(|p| p.word().to_owned()));
            nearly(format!("mount -o {} $ROOT{}", words.join(","), quote(path)), BY_PATH)
        }
        Op::EnterNamespace { kind } => nearly(
            format!("nsenter --{}=FILE", kind.file_name()),
            "nsenter starts a program in it, the shell itself stays",
        ),
        Op::AdoptNamespace { kind } => nearly(
            format!("nsenter --{0}=/proc/$HOST/ns/{0}", kind.file_name()),
            "nsenter starts a program in it, the shell itself stays",
        ),
        Op::EnterTarget { .. } => {
            nearly("nsenter --all --target PID".to_owned(), "nsenter starts a program in them")
        }
        Op::OpenRoot { directory } => exact(format!("ROOT={}", quote(directory))),
        Op::OpenTargetRoot { pid } => nearly(format!("ROOT=/proc/{pid}/root"), BY_PATH),
        Op::Unshare { namespaces } => {
            nearly(unshare(namespaces), "unshare starts a program in it, the shell itself stays")
        }
        Op::Clone { namespaces, .. } => nearly(
            format!("{} --fork sh & INIT=$!", unshare(namespaces)),
            "the pid is unshare's, not that of its child",
        ),
        Op::WriteTimeOffsets { text } => exact(format!("printf {text:?} > /proc/self/timens_offsets")),
        Op::WriteIdMap { kind, text } => exact(format!(
            "printf {text:?} > /proc/$INIT/{}",
            match kind {
                IdKind::User => "uid_map",
                IdKind::Group => "gid_map",
            }
        )),
        Op::RunIdMapper { program, text, .. } => {
            let ids = text.split_whitespace().collect::<Vec<_>>().join(" ");
            exact(format!("{} $INIT {ids}", quote(program)))
        }
        Op::DenySetgroups => exact("echo deny > /proc/$INIT/setgroups".to_owned()),
        Op::ReturnTo { .. } => none("the shell itself never left it"),
        Op::Record { .. } => none("cuddy's own record of the container"),
        Op::RunHook { hook, .. } => nearly(run_hook(hook), "the state on standard input is cuddy's"),
        Op::Send { .. } | Op::Await { .. } | Op::AwaitStart => none("the two processes wait for each other"),
        Op::SetHostname { name } => exact(format!("hostname {}", quote(Path::new(name)))),
        Op::SetDomainname { name } => exact(format!("domainname {}", quote(Path::new(name)))),
        Op::LinkUp { interface } => exact(format!("ip link set {interface} up")),
        Op::OpenNetlink => none("a shell holds no such descriptor"),
        Op::MoveNetDevice { name, new_name, .. } => nearly(
            format!("ip link set {} netns $INIT name {}", quote(Path::new(name)), quote(Path::new(new_name))),
            "the addresses are lost and have to be given again, and it has to be brought up",
        ),
        Op::SetSysctl { name, value } => {
            exact(format!("echo {} > /proc/sys/{name}", quote(Path::new(value))))
        }
        Op::SetPropagation { recursive, propagation } => {
            exact(format!("mount --make-{}{} /", if *recursive { "r" } else { "" }, propagation.word()))
        }
        Op::NewMount { fstype, source, options, attr, slot } => {
            let mut words = words(options);
            words.extend(Some(attr.options()).filter(|words| !words.is_empty()));
            let options = if words.is_empty() { String::new() } else { format!(" -o {}", words.join(",")) };
            let source = source.as_deref().unwrap_or(fstype);
            nearly(
                format!(
                    "mount -t {fstype}{options} {} {}",
                    quote(Path::new(source)),
                    variable(&slot.to_string())
                ),
                "mount(8) needs a place for it at once",
            )
        }
        Op::MakeDirectories { slot, names } => {
            let slot = variable(&slot.to_string());
            exact(format!(
                "mkdir {}",
                names.iter().map(|name| format!("{slot}/{name}")).collect::<Vec<_>>().join(" ")
            ))
        }
        Op::CloneTree { source, recursive, slot } => {
            let source = match source {
                TreeSource::Path(path) => quote(path),
                TreeSource::Slot(from) => variable(&from.to_string()),
            };
            let bind = if *recursive { "--rbind" } else { "--bind" };
            nearly(
                format!("mount {bind} {source} {}", variable(&slot.to_string())),
                "mount(8) needs a place for it at once",
            )
        }
        Op::OpenNull => exact("[ \"$(stat -c %t:%T /dev/null)\" = 1:3 ]".to_owned()),
        Op::SetAttr { slot, set, propagation, .. } => {
            let mut words = vec!["remount".to_owned(), "bind".to_owned()];
            words.extend(Some(set.options()).filter(|words| !words.is_empty()));
            words.extend(propagation.map(|p| p.word().to_owned()));
            nearly(
                format!("mount -o {} {}", words.join(","), variable(&slot.to_string())),
                "mount(8) cannot do it for a tree at once, nor before the mount can be seen",
            )
        }
        Op::Attach { slot, target: Target::Host(path) } => {
            exact(format!("mount --move {} {}", variable(&slot.to_string()), quote(path)))
        }
        Op::Attach { slot, target: Target::Inside { path, .. } } => {
            nearly(format!("mount --move {} $ROOT{}", variable(&slot.to_string()), quote(path)), BY_PATH)
        }
        Op::Mask { path } => nearly(
            format!("mount --bind /dev/null $ROOT{0} || mount -t tmpfs -o ro tmpfs $ROOT{0}", quote(path)),
            BY_PATH,
        ),
        Op::MakeReadOnly { path } => {
            nearly(format!("mount --rbind -o ro $ROOT{0} $ROOT{0}", quote(path)), BY_PATH)
        }
        Op::MakeRootReadOnly => exact("mount -o remount,bind,ro $ROOT".to_owned()),
        Op::MakeDirectory { path, mode } => {
            nearly(format!("mkdir -p -m {mode:o} $ROOT{}", quote(path)), BY_PATH)
        }
        Op::Detach { place } => exact(format!("umount -l {}", quote(place))),
        Op::MakeDevice { within, path, kind, major, minor, mode, .. } => nearly(
            format!(
                "mknod -m {mode:o} {}{} {} {major} {minor}",
                variable(&within.to_string()),
                quote(path),
                spec::DeviceRule::letter(*kind)
            ),
            BY_PATH,
        ),
        Op::MakeSymlink { target, path } => nearly(format!("ln -s {target} $ROOT{}", quote(path)), BY_PATH),
        Op::PivotRoot => exact("cd $ROOT && pivot_root . . && umount -l . && cd /".to_owned()),
        Op::MoveRoot => {
            nearly("mount --move $ROOT / && chroot $ROOT".to_owned(), "chroot(8) starts a program in it")
        }
        Op::Chroot => nearly("chroot $ROOT".to_owned(), "chroot(8) starts a program in it"),
        Op::OpenTerminal { .. } | Op::SendConsole | Op::UseTerminal => {
            none("a shell cannot open a pseudo terminal")
        }
        Op::SetNotDumpable => none("a shell cannot change that attribute of itself"),
        Op::ResetSignals => {
            nearly("trap - $(seq 1 64)".to_owned(), "a shell cannot reset what was ignored at its start")
        }
        Op::NewSession => nearly("setsid PROGRAM".to_owned(), "setsid(1) starts a program in it"),
        Op::NewKeyring { name } => {
            nearly(format!("keyctl session {name} PROGRAM"), "keyctl(1) starts a program in it")
        }
        Op::SetRlimit { resource, soft, hard } => nearly(
            format!(
                "prlimit --pid $$ --{}={}:{}",
                resource.name().trim_start_matches("RLIMIT_").to_lowercase(),
                crate::words::limit(*soft),
                crate::words::limit(*hard)
            ),
            "the shell's own children get it, too",
        ),
        Op::SetOomScoreAdj { value } => exact(format!("echo {value} > /proc/self/oom_score_adj")),
        Op::SetScheduler { .. } | Op::SetIoPriority { .. } => scheduling(op),
        Op::SetAffinity { cpus } => exact(format!("taskset --cpu-list --pid {cpus} $$")),
        Op::ResetAffinity => exact("taskset --cpu-list --pid 0-$(($(nproc --all) - 1)) $$".to_owned()),
        Op::SetPersonality { domain } => nearly(
            format!("setarch {}", if domain.value == 0 { "$(uname -m)" } else { "linux32" }),
            "setarch(8) starts a program with it",
        ),
        Op::SetMemoryPolicy { mode, flags, nodes } => memory_policy(*mode, flags, nodes),
        Op::SetSecurityAttribute { attribute, value, .. } => nearly(
            format!("echo {} > /proc/self/{attribute}", quote(Path::new(value))),
            "the shell's own children get it, too",
        ),
        Op::SetUmask { mask } => exact(format!("umask {mask:04o}")),
        Op::OwnStdio { uid, gid } => exact(format!("chown {uid}:{gid} /proc/self/fd/[012]")),
        Op::DropBounding { .. }
        | Op::KeepCapabilities
        | Op::SetCapabilities { .. }
        | Op::SetAmbient { .. } => nearly(capabilities(op), "capsh starts a program with them"),
        Op::SetGroups { .. } | Op::SetGid { .. } | Op::SetUid { .. } => {
            nearly(format!("setpriv {}", ids(op)), "setpriv starts a program with them")
        }
        Op::ChangeDirectory { path } => {
            nearly(format!("cd {}", quote(path)), "a shell does not prove that it is inside")
        }
        Op::FindHome { uid } => exact(format!(
            "HOME=$(awk -F: '$3 == {uid} {{ print $6; exit }}' /etc/passwd); export HOME=${{HOME:-/}}"
        )),
        Op::FindProgram { name, .. } => exact(format!("command -v {}", quote(Path::new(name)))),
        Op::PassDescriptors { .. } => none("a shell holds no such descriptor"),
        Op::CloseDescriptors { .. } => none("a shell cannot close descriptors it does not know"),
        Op::SetNoNewPrivileges => {
            nearly("setpriv --no-new-privs".to_owned(), "setpriv starts a program with it")
        }
        Op::Restrict { .. } => none("a shell cannot restrict itself with Landlock"),
        Op::SetSeccomp { .. } => none("a shell cannot load a system call filter"),
        Op::OfferListener | Op::TakeListener | Op::SendListener { .. } => {
            none("a shell cannot pass a descriptor on")
        }
        Op::Exec { args, env } => exec("env -i", args, env),
        Op::ExecUnderInit { args, env } => exec("env -i cuddy-init", args, env),
    }
}

/// Options of a file system as mount(8) takes them.
fn words(options: &[(String, Option<String>)]) -> Vec<String> {
    let word = |(key, value): &(String, Option<String>)| {
        value.as_ref().map_or_else(|| key.clone(), |value| format!("{key}={value}"))
    };
    options.iter().map(word).collect()
}

/// What chrt(1) and ionice(1) take.
fn scheduling(op: &Op) -> ShellLine {
    match op {
        Op::SetScheduler { whose, policy, nice, priority, runtime, deadline, period, .. } => {
            let pid = of(*whose);
            let name = policy.name.trim_start_matches("SCHED_").to_lowercase();
            let times = match policy.name {
                "SCHED_DEADLINE" => {
                    format!(" --sched-runtime {runtime} --sched-deadline {deadline} --sched-period {period}")
                }
                _ => String::new(),
            };
            let renice = if *nice == 0 { String::new() } else { format!(" && renice -n {nice} {pid}") };
            nearly(
                format!("chrt --{name}{times} --pid {priority} {pid}{renice}"),
                "the shell's own children get it, too",
            )
        }
        Op::SetIoPriority { whose, class, level } => {
            let pid = of(*whose);
            nearly(
                format!("ionice -c {} -n {level} -p {pid}", class.value),
                "the shell's own children get it, too",
            )
        }
        _ => unreachable!("not about scheduling"),
    }
}

fn of(whose: Subject) -> &'static str {
    match whose {
        Subject::Itself => "$$",
        Subject::Init => "$INIT",
    }
}

fn memory_policy(mode: Constant, flags: &[Constant], nodes: &Numbers) -> ShellLine {
    let option = match mode.name {
        "MPOL_DEFAULT" => return none("numactl(8) cannot take a policy back"),
        "MPOL_BIND" => format!("--membind={nodes}"),
        "MPOL_INTERLEAVE" => format!("--interleave={nodes}"),
        "MPOL_WEIGHTED_INTERLEAVE" => format!("--weighted-interleave={nodes}"),
        "MPOL_PREFERRED" => format!("--preferred={nodes}"),
        "MPOL_PREFERRED_MANY" => format!("--preferred-many={nodes}"),
        _ => "--localalloc".to_owned(),
    };
    let balancing =
        if flags.iter().any(|flag| flag.name == "MPOL_F_NUMA_BALANCING") { "--balancing " } else { "" };
    nearly(format!("numactl {balancing}{option}"), "numactl(8) starts a program with it")
}

fn run_hook(hook: &Hook) -> String {
    let mut words: Vec<String> =
        hook.directory.iter().map(|place| format!("cd {} &&", quote(place))).collect();
    if let Some(env) = &hook.env {
        words.push("env -i".to_owned());
        words.extend(env.iter().map(|entry| quote(Path::new(entry))));
    }
    words.extend(hook.timeout.map(|seconds| format!("timeout --signal KILL {seconds}")));
    words.push(quote(&hook.path));
    words.extend(hook.args.iter().skip(1).map(|arg| quote(Path::new(arg))));
    format!("(echo $STATE | {})", words.join(" "))
}

fn exec(prefix: &str, args: &[String], env: &[String]) -> ShellLine {
    let words: Vec<_> = env.iter().chain(args).map(|word| quote(Path::new(word))).collect();
    exact(format!("exec {prefix} {}", words.join(" ")))
}

fn capabilities(op: &Op) -> String {
    let names =
        |set: &spec::CapabilitySet| set.iter().map(|c| c.name().to_lowercase()).collect::<Vec<_>>().join(",");
    match op {
        Op::DropBounding { drop } => format!("capsh --drop={}", names(drop)),
        Op::KeepCapabilities => "capsh --keep=1".to_owned(),
        Op::SetAmbient { raise } => format!("capsh --noamb --addamb={}", names(raise)),
        Op::SetCapabilities { effective, permitted, inheritable } => {
            format!("capsh --caps='{}=e {}=p {}=i'", names(effective), names(permitted), names(inheritable))
        }
        _ => unreachable!("not about capabilities"),
    }
}

fn ids(op: &Op) -> String {
    match op {
        Op::SetGroups { groups } if groups.is_empty() => "--clear-groups".to_owned(),
        Op::SetGroups { groups } => {
            format!("--groups {}", groups.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
        }
        Op::SetGid { gid } => format!("--regid {gid}"),
        Op::SetUid { uid } => format!("--reuid {uid}"),
        _ => unreachable!("not about ids"),
    }
}

fn unshare(namespaces: &[spec::NamespaceKind]) -> String {
    let mut words = vec!["unshare".to_owned()];
    words.extend(namespaces.iter().map(|kind| match kind {
        spec::NamespaceKind::Mount => "--mount".to_owned(),
        other => format!("--{}", other.file_name()),
    }));
    words.join(" ")
}

/// A slot as a shell variable: `$mount_3` is `$MOUNT_3`.
fn variable(slot: &str) -> String {
    slot.to_uppercase()
}

/// A word that the shell takes as it stands.
fn quote(word: &Path) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
