//! `-u`: the text. What it means inside a root file system is [`crate::user`].

use super::BadValue;

/// A user or group: a number, or a name to be looked up inside the root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An id.
    Id(u32),
    /// A name of `/etc/passwd` or `/etc/group`.
    Name(String),
}

impl Principal {
    fn read(text: &str, what: &str) -> Result<Self, BadValue> {
        let hint = "write -u NAME, -u UID, -u NAME:GROUP or -u UID:GID";
        if text.is_empty() {
            return Err(BadValue::new(format!("the {what} is empty"), hint));
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            // Docker's range: the ids above are negative for programs that use int.
            let id = text.parse().ok().filter(|id| *id <= i32::MAX as u32);
            return id
                .map(Self::Id)
                .ok_or_else(|| BadValue::new(format!("the {what} id is more than 2147483647"), hint));
        }
        if text.contains([':', '\n', '\0']) || text.starts_with(['-', '+']) {
            return Err(BadValue::new(format!("{text:?} cannot be the name of a {what}"), hint));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

/// Who runs the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpec {
    /// The user.
    pub user: Principal,
    /// The group; left out: the user's own.
    pub group: Option<Principal>,
}

/// `-u USER[:GROUP]`.
///
/// # Errors
/// An empty part, an id above 2^31 - 1, or a name that no passwd file can have.
pub fn user(text: &str) -> Result<UserSpec, BadValue> {
    Ok(match text.split_once(':') {
        None => UserSpec { user: Principal::read(text, "user")?, group: None },
        Some((user, group)) => {
            UserSpec { user: Principal::read(user, "user")?, group: Some(Principal::read(group, "group")?) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn users() {
        check(
            |text| user(text).map(|spec| (spec.user, spec.group)),
            &[
                ("www-data", Ok("(Name(\"www-data\"), None)")),
                ("1000", Ok("(Id(1000), None)")),
                ("1000:adm", Ok("(Id(1000), Some(Name(\"adm\")))")),
                ("0:0", Ok("(Id(0), Some(Id(0)))")),
                ("", Err("the user is empty")),
                ("web:", Err("the group is empty")),
                ("2147483648", Err("the user id is more than 2147483647")),
                ("-1", Err("\"-1\" cannot be the name of a user")),
                ("a:b:c", Err("\"b:c\" cannot be the name of a group")),
            ],
        );
    }
}
