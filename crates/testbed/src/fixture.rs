//! Real root file systems.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::binary::cache_dir;
use crate::{Need, run_within};

/// Downloading and unpacking some forty packages.
pub(crate) const LIMIT: Duration = Duration::from_secs(600);

/// A minimal Debian of the host's own release as a tar archive, made once by mmdebstrap and kept in the target directory.
///
/// # Panics
/// If it cannot be made; it needs `mmdebstrap`, root, and a Debian mirror.
pub fn debian_tar() -> PathBuf {
    let tar = cache_dir().join("debian-minbase.tar");
    made_once(&tar, |partial| {
        let mut mmdebstrap = Command::new("mmdebstrap");
        mmdebstrap
            .args(["--quiet", "--variant=minbase", "--mode=root", "--format=tar", &codename()])
            .arg(partial);
        run_within(LIMIT, &mut mmdebstrap).ok();
    });
    tar
}

/// Makes a file or a directory that outlives a test run, under another name first. Tests are processes of their own: the
/// first makes it, the others wait for the lock.
///
/// # Panics
/// If `make` does, or the target directory cannot be written.
pub(crate) fn made_once(place: &Path, make: impl FnOnce(&Path)) {
    let with = |ending: &str| place.with_added_extension(ending);
    fs::create_dir_all(cache_dir()).expect("a directory for fixtures in the target directory");
    let lock = File::create(with("lock")).expect("a lock file");
    lock.lock().expect("a lock on a file of ours");
    if place.exists() {
        return;
    }
    let partial = with("partial");
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            fs::remove_file(&partial).expect("a file of ours can be removed");
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{}: {error}", partial.display()),
        _ => {}
    }
    make(&partial);
    fs::rename(&partial, place).expect("a rename within the directory");
}

/// What makes a test the one thing that a systemd starts, and turns the machine off after it. The files of the machine are
/// below `/mnt` then, and the script is one of them.
const UNIT: &str = r#"[Unit]
DefaultDependencies=no
Wants=basic.target dbus.service
After=basic.target dbus.service
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
ExecStart=/bin/sh -c 'mount -t hostfs -o / none /mnt && exec /bin/sh /mnt$(tr " " "\n" </proc/cmdline | sed -n s/^cuddy.script=//p)'
"#;

/// The unit of [`debian_with_systemd`] that runs a script.
pub(crate) const TEST_UNIT: &str = "cuddy-test.service";

/// What the tree has beside the essential packages: systemd with sessions and buses of users, and newuidmap.
const PACKAGES: &str = "systemd,systemd-sysv,libpam-systemd,dbus,dbus-user-session,mount,uidmap";

/// The one ordinary user of the tree, with ids for user namespaces. There is no password.
const USER: [(&str, &str); 5] = [
    ("etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n"),
    ("etc/shadow", "ann:*:20000::::::\n"),
    ("etc/group", "ann:x:1000:\n"),
    ("etc/subuid", "ann:100000:65536\n"),
    ("etc/subgid", "ann:100000:65536\n"),
];

/// A small Debian of the host's own release with systemd and dbus as a directory, which is to be used read-only; made once
/// by mmdebstrap and kept in the target directory. It has a user `ann`.
///
/// # Panics
/// If it cannot be made; it needs `mmdebstrap`, root, and a Debian mirror.
pub fn debian_with_systemd() -> PathBuf {
    let tree = systemd_tree();
    made_once(&tree, |partial| {
        let mut mmdebstrap = Command::new("mmdebstrap");
        mmdebstrap.args(["--quiet", "--variant=essential", "--mode=root", "--format=directory"]);
        mmdebstrap.args(["--include", PACKAGES, "--dpkgopt=path-exclude=/usr/share/doc/*"]);
        run_within(LIMIT, mmdebstrap.arg(codename()).arg(partial)).ok();
        fs::write(partial.join("etc/systemd/system").join(TEST_UNIT), UNIT).expect("a unit in the tree");
        fs::create_dir_all(partial.join("home/ann")).expect("a directory in the tree");
        for (file, line) in USER {
            let file = File::options().append(true).create(true).open(partial.join(file));
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("a file in the tree");
        }
    });
    tree
}

/// Where it is, by what it is made from.
fn systemd_tree() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (UNIT, PACKAGES, USER).hash(&mut hasher);
    place("debian-systemd", hasher.finish())
}

/// The name of a fixture of the host's release that is made from what has this hash.
pub(crate) fn place(name: &str, made_from: u64) -> PathBuf {
    cache_dir().join(format!("{name}-{}-{made_from:x}", codename()))
}

/// Where packages come from.
pub(crate) const MIRROR: &str = "deb.debian.org:80";

/// What [`debian_with_systemd`] needs: nothing once it is made.
pub(crate) fn needs_of_systemd() -> Vec<Need> {
    match systemd_tree().exists() {
        true => Vec::new(),
        false => vec![Need::Root, Need::Program("mmdebstrap"), Need::Reachable(MIRROR)],
    }
}

/// The release that packages are for: the host's own; on a host that is not Debian, stable.
fn codename() -> String {
    debian_release().unwrap_or_else(|| "stable".to_owned())
}

/// `VERSION_CODENAME` of the host, if it is Debian.
pub(crate) fn debian_release() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name| release.lines().find_map(|line: &str| line.strip_prefix(name));
    let codename = field("VERSION_CODENAME=").filter(|_| field("ID=") == Some("debian"))?;
    Some(codename.trim_matches('"').to_owned())
}
