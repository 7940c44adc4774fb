//! Where and when the process runs, and where its memory is.

use crate::{Draft, Error};
use plan::{
    Constant, IO_CLASSES, MEMORY_FLAGS, MEMORY_MODES, Numbers, Op, PERSONALITIES, SCHEDULING_FLAGS,
    SCHEDULING_POLICIES, Subject,
};
use spec::{IoPriority, MemoryPolicy, NamespaceKind, Personality, Scheduler};

/// The highest processor that any kernel has (`CONFIG_NR_CPUS`), and the highest memory node (`NODES_SHIFT`).
const LAST_PROCESSOR: u32 = 8191;
const LAST_NODE: u32 = 1023;

const SCHEDULER: &str = "/process/scheduler";
const IO_PRIORITY: &str = "/process/ioPriority";
const AFFINITY: &str = "/process/execCPUAffinity";
const MEMORY: &str = "/linux/memoryPolicy";
const PERSONALITY: &str = "/linux/personality";

/// What takes privileges over the machine. In a user namespace init has none, so there the host does it, once
/// init is in its groups.
pub(crate) fn by_host(draft: &mut Draft) -> Result<(), Error> {
    if draft.namespaces.has(NamespaceKind::User) {
        for (op, from, why) in privileged(draft, Subject::Init)? {
            draft.host(op, from, why);
        }
    }
    Ok(())
}

/// The first process of a container. It is in its groups: a cpuset decides which processors there are.
pub(crate) fn of_init(draft: &mut Draft) -> Result<(), Error> {
    draft.init(
        Op::ResetAffinity,
        "default",
        "the processors that the caller was kept on are not the container's",
    );
    if !draft.namespaces.has(NamespaceKind::User) {
        for (op, from, why) in privileged(draft, Subject::Itself)? {
            draft.init(op, from, why);
        }
    }
    memory_and_personality(draft)
}

/// One more process, up to its birth: it starts where its parent is.
pub(crate) fn before_exec(draft: &mut Draft) -> Result<(), Error> {
    let (initial, _) = affinity(draft)?;
    if let Some(cpus) = initial {
        draft.host(Op::SetAffinity { cpus }, AFFINITY, "children begin on the processors of who makes them");
    }
    Ok(())
}

/// One more process, in its groups and not yet in the container's user namespace.
pub(crate) fn of_exec(draft: &mut Draft) -> Result<(), Error> {
    match affinity(draft)? {
        (_, Some(cpus)) => {
            draft.init(Op::SetAffinity { cpus }, AFFINITY, "from now on, as it is in its groups")
        }
        (None, None) => {
            draft.init(
                Op::ResetAffinity,
                "default",
                "the processors that the caller was kept on are not the container's",
            );
        }
        // "If omitted or empty, runtime SHOULD NOT change process' CPU affinity".
        (Some(_), None) => {}
    }
    for (op, from, why) in privileged(draft, Subject::Itself)? {
        draft.init(op, from, why);
    }
    memory_and_personality(draft)
}

type Cause = (Op, &'static str, &'static str);

fn privileged(draft: &Draft, whose: Subject) -> Result<Vec<Cause>, Error> {
    let process = crate::process::of(draft)?;
    let mut steps = Vec::new();
    if let Some(scheduler) = &process.scheduler {
        steps.push((scheduling(scheduler, whose)?, SCHEDULER, "kept over execve(2), and by children"));
    }
    if let Some(priority) = &process.io_priority {
        steps.push((io_priority(priority, whose)?, IO_PRIORITY, "kept over execve(2), and by children"));
    }
    Ok(steps)
}

fn memory_and_personality(draft: &mut Draft) -> Result<(), Error> {
    if let Some(policy) = &draft.linux.memory_policy {
        draft.init(memory_policy(policy)?, MEMORY, "its nodes are those of the cpuset that it is in");
    }
    if let Some(personality) = &draft.linux.personality {
        draft.init(domain(personality)?, PERSONALITY, "kept over execve(2)");
    }
    Ok(())
}

/// The constant that a field names, or an error with all that there are.
fn named(table: &[Constant], field: impl Into<String>, what: &str, name: &str) -> Result<Constant, Error> {
    Constant::named(table, name).ok_or_else(|| {
        let known: Vec<_> = table.iter().map(|constant| constant.name).collect();
        Error::new(field, format!("unknown {what} {name:?}"), format!("it is one of {}", known.join(", ")))
    })
}

fn all_named(table: &[Constant], field: &str, names: &[String]) -> Result<Vec<Constant>, Error> {
    let each = names.iter().enumerate();
    each.map(|(index, name)| named(table, format!("{field}/flags/{index}"), "flag", name)).collect()
}

fn scheduling(scheduler: &Scheduler, whose: Subject) -> Result<Op, Error> {
    let Scheduler { nice, priority, period, .. } = *scheduler;
    let [runtime, deadline] = [scheduler.runtime, scheduler.deadline].map(Option::unwrap_or_default);
    let policy =
        named(&SCHEDULING_POLICIES, format!("{SCHEDULER}/policy"), "scheduling policy", &scheduler.policy)?;
    let refuse = |field: &str, message: String, hint: &str| {
        Err(Error::new(format!("{SCHEDULER}/{field}"), message, hint))
    };
    let (real_time, by_deadline) =
        (["SCHED_FIFO", "SCHED_RR"].contains(&policy.name), policy.name == "SCHED_DEADLINE");
    if ["SCHED_OTHER", "SCHED_BATCH"].contains(&policy.name) && !(-20..=19).contains(&nice) {
        return refuse("nice", format!("{nice} is not from -20 to 19"), "-20 is the best, 19 the worst");
    }
    if priority != 0 && !real_time {
        let message = format!("{priority} is a priority for SCHED_FIFO or SCHED_RR, not for {}", policy.name);
        return refuse("priority", message, "drop it, or choose one of these policies");
    }
    if real_time && !(1..=99).contains(&priority) {
        return refuse(
            "priority",
            format!("{priority} is not from 1 to 99"),
            "1 is the lowest, 99 the highest",
        );
    }
    for (field, time) in [("runtime", runtime), ("deadline", deadline), ("period", period)] {
        if time != 0 && !by_deadline {
            let message = format!("{time} is a time for SCHED_DEADLINE, not for {}", policy.name);
            return refuse(field, message, "drop it, or choose that policy");
        }
    }
    if by_deadline {
        deadlines(scheduler)?;
    }
    let flags = all_named(&SCHEDULING_FLAGS, SCHEDULER, &scheduler.flags)?;
    let priority = u32::try_from(priority).unwrap_or_default();
    Ok(Op::SetScheduler { whose, policy, flags, nice, priority, runtime, deadline, period })
}

