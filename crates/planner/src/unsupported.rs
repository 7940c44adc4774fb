use crate::Error;
use plan::facts::HostFacts;

/// Refuses a machine, or a user of it, that no container can be made with. [`plan`](crate::plan) does so, too;
/// this is for callers who have work to do before.
///
/// # Errors
/// What is missing.
pub fn check_machine(facts: &HostFacts) -> Result<(), Error> {
    if facts.kernel < (5, 15) {
        let (major, minor) = facts.kernel;
        let message = format!("this is Linux {major}.{minor}; cuddy needs 5.15 or newer");
        return Err(Error::new("", message, "it uses mount_setattr(2), openat2(2) and pidfds throughout"));
    }
    if !facts.new_mount_api {
        let hint = "an outer container or its seccomp filter refuses fsopen(2); allow the mount calls";
        return Err(Error::new("", "the kernel's mount calls are not let through", hint));
    }
    Ok(())
}

/// Refuses a configuration of a specification that cuddy does not know: all of version 1 can be read as 1.3
/// (config.md, "Specification version": SemVer 2.0.0).
pub(crate) fn check_version(version: &str) -> Result<(), Error> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').map(str::parse::<u32>).collect();
    if numbers.len() == 3 && numbers.iter().all(Result::is_ok) && numbers[0] == Ok(1) {
        return Ok(());
    }
    let message = format!("{version:?} is no version of the specification that cuddy knows");
    Err(Error::new("/ociVersion", message, format!("write {:?}; every 1.x.y is read", spec::VERSION)))
}
