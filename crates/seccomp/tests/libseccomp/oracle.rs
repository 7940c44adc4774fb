//! libseccomp, asked through a C program that is compiled when the tests run.

use seccomp::{Arch, Instruction};
use spec::{Seccomp, SyscallRule};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The compiled C program.
pub struct Oracle {
    directory: TempDir,
}

/// What libseccomp made of some rules.
pub struct Answer {
    pub program: Vec<Instruction>,
    /// Names that it is too old to know.
    pub unknown: HashSet<String>,
    /// How long it took.
    pub taken: Duration,
}

impl Oracle {
    /// Compiles it; why it cannot be had otherwise.
    pub fn build() -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libseccomp/oracle.c");
        let output = Command::new("cc")
            .args(["-O1", "-o"])
            .arg(directory.path().join("oracle"))
            .args([source, "-lseccomp"])
            .output()
            .map_err(|error| format!("no C compiler: cc: {error}"))?;
        if output.status.success() {
            return Ok(Self { directory });
        }
        let message = String::from_utf8_lossy(&output.stderr);
        if message.contains("seccomp.h: No such file") || message.contains("-lseccomp") {
            return Err("libseccomp is not installed (Debian: libseccomp-dev)".into());
        }
        panic!("{source} does not compile:\n{message}");
    }

    /// The program that libseccomp makes for `rules`.
    pub fn ask(&self, rules: &Seccomp, native: Arch) -> Answer {
        let mut child = Command::new(self.directory.path().join("oracle"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the oracle starts");
        let text = question(rules, native);
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("the oracle listens");
        let output = child.wait_with_output().expect("the oracle ends");
        let words = String::from_utf8(output.stderr).expect("the oracle speaks ASCII");
        assert!(output.status.success(), "{words}\n{text}");
        let (taken, unknown): (Vec<_>, Vec<_>) = words.lines().partition(|line| line.starts_with("# "));
        let nanoseconds = taken.first().and_then(|line| line[2..].parse().ok()).expect("how long it took");
        Answer {
            program: decode(&output.stdout),
            unknown: unknown.into_iter().map(str::to_owned).collect(),
            taken: Duration::from_nanos(nanoseconds),
        }
    }
}

fn decode(bytes: &[u8]) -> Vec<Instruction> {
    bytes
        .chunks_exact(8)
        .map(|b| Instruction {
            code: u16::from_ne_bytes([b[0], b[1]]),
            jt: b[2],
            jf: b[3],
            k: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        })
        .collect()
}

fn question(rules: &Seccomp, native: Arch) -> String {
    let default = action(&rules.default_action, rules.default_errno_ret);
    let mut text = format!("default {default}\narch {}\n", token(native.name()));
    let family = |name: &&String| Arch::ALL.iter().any(|arch| arch.name() == *name);
    for name in rules.architectures.iter().filter(family) {
        let _ = writeln!(text, "arch {}", token(name));
    }
    for rule in &rules.syscalls {
        let told = action(&rule.action, rule.errno_ret);
        // runc leaves these out, and libseccomp refuses them.
        if told != default {
            for name in &rule.names {
                for arguments in alternatives(rule) {
                    let _ = writeln!(text, "rule {told} {name} {arguments}");
                }
            }
        }
    }
    text
}

/// As runc does it: each condition by itself if two are on one argument.
fn alternatives(rule: &SyscallRule) -> Vec<String> {
    let words: Vec<_> = rule
        .args
        .iter()
        .map(|arg| format!("{} {} {} {}", arg.index, operator(&arg.op), arg.value, arg.value_two))
        .collect();
    let indices: HashSet<_> = rule.args.iter().map(|arg| arg.index).collect();
    if indices.len() == rule.args.len() {
        vec![format!("{} {}", words.len(), words.join(" "))]
    } else {
        words.iter().map(|word| format!("1 {word}")).collect()
    }
}

/// `enum scmp_compare`.
fn operator(name: &str) -> usize {
    let order = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
    order.iter().position(|op| name == format!("SCMP_CMP_{op}")).expect("an operator") + 1
}

/// `SCMP_ACT_...` of `seccomp.h` are the kernel's numbers.
fn action(name: &str, errno: Option<u32>) -> u32 {
    crate::support::naive::value(name, errno)
}

/// `SCMP_ARCH_...`: the audit number, and for x32 one that is libseccomp's own.
fn token(name: &str) -> u32 {
    let arch = Arch::ALL.into_iter().find(|arch| arch.name() == name).expect("an architecture");
    if arch == Arch::X32 { 62 | 1 << 30 } else { crate::support::audit(arch) }
}
