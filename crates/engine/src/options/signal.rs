//! Signals by name or number.

use super::BadValue;
use std::fmt;

/// A signal of signal(7), by its number, from 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

/// Names by number from 1; the same on x86_64 and aarch64.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first real-time signal that the C library leaves to programs; glibc keeps 32 and 33 for threads.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

impl Signal {
    /// Its number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    /// Its name, like `SIGTERM` or `SIGRTMIN+3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0 - 1).ok().and_then(|index| NAMES.get(index)) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 >= RTMIN => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
            None => write!(f, "{}", self.0),
        }
    }
}

/// `--stop-signal`: `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`.
///
/// # Errors
/// No such signal.
pub fn signal(text: &str) -> Result<Signal, BadValue> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |base: i32, offset: &str, sign: char| match offset {
        "" => Some(base),
        _ => {
            let digits = offset.strip_prefix(sign)?;
            let offset = digits.parse::<i32>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
            Some(if sign == '-' { base - offset } else { base + offset })
        }
    };
    let number = if let Ok(number) = text.parse::<i32>() {
        Some(number).filter(|number| (1..=RTMAX).contains(number))
    } else if let Some(offset) = name.strip_prefix("RTMIN") {
        real_time(RTMIN, offset, '+').filter(|number| (RTMIN..=RTMAX).contains(number))
    } else if let Some(offset) = name.strip_prefix("RTMAX") {
        real_time(RTMAX, offset, '-').filter(|number| (RTMIN..=RTMAX).contains(number))
    } else {
        let name = match name {
            "CLD" => "CHLD",
            "POLL" => "IO",
            "IOT" => "ABRT",
            other => other,
        };
        (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number)
    };
    number.map(Signal).ok_or_else(|| {
        BadValue::new(
            "there is no such signal",
            "write a name like SIGTERM or RTMIN+3, or a number from 1 to 64",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn signals() {
        check(
            |text| signal(text).map(|s| format!("{s} {}", s.number())),
            &[
                ("TERM", Ok("\"SIGTERM 15\"")),
                ("sigkill", Ok("\"SIGKILL 9\"")),
                ("15", Ok("\"SIGTERM 15\"")),
                ("SYS", Ok("\"SIGSYS 31\"")),
                ("RTMIN", Ok("\"SIGRTMIN+0 34\"")),
                ("SIGRTMIN+3", Ok("\"SIGRTMIN+3 37\"")),
                ("RTMAX-1", Ok("\"SIGRTMIN+29 63\"")),
                ("RTMIN+31", Err("there is no such signal")),
                ("RTMIN-1", Err("there is no such signal")),
                ("RTMIN++1", Err("there is no such signal")),
                ("0", Err("there is no such signal")),
                ("65", Err("there is no such signal")),
                ("MOO", Err("there is no such signal")),
            ],
        );
    }
}
