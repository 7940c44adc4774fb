//! What comes out is what went in.

use crate::archives::{Archive, COMPRESSIONS};
use crate::bed::{Bed, list, names, tally};
use crate::{Needs, Test};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

pub const TESTS: &[Test] = &[
    Test::new("a_tree_through_tar_is_the_same_tree", Needs::Tar, round_trip),
    Test::new("owners_modes_and_capabilities_are_kept", Needs::Root, owners),
    Test::new("the_entry_of_the_root_is_for_the_root", Needs::Nothing, root_entry),
    Test::new("missing_parents_are_made", Needs::Nothing, parents),
    Test::new("the_last_of_several_wins", Needs::Nothing, duplicates),
    Test::new("names_are_bytes", Needs::Nothing, names_are_bytes),
    Test::new("the_longest_names_fit", Needs::Nothing, long_names),
    Test::new("directories_without_permissions_are_filled", Needs::Nothing, closed_directories),
    Test::new("old_and_odd_entries_are_read", Needs::Nothing, odd_entries),
];

/// Makes an archive of a directory with the tar program.
pub fn tar(directory: &Path, archive: &Path, options: &[&str]) {
    let mut command = Command::new("tar");
    command.args(options).args(["--numeric-owner", "-cf"]).arg(archive).arg("-C").arg(directory).arg(".");
    assert!(command.status().unwrap().success());
}

fn round_trip() {
    let bed = Bed::new();
    let tree = bed.path("tree");
    fs::create_dir_all(tree.join("usr/share").join("deep/".repeat(60))).unwrap();
    fs::write(tree.join("usr/file"), b"contents").unwrap();
    fs::write(tree.join("usr/".to_owned() + &"long".repeat(60)), vec![7; 100_000]).unwrap();
    fs::write(tree.join("usr/empty"), "").unwrap();
    fs::hard_link(tree.join("usr/file"), tree.join("hard")).unwrap();
    symlink("usr/file", tree.join("link")).unwrap();
    symlink("long/".repeat(50), tree.join("dangling")).unwrap();
    fs::set_permissions(tree.join("usr/file"), fs::Permissions::from_mode(0o2750)).unwrap();
    fs::set_permissions(tree.join("usr/share"), fs::Permissions::from_mode(0o1777)).unwrap();
    let expect = list(&tree);
    for format in ["--format=gnu", "--format=posix", "--format=oldgnu"] {
        tar(&tree, &bed.path("tree.tar"), &[format]);
        let bytes = fs::read(bed.path("tree.tar")).unwrap();
        for (name, compress) in COMPRESSIONS {
            let layer = bed.import(&compress(&bytes)).unwrap();
            let found = list(&layer.rootfs);
            match format {
                "--format=posix" => assert_eq!(found, expect, "{format} {name}"),
                // The other formats have whole seconds.
                _ => assert_eq!(without_fractions(&found), without_fractions(&expect), "{format} {name}"),
            }
        }
    }
}

fn without_fractions(list: &str) -> String {
    let line = |line: &str| match line.split_once(" links") {
        Some((front, back)) => format!("{} links{back}\n", &front[..front.len() - 10]),
        None => format!("{line}\n"),
    };
    list.lines().map(line).collect()
}

fn owners() {
    let bed = Bed::new();
    // cap_net_raw=ep, as `getfattr -e hex` shows it: binary, with a line feed in it for good measure.
    let capability = b"\x01\0\0\x02\x00\x20\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0";
    let owned = |header: &mut tar::Header| {
        header.set_uid(12345);
        header.set_gid(4_000_000_000);
        header.set_mode(0o6711);
    };
    let archive = Archive::new()
        .pax(&[(b"SCHILY.xattr.security.capability", capability), (b"SCHILY.xattr.user.note", b"a\nb")])
        .with(b'0', b"file", b"", b"program", owned)
        .with(b'5', b"directory", b"", b"", owned)
        .with(b'2', b"link", b"file", b"", owned)
        .with(b'6', b"fifo", b"", b"", owned)
        .pax(&[(b"uid", b"70000"), (b"gid", b"80000")])
        .file("pax", "");
    let layer = bed.import(&archive.end()).unwrap();
    for name in ["file", "directory", "link", "fifo"] {
        let meta = layer.rootfs.join(name).symlink_metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid()), (12345, 4_000_000_000), "{name}");
        assert!(meta.is_symlink() || meta.mode() & 0o7777 == 0o6711, "{name} {:o}", meta.mode());
    }
    let meta = fs::metadata(layer.rootfs.join("pax")).unwrap();
    assert_eq!((meta.uid(), meta.gid()), (70000, 80000));
    let mut value = [0; 64];
    let length =
        rustix::fs::getxattr(layer.rootfs.join("file"), "security.capability", &mut value[..]).unwrap();
    assert_eq!(&value[..length], capability);
    if tally(&layer).dropped_xattrs == 0 {
        let length = rustix::fs::getxattr(layer.rootfs.join("file"), "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"a\nb");
    }
}

fn root_entry() {
    let bed = Bed::new();
    let layer = bed.import(&Archive::new().file("f", "").end()).unwrap();
    assert_eq!(fs::metadata(&layer.rootfs).unwrap().mode() & 0o7777, 0o755);
    let root = |header: &mut tar::Header| header.set_mode(0o1700);
    let layer = bed.import(&Archive::new().with(b'5', b"./", b"", b"", root).file("f", "").end()).unwrap();
    let meta = fs::metadata(&layer.rootfs).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.mtime()), (0o1700, 1_600_000_000));
}

