//! Device rules as systemd has them: a policy, and a list of what is allowed.

use crate::device::{Kind, Rule, rules, v1};
use crate::{Error, table::pairs};
use plan::unit::Property;
use spec::DeviceRule;

/// `DevicePolicy` and `DeviceAllow`. They hold besides what cuddy writes itself.
///
/// systemd has no list of what is denied. On v2, where cuddy's own program decides as well, rules that it cannot hold are
/// left to that; on v1, where systemd may write its list again, such a container may use nothing more than systemd
/// knows of.
pub(crate) fn properties(devices: &[DeviceRule], is_v1: bool) -> Result<Vec<Property>, Error> {
    let rules = rules(devices)?;
    let (policy, allowed) = match v1::lines(&rules) {
        Ok(lines) if lines.is_empty() => ("auto", Vec::new()),
        Ok(lines) => {
            let strict = lines.first().is_some_and(|line| line.rule.is_none());
            let rules: Vec<_> =
                lines.iter().filter_map(|line| line.rule.as_ref()).filter(|_| strict).collect();
            let entries: Vec<_> = rules.iter().filter_map(|rule| entry(rule)).collect();
            match is_v1 || (strict && entries.len() == rules.len()) {
                true => ("strict", entries),
                false => ("auto", Vec::new()),
            }
        }
        Err(error) if is_v1 => return Err(error),
        Err(_) => ("auto", Vec::new()),
    };
    Ok(vec![Property::new("DevicePolicy", policy), Property::new("DeviceAllow", pairs(allowed))])
}

/// The same for a unit that exists: a list that is given adds to the one that is there, unless an empty one comes before.
pub(crate) fn changes(devices: &[DeviceRule], is_v1: bool) -> Result<Vec<Property>, Error> {
    let nothing = Property::new("DeviceAllow", pairs(Vec::new()));
    Ok([nothing].into_iter().chain(properties(devices, is_v1)?).collect())
}

/// `/dev/char/1:3 rwm`: such a path is read for its numbers, and need not exist. `None`: systemd cannot say it.
fn entry(rule: &Rule) -> Option<(String, String)> {
    let kind = match rule.kind {
        Kind::Char => "char",
        Kind::Block => "block",
        Kind::All => return None,
    };
    let node = match (rule.major, rule.minor) {
        (None, None) => format!("{kind}-*"),
        (Some(major), None) => format!("{kind}-{major}"),
        (Some(major), Some(minor)) => format!("/dev/{kind}/{major}:{minor}"),
        (None, Some(_)) => return None,
    };
    Some((node, rule.access.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(allow: bool, major: Option<i64>, minor: Option<i64>) -> DeviceRule {
        DeviceRule { allow, kind: Some("c".into()), major, minor, access: Some("rw".into()) }
    }

    fn check(devices: Vec<DeviceRule>, v2: &str, v1: &str) {
        for (is_v1, expected) in [(false, v2), (true, v1)] {
            let properties = properties(&devices, is_v1).unwrap();
            let texts: Vec<_> = properties.iter().map(Property::to_string).collect();
            assert_eq!(texts.join(" "), expected);
        }
    }

    #[test]
    fn what_is_allowed_is_a_list() {
        const DEFAULTS: &str = "'char-*' m 'block-*' m /dev/char/1:3 rwm /dev/char/1:5 rwm /dev/char/1:7 rwm \
            /dev/char/1:8 rwm /dev/char/1:9 rwm /dev/char/5:0 rwm /dev/char/5:1 rwm /dev/char/5:2 rwm char-136 rwm";
        let defaults = format!("DevicePolicy s strict DeviceAllow a(ss) 11 {DEFAULTS}");
        check(vec![], &defaults, &defaults);
        let one = vec![DeviceRule::default(), rule(true, Some(10), Some(200))];
        let more = format!("DevicePolicy s strict DeviceAllow a(ss) 12 /dev/char/10:200 rw {DEFAULTS}");
        check(one, &more, &more);
    }

    #[test]
    fn what_cannot_be_listed_is_left_to_our_own_program() {
        let all = DeviceRule { allow: true, ..DeviceRule::default() };
        check(
            vec![all.clone()],
            "DevicePolicy s auto DeviceAllow a(ss) 0",
            "DevicePolicy s auto DeviceAllow a(ss) 0",
        );
        check(
            vec![all, rule(false, Some(10), Some(200))],
            "DevicePolicy s auto DeviceAllow a(ss) 0",
            "DevicePolicy s strict DeviceAllow a(ss) 0",
        );
    }
}
