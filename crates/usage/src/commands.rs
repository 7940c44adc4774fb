use crate::{Command, Opt, options::*};

/// Every command, by name.
pub const COMMANDS: &[Command] = &[
    Command {
        summary: "save the state of a running container",
        about: "The program criu saves the container's processes in files, from which restore makes them again. Unless \
                it is told to run on, the container is deleted then.",
        ..on_container("checkpoint", CHECKPOINT)
    },
    Command {
        summary: "create a container",
        about: "Makes everything of the container but its program, which waits for start.",
        ..on_container("create", CREATE)
    },
    Command {
        summary: "delete a container that has ended",
        about: "Removes its cgroups and its state. One that was created and not started is ended.",
        ..on_container("delete", &[FORCE, REGEX])
    },
    Command {
        summary: "print what happens in a container",
        about: "Prints a line of JSON for the statistics of its cgroups, time and again, and one whenever the kernel \
                kills a process of it for lack of memory. Ends with the container.",
        ..on_container("events", &[INTERVAL, STATS])
    },
    Command {
        operands: "ID COMMAND [ARG...]",
        summary: "run one more program in a container",
        about: "Options stand before ID; what follows it is for the program. Its exit code is that of the program, or \
                255 when it could not be started.",
        passes_on: true,
        ..on_container("exec", EXEC)
    },
    Command {
        operands: "",
        summary: "print what this runtime can do",
        about: "Prints the features document of the OCI runtime specification, as JSON.",
        ..on_container("features", &[])
    },
    Command {
        operands: "ID [SIGNAL]",
        summary: "send a signal to a container",
        about: "The signal is a name or a number, TERM if left out. It goes to the container's first process; KILL to \
                all of them where they have no pid namespace of their own.",
        ..on_container("kill", &[ALL])
    },
    Command {
        operands: "",
        summary: "list the containers",
        about: "Lists the containers below --root.",
        ..on_container("list", &[FORMAT, QUIET])
    },
    Command {
        summary: "stop all processes of a container where they stand",
        about: "They are frozen by their cgroup, and go on with resume.",
        ..on_container("pause", &[])
    },
    Command {
        operands: "ID [PS-OPTION...]",
        summary: "list the processes of a container",
        about: "Runs ps(1) with the options after ID, -ef if there are none, and shows the lines of the container's \
                processes. --format json prints their pids.",
        passes_on: true,
        ..on_container("ps", &[FORMAT])
    },
    Command {
        summary: "make a container from a checkpoint",
        about: "The program criu makes the processes that checkpoint saved.",
        ..on_container("restore", RESTORE)
    },
    Command { summary: "let a paused container go on", about: "", ..on_container("resume", &[]) },
    Command {
        summary: "create a container and start it",
        about: "Waits for its end, passes signals on to it and relays its terminal; its exit code is that of the \
                program. Then the container is deleted.",
        ..on_container("run", RUN)
    },
    Command {
        operands: "",
        summary: "write a config.json to begin with",
        about: "The container of it runs sh. Refuses to overwrite one that is there.",
        ..on_container("spec", &[BUNDLE, FOR_ROOTLESS])
    },
    Command { summary: "start the program of a created container", about: "", ..on_container("start", &[]) },
    Command {
        summary: "print the state of a container",
        about: "Prints JSON: the state of the OCI runtime specification, with the root file system and the time of \
                creation. The status is creating, created, running, paused or stopped.",
        ..on_container("state", &[])
    },
    Command {
        summary: "change the limits of a container",
        about: "Limits that are not given stay as they are.",
        ..on_container("update", UPDATE)
    },
];

const fn on_container(name: &'static str, options: &'static [Opt]) -> Command {
    Command { name, operands: "ID", summary: "", about: "", options, passes_on: false }
}

const CREATE: &[Opt] =
    &[BUNDLE, CONFIG, CONSOLE_SOCKET, PIDFD_SOCKET, PID_FILE, NO_PIVOT, NO_NEW_KEYRING, PRESERVE_FDS];

const RUN: &[Opt] = &[
    BUNDLE,
    CONFIG,
    CONSOLE_SOCKET,
    PIDFD_SOCKET,
    PID_FILE,
    DETACH,
    KEEP,
    NO_SUBREAPER,
    NO_PIVOT,
    NO_NEW_KEYRING,
    PRESERVE_FDS,
];

const EXEC: &[Opt] = &[
    PROCESS,
    CWD,
    ENV,
    TTY,
    USER,
    ADDITIONAL_GIDS,
    CAP,
    NO_NEW_PRIVS,
    PROCESS_LABEL,
    APPARMOR,
    CGROUP,
    IGNORE_PAUSED,
    DETACH,
    PID_FILE,
    CONSOLE_SOCKET,
    PIDFD_SOCKET,
    PRESERVE_FDS,
];

const UPDATE: &[Opt] = &[
    RESOURCES,
    BLKIO_WEIGHT,
    CPU_PERIOD,
    CPU_QUOTA,
    CPU_BURST,
    CPU_RT_PERIOD,
    CPU_RT_RUNTIME,
    CPU_SHARE,
    CPU_IDLE,
    CPUSET_CPUS,
    CPUSET_MEMS,
    MEMORY,
    MEMORY_RESERVATION,
    MEMORY_SWAP,
    KERNEL_MEMORY,
    KERNEL_MEMORY_TCP,
    PIDS_LIMIT,
    L3_CACHE_SCHEMA,
    MEM_BW_SCHEMA,
];

const CHECKPOINT: &[Opt] = &[
    IMAGE_PATH,
    WORK_PATH,
    PARENT_PATH,
    LEAVE_RUNNING,
    TCP_ESTABLISHED,
    TCP_SKIP_IN_FLIGHT,
    LINK_REMAP,
    EXT_UNIX_SK,
    SHELL_JOB,
    LAZY_PAGES,
    STATUS_FD,
    PAGE_SERVER,
    FILE_LOCKS,
    PRE_DUMP,
    MANAGE_CGROUPS_MODE,
    EMPTY_NS,
    AUTO_DEDUP,
];

const RESTORE: &[Opt] = &[
    BUNDLE,
    CONSOLE_SOCKET,
    PID_FILE,
    DETACH,
    NO_SUBREAPER,
    NO_PIVOT,
    IMAGE_PATH,
    WORK_PATH,
    TCP_ESTABLISHED,
    EXT_UNIX_SK,
    SHELL_JOB,
    FILE_LOCKS,
    MANAGE_CGROUPS_MODE,
    EMPTY_NS,
    AUTO_DEDUP,
    LAZY_PAGES,
    LSM_PROFILE,
    LSM_MOUNT_CONTEXT,
];
