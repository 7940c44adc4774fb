//! Configurations of an absurd size or shape. Whatever comes of one, it comes soon, with words or with a container, in an
//! address space of 64 MiB; and nothing is left.

mod support;

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};
use support::Case;
use support::refusal::says;
use testbed::{Done, Need, run, trial};

/// What a configuration may have, in bytes.
const LIMIT: usize = 4 << 20;

/// What `cuddy-oci` may have, all told: its program, its stack and what it allocates.
const MEMORY: usize = 64 << 20;

fn main() -> ExitCode {
    let needs = [Need::Root, Need::Program("prlimit")];
    testbed::main([
        trial("sixteen megabytes are refused unread", needs.clone(), || too_large(16 << 20)),
        trial("one byte too many", needs.clone(), || too_large(LIMIT + 1)),
        trial("what is as large as may be", needs.clone(), largest),
        trial("large values of a good configuration", needs.clone(), good),
        trial("the process for exec and the records", needs, other_documents),
    ])
}

/// A place in the standard configuration that [`grown`] fills.
const HERE: &str = "@HERE@";

/// Where something is repeated, what begins it, the n-th of it, what ends it, and what is said: nothing for a container that
/// runs.
struct Shape {
    place: fn(&mut Value),
    before: &'static str,
    unit: fn(usize) -> String,
    after: &'static str,
    said: &'static str,
}

const MANY: &str = "the document has more than 65536 values";

const SHAPES: [Shape; 14] = [
    Shape { place: |c| c["x"] = json!(HERE), before: "[", unit: |_| "[".repeat(512), after: "", said: MANY },
    Shape {
        place: |c| c["process"]["args"] = json!(HERE),
        before: "[",
        unit: |_| "[".repeat(512),
        after: "",
        said: MANY,
    },
    Shape {
        place: |c| c["x"] = json!(HERE),
        before: "0",
        unit: |_| "0".repeat(512),
        after: "",
        said: "/x: invalid number",
    },
    Shape { place: |c| c["x"] = json!(HERE), before: "\"", unit: |_| "x".repeat(512), after: "\"", said: "" },
    Shape {
        place: |c| c["annotations"] = json!(HERE),
        before: "{\"a\":\"",
        unit: |_| "x".repeat(512),
        after: "\"}",
        said: "",
    },
    Shape {
        place: |c| c["process"]["args"] = json!(HERE),
        // What is escaped in words takes six times as much.
        before: "\"",
        unit: |_| "\u{7f}".repeat(512),
        after: "\"",
        said: "/process/args: invalid type: string",
    },
    Shape {
        place: |c| c["process"]["args"] = json!(HERE),
        before: "[\"/bin/probe\", \"exit\", \"0\", \"",
        unit: |_| "x".repeat(512),
        after: "\"]",
        said: "argument list too long",
    },
    Shape {
        place: |c| c["process"]["args"] = json!(HERE),
        before: "[\"\"",
        unit: |_| ",\"\"".repeat(99),
        after: "]",
        said: MANY,
    },
    Shape {
        place: |c| c["process"]["env"] = json!(HERE),
        before: "[\"a=b\"",
        unit: |_| ",\"a\"".repeat(99),
        after: "]",
        said: MANY,
    },
    Shape {
        place: |c| c["process"]["user"]["additionalGids"] = json!(HERE),
        before: "[1",
        unit: |_| ",1".repeat(99),
        after: "]",
        said: MANY,
    },
    Shape {
        place: |c| c["mounts"] = json!(HERE),
        before: "[{\"destination\":\"/\"}",
        unit: |_| ",{\"destination\":\"/\"}".repeat(9),
        after: "]",
        said: MANY,
    },
    Shape {
        place: |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": HERE }),
        before: "[{\"names\":[],\"action\":\"\"}",
        unit: |_| ",{\"names\":[],\"action\":\"\"}".repeat(9),
        after: "]",
        said: MANY,
    },
    Shape {
        place: |c| c["annotations"] = json!(HERE),
        before: "{\"a\":\"\"",
        unit: |n| format!(",\"{n:x}\":\"\""),
        after: "}",
        said: MANY,
    },
    Shape {
        place: |c| c["x"] = json!(HERE),
        before: "{\"a\":0",
        unit: |n| format!(",\"{n:x}\":0"),
        after: "}",
        said: MANY,
    },
];

/// The standard configuration with something grown to this many bytes, or to this many units if that comes first.
fn grown(case: &mut Case, shape: &Shape, bytes: usize, units: usize) {
    case.args(&["/bin/probe", "exit", "0"]).edit(shape.place);
    let config = case.bundle.config().to_string();
    let (before, after) = config.split_once(&format!("\"{HERE}\"")).expect("there is a place");
    let (mut text, end) = ([before, shape.before].concat(), [shape.after, after].concat());
    for unit in (0..units).map(shape.unit) {
        if text.len() + unit.len() + end.len() > bytes {
            break;
        }
        text.push_str(&unit);
    }
    text.push_str(&end);
    // Whitespace is as good as anything.
    if units == usize::MAX {
        text.push_str(&" ".repeat(bytes - text.len()));
    }
    fs::write(case.bundle.path().join("config.json"), text).expect("a file of ours");
}

