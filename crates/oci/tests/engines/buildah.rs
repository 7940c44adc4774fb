//! buildah, whose `run` and `bud` start a container for each command.

use std::fs;

use testbed::{Done, Terminal};

use crate::image::{self, IMAGE};
use crate::podman::configure;
use crate::stage::{RUNTIME, Stage};
use crate::support::SOON;

struct Buildah {
    stage: Stage,
}

impl Buildah {
    fn new() -> Buildah {
        let stage = Stage::new();
        configure(&stage);
        let buildah = Buildah { stage };
        let archive = image::archive(buildah.stage.scratch());
        buildah.ok(&["pull", &format!("docker-archive:{}", archive.display())]);
        buildah
    }

    #[track_caller]
    fn does(&self, args: &[&str]) -> Done {
        self.stage.run(&[&["buildah"], args].concat())
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        self.does(args).ok().stdout.trim_end().to_owned()
    }
}

/// Commands in a working container: output, exit codes, a terminal, a user, a mount; and what they change stays.
pub fn run() {
    let buildah = Buildah::new();
    let work = buildah.ok(&["from", IMAGE]);
    let run = |options: &[&str], command: &[&str]| {
        buildah.does(&[&["run", "--runtime", RUNTIME], options, &["--", &work], command].concat())
    };
    assert_eq!(run(&[], &["echo", "hi"]).ok().stdout, "hi\n");
    let mut by_environment = buildah.stage.command(&["buildah", "run", "--", &work, "echo", "hi"]);
    assert_eq!(testbed::run(by_environment.env("BUILDAH_RUNTIME", RUNTIME)).ok().stdout, "hi\n");
    assert_eq!(run(&[], &["sh", "-c", "exit 7"]).code(), 7);
    let missing = run(&[], &["no-such"]);
    assert!(missing.stderr.contains("executable file not found in $PATH"), "{missing:#?}");
    assert_eq!(run(&["--user", "1000"], &["id", "-u"]).ok().stdout, "1000\n");
    assert_eq!(
        run(&["--cap-drop", "all"], &["grep", "-c", "CapEff:.0*$", "/proc/self/status"]).ok().stdout,
        "1\n"
    );
    let dir = buildah.stage.shared("volume");
    fs::create_dir(&dir).expect("a directory");
    let volume = format!("{}:/data", dir.display());
    run(&["--volume", &volume], &["sh", "-c", "echo text > /data/file; echo kept > /kept"]).ok();
    assert_eq!(fs::read_to_string(dir.join("file")).expect("the container wrote it"), "text\n");
    assert_eq!(run(&[], &["cat", "/kept"]).ok().stdout, "kept\n");

    let args = ["buildah", "run", "--tty", "--runtime", RUNTIME, "--", &work, "sh"];
    let mut shell = Terminal::start(&buildah.stage.command(&args));
    shell.expect("# ", SOON);
    shell.send("tty; exit 4\n");
    shell.expect("/dev/pts/0", SOON);
    assert_eq!(shell.wait(SOON).code(), Some(4), "{}", shell.output());
    buildah.ok(&["rm", &work]);
}

/// A Containerfile with steps that run, fail, and run as somebody else.
pub fn build() {
    let buildah = Buildah::new();
    let dir = buildah.stage.shared("context");
    fs::create_dir(&dir).expect("a directory");
    let build = |text: &str| {
        fs::write(dir.join("Containerfile"), text).expect("a file");
        let dir = dir.to_str().expect("a path of ours");
        buildah.does(&["bud", "--runtime", RUNTIME, "--tag", "localhost/built:1", dir])
    };
    let done = build(&format!(
        "FROM {IMAGE}\nRUN echo one > /one && test $(id -u) = 0\nENV A=b\nWORKDIR /made\nUSER 1000\nRUN echo $A $(pwd) $(id -u)\n"
    ));
    assert!(done.stdout.contains("b /made 1000\n"), "{done:#?}");
    assert_eq!(done.code(), 0, "{done:#?}");
    let failed = build(&format!("FROM {IMAGE}\nRUN exit 9\n"));
    assert_ne!(failed.code(), 0, "{failed:#?}");
    assert!(failed.stderr.contains("exit status 9"), "{failed:#?}");
    let work = buildah.ok(&["from", "localhost/built:1"]);
    assert_eq!(buildah.ok(&["run", "--runtime", RUNTIME, "--", &work, "cat", "/one"]), "one");
}
