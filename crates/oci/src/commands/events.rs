//! `events`.

use super::print;
use runtime::{Error, Event, Store};
use serde::Serialize;
use serde_json::Value;
use spec::ContainerId;
use std::time::Duration;

/// A line of the output.
#[derive(Debug, Serialize)]
struct Line<'a> {
    r#type: &'static str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// Prints the statistics once, or what happens until the container ends.
pub(super) fn events(store: &Store, id: &ContainerId, once: bool, interval: Duration) -> Result<(), Error> {
    let mut tell = |event| {
        let (r#type, data) = match event {
            Event::Usage(usage) => ("stats", Some(usage)),
            Event::OutOfMemory => ("oom", None),
        };
        let line = Line { r#type, id: id.as_str(), data };
        print(&serde_json::to_string(&line).unwrap_or_default())
    };
    if once { tell(Event::Usage(store.usage(id)?)) } else { store.events(id, interval, &mut tell) }
}