/// sched(7): runtime ≤ deadline ≤ period, each at least 1024 ns and below 2⁶³; no period: the deadline. In the words of
/// crun, which other programs look for.
fn deadlines(scheduler: &Scheduler) -> Result<(), Error> {
    let refuse = |field: &str, what: String| {
        let message = format!("sched_setattr: `SCHED_DEADLINE` {what}");
        let hint = "in nanoseconds, runtime <= deadline <= period";
        Err(Error::new(format!("{SCHEDULER}/{field}"), message, hint))
    };
    let mut times = Vec::new();
    for (field, time) in [("runtime", scheduler.runtime), ("deadline", scheduler.deadline)] {
        match time {
            None => return refuse(field, format!("requires `{field}`")),
            Some(0) => return refuse(field, format!("{field} must be greater than 0")),
            Some(time) => times.push((field, time)),
        }
    }
    times.extend((scheduler.period != 0).then_some(("period", scheduler.period)));
    for (field, time) in &times {
        if !(1024..1 << 63).contains(time) {
            return refuse(field, format!("{field} {time} must be between 1024 and 2^63 - 1"));
        }
    }
    for pair in times.windows(2) {
        let [(less, least), (more, most)] = [pair[0], pair[1]];
        if least > most {
            return refuse(less, format!("{less} {least} must be <= {more} {most}"));
        }
    }
    Ok(())
}

fn io_priority(priority: &IoPriority, whose: Subject) -> Result<Op, Error> {
    let class = named(&IO_CLASSES, format!("{IO_PRIORITY}/class"), "I/O scheduling class", &priority.class)?;
    let level = u8::try_from(priority.priority).ok().filter(|level| *level <= 7).ok_or_else(|| {
        let message = format!("{} is not from 0 to 7", priority.priority);
        Error::new(format!("{IO_PRIORITY}/priority"), message, "0 is the highest, 7 the lowest")
    })?;
    Ok(Op::SetIoPriority { whose, class, level })
}

/// The processors to start on and those to stay on. An empty list is none.
fn affinity(draft: &Draft) -> Result<(Option<Numbers>, Option<Numbers>), Error> {
    let Some(affinity) = &crate::process::of(draft)?.exec_cpu_affinity else { return Ok((None, None)) };
    let read = |field: &str, list: &Option<String>| match list.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => numbers(&format!("{AFFINITY}/{field}"), text, LAST_PROCESSOR).map(Some),
    };
    Ok((read("initial", &affinity.initial)?, read("final", &affinity.last)?))
}

fn numbers(field: &str, text: &str, highest: u32) -> Result<Numbers, Error> {
    Numbers::parse(text, highest).ok_or_else(|| {
        let message = format!("{text:?} is not a list like 0-3,7");
        Error::new(field, message, format!("the highest number is {highest}"))
    })
}

fn memory_policy(policy: &MemoryPolicy) -> Result<Op, Error> {
    let mode = named(&MEMORY_MODES, format!("{MEMORY}/mode"), "memory policy", &policy.mode)?;
    let flags = all_named(&MEMORY_FLAGS, MEMORY, &policy.flags)?;
    let nodes = match policy.nodes.as_str() {
        "" => Numbers::default(),
        text => numbers(&format!("{MEMORY}/nodes"), text, LAST_NODE)?,
    };
    let refuse = |field: &str, message: String, hint: &str| {
        Err(Error::new(format!("{MEMORY}/{field}"), message, hint))
    };
    match mode.name {
        "MPOL_DEFAULT" | "MPOL_LOCAL" if !nodes.is_empty() => {
            return refuse("nodes", format!("{} takes no nodes", mode.name), "drop them");
        }
        "MPOL_DEFAULT" | "MPOL_LOCAL" | "MPOL_PREFERRED" => {}
        _ if nodes.is_empty() => {
            return refuse(
                "nodes",
                format!("{} needs at least one node", mode.name),
                "name it like 0 or 0-3",
            );
        }
        _ => {}
    }
    let has = |name| flags.iter().any(|flag| flag.name == name);
    if has("MPOL_F_STATIC_NODES") && has("MPOL_F_RELATIVE_NODES") {
        let message = "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other".to_owned();
        return refuse("flags", message, "name one of them");
    }
    Ok(Op::SetMemoryPolicy { mode, flags, nodes })
}

fn domain(personality: &Personality) -> Result<Op, Error> {
    if let Some(flag) = personality.flags.first() {
        let message = format!("unknown flag {flag:?}");
        return Err(Error::new(format!("{PERSONALITY}/flags/0"), message, "the specification has none yet"));
    }
    let field = format!("{PERSONALITY}/domain");
    Ok(Op::SetPersonality { domain: named(&PERSONALITIES, field, "execution domain", &personality.domain)? })
}
