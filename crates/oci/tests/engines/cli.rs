//! What podman and Docker have in common: their command line.

use std::process::Command;

use serde_json::Value;
use testbed::{Done, Terminal, run};

use crate::image::{self, IMAGE};
use crate::stage::Stage;

/// An engine on a stage, with the image loaded.
pub struct Cli {
    /// `podman` or `docker`.
    pub name: &'static str,
    pub stage: Stage,
}

impl Cli {
    pub fn new(name: &'static str, stage: Stage) -> Cli {
        let archive = image::archive(stage.scratch());
        let cli = Cli { name, stage };
        cli.ok(&["load", "--input", archive.to_str().expect("a path of ours")]);
        cli
    }

    /// The engine with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        self.stage.command(&[&[self.name], args].concat())
    }

    /// Runs the engine.
    #[track_caller]
    pub fn does(&self, args: &[&str]) -> Done {
        run(&mut self.command(args))
    }

    /// Runs the engine, which must succeed, and returns what it wrote to standard output, without the last line's end.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        self.does(args).ok().stdout.trim_end().to_owned()
    }

    /// `run --rm OPTIONS... IMAGE COMMAND...`
    #[track_caller]
    pub fn once(&self, options: &[&str], command: &[&str]) -> Done {
        self.does(&[&["run", "--rm"], options, &[IMAGE], command].concat())
    }

    /// `run --detach --name NAME OPTIONS... IMAGE COMMAND...`; returns the whole id. A process 1 without a handler is deaf to
    /// SIGTERM, so `rm --force` does not wait for it.
    #[track_caller]
    pub fn detached(&self, name: &str, options: &[&str], command: &[&str]) -> String {
        self.ok(&[&["run", "--detach", "--stop-timeout", "0", "--name", name], options, &[IMAGE], command]
            .concat())
    }

    /// The engine at a terminal.
    pub fn terminal(&self, args: &[&str]) -> Terminal {
        Terminal::start(&self.command(args))
    }

    /// `inspect`, of which there is one.
    #[track_caller]
    pub fn inspect(&self, name: &str) -> Value {
        self.does(&["inspect", "--type", "container", name]).ok().json::<Value>()[0].take()
    }

    /// The status as `inspect` tells it.
    #[track_caller]
    pub fn status(&self, name: &str) -> String {
        self.inspect(name)["State"]["Status"].as_str().expect("a status").to_owned()
    }
}
