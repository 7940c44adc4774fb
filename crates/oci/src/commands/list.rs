//! `list` and `state`: containers as they are.

use super::print;
use crate::args::ListFormat;
use crate::report::rfc3339;
use runtime::{Container, Error, Store};
use serde::Serialize;
use spec::Status;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A container as runc prints it: the state of the specification and more, in this order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    oci_version: String,
    id: String,
    /// 0 for one that has ended.
    pid: i32,
    status: Status,
    bundle: PathBuf,
    rootfs: PathBuf,
    created: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

impl Entry {
    pub(super) fn of(container: &Container) -> Self {
        let state = container.state();
        let record = &container.record;
        Self {
            oci_version: state.oci_version,
            id: state.id,
            pid: state.pid.unwrap_or(0),
            status: state.status,
            rootfs: record.rootfs.clone().unwrap_or_else(|| state.bundle.join("rootfs")),
            bundle: state.bundle,
            created: rfc3339(record.created),
            annotations: state.annotations,
            owner: None,
        }
    }
}

pub(super) fn list(store: &Store, format: ListFormat) -> Result<(), Error> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    // A container that goes away while the list is made is not in it.
    let containers = store.list()?.into_iter().filter_map(|id| store.open(&id).ok());
    let entries: Vec<Entry> = containers
        .map(|container| {
            let owner = Some(owner(&users, container.record.owner));
            Entry { owner, ..Entry::of(&container) }
        })
        .collect();
    match format {
        ListFormat::Quiet => entries.iter().try_for_each(|entry| print(&entry.id)),
        ListFormat::Json => print(&serde_json::to_string(&entries).unwrap_or_default()),
        ListFormat::Table => table(&entries),
    }
}

/// The name of a user; one that has none is `#1000`.
fn owner(passwd: &str, uid: u32) -> String {
    let of = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    passwd.lines().find_map(of).unwrap_or_else(|| format!("#{uid}"))
}

fn table(entries: &[Entry]) -> Result<(), Error> {
    let header = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"].map(str::to_owned);
    let row = |entry: &Entry| {
        [
            entry.id.clone(),
            entry.pid.to_string(),
            entry.status.to_string(),
            entry.bundle.display().to_string(),
            entry.created.clone(),
            entry.owner.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = std::iter::once(header).chain(entries.iter().map(row)).collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(9) + 3;
    let widths = [0, 1, 2, 3, 4].map(width);
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        print(&format!("{}{}", cells.collect::<String>(), row[5]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn owners_have_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\n\nuser:x:1000:1000::/home:/bin/sh\n";
        for (uid, name) in [(0, "root"), (1000, "user"), (7, "#7")] {
            assert_eq!(owner(passwd, uid), name);
        }
    }
}
