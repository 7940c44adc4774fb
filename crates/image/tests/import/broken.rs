//! Files that are no archive, or no longer one.

use crate::archives::{Archive, COMPRESSIONS, gzip, xz, zstd};
use crate::bed::{Bed, names, tally};
use crate::{Needs, Test};
use image::{Error, Fault, Limits};
use std::fs;

pub const TESTS: &[Test] = &[
    Test::new("what_is_no_archive_is_told_what_it_is", Needs::Nothing, strangers),
    Test::new("what_is_no_file_is_not_read", Needs::Nothing, not_a_file),
    Test::new("an_archive_cut_anywhere_is_truncated", Needs::Nothing, truncated),
    Test::new("damaged_compressed_data_is_noticed", Needs::Nothing, damaged),
    Test::new("concatenated_streams_and_garbage_after_the_end_are_as_tar_has_them", Needs::Nothing, trailing),
    Test::new("bad_headers_are_told_with_their_place", Needs::Nothing, headers),
    Test::new("limits_stop_an_archive", Needs::Nothing, limits),
];

fn strangers() {
    let bed = Bed::new();
    let tar = Archive::new().file("f", "x").end();
    let image = Archive::new().file("oci-layout", "{}").file("index.json", "{}").end();
    let table: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "the file is empty"),
        (b"hello, world".to_vec(), "not a tar archive (starts with 'hello, world')"),
        (vec![0xa5; 100_000], "not a tar archive (starts with '\\xa5"),
        (b"PK\x03\x04whatever".to_vec(), "not a tar archive but a zip archive"),
        (fs::read("/proc/self/exe").unwrap()[..5000].to_vec(), "a program (ELF)"),
        (gzip(b"hello"), "what is gzip-compressed in it is not a tar archive (starts with 'hello')"),
        (zstd(b""), "what is zstd-compressed in it is not a tar archive (starts with nothing)"),
        (xz(&gzip(&tar)), "what is xz-compressed in it is not a tar archive"),
        (vec![0; 10240], "the archive has no entries"),
        (image, "it is an image archive (it contains oci-layout)"),
    ];
    for (bytes, expect) in table {
        let error = bed.import(&bytes).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert!(error.contains("/archive"), "the archive is not named: {error}");
    }
}

fn not_a_file() {
    let bed = Bed::new();
    let import = |name: &str| bed.store().import_archive(&bed.path(name), &mut |_| {}).unwrap_err();
    assert!(matches!(import("missing"), Error::Open { .. }));
    assert!(matches!(import("outside"), Error::NotAFile { what: "a directory", .. }));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bed.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert!(matches!(import("pipe"), Error::NotAFile { what: "a pipe", .. }));
}

/// Bytes that do not compress, so that cuts are all over the archive.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut step = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| step()).collect()
}

fn truncated() {
    let bed = Bed::in_memory();
    let archive = Archive::new()
        .directory("d")
        .file("d/one", noise(3000))
        .file(format!("d/{}", "long".repeat(50)), noise(700))
        .pax(&[(b"mtime", b"1.5")])
        .file("d/two", noise(300))
        .cut();
    for (name, compress) in COMPRESSIONS {
        let whole = match name {
            "plain" => archive.clone(),
            _ => compress(&[archive.clone(), vec![0; 1024]].concat()),
        };
        let first = if name == "plain" { 512 } else { 12 };
        let steps = (first..whole.len()).step_by(97).chain([whole.len() - 1]);
        for cut in steps.chain((name == "plain").then_some(whole.len())) {
            let error = bed.import(&whole[..cut]).unwrap_err();
            let told = matches!(&error, Error::Unpack { fault: Fault::Truncated { .. }, .. });
            assert!(told, "{name} cut at {cut} of {}: {error}", whole.len());
        }
    }
    let error = bed.import(&archive[..1024 + 2000]).unwrap_err().to_string();
    assert!(
        error.contains("entry 'd/one': the archive is truncated at byte 3024 of the tar stream"),
        "{error}"
    );
}

fn damaged() {
    let bed = Bed::in_memory();
    let archive = Archive::new().file("one", noise(20_000)).end();
    for (name, compress) in &COMPRESSIONS[1..] {
        let mut bytes = compress(&archive);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        let error = bed.import(&bytes).unwrap_err();
        assert!(error.to_string().contains(&format!("cannot decompress the {name} data")), "{name}: {error}");
    }
}

