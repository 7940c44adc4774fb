//! `-e` and `--env-file`.

use super::BadValue;

/// What happens to one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvChange {
    /// `NAME=value`: it is set.
    Set(String, String),
    /// `NAME`, which the caller's environment does not have: it is taken away, also if the image sets it.
    Unset(String),
}

impl EnvChange {
    /// Applies the change to an environment of `NAME=value` entries, in place where the name is there already.
    pub fn apply(&self, environment: &mut Vec<String>) {
        let named =
            |entry: &String, name: &str| entry.split_once('=').is_some_and(|(known, _)| known == name);
        match self {
            Self::Set(name, value) => {
                let entry = format!("{name}={value}");
                match environment.iter_mut().find(|known| named(known, name)) {
                    Some(known) => *known = entry,
                    None => environment.push(entry),
                }
            }
            Self::Unset(name) => environment.retain(|known| !named(known, name)),
        }
    }
}

/// `-e NAME=value`, or `-e NAME` for the value that the caller has, which `lookup` finds.
///
/// # Errors
/// An empty name, or a NUL byte.
pub fn variable(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<EnvChange, BadValue> {
    let hint = "write NAME=value, or NAME to pass on the value it has here";
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, lookup(text)),
    };
    if name.is_empty() {
        return Err(BadValue::new("the variable has no name", hint));
    }
    if text.contains('\0') {
        return Err(BadValue::new("there is a NUL byte", hint));
    }
    Ok(match value {
        Some(value) => EnvChange::Set(name.to_owned(), value),
        None => EnvChange::Unset(name.to_owned()),
    })
}

/// The lines of an `--env-file`, by Docker's rules: blank lines and lines that begin with `#` are
/// skipped, blanks before a name do not count, and a value is taken as it stands, quotes and all.
/// A name alone takes the caller's value, and nothing if there is none.
///
/// # Errors
/// Text that is not UTF-8, a line without a name, or a name with blanks; the error names the line.
pub fn file(contents: &[u8], lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<EnvChange>, BadValue> {
    let hint = "a line is NAME=value, NAME, or # and a comment";
    let text = std::str::from_utf8(contents)
        .map_err(|error| BadValue::new(format!("byte {} is not UTF-8", error.valid_up_to()), hint))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut changes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split_once('=').map_or(line, |(name, _)| name);
        if name.contains([' ', '\t']) {
            return Err(BadValue::new(format!("line {number}: the name {name:?} has a blank in it"), hint));
        }
        let change = variable(line, &lookup)
            .map_err(|bad| BadValue::new(format!("line {number}: {}", bad.cause), hint))?;
        changes.extend(Some(change).filter(|change| matches!(change, EnvChange::Set(..))));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "LANG").then(|| "C.UTF-8".to_owned())
    }

    #[test]
    fn variables() {
        check(
            |text| variable(text, lookup),
            &[
                ("A=b=c", Ok("Set(\"A\", \"b=c\")")),
                ("A=", Ok("Set(\"A\", \"\")")),
                ("LANG", Ok("Set(\"LANG\", \"C.UTF-8\")")),
                ("NONE", Ok("Unset(\"NONE\")")),
                ("=x", Err("the variable has no name")),
                ("", Err("the variable has no name")),
                ("A=\0", Err("there is a NUL byte")),
            ],
        );
    }

    #[test]
    fn files() {
        check(
            |text| file(text.as_bytes(), lookup),
            &[
                (
                    "\u{feff}A=1\r\n\n# no\n  B= \"x\" \n",
                    Ok("[Set(\"A\", \"1\"), Set(\"B\", \" \\\"x\\\" \")]"),
                ),
                ("LANG\nNONE", Ok("[Set(\"LANG\", \"C.UTF-8\")]")),
                ("A=1\nB C=1", Err("line 2: the name \"B C\" has a blank in it")),
                ("export A=1", Err("line 1: the name \"export A\" has a blank in it")),
                ("=1", Err("line 1: the variable has no name")),
            ],
        );
        assert_eq!(file(b"A=\xff", lookup).unwrap_err().cause, "byte 2 is not UTF-8");
    }

    #[test]
    fn changes_apply_in_order_and_in_place() {
        let mut environment = vec!["PATH=/bin".to_owned(), "PATHS=1".to_owned(), "X=1".to_owned()];
        EnvChange::Set("PATH".into(), "/sbin".into()).apply(&mut environment);
        EnvChange::Unset("X".into()).apply(&mut environment);
        EnvChange::Set("Y".into(), "2".into()).apply(&mut environment);
        assert_eq!(environment, ["PATH=/sbin", "PATHS=1", "Y=2"]);
    }
}