/// Runs a command in an address space of [`MEMORY`].
fn bounded(command: &Command) -> Done {
    let mut bounded = Command::new("prlimit");
    bounded.arg(format!("--as={MEMORY}")).arg(command.get_program()).args(command.get_args());
    run(bounded.stdin(Stdio::null()))
}

fn too_large(bytes: usize) {
    for content in ["[", " "] {
        let case = Case::probe();
        let file = case.bundle.path().join("config.json");
        fs::write(&file, content.repeat(bytes)).expect("a file of ours");
        let hint = "a few thousand are usual; put what is large into files of the container";
        let message = format!("BUNDLE/config.json has {bytes} bytes; at most {LIMIT} are read\n  {hint}");
        says(&case, bounded(&case.make(&["run"])), &message);
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn largest() {
    for shape in &SHAPES {
        let mut case = Case::probe();
        grown(&mut case, shape, LIMIT, usize::MAX);
        check(&case, shape.said);
    }
}

fn check(case: &Case, expect: &str) {
    let done = bounded(&case.make(&["run"]));
    let said: String = done.stderr.chars().take(1000).collect();
    assert_eq!(done.code(), i32::from(!expect.is_empty()), "{said}, expected: {expect}");
    assert!(said.contains(expect) && done.stderr.len() < 1000, "{said}, expected: {expect}");
    assert_eq!(case.left_behind(), Vec::<String>::new(), "{expect}");
}

/// As many as a document may have, and each of them good.
fn good() {
    let shapes = [
        (
            60_000,
            Shape {
                place: |c| c["process"]["env"] = json!(HERE),
                before: "[\"A=B\"",
                unit: |_| ",\"A=B\"".into(),
                after: "]",
                said: "",
            },
        ),
        (
            30_000,
            Shape {
                place: |c| c["annotations"] = json!(HERE),
                before: "{\"a\":\"\"",
                unit: |n| format!(",\"{n:0>32x}\":\"{n:0>32x}\""),
                after: "}",
                said: "",
            },
        ),
        (
            65_000,
            Shape {
                place: |c| c["process"]["user"]["additionalGids"] = json!(HERE),
                before: "[1",
                unit: |n| format!(",{n}"),
                after: "]",
                said: "",
            },
        ),
        (
            60_000,
            Shape {
                place: |c| c["linux"]["maskedPaths"] = json!(HERE),
                before: "[\"/a\"",
                unit: |n| format!(",\"/{n}\""),
                after: "]",
                said: "",
            },
        ),
        (
            10_000,
            Shape {
                place: |c| c["mounts"] = json!(HERE),
                before: "[{\"destination\":\"/run\",\"type\":\"tmpfs\"}",
                unit: |n| {
                    format!(",{{\"destination\":\"/run/{n}\",\"type\":\"tmpfs\",\"options\":[\"size=1\"]}}")
                },
                after: "]",
                said: "",
            },
        ),
        (
            10_000,
            Shape {
                place: |c| {
                    c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": HERE })
                },
                before: "[{\"names\":[],\"action\":\"SCMP_ACT_ERRNO\"}",
                unit: |n| {
                    format!(
                        ",{{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{{\"index\":1,\"value\":{n},\"op\":\"SCMP_CMP_EQ\"}}]}}"
                    )
                },
                after: "]",
                said: "/linux/seccomp",
            },
        ),
    ];
    for (units, shape) in &shapes {
        let mut case = Case::probe();
        grown(&mut case, shape, LIMIT, *units);
        check(&case, shape.said);
    }
}

fn other_documents() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let process = case.bundle.path().join("process.json");
    let state = case.state_dir().join("containers").join(case.id()).join("state.json");
    let record = fs::read(&state).expect("a record of ours");
    for (bytes, said) in [(16 << 20, "at most 4194304 are read"), (LIMIT, MANY)] {
        fs::write(&process, "[".repeat(bytes)).expect("a file of ours");
        let done = bounded(case.oci(&["exec", "--process"]).arg(&process).arg(case.id()));
        assert!([1, 255].contains(&done.code()) && done.stderr.contains(said), "{}", done.stderr);
    }
    for (bytes, said) in [(16 << 20, "at most 8388608 are read"), (2 * LIMIT, MANY)] {
        fs::write(&state, "[".repeat(bytes)).expect("a file of ours");
        for command in ["state", "kill", "delete", "start"] {
            let done = bounded(case.oci(&[command]).arg(case.id()));
            assert!([1, 255].contains(&done.code()) && done.stderr.contains(said), "{}", done.stderr);
        }
    }
    fs::write(&state, record).expect("a file of ours");
}
