//! Sockets that the service manager has opened for the container (sd_listen_fds(3)).

use std::env;

/// Sockets from descriptor 3 on, before those of `--preserve-fds`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Activation {
    /// How many.
    pub count: u32,
    /// What tells the program of them. Its pid is that of the container's init.
    pub env: Vec<String>,
}

impl Activation {
    /// What the environment of this process says.
    pub(crate) fn of_environment() -> Self {
        Self::of(&|name| env::var(name).ok(), std::process::id())
    }

    /// `LISTEN_PID` is whom they are for; crun and those who call it leave it out.
    fn of(variable: &dyn Fn(&str) -> Option<String>, own: u32) -> Self {
        let for_us = variable("LISTEN_PID").is_none_or(|pid| pid.parse() == Ok(own));
        let count = variable("LISTEN_FDS").and_then(|text| text.parse::<u16>().ok()).unwrap_or(0).into();
        if !for_us || count == 0 {
            return Self::default();
        }
        let mut env = vec![format!("LISTEN_FDS={count}"), "LISTEN_PID=1".to_owned()];
        env.extend(variable("LISTEN_FDNAMES").map(|names| format!("LISTEN_FDNAMES={names}")));
        Self { count, env }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables, and what the program gets.
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

    #[test]
    fn sockets_are_for_the_process_that_is_named() {
        let cases: [Case; 6] = [
            (&[], &[]),
            (&[("LISTEN_FDS", "2"), ("LISTEN_PID", "7")], &["LISTEN_FDS=2", "LISTEN_PID=1"]),
            (&[("LISTEN_FDS", "2"), ("LISTEN_PID", "8")], &[]),
            (&[("LISTEN_FDS", "1")], &["LISTEN_FDS=1", "LISTEN_PID=1"]),
            (&[("LISTEN_FDS", "-1")], &[]),
            (
                &[("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "http")],
                &["LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=http"],
            ),
        ];
        for (given, env) in cases {
            let variable = |name: &str| {
                given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Activation::of(&variable, 7).env, env, "{given:?}");
        }
    }
}
