//! Whatever the bytes are: no panic, and nothing outside of the root changes.

use crate::archives::{Archive, COMPRESSIONS};
use crate::bed::Bed;
use crate::{Needs, Test};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

pub const TESTS: &[Test] = &[
    Test::new("any_bytes_do_no_harm", Needs::Nothing, any_bytes),
    Test::new("any_change_to_an_archive_does_no_harm", Needs::Nothing, any_change),
    Test::new("any_sequence_of_entries_stays_inside", Needs::Nothing, any_entries),
];

fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let config = Config { failure_persistence: None, max_shrink_iters: 100, ..Config::with_cases(cases) };
    let run = |value| {
        test(value);
        Ok(())
    };
    TestRunner::new(config).run(&strategy, run).unwrap();
}

fn any_bytes() {
    let bed = Bed::in_memory();
    let start = prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"]);
    check(300, (start, prop::collection::vec(any::<u8>(), 0..2000)), |(start, bytes)| {
        let _ = bed.import(&[start, &bytes].concat());
    });
}

fn any_change() {
    let bed = Bed::in_memory();
    let archive = Archive::new()
        .directory("d")
        .pax(&[(b"path", b"d/pax"), (b"mtime", b"12.5"), (b"GNU.sparse.map", b"0,3")])
        .file("f", "abc")
        .symlink("d/l", "../d")
        .file("d/l/x".repeat(30), "long")
        .hard_link("h", "f")
        .end();
    let changes = prop::collection::vec((0..archive.len(), any::<u8>()), 1..4);
    check(400, (0..COMPRESSIONS.len(), changes, any::<bool>()), |(compression, changes, fix)| {
        let mut bytes = archive.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
            if fix {
                // With its checksum right again the change is read.
                let block = &mut bytes[at / 512 * 512..][..512];
                let mut header = tar::Header::from_byte_slice(block).clone();
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
        let _ = bed.import(&COMPRESSIONS[compression].1(&bytes));
    });
}

fn any_entries() {
    let bed = Bed::in_memory();
    let outside = bed.outside("");
    let component = prop::sample::select(vec!["a", "b", "c", ".", "dir", "secret"]);
    let name = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    let target = prop_oneof![
        3 => name.clone(),
        1 => name.clone().prop_map(|name| format!("/{name}")),
        1 => name.clone().prop_map(|name| format!("../../../{name}")),
        1 => Just(outside.clone()),
        1 => Just(format!("{}{outside}", "../".repeat(20))),
        1 => Just(format!("{outside}secret")),
        1 => Just("/proc/self/root".to_owned()),
    ];
    let kind = prop::sample::select(b"0001122255567".to_vec());
    let entries = prop::collection::vec((kind, name, target), 1..12);
    check(150, entries, |entries| {
        // The longest beginning of the sequence that is not refused, so that much of it is done.
        let build = |entries: &[(u8, String, String)]| {
            entries.iter().fold(Archive::new(), |archive, (kind, name, target)| match kind {
                b'0' | b'7' => archive.entry(*kind, name.as_bytes(), b"", b"data"),
                _ => archive.entry(*kind, name.as_bytes(), target.as_bytes(), b""),
            })
        };
        let mut good: Vec<(u8, String, String)> = Vec::new();
        for entry in entries {
            good.push(entry);
            if bed.import(&build(&good).end()).is_err() {
                good.pop();
            }
        }
    });
}
