//! An ordinary user types the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::{Done, Need, Trial, User, binary, copy_program, run, trial};

use crate::common::{Rootfs, words};
use crate::shell::{Row, SHELL};
use crate::typed;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = || [Need::Root, Need::Program("busybox"), Need::Program("newuidmap")];
    let landlock = needs().into_iter().chain([Need::Landlock(5)]);
    vec![
        trial("an ordinary user has the same options", landlock, same_options),
        trial("who has no other ids is alone in the container", needs(), alone),
        trial(
            "an ordinary user's containers are seen by cuddy-oci, and nothing of others is touched",
            needs(),
            kept,
        ),
        trial("an ordinary user is told what takes root", needs(), refused),
    ]
}

/// A user with a root file system, and with what every row finds at home.
struct Ordinary {
    user: User,
    rootfs: Rootfs,
}

impl Ordinary {
    fn new() -> Ordinary {
        let (user, rootfs) = (User::new(), Rootfs::new());
        copy_program(&binary("cuddy"), &user.home().join("bin/cuddy"));
        typed(user.home());
        user.take(user.home());
        user.take(&rootfs.path());
        Ordinary { user, rootfs }
    }

    /// `cuddy run --rm OPTIONS ROOT COMMAND`, with `$CUDDY_TEST_HERE` as for every row.
    fn runs(&self, options: &str, root: &str, command: &[&str]) -> Done {
        let mut cuddy: Command = self.user.command("env");
        cuddy.args(["CUDDY_TEST_HERE=from here", "cuddy", "run", "--rm"]);
        run(cuddy.args(words(options)).arg(root).args(command))
    }

    fn root(&self) -> String {
        self.rootfs.text()
    }

    /// Names of containers in the user's runtime directory.
    fn containers(&self) -> Vec<String> {
        let directory = self.user.runtime_dir().join("cuddy/containers");
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

fn same_options() {
    let ordinary = Ordinary::new();
    // The machine's own nodes are bound, with their owners.
    let rows = SHELL.iter().filter(|(options, ..)| !options.contains("--device"));
    let other = |(options, script, expect): &&Row| {
        let done = ordinary.runs(options, &ordinary.root(), &["sh", "-c", script]);
        (done.stdout.trim_end() != *expect || !done.stderr.is_empty()).then(|| format!("{done:#?}"))
    };
    let others: Vec<_> = rows.filter_map(|row| other(&row)).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert_eq!(ordinary.containers(), Vec::<String>::new());

    let map = ordinary.runs("", &ordinary.root(), &["cat", "/proc/self/uid_map"]).ok().stdout;
    let map: Vec<_> = map.split_whitespace().collect();
    let user = &ordinary.user;
    assert_eq!(map[..5], ["0", &user.uid.to_string(), "1", "1", &user.first.to_string()]);
}

fn alone() {
    let ordinary = Ordinary::new();
    let range = format!("{}-{}", ordinary.user.first, ordinary.user.first + 65535);
    ordinary.user.modify(&["--del-subuids", &range, "--del-subgids", &range]);
    let script = "id -u; id -G; wc -l < /proc/self/uid_map; touch /x; chown 7 /x 2>/dev/null || echo refused";
    let done = ordinary.runs("", &ordinary.root(), &["sh", "-c", script]).ok();
    assert_eq!(done.stdout.lines().collect::<Vec<_>>()[..], ["0", "0", "1", "refused"], "{done:#?}");
    let other = ordinary.runs("-u 7", &ordinary.root(), &["true"]);
    assert_eq!(
        other.stderr,
        "cuddy: --userns: the map has no id for the user 7\n  add a range that has it\n"
    );
}

fn kept() {
    let ordinary = Ordinary::new();
    let mut cuddy = ordinary.user.command("cuddy");
    run(cuddy.args(["run", "--name", "web"]).arg(ordinary.root()).arg("true")).ok();
    assert_eq!(ordinary.containers(), ["web"]);
    let oci = |args: &[&str]| run(ordinary.user.command("cuddy-oci").args(args)).ok().stdout;
    assert_eq!(oci(&["list", "--quiet"]), "web\n");
    oci(&["delete", "web"]);
    assert_eq!(ordinary.containers(), Vec::<String>::new());
    assert!(!Path::new("/run/cuddy/containers/web").exists());
}

fn refused() {
    let ordinary = Ordinary::new();
    let root = ordinary.root();
    fs::write(ordinary.user.home().join("image.tar"), [0; 1024]).unwrap();
    for (options, root, said) in [
        (
            "",
            "./image.tar",
            "cuddy: HOME/image.tar: only root can unpack an archive so far: its files have owners\n  unpack it into a \
             directory with tar(1), and name that\n",
        ),
        (
            "--userns auto",
            &root,
            "cuddy: --userns auto: it takes ids of the machine for each container, which is root's to do\n  leave it out: \
             the container's root is you, and the ids that /etc/subuid gives to you follow\n",
        ),
    ] {
        let done = ordinary.runs(options, root, &["true"]);
        let words = done.stderr.replace(&ordinary.user.home().display().to_string(), "HOME");
        assert_eq!((done.code(), words.as_str()), (125, said));
    }
    let whole = ordinary.runs("", "host:", &["true"]);
    assert_eq!(whole.code(), 125);
    assert!(whole.stderr.contains("a user namespace may not look beneath them"), "{whole:#?}");
    let limited = ordinary.runs("--memory 64m", &root, &["true"]);
    assert_eq!(limited.code(), 125);
    assert!(
        limited.stderr.contains("/linux/resources/memory/limit: cannot be set: the cgroup"),
        "{limited:#?}"
    );
    assert_eq!(ordinary.containers(), Vec::<String>::new());
}
