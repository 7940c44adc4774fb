//! The command line as clap reads it: text, not yet understood. [`crate::lower`] makes sense of it.

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Containers from root file systems, without a daemon.
#[derive(Debug, Parser)]
#[command(name = "cuddy", version, disable_help_subcommand = true, args_override_self = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command knows.
#[derive(Debug, Args)]
pub struct Global {
    /// Where what outlives a container is kept: /var/lib/cuddy, or for who is not root $XDG_DATA_HOME/cuddy
    #[arg(long, value_name = "DIR", env = "CUDDY_ROOT", hide_env_values = true)]
    pub root: Option<PathBuf>,
    /// Where what a reboot takes away is kept: /run/cuddy, or for who is not root $XDG_RUNTIME_DIR/cuddy
    #[arg(long, value_name = "DIR", env = "CUDDY_RUN_ROOT", hide_env_values = true)]
    pub run_root: Option<PathBuf>,
    /// How much cuddy says about itself
    #[arg(long, value_name = "LEVEL", env = "CUDDY_LOG_LEVEL", hide_env_values = true)]
    #[arg(default_value = "warn", ignore_case = true)]
    pub log_level: LogLevel,
}

/// How much cuddy says about itself, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Why it failed
    Error,
    /// And what it could not do as usual
    Warn,
    /// And what it does
    Info,
    /// And how
    Debug,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArgs>),
    /// Show what a command would do to the kernel, and change nothing
    #[command(subcommand)]
    Explain(Explain),
    /// Show the version
    Version,
}

#[derive(Debug, Subcommand)]
pub enum Explain {
    Run(Box<ExplainRunArgs>),
}

/// `cuddy explain run`.
#[derive(Debug, Args)]
#[command(about = "Show the steps that `cuddy run` would take", before_help = ROOT_HELP, disable_help_flag = true)]
#[command(override_usage = "cuddy explain run [OPTIONS] ROOT [COMMAND [ARG...]]")]
#[command(after_help = "Example:\n  cuddy explain run --format shell --memory 200m host: sh")]
pub struct ExplainRunArgs {
    /// System calls as strace shows them, a shell script, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "syscall")]
    pub format: Format,
    #[command(flatten)]
    pub run: RunArgs,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// System calls, as strace shows them
    Syscall,
    /// A shell script, as far as a shell can
    Shell,
    /// The plan as data
    Json,
}

const CONTAINER: &str = "The container";
const PROCESS: &str = "The command";
const FILES: &str = "Files";
const LIMITS: &str = "Limits";
const PRIVILEGES: &str = "Privileges";
const NAMESPACES: &str = "Namespaces";