fn parents() {
    let bed = Bed::new();
    let layer = bed.import(&Archive::new().file("a/b/c", "").directory("a").end()).unwrap();
    let mode = |name: &str| fs::metadata(layer.rootfs.join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("a"), mode("a/b"), mode("a/b/c")), (0o755, 0o755, 0o644));
    assert_eq!(tally(&layer).entries, 4);
}

fn duplicates() {
    let bed = Bed::new();
    let archive = Archive::new()
        .file("x", "first")
        .file("x", "second")
        .file("y", "file")
        .directory("y")
        .file("y/inside", "")
        .file("y", "file again")
        .file("z", "")
        .directory("z")
        .file("z/kept", "")
        .directory("z/")
        .file("h", "hard")
        .hard_link("h", "h")
        .fifo("h2")
        .hard_link("h2", "h");
    let layer = bed.import(&archive.end()).unwrap();
    let read = |name: &str| fs::read_to_string(layer.rootfs.join(name)).unwrap();
    assert_eq!(
        (read("x").as_str(), read("y").as_str(), read("h2").as_str()),
        ("second", "file again", "hard")
    );
    assert_eq!(names(&layer.rootfs.join("z")), ["kept"]);
}

fn names_are_bytes() {
    let bed = Bed::new();
    let all: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    let odd: [&[u8]; 5] = [b"\xff\xfe", b".wh.file", b".wh..wh..opq", b"new\nline", b"back\\slash"];
    let mut archive = Archive::new().file(&all, "").pax(&[(b"path", b"pax/\xc3\x28")]).file("p", "");
    for name in odd {
        archive = archive.file(name, "");
    }
    let layer = bed.import(&archive.end()).unwrap();
    for name in odd.into_iter().chain([&all[..], b"pax/\xc3\x28"]) {
        assert!(layer.rootfs.join(OsStr::from_bytes(name)).is_file(), "{}", name.escape_ascii());
    }
}

fn long_names() {
    let bed = Bed::in_memory();
    let deep = "d/".repeat(2000);
    let (long, target) = ("n".repeat(255), "t".repeat(4000));
    let archive =
        Archive::new().file(format!("{deep}file"), "deep").file(&long, "long").symlink("l", &target);
    let layer = bed.import(&archive.end()).unwrap();
    assert_eq!(fs::read_to_string(layer.rootfs.join(long)).unwrap(), "long");
    assert_eq!(fs::read_link(layer.rootfs.join("l")).unwrap().as_os_str(), target.as_str());
    assert_eq!(tally(&layer).entries, 2003);
}

fn closed_directories() {
    let bed = Bed::new();
    let closed = |header: &mut tar::Header| header.set_mode(0);
    let archive = Archive::new()
        .with(b'5', b"d", b"", b"", closed)
        .file("d/one", "1")
        .with(b'5', b"d/e", b"", b"", closed)
        .file("d/e/two", "2")
        .directory("d/e/f")
        .file("d/e/f", "a file after all");
    bed.import(&archive.clone().end()).unwrap();
    // An error after it: the closed directories are removed all the same.
    bed.import(&archive.file("../x", "").end()).unwrap_err();
}

fn odd_entries() {
    let bed = Bed::new();
    let v7 = |header: &mut tar::Header| header.as_mut_bytes()[257..].fill(0);
    let ustar = |header: &mut tar::Header| {
        header.as_mut_bytes()[257..265].copy_from_slice(b"ustar\x0000");
        header.as_mut_bytes()[345..351].copy_from_slice(b"prefix");
    };
    let old = |header: &mut tar::Header| {
        header.as_mut_bytes()[156] = 0;
        header.as_mut_bytes()[257..].fill(0);
    };
    let archive = Archive::new()
        .entry(b'V', b"label", b"", b"")
        .entry(b'g', b"pax_global_header", b"", b"52 comment=0123456789012345678901234567890123456789\n")
        .with(b'0', b"v7", b"", b"7", v7)
        .with(b'0', b"v7directory/", b"", b"", v7)
        .with(b'0', b"old", b"", b"o", old)
        .with(b'0', b"ustar", b"", b"u", ustar)
        .entry(b'7', b"contiguous", b"", b"c")
        .entry(b'D', b"incremental", b"", b"Yfile\0\0")
        .with(b'5', b"sized", b"", b"", |header| header.set_size(4096))
        .pax(&[(b"size", b"3"), (b"mtime", b"-1.25")])
        .with(b'0', b"pax", b"", b"", |header| header.set_size(0))
        .data(b"abc");
    let layer = bed.import(&archive.end()).unwrap();
    assert_eq!(
        names(&layer.rootfs),
        ["contiguous", "incremental", "old", "pax", "prefix", "sized", "v7", "v7directory"]
    );
    assert!(layer.rootfs.join("prefix/ustar").is_file());
    assert!(layer.rootfs.join("v7directory").is_dir());
    let meta = fs::metadata(layer.rootfs.join("pax")).unwrap();
    assert_eq!((meta.len(), meta.mtime(), meta.mtime_nsec()), (3, -2, 750_000_000));
}
