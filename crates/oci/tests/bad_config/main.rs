//! Configurations that are refused: each message names the field or the step, the cause, and what to do; and nothing is
//! left.

mod fields;
mod filters;
mod limits;
mod mounts;
mod namespaces;
mod privileges;
mod scheduling;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use serde_json::{Value, json};
use support::Case;
use support::refusal::check;
use testbed::{Need, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("fields", root.clone(), || check(fields::FIELDS)),
        trial("properties that nobody knows are ignored", root.clone(), unknown_properties),
        trial("namespaces", root.clone(), || check(namespaces::NAMESPACES)),
        trial("mounts and devices", root.clone(), || check(mounts::MOUNTS)),
        trial("kernel parameters and limits", root.clone(), || check(limits::LIMITS)),
        trial("scheduling, memory policy and personality", root.clone(), || check(scheduling::SCHEDULING)),
        trial("privileges", root.clone(), || check(privileges::PRIVILEGES)),
        trial("system call filters", root.clone(), || check(filters::FILTERS)),
        trial("what is not supported yet", root, || check(fields::UNSUPPORTED)),
    ])
}

/// config.md, "Extensibility": an unknown property must not be an error. Here is one in every object.
fn unknown_properties() {
    fn extend(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(extend),
            Value::Object(properties) => {
                properties.values_mut().for_each(extend);
                properties.insert("org.example.unknown".to_owned(), json!({ "a": [null, 1.5, "b"] }));
            }
            _ => {}
        }
    }
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]).edit(extend);
    case.run().ok();
}