/// `cuddy run`. Options stop at ROOT: what follows belongs to the command.
#[derive(Debug, Args)]
#[command(about = "Run a command in a new container", before_help = ROOT_HELP, disable_help_flag = true)]
#[command(override_usage = "cuddy run [OPTIONS] ROOT [COMMAND [ARG...]]")]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// ROOT and the command. One list, so that options stop at ROOT.
    #[arg(value_name = "ROOT", num_args = 0.., trailing_var_arg = true, hide = true)]
    pub root_and_command: Vec<String>,

    /// A name for the container, else one is made up
    #[arg(long, help_heading = CONTAINER)]
    pub name: Option<String>,
    /// Keep nothing when it ends
    #[arg(long, help_heading = CONTAINER)]
    pub rm: bool,
    /// Write into the root directory itself, not into a layer above it that is thrown away
    #[arg(long, help_heading = CONTAINER, conflicts_with = "read_only")]
    pub root_rw: bool,
    /// Make the root file system read-only
    #[arg(long, help_heading = CONTAINER)]
    pub read_only: bool,
    /// Signal that stops the container: `SIGTERM`, `RTMIN+3`
    #[arg(long, value_name = "SIGNAL", help_heading = CONTAINER)]
    pub stop_signal: Option<String>,
    /// Show this help
    #[arg(long, action = ArgAction::Help, help_heading = CONTAINER)]
    pub help: Option<bool>,

    /// Pass standard input on to the command
    #[arg(short, long, help_heading = PROCESS)]
    pub interactive: bool,
    /// Give the command a terminal
    #[arg(short, long, help_heading = PROCESS)]
    pub tty: bool,
    /// Set a variable: `NAME=value`, or `NAME` for the value it has here
    #[arg(short, long, value_name = "NAME[=VALUE]", help_heading = PROCESS)]
    pub env: Vec<String>,
    /// Set the variables in a file of `NAME=value` lines
    #[arg(long, value_name = "FILE", help_heading = PROCESS)]
    pub env_file: Vec<PathBuf>,
    /// Working directory
    #[arg(short, long, value_name = "PATH", help_heading = PROCESS)]
    pub workdir: Option<String>,
    /// Who runs the command: `web`, `1000`, `1000:adm`
    #[arg(short, long, value_name = "USER[:GROUP]", help_heading = PROCESS)]
    pub user: Option<String>,
    /// Run this, with COMMAND as its arguments
    #[arg(long, value_name = "PROGRAM", help_heading = PROCESS)]
    pub entrypoint: Option<String>,
    /// Run the command below a small init that passes signals on and reaps
    #[arg(long, help_heading = PROCESS)]
    pub init: bool,
    /// Limit of a resource, setrlimit(2): `nofile=1024:2048`
    #[arg(long, value_name = "NAME=SOFT[:HARD]", help_heading = PROCESS)]
    pub ulimit: Vec<String>,
    /// How early the kernel ends it when memory runs out, from -1000 to 1000
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = PROCESS)]
    pub oom_score_adj: Option<String>,

    /// Show a host file or directory in the container: `./conf:/etc/conf:ro`
    #[arg(short, long, value_name = "SOURCE:TARGET[:OPTIONS]", help_heading = FILES)]
    pub volume: Vec<String>,
    /// The same in long: `type=bind,source=./conf,target=/etc/conf,readonly`
    #[arg(long, value_name = "KEY=VALUE,...", help_heading = FILES)]
    pub mount: Vec<String>,
    /// A file system in memory: `/run:size=64m,mode=1777`
    #[arg(long, value_name = "TARGET[:OPTIONS]", help_heading = FILES)]
    pub tmpfs: Vec<String>,
    /// Size of /dev/shm: `256m`
    #[arg(long, value_name = "BYTES", help_heading = FILES)]
    pub shm_size: Option<String>,
    /// Give the container a device: `/dev/fuse`, `/dev/sda:/dev/xvda:r`
    #[arg(long, value_name = "HOST[:CONTAINER][:rwm]", help_heading = FILES)]
    pub device: Vec<String>,

    /// Memory: `200m`, `1.5g`
    #[arg(short, long, value_name = "BYTES", help_heading = LIMITS)]
    pub memory: Option<String>,
    /// Memory and swap together, -1 for no limit; the same as --memory turns swap off
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true, help_heading = LIMITS)]
    pub memory_swap: Option<String>,
    /// Memory that is left to it when the machine runs short
    #[arg(long, value_name = "BYTES", help_heading = LIMITS)]
    pub memory_reservation: Option<String>,
    /// Processor time: `0.5` is half of one processor
    #[arg(long, value_name = "NUMBER", help_heading = LIMITS)]
    pub cpus: Option<String>,
    /// Share of processor time under load, from 2 to 262144; others have 1024
    #[arg(short, long, value_name = "NUMBER", help_heading = LIMITS)]
    pub cpu_shares: Option<String>,
    /// Processors it runs on: `0-3,7`
    #[arg(long, value_name = "LIST", help_heading = LIMITS)]
    pub cpuset_cpus: Option<String>,
    /// Memory nodes it uses: `0`
    #[arg(long, value_name = "LIST", help_heading = LIMITS)]
    pub cpuset_mems: Option<String>,
    /// Number of processes, -1 for no limit
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = LIMITS)]
    pub pids_limit: Option<String>,
    /// Share of disk time under load, from 10 to 1000
    #[arg(long, value_name = "NUMBER", help_heading = LIMITS)]
    pub blkio_weight: Option<String>,
    /// Bytes read each second: `/dev/sda:1mb`
    #[arg(long, value_name = "DEVICE:BYTES", help_heading = LIMITS)]
    pub device_read_bps: Vec<String>,
    /// Bytes written each second
    #[arg(long, value_name = "DEVICE:BYTES", help_heading = LIMITS)]
    pub device_write_bps: Vec<String>,
    /// Control group that it is put below: `/site`, `web.slice`
    #[arg(long, value_name = "PATH", help_heading = LIMITS)]
    pub cgroup_parent: Option<String>,
    /// Who makes the control groups: `cgroupfs` (cuddy itself) or `systemd`
    #[arg(long, value_name = "MANAGER", help_heading = LIMITS)]
    pub cgroup_manager: Option<String>,

    /// Add a capability: `NET_ADMIN`, or `ALL`
    #[arg(long, value_name = "NAME", help_heading = PRIVILEGES)]
    pub cap_add: Vec<String>,
    /// Take a capability away: `NET_RAW`, or `ALL`
    #[arg(long, value_name = "NAME", help_heading = PRIVILEGES)]
    pub cap_drop: Vec<String>,
    /// Every capability and device, nothing masked, no filter
    #[arg(long, help_heading = PRIVILEGES)]
    pub privileged: bool,
    /// `no-new-privileges`, `seccomp=FILE|unconfined`, `landlock=FILE`, `apparmor=PROFILE`, `label=disable`, `systempaths=unconfined`
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = PRIVILEGES)]
    pub security_opt: Vec<String>,
    /// Kernel parameter of the container: `net.ipv4.ip_forward=1`
    #[arg(long, value_name = "NAME=VALUE", help_heading = PRIVILEGES)]
    pub sysctl: Vec<String>,

    /// `none`: a loopback interface only, the default; `host`: the host's
    #[arg(long, visible_alias = "net", value_name = "NETWORK", help_heading = NAMESPACES)]
    pub network: Option<String>,
    /// Processes seen: `host`, `container:NAME`
    #[arg(long, value_name = "PID", help_heading = NAMESPACES)]
    pub pid: Option<String>,
    /// System V objects, queues and shared memory: `private`, `none`, `host`, `container:NAME`
    #[arg(long, value_name = "IPC", help_heading = NAMESPACES)]
    pub ipc: Option<String>,
    /// Host name: `private`, `host`
    #[arg(long, value_name = "UTS", help_heading = NAMESPACES)]
    pub uts: Option<String>,
    /// Ids: `host`, `auto` for 65536 that nobody uses, or `INSIDE:OUTSIDE:SIZE,...`
    #[arg(long, value_name = "USERNS", help_heading = NAMESPACES)]
    pub userns: Option<String>,
    /// View of the control groups: `private`, `host`
    #[arg(long, value_name = "CGROUPNS", help_heading = NAMESPACES)]
    pub cgroupns: Option<String>,
    /// Offsets of its clocks in seconds: `boottime=86400,monotonic=0.5`
    #[arg(long, value_name = "CLOCK=SECONDS,...", help_heading = NAMESPACES)]
    pub time_offset: Option<String>,
    /// Host name
    #[arg(short = 'h', long, value_name = "NAME", help_heading = NAMESPACES)]
    pub hostname: Option<String>,
    /// NIS domain name
    #[arg(long, value_name = "NAME", help_heading = NAMESPACES)]
    pub domainname: Option<String>,

    /// Print the OCI configuration and run nothing
    #[arg(long, hide = true)]
    pub print_config: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  cuddy run --rm -it host: sh                         a shell in a throwaway view of this machine
  cuddy run --rm ./rootfs.tar.gz ls /                 a command in a root file system
  cuddy run --rm -v ./conf:/etc/conf:ro ./rootfs web  with a directory of the host, read-only
  cuddy run --rm -m 200m --cpus 0.5 host: make        with limits

