//! The profile of podman that is installed (containers-common), for a process without capabilities.

use seccomp::Arch;
use serde_json::Value;
use spec::{Seccomp, SeccompArg, SyscallRule};

/// Where distributions put it.
pub const PATH: &str = "/usr/share/containers/seccomp.json";

/// The profile for a machine and what else its kernels run; none if none is installed.
pub fn profile(machine: Arch) -> Option<Seccomp> {
    let go = Value::from(if machine == Arch::Aarch64 { "arm64" } else { "amd64" });
    let json: Value = serde_json::from_str(&std::fs::read_to_string(PATH).ok()?).expect("a profile is JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let applies = |rule: &&Value| {
        let arches = list(&rule["includes"]["arches"]);
        list(&rule["includes"]["caps"]).is_empty()
            && (arches.is_empty() || arches.contains(&go))
            && !list(&rule["excludes"]["arches"]).contains(&go)
    };
    let errno = |value: &Value| value.as_u64().and_then(|errno| u32::try_from(errno).ok());
    let rule = |rule: &Value| SyscallRule {
        names: list(&rule["names"]).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        action: rule["action"].as_str().expect("a rule has an action").to_owned(),
        errno_ret: errno(&rule["errnoRet"]),
        args: list(&rule["args"]).into_iter().map(argument).collect(),
    };
    Some(Seccomp {
        default_action: json["defaultAction"].as_str()?.to_owned(),
        default_errno_ret: errno(&json["defaultErrnoRet"]),
        architectures: machine.companions().iter().map(|arch| arch.name().to_owned()).collect(),
        syscalls: list(&json["syscalls"]).iter().filter(applies).map(rule).collect(),
        ..Seccomp::default()
    })
}

fn argument(arg: Value) -> SeccompArg {
    let number = |name: &str| arg[name].as_u64().unwrap_or_default();
    SeccompArg {
        index: u32::try_from(number("index")).expect("an index"),
        value: number("value"),
        value_two: number("valueTwo"),
        op: arg["op"].as_str().expect("a condition has an operator").to_owned(),
    }
}
