//! `--ulimit`.

use super::BadValue;
use spec::Rlimit;

/// Names of `--ulimit` and of getrlimit(2).
const NAMES: [(&str, &str); 16] = [
    ("as", "RLIMIT_AS"),
    ("core", "RLIMIT_CORE"),
    ("cpu", "RLIMIT_CPU"),
    ("data", "RLIMIT_DATA"),
    ("fsize", "RLIMIT_FSIZE"),
    ("locks", "RLIMIT_LOCKS"),
    ("memlock", "RLIMIT_MEMLOCK"),
    ("msgqueue", "RLIMIT_MSGQUEUE"),
    ("nice", "RLIMIT_NICE"),
    ("nofile", "RLIMIT_NOFILE"),
    ("nproc", "RLIMIT_NPROC"),
    ("rss", "RLIMIT_RSS"),
    ("rtprio", "RLIMIT_RTPRIO"),
    ("rttime", "RLIMIT_RTTIME"),
    ("sigpending", "RLIMIT_SIGPENDING"),
    ("stack", "RLIMIT_STACK"),
];

/// `--ulimit NAME=SOFT[:HARD]`; `-1` and `unlimited` mean no limit, a missing hard limit is the soft one.
///
/// # Errors
/// An unknown name, no number, or a soft limit above the hard one.
pub fn ulimit(text: &str) -> Result<Rlimit, BadValue> {
    let hint = "write NAME=SOFT or NAME=SOFT:HARD, like nofile=1024:2048";
    let Some((name, limits)) = text.split_once('=') else {
        return Err(BadValue::new("there is no limit", hint));
    };
    let Some((_, kind)) = NAMES.into_iter().find(|(short, _)| *short == name) else {
        let known: Vec<&str> = NAMES.iter().map(|(short, _)| *short).collect();
        return Err(BadValue::new(
            format!("there is no limit {name:?}"),
            format!("known are {}", known.join(", ")),
        ));
    };
    let number = |text: &str| match text {
        "-1" | "unlimited" => Ok(u64::MAX),
        _ => text.parse().map_err(|_| BadValue::new(format!("{text:?} is no limit"), hint)),
    };
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if soft > hard {
        return Err(BadValue::new("the soft limit is above the hard one", "give the smaller number first"));
    }
    Ok(Rlimit { kind: kind.to_owned(), soft, hard })
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn ulimits() {
        check(
            |text| ulimit(text).map(|limit| (limit.kind, limit.soft, limit.hard)),
            &[
                ("nofile=1024:2048", Ok("(\"RLIMIT_NOFILE\", 1024, 2048)")),
                ("core=0", Ok("(\"RLIMIT_CORE\", 0, 0)")),
                ("memlock=-1", Ok("(\"RLIMIT_MEMLOCK\", 18446744073709551615, 18446744073709551615)")),
                ("nproc=5:unlimited", Ok("(\"RLIMIT_NPROC\", 5, 18446744073709551615)")),
                ("nofile", Err("there is no limit")),
                ("files=1", Err("there is no limit \"files\"")),
                ("nofile=2:1", Err("the soft limit is above the hard one")),
                ("nofile=-1:1", Err("the soft limit is above the hard one")),
                ("nofile=many", Err("\"many\" is no limit")),
                ("nofile=", Err("\"\" is no limit")),
            ],
        );
    }
}