The exit code is the command's; 125 when cuddy failed, 126 when the command cannot be run,
127 when it is not found, and 128 + n when signal n ended it.";

const ROOT_HELP: &str = "\
ROOT is `host:` (this machine, or a part of it with `host:/path`), a directory (`./rootfs`), or
an archive of one (`./rootfs.tar.gz`). COMMAND is `sh` unless it is given. Options stop at ROOT.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stop_at_root() {
        let cli =
            Cli::try_parse_from(["cuddy", "run", "-it", "--rm", "host:", "ls", "-l", "--rm", "--", "-t"])
                .unwrap();
        let Command::Run(run) = cli.command else { panic!("not run") };
        assert!(run.interactive && run.tty && run.rm);
        assert_eq!(run.root_and_command, ["host:", "ls", "-l", "--rm", "--", "-t"]);
    }

    #[test]
    fn the_later_of_two_holds_and_h_is_the_host_name() {
        let cli =
            Cli::try_parse_from(["cuddy", "run", "-h", "a", "--hostname=b", "--pids-limit", "-1", "host:"]);
        let Command::Run(run) = cli.unwrap().command else { panic!("not run") };
        assert_eq!((run.hostname.as_deref(), run.pids_limit.as_deref()), (Some("b"), Some("-1")));
    }
}