fn trailing() {
    let bed = Bed::in_memory();
    let archive = Archive::new().file("one", noise(2000)).file("two", "2").end();
    let (front, back) = archive.split_at(1000);
    let garbage = b"and this is not of the archive".as_slice();
    for (name, compress) in COMPRESSIONS {
        let joined = [compress(front), compress(back)].concat();
        for tail in [&[][..], &[0; 64], garbage] {
            let layer = bed.import(&[&joined, tail].concat()).unwrap();
            assert_eq!(names(&layer.rootfs), ["one", "two"], "{name}");
        }
    }
    let padded = [xz(front), vec![0; 8], xz(back)].concat();
    assert_eq!(tally(&bed.import(&padded).unwrap()).entries, 2);
}

fn headers() {
    let bed = Bed::new();
    let new = Archive::new;
    let old_sparse = |offset, length, real_size, data| {
        new().with(b'S', b"s", b"", data, |header| {
            let gnu = header.as_gnu_mut().unwrap();
            gnu.sparse[0].set_offset(offset);
            gnu.sparse[0].set_length(length);
            gnu.set_real_size(real_size);
        })
    };
    let sparse = |records: &[(&[u8], &[u8])], data| new().pax(records).file("s", data);
    let table: Vec<(&str, Archive, &str)> = vec![
        (
            "checksum",
            new().file("f", "").data(&[1; 512]),
            "bad header at byte 512 of the tar stream: its checksum",
        ),
        ("type", new().entry(b'M', b"f", b"", b""), "entries of type 'M' are not supported"),
        (
            "size",
            new().with(b'0', b"f", b"", b"", |h| h.as_old_mut().size = *b"x00000000000"),
            "the size is not a number",
        ),
        (
            "negative size",
            new().with(b'0', b"f", b"", b"", |h| h.as_old_mut().size = [0xff; 12]),
            "the size is not",
        ),
        ("no entry after pax", new().pax(&[(b"path", b"x")]), "an extended header with no entry after it"),
        ("bad record", new().entry(b'x', b"x", b"", b"12 nonsense\n").file("f", ""), "a malformed record"),
        ("bad mtime", new().pax(&[(b"mtime", b"noon")]).file("f", ""), "mtime: not a time"),
        ("sparse beyond its size", old_sparse(512, 512, 600, &[1; 512]), "goes beyond its size"),
        ("sparse short of data", old_sparse(0, 1024, 2048, &[1; 512]), "has 1024 bytes, the archive 512"),
        (
            "sparse 1.0 with a mad count",
            sparse(&[(b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"5")], "99999999999\n"),
            "has more than",
        ),
        (
            "sparse 1.0 cut short",
            sparse(&[(b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"5")], "2\n"),
            "is cut short",
        ),
        ("sparse 2.0", sparse(&[(b"GNU.sparse.major", b"2")], ""), "sparse format 2 is not known"),
        ("sparse without size", sparse(&[(b"GNU.sparse.map", b"0,1")], "x"), "without its real size"),
    ];
    for (what, archive, expect) in table {
        let error = bed.import(&archive.end()).unwrap_err().to_string();
        assert!(error.contains(expect), "{what}: {error}");
    }
}

fn limits() {
    let bed = Bed::in_memory();
    let many = (0..200).fold(Archive::new(), |archive, n| archive.file(format!("f{n}"), "")).end();
    let check = |bytes: &[u8], limits: Limits, expect: &str| {
        let error = bed.import_limited(bytes, limits).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    let default = Limits::default;
    check(&many, Limits { entries: 100, ..default() }, "entry 'f100': the archive has more than 100 entries");
    check(&many, Limits { bytes: 10_000, ..default() }, "the archive has more than 10000 bytes");
    check(&many, Limits { keep_free: u64::MAX, ..default() }, "the store's file system is full");
    let deep = Archive::new().file(format!("{}f", "d/".repeat(500)), "").end();
    check(&deep, Limits { entries: 100, ..default() }, "more than 100 entries");
    // What comes after the end marker counts too, or a bomb could hide there.
    let bomb = [Archive::new().file("f", "").end(), vec![0; 1 << 20]].concat();
    check(&zstd(&bomb), Limits { bytes: 10_000, ..default() }, "more than 10000 bytes");
    let name = Archive::new().entry(b'L', b"././@LongLink", b"", &vec![b'a'; 2 << 20]).file("f", "").end();
    check(&name, default(), "bytes in one extended header");
    let names: [(Vec<u8>, &str); 2] = [
        (vec![b'a'; 256], "the name has a component of 256 bytes; Linux allows 255"),
        (b"abc/".repeat(1100), "the name has 4399 bytes; Linux allows 4095"),
    ];
    for (name, expect) in names {
        check(&Archive::new().file(&name, "").end(), default(), expect);
        check(&Archive::new().directory(&name).end(), default(), expect);
    }
}
