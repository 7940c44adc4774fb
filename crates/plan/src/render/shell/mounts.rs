//! Mounts: mount(8), which needs a place for each at once.

use super::{BY_PATH, ShellLine, exact, nearly, none, quote, variable};
use crate::{Op, Target, TreeSource};
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::SetIdMap { .. } => none("mount(8) before 2.39 cannot map the owners of a mount"),
        Op::CopyMode { slot, path } => {
            nearly(format!("chmod --reference=$ROOT{} {}", quote(path), variable(slot)), BY_PATH)
        }
        Op::CopyUp { slot, path, .. } => {
            nearly(format!("cp -ax $ROOT{}/. {}", quote(path), variable(slot)), BY_PATH)
        }
        Op::NoteMount { .. } => none("a mount that has no place has no name for a shell"),
        Op::SetLabel { slot, label } => {
            exact(format!("chcon {} {}", quote(Path::new(label)), variable(slot)))
        }
        Op::Reconfigure { path, options } => {
            nearly(format!("mount -o remount,{} $ROOT{}", words(options).join(","), quote(path)), BY_PATH)
        }
        Op::ChangeMount { path, set, propagation, .. } => {
            let mut words = vec!["remount".to_owned(), "bind".to_owned()];
            words.extend(Some(set.options()).filter(|words| !words.is_empty()));
            words.extend(propagation.map(|p| p.word().to_owned()));
            nearly(format!("mount -o {} $ROOT{}", words.join(","), quote(path)), BY_PATH)
        }
        Op::OpenRoot { directory } => exact(format!("ROOT={}", quote(directory))),
        Op::OpenTargetRoot { pid } => nearly(format!("ROOT=/proc/{pid}/root"), BY_PATH),
        Op::SetPropagation { recursive, propagation } => {
            exact(format!("mount --make-{}{} /", if *recursive { "r" } else { "" }, propagation.word()))
        }
        Op::NewMount { fstype, source, options, attr, slot } => {
            let mut words = words(options);
            words.extend(Some(attr.options()).filter(|words| !words.is_empty()));
            let options = if words.is_empty() { String::new() } else { format!(" -o {}", words.join(",")) };
            let source = source.as_deref().unwrap_or(fstype);
            nearly(
                format!("mount -t {fstype}{options} {} {}", quote(Path::new(source)), variable(slot)),
                "mount(8) needs a place for it at once",
            )
        }
        Op::MakeDirectories { slot, names } => {
            let slot = variable(slot);
            exact(format!(
                "mkdir {}",
                names.iter().map(|name| format!("{slot}/{name}")).collect::<Vec<_>>().join(" ")
            ))
        }
        Op::CloneTree { source, recursive, slot } => {
            let source = match source {
                TreeSource::Path(path) => quote(path),
                TreeSource::Inside(path) => format!("$ROOT{}", quote(path)),
                TreeSource::Slot(from) => variable(from),
            };
            let bind = if *recursive { "--rbind" } else { "--bind" };
            nearly(
                format!("mount {bind} {source} {}", variable(slot)),
                "mount(8) needs a place for it at once",
            )
        }
        Op::OpenNull => exact("[ \"$(stat -c %t:%T /dev/null)\" = 1:3 ]".to_owned()),
        Op::SetAttr { slot, set, propagation, .. } => {
            let mut words = vec!["remount".to_owned(), "bind".to_owned()];
            words.extend(Some(set.options()).filter(|words| !words.is_empty()));
            words.extend(propagation.map(|p| p.word().to_owned()));
            nearly(
                format!("mount -o {} {}", words.join(","), variable(slot)),
                "mount(8) cannot do it for a tree at once, nor before the mount can be seen",
            )
        }
        Op::Attach { slot, target: Target::Host(path) } => {
            exact(format!("mount --move {} {}", variable(slot), quote(path)))
        }
        Op::Attach { slot, target: Target::Inside { path, .. } } => {
            nearly(format!("mount --move {} $ROOT{}", variable(slot), quote(path)), BY_PATH)
        }
        Op::Mask { path } => nearly(
            format!("mount --bind /dev/null $ROOT{0} || mount -t tmpfs -o ro tmpfs $ROOT{0}", quote(path)),
            BY_PATH,
        ),
        Op::MakeReadOnly { path } => {
            nearly(format!("mount --rbind -o ro $ROOT{0} $ROOT{0}", quote(path)), BY_PATH)
        }
        Op::MakeRootReadOnly => exact("mount -o remount,bind,ro $ROOT".to_owned()),
        Op::Detach { place } => exact(format!("umount -l {}", quote(place))),
        Op::PivotRoot => exact("cd $ROOT && pivot_root . . && umount -l . && cd /".to_owned()),
        Op::MoveRoot => {
            nearly("mount --move $ROOT / && chroot $ROOT".to_owned(), "chroot(8) starts a program in it")
        }
        Op::Chroot => nearly("chroot $ROOT".to_owned(), "chroot(8) starts a program in it"),
        _ => unreachable!("not about mounts"),
    }
}

/// Options of a file system as mount(8) takes them.
fn words(options: &[(String, Option<String>)]) -> Vec<String> {
    let word = |(key, value): &(String, Option<String>)| {
        value.as_ref().map_or_else(|| key.clone(), |value| format!("{key}={value}"))
    };
    options.iter().map(word).collect()
}
