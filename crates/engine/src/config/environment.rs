//! The environment of the command.

use super::Defaults;
use crate::options::RunOptions;
use crate::user::User;

/// Where programs are looked for, as Docker has it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `PATH`, `HOSTNAME`, and `TERM` with a terminal; then what the image says; then `--env-file` and `-e`;
/// and `HOME`, if nobody said it. Later ones replace earlier ones.
pub(super) fn environment(
    options: &RunOptions,
    defaults: &Defaults,
    hostname: &str,
    user: &User,
) -> Vec<String> {
    let mut environment = vec![PATH.to_owned(), format!("HOSTNAME={hostname}")];
    if options.tty {
        environment.push("TERM=xterm".to_owned());
    }
    for entry in &defaults.environment {
        let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
        environment.retain(|known| known.split_once('=').is_none_or(|(known, _)| known != name));
        environment.push(entry.clone());
    }
    for change in &options.process.environment {
        change.apply(&mut environment);
    }
    if !environment.iter().any(|entry| entry.starts_with("HOME=")) {
        environment.push(format!("HOME={}", user.home));
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::environment::EnvChange;

    #[test]
    fn later_ones_replace_earlier_ones() {
        let set = |name: &str, value: &str| EnvChange::Set(name.to_owned(), value.to_owned());
        let mut options = RunOptions { tty: true, ..RunOptions::default() };
        options.process.environment =
            vec![set("A", "1"), set("A", "2"), EnvChange::Unset("IMAGE".into()), set("TERM", "vt100")];
        let defaults =
            Defaults { environment: vec!["PATH=/image".into(), "IMAGE=1".into()], ..Defaults::default() };
        assert_eq!(
            environment(&options, &defaults, "web", &User::default()),
            ["HOSTNAME=web", "TERM=vt100", "PATH=/image", "A=2", "HOME=/root"]
        );
    }
}
