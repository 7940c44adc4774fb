use crate::Error;

/// Log every action but allow (`linux/seccomp.h`).
pub(crate) const LOG: u32 = 1 << 1;
/// Leave out the mitigation of Speculative Store Bypass, which costs time at every load.
pub(crate) const SPEC_ALLOW: u32 = 1 << 2;
/// Return a listener descriptor.
pub(crate) const NEW_LISTENER: u32 = 1 << 3;
/// Once a notification is read, only a fatal signal interrupts the caller.
pub(crate) const WAIT_KILLABLE_RECV: u32 = 1 << 5;

/// The flags that a configuration may name (config-linux.md, "Seccomp"), and TSYNC, which runc takes
/// without acting on it: a container's first process has one thread when its filter is loaded.
pub const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

/// The bits of the flags named. No list means `SPEC_ALLOW`, as with runc.
pub(crate) fn parse(names: &[String]) -> Result<u32, Error> {
    if names.is_empty() {
        return Ok(SPEC_ALLOW);
    }
    names.iter().enumerate().try_fold(0, |bits, (index, name)| {
        let bit = match name.as_str() {
            "SECCOMP_FILTER_FLAG_LOG" => LOG,
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => SPEC_ALLOW,
            "SECCOMP_FILTER_FLAG_TSYNC" => 0,
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => WAIT_KILLABLE_RECV,
            _ => {
                return Err(Error::Unknown {
                    pointer: format!("/linux/seccomp/flags/{index}"),
                    what: "flag",
                    value: name.clone(),
                    allowed: FLAGS.join(", "),
                });
            }
        };
        Ok(bits | bit)
    })
}

/// Those bits, made fit for a filter that does or does not notify: the kernel refuses
/// `WAIT_KILLABLE_RECV` where there is no listener to wait for.
pub(crate) fn for_filter(asked: u32, notify: bool) -> u32 {
    if notify { asked | NEW_LISTENER } else { asked & !WAIT_KILLABLE_RECV }
}
