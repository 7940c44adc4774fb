use plan::{Attr, Propagation};

/// Mount options of fstab(5), sorted by what has to be done for them (config.md, "Linux mount options").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// A bind mount; `Some(true)`: with all mounts below.
    pub bind: Option<bool>,
    /// The mount that is there already is changed.
    pub remount: bool,
    /// For the mount itself.
    pub own: Change,
    /// For it and all mounts below (`rro` and the like).
    pub recursive: Change,
    /// Propagation; `true`: of all mounts below, too.
    pub propagation: Option<(Propagation, bool)>,
    /// Flags that every file system has, `sync` and the like, as fsconfig(2) takes them.
    pub superblock: Vec<&'static str>,
    /// The file system's own options.
    pub data: Vec<(String, Option<String>)>,
    /// Owners are mapped.
    pub id_map: Option<IdMapOption>,
    /// A tmpfs begins with what the directory below it has.
    pub copy_up: bool,
    /// Options without effect, and why.
    pub idle: Vec<(&'static str, &'static str)>,
}

/// `idmap` or `ridmap`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdMapOption {
    /// Of all mounts below, too.
    pub recursive: bool,
    /// The mapping in crun's form, `uids=0-1000-10;gids=0-1000-10`.
    pub inline: Option<String>,
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
        self.set = self.set.without(word.clears).with(word.sets);
        self.clear = self.clear.without(word.sets).with(word.clears);
    }

    /// This change, then another.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            set: self.set.without(next.clear).with(next.set),
            clear: self.clear.without(next.set).with(next.clear),
        }
    }
}

/// A word for attributes. The recursive form has an `r` in front.
struct Word {
    name: &'static str,
    sets: Attr,
    clears: Attr,
}

const fn on(name: &'static str, attr: Attr) -> Word {
    Word { name, sets: attr, clears: Attr::NONE }
}

const fn off(name: &'static str, attr: Attr) -> Word {
    Word { name, sets: Attr::NONE, clears: attr }
}

/// An access time setting: one field of the attributes, so that the others have to be cleared. No bit is
/// `relatime`, which is also what is left when one of the two others is taken back.
const fn atime(name: &'static str, attr: Attr) -> Word {
    Word { name, sets: attr, clears: Attr::ATIME_MASK }
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
    // The kernel's own setting where no other is made; there is nothing to take back.
    on("norelatime", Attr::NONE),
    on("nodiratime", Attr::NODIRATIME),
    off("diratime", Attr::NODIRATIME),
    on("nosymfollow", Attr::NOSYMFOLLOW),
    off("symfollow", Attr::NOSYMFOLLOW),
];

const PROPAGATION: [Propagation; 4] =
    [Propagation::Private, Propagation::Shared, Propagation::Slave, Propagation::Unbindable];

/// Flags of a file system, and what takes each of them back.
const SUPERBLOCK: [(&str, Option<&str>); 3] =
    [("sync", Some("async")), ("dirsync", None), ("lazytime", Some("nolazytime"))];

/// Words of mount(8) that change nothing, with the reason where somebody could expect them to.
const IDLE: [(&str, Option<&str>); 7] = [
    ("defaults", None),
    ("silent", None),
    ("loud", None),
    ("mand", Some("mandatory locks are gone since Linux 5.15")),
    ("nomand", None),
    ("iversion", Some("a file system that can count changes always does")),
    ("noiversion", None),
];

const OTHERS: [&str; 6] = ["bind", "rbind", "remount", "idmap", "ridmap", "tmpcopyup"];

