use crate::{Error, RESOURCES};
use spec::DeviceRule;
use std::fmt;

/// Which devices a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Block and character devices.
    All,
    /// Block devices.
    Block,
    /// Character devices.
    Char,
}

/// A set of ways to use a device: bits of `BPF_DEVCG_ACC_*` in `linux/bpf.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access(pub u8);

impl Access {
    /// Making a node (`m`).
    pub const MKNOD: Self = Self(1);
    /// Opening for reading (`r`).
    pub const READ: Self = Self(2);
    /// Opening for writing (`w`).
    pub const WRITE: Self = Self(4);
    /// All three.
    pub const ALL: Self = Self(7);

    pub(super) fn parse(letters: &str) -> Option<Self> {
        let mut bits = letters.chars().map(|letter| match letter {
            'm' => Some(Self::MKNOD.0),
            'r' => Some(Self::READ.0),
            'w' => Some(Self::WRITE.0),
            _ => None,
        });
        let bits = bits.try_fold(0, |all, bit| Some(all | bit?))?;
        (bits != 0).then_some(Self(bits))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, letter) in [(Self::READ, 'r'), (Self::WRITE, 'w'), (Self::MKNOD, 'm')] {
            if self.0 & bit.0 != 0 {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

/// One rule, read and found to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it allows.
    pub allow: bool,
    /// Devices of this kind,
    pub kind: Kind,
    /// with this major number, or any,
    pub major: Option<u32>,
    /// with this minor number, or any,
    pub minor: Option<u32>,
    /// used in these ways.
    pub access: Access,
    /// Its index in the config; `None` for a default.
    pub index: Option<usize>,
}

impl Rule {
    /// Whether it is for every use of every device.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.kind == Kind::All && self.major.is_none() && self.minor.is_none() && self.access == Access::ALL
    }

    /// A JSON pointer to it.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self.index {
            Some(index) => format!("{RESOURCES}/devices/{index}"),
            None => format!("{RESOURCES}/devices"),
        }
    }
}

impl fmt::Display for Rule {
    /// As the devices controller of v1 writes it: `c 1:3 rwm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::All => 'a',
            Kind::Block => 'b',
            Kind::Char => 'c',
        };
        let number = |number: Option<u32>| number.map_or_else(|| "*".to_owned(), |n| n.to_string());
        write!(f, "{kind} {}:{} {}", number(self.major), number(self.minor), self.access)
    }
}

/// What every container may use: nodes of any device may be made, and these used: null, zero, full, random,
/// urandom, tty, console, ptmx, and the pseudo terminals (config-linux.md, "Default Devices"; the allow list is
/// runc's). Numbers are from the kernel's `admin-guide/devices.txt`.
fn defaults() -> impl Iterator<Item = Rule> {
    let any = [Kind::Char, Kind::Block].map(|kind| (kind, None, None, Access::MKNOD));
    let used = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)]
        .map(|(major, minor)| (Kind::Char, Some(major), Some(minor), Access::ALL));
    let terminals = [(Kind::Char, Some(136), None, Access::ALL)];
    let all = any.into_iter().chain(used).chain(terminals);
    all.map(|(kind, major, minor, access)| Rule { allow: true, kind, major, minor, access, index: None })
}

/// The rules of a container, in order: all is denied, then the config's rules, then the defaults are allowed.
///
/// The defaults come last, as in runc and crun, and engines count on it: Docker denies `c 10:229` in every container, which
/// cgroup v1 could not except from a default that is there already. A config that ends with "allow all" has its own
/// idea of what to take away again, and gets no defaults.
///
/// # Errors
/// A type other than `a`, `b`, `c` or `u`, letters other than `rwm`, or a number that no device has.
pub fn rules(config: &[DeviceRule]) -> Result<Vec<Rule>, Error> {
    let mut rules: Vec<_> =
        config.iter().enumerate().map(|(index, rule)| parse(index, rule)).collect::<Result<_, _>>()?;
    let start = rules.iter().rposition(Rule::is_everything);
    if !start.is_some_and(|start| rules[start].allow) {
        rules.extend(defaults());
    }
    Ok(rules)
}

