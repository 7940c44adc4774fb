use plan::{Attr, Propagation};

/// Mount options of fstab(5), sorted by what has to be done for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// A bind mount; `Some(true)`: with all mounts below.
    pub bind: Option<bool>,
    /// For the mount itself.
    pub own: Change,
    /// For it and all mounts below (`rro` and the like).
    pub recursive: Change,
    /// Propagation; `true`: of all mounts below, too.
    pub propagation: Option<(Propagation, bool)>,
    /// The file system's own options.
    pub data: Vec<(String, Option<String>)>,
    /// Options with a meaning that cuddy does not give them yet.
    pub unsupported: Vec<String>,
}

/// Attributes to set and to clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub set: Attr,
    pub clear: Attr,
}

impl Change {
    pub(crate) fn is_empty(self) -> bool {
        self.set.is_empty() && self.clear.is_empty()
    }

    fn apply(&mut self, word: &Word) {
        if word.on {
            self.set = self.set.with(word.attr);
            self.clear = self.clear.without(word.attr).with(word.clears);
        } else {
            self.set = self.set.without(word.attr);
            self.clear = self.clear.with(word.attr);
        }
    }
}

/// A word for an attribute. The recursive form has an `r` in front (config-linux.md, "Linux mount options").
struct Word {
    name: &'static str,
    attr: Attr,
    on: bool,
    clears: Attr,
}

const fn on(name: &'static str, attr: Attr) -> Word {
    Word { name, attr, on: true, clears: Attr::NONE }
}

const fn off(name: &'static str, attr: Attr) -> Word {
    Word { name, attr, on: false, clears: Attr::NONE }
}

/// An access time setting: a field of the attributes, so that the others have to be cleared.
const fn atime(name: &'static str, attr: Attr) -> Word {
    Word { name, attr, on: true, clears: Attr::ATIME_MASK }
}

const WORDS: [Word; 18] = [
    on("ro", Attr::RDONLY),
    off("rw", Attr::RDONLY),
    on("nosuid", Attr::NOSUID),
    off("suid", Attr::NOSUID),
    on("nodev", Attr::NODEV),
    off("dev", Attr::NODEV),
    on("noexec", Attr::NOEXEC),
    off("exec", Attr::NOEXEC),
    atime("noatime", Attr::NOATIME),
    atime("atime", Attr::NONE),
    atime("strictatime", Attr::STRICTATIME),
    atime("nostrictatime", Attr::NONE),
    atime("relatime", Attr::NONE),
    atime("norelatime", Attr::NONE),
    on("nodiratime", Attr::NODIRATIME),
    off("diratime", Attr::NODIRATIME),
    on("nosymfollow", Attr::NOSYMFOLLOW),
    off("symfollow", Attr::NOSYMFOLLOW),
];

/// Every option that means something to cuddy rather than to a file system, for the features document.
#[must_use]
pub fn names() -> Vec<String> {
    let words = WORDS.iter().flat_map(|word| [word.name.to_owned(), format!("r{}", word.name)]);
    let propagation = ["private", "shared", "slave", "unbindable"].into_iter();
    let propagation = propagation.flat_map(|word| [word.to_owned(), format!("r{word}")]);
    let mut names: Vec<_> = words.chain(propagation).chain(["bind", "rbind"].map(str::to_owned)).collect();
    names.sort();
    names
}

impl MountOptions {
    pub(crate) fn parse(options: &[String]) -> Self {
        let mut parsed = Self::default();
        for option in options {
            parsed.add(option);
        }
        parsed
    }

    fn add(&mut self, option: &str) {
        if let Some(word) = WORDS.iter().find(|word| word.name == option) {
            return self.own.apply(word);
        }
        if let Some(word) =
            option.strip_prefix('r').and_then(|bare| WORDS.iter().find(|word| word.name == bare))
        {
            return self.recursive.apply(word);
        }
        let propagation = |name: &str| {
            use Propagation::{Private, Shared, Slave, Unbindable};
            [Private, Shared, Slave, Unbindable].into_iter().find(|propagation| propagation.word() == name)
        };
        if let Some(own) = propagation(option) {
            self.propagation = Some((own, false));
            return;
        }
        if let Some(recursive) = option.strip_prefix('r').and_then(propagation) {
            self.propagation = Some((recursive, true));
            return;
        }
        match option {
            "bind" => self.bind = Some(self.bind.unwrap_or(false)),
            "rbind" => self.bind = Some(true),
            // The kernel's defaults, and what never reached a file system.
            "defaults" | "async" | "silent" | "loud" | "nolazytime" | "nomand" | "noiversion" | "" => {}
            "idmap" | "ridmap" | "tmpcopyup" | "copy-symlink" | "remount" => {
                self.unsupported.push(option.to_owned())
            }
            _ => self.data.push(match option.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &[&str], expected: MountOptions) {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        assert_eq!(MountOptions::parse(&options), expected, "{options:?}");
    }

    #[test]
    fn options_are_sorted_by_what_they_do() {
        let none = MountOptions::default();
        check(&["defaults", "async"], none.clone());
        check(
            &["ro", "nosuid"],
            MountOptions {
                own: Change { set: Attr::RDONLY.with(Attr::NOSUID), clear: Attr::NONE },
                ..none.clone()
            },
        );
        check(
            &["ro", "rw"],
            MountOptions { own: Change { set: Attr::NONE, clear: Attr::RDONLY }, ..none.clone() },
        );
        check(
            &["rbind", "rro", "rprivate"],
            MountOptions {
                bind: Some(true),
                recursive: Change { set: Attr::RDONLY, clear: Attr::NONE },
                propagation: Some((Propagation::Private, true)),
                ..none.clone()
            },
        );
        check(
            &["noatime"],
            MountOptions { own: Change { set: Attr::NOATIME, clear: Attr::ATIME_MASK }, ..none.clone() },
        );
        check(
            &["relatime"],
            MountOptions { own: Change { set: Attr::NONE, clear: Attr::ATIME_MASK }, ..none.clone() },
        );
        check(
            &["mode=755", "newinstance"],
            MountOptions {
                data: vec![("mode".into(), Some("755".into())), ("newinstance".into(), None)],
                ..none
            },
        );
    }
}