/// Every option that means something to cuddy rather than to a file system, for the features document.
#[must_use]
pub fn names() -> Vec<String> {
    let words = WORDS.iter().map(|word| word.name);
    let both = words.chain(PROPAGATION.iter().map(|propagation| propagation.word()));
    let both = both.flat_map(|name| [name.to_owned(), format!("r{name}")]);
    let flags = SUPERBLOCK.iter().flat_map(|(on, off)| [Some(*on), *off]).flatten();
    let single = flags.chain(IDLE.iter().map(|(name, _)| *name)).chain(OTHERS);
    let mut names: Vec<_> = both.chain(single.map(str::to_owned)).collect();
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
        let known = self.attribute(option)
            || self.propagation(option)
            || self.superblock(option)
            || self.idle(option)
            || self.special(option);
        if !known {
            self.data.push(match option.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            });
        }
    }

    fn attribute(&mut self, option: &str) -> bool {
        let word = |name: &str| WORDS.iter().find(|word| word.name == name);
        if let Some(word) = word(option) {
            self.own.apply(word);
            return true;
        }
        let recursive = option.strip_prefix('r').and_then(word);
        recursive.map(|word| self.recursive.apply(word)).is_some()
    }

    fn propagation(&mut self, option: &str) -> bool {
        let Some((propagation, recursive)) = parse_propagation(option) else { return false };
        self.propagation = Some((propagation, recursive));
        true
    }

    fn superblock(&mut self, option: &str) -> bool {
        for (on, off) in SUPERBLOCK {
            if option == on || Some(option) == off {
                self.superblock.retain(|flag| *flag != on);
                self.superblock.extend((option == on).then_some(on));
                return true;
            }
        }
        false
    }

    fn idle(&mut self, option: &str) -> bool {
        let Some((name, why)) = IDLE.iter().find(|(name, _)| *name == option) else {
            return option.is_empty();
        };
        self.idle.extend(why.map(|why| (*name, why)));
        true
    }

    fn special(&mut self, option: &str) -> bool {
        let (name, value) = option.split_once('=').map_or((option, None), |(n, v)| (n, Some(v)));
        match (name, value) {
            ("bind", None) => self.bind = Some(self.bind.unwrap_or(false)),
            ("rbind", None) => self.bind = Some(true),
            ("remount", None) => self.remount = true,
            ("tmpcopyup", None) => self.copy_up = true,
            ("idmap" | "ridmap", inline) => {
                let inline = inline.filter(|text| !text.is_empty()).map(str::to_owned);
                self.id_map = Some(IdMapOption { recursive: name == "ridmap", inline });
            }
            _ => return false,
        }
        true
    }
}

/// `rslave` and the like; the flag: for all mounts below, too.
pub(crate) fn parse_propagation(word: &str) -> Option<(Propagation, bool)> {
    let named = |name: &str| PROPAGATION.into_iter().find(|propagation| propagation.word() == name);
    let own = named(word).map(|propagation| (propagation, false));
    own.or_else(|| word.strip_prefix('r').and_then(named).map(|propagation| (propagation, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &[&str], expected: MountOptions) {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        assert_eq!(MountOptions::parse(&options), expected, "{options:?}");
    }

    fn own(set: Attr, clear: Attr) -> MountOptions {
        MountOptions { own: Change { set, clear }, ..MountOptions::default() }
    }

    #[test]
    fn attributes_are_set_and_taken_back() {
        let mask = Attr::ATIME_MASK;
        check(&["ro", "nosuid"], own(Attr::RDONLY.with(Attr::NOSUID), Attr::NONE));
        check(&["ro", "rw"], own(Attr::NONE, Attr::RDONLY));
        check(&["noatime"], own(Attr::NOATIME, mask));
        check(&["noatime", "strictatime"], own(Attr::STRICTATIME, mask));
        check(&["noatime", "atime"], own(Attr::NONE, mask));
        check(&["strictatime", "nostrictatime"], own(Attr::NONE, mask));
        check(&["relatime"], own(Attr::NONE, mask));
        check(&["norelatime"], MountOptions::default());
        check(&["nosymfollow", "symfollow"], own(Attr::NONE, Attr::NOSYMFOLLOW));
    }

    #[test]
    fn options_are_sorted_by_what_they_do() {
        let none = MountOptions::default;
        check(&["defaults", "async", "silent", "nomand", ""], none());
        check(
            &["rbind", "rro", "rprivate", "bind"],
            MountOptions {
                bind: Some(true),
                recursive: Change { set: Attr::RDONLY, clear: Attr::NONE },
                propagation: Some((Propagation::Private, true)),
                ..none()
            },
        );
        check(
            &["mode=755", "newinstance"],
            MountOptions {
                data: vec![("mode".into(), Some("755".into())), ("newinstance".into(), None)],
                ..none()
            },
        );
        check(
            &["sync", "lazytime", "async", "dirsync"],
            MountOptions { superblock: vec!["lazytime", "dirsync"], ..none() },
        );
        check(&["remount", "tmpcopyup"], MountOptions { remount: true, copy_up: true, ..none() });
        check(
            &["ridmap"],
            MountOptions { id_map: Some(IdMapOption { recursive: true, inline: None }), ..none() },
        );
        check(
            &["idmap=uids=0-1-2;gids=0-1-2"],
            MountOptions {
                id_map: Some(IdMapOption { recursive: false, inline: Some("uids=0-1-2;gids=0-1-2".into()) }),
                ..none()
            },
        );
    }

    #[test]
    fn what_the_specification_lists_is_known() {
        // config.md, "Linux mount options"; those that a file system gets are not among them.
        let listed = "async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev \
             nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private \
             ratime rbind rdev rdiratime relatime remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime \
             rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid \
             rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable \
             idmap ridmap";
        let names = names();
        for option in listed.split_whitespace() {
            assert!(names.iter().any(|name| name == option), "{option}");
            assert_eq!(MountOptions::parse(&[option.to_owned()]).data, vec![], "{option}");
        }
    }
}