fn parse(index: usize, rule: &DeviceRule) -> Result<Rule, Error> {
    let refuse = |field: &str, value: String, problem| Error::Invalid {
        pointer: format!("{RESOURCES}/devices/{index}/{field}"),
        value,
        problem,
    };
    let kind = match rule.kind.as_deref() {
        None | Some("" | "a") => Kind::All,
        Some("b") => Kind::Block,
        Some("c" | "u") => Kind::Char,
        Some(other) => return Err(refuse("type", format!("{other:?}"), "is not one of a, b and c")),
    };
    let access = match rule.access.as_deref() {
        None | Some("") => Access::ALL,
        Some(letters) => Access::parse(letters).ok_or_else(|| {
            refuse("access", format!("{letters:?}"), "is not made of the letters r, w and m")
        })?,
    };
    let number = |field, value: Option<i64>, bits: u32| match value {
        None | Some(-1) => Ok(None),
        Some(value) => match u32::try_from(value) {
            Ok(number) if number < 1 << bits => Ok(Some(number)),
            _ => Err(refuse(
                field,
                value.to_string(),
                "is no device number: a major has 12 bits, a minor 20; -1 is any",
            )),
        },
    };
    let (major, minor) = (number("major", rule.major, 12)?, number("minor", rule.minor, 20)?);
    Ok(Rule { allow: rule.allow, kind, major, minor, access, index: Some(index) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(allow: bool, kind: &str, major: i64, minor: i64, access: &str) -> DeviceRule {
        let kind = Some(kind.to_owned());
        DeviceRule { allow, kind, major: Some(major), minor: Some(minor), access: Some(access.to_owned()) }
    }

    #[test]
    fn rules_are_read_and_printed_in_the_kernels_words() {
        for (rule, expect) in [
            (config(true, "c", 1, 3, "rwm"), "c 1:3 rwm"),
            (config(true, "b", 8, -1, "mr"), "b 8:* rm"),
            (config(true, "u", 10, 200, "w"), "c 10:200 w"),
            (DeviceRule::default(), "a *:* rwm"),
        ] {
            assert_eq!(parse(0, &rule).unwrap().to_string(), expect);
        }
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        for (rule, field) in [
            (config(true, "p", 1, 3, "rwm"), "type"),
            (config(true, "c", 1, 3, "rx"), "access"),
            (config(true, "c", 4096, 3, "r"), "major"),
            (config(true, "c", 1, -2, "r"), "minor"),
        ] {
            match rules(&[DeviceRule::default(), rule]) {
                Err(Error::Invalid { pointer, .. }) => {
                    assert_eq!(pointer, format!("/linux/resources/devices/1/{field}"));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_defaults_come_last_unless_all_was_allowed() {
        let deny_all = DeviceRule::default();
        let allow_all = DeviceRule { allow: true, ..DeviceRule::default() };
        let fuse = config(false, "c", 10, 229, "rwm");
        let texts = |config: &[DeviceRule]| -> Vec<String> {
            rules(config).unwrap().iter().map(Rule::to_string).collect()
        };
        let defaults = texts(&[]);
        assert_eq!(defaults.len(), 11);
        let own = ["a *:* rwm".to_owned(), "c 10:229 rwm".to_owned()];
        assert_eq!(texts(&[deny_all.clone(), fuse.clone()]), [&own[..], &defaults].concat());
        assert_eq!(texts(&[allow_all.clone(), fuse.clone()]), own);
        assert_eq!(
            texts(&[allow_all, fuse, deny_all]),
            [&["a *:* rwm".into()], &own[1..], &own[..1], &defaults].concat()
        );
    }
}
