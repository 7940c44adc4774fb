//! Archives that mean harm.

use crate::archives::Archive;
use crate::bed::{Bed, names, tally};
use crate::{Needs, Test};
use image::Layer;
use std::fs;
use std::os::unix::fs::MetadataExt;

pub const TESTS: &[Test] = &[
    Test::new("names_and_links_that_lead_out_are_refused", Needs::Nothing, refused),
    Test::new("absolute_names_are_under_the_root", Needs::Nothing, absolute),
    Test::new("links_lead_to_places_under_the_root", Needs::Nothing, through_links),
    Test::new("a_link_is_replaced_and_not_written_through", Needs::Nothing, replaced_links),
    Test::new("a_directory_that_became_a_link_keeps_its_time_to_itself", Needs::Nothing, late_link),
    Test::new("a_hard_link_to_a_link_is_the_link", Needs::Nothing, hard_link_to_link),
    Test::new("device_nodes_are_not_made", Needs::Nothing, devices),
    Test::new("attributes_of_overlay_file_systems_are_dropped", Needs::Nothing, overlay_attributes),
    Test::new("layers_are_out_of_reach_of_other_users", Needs::Nothing, private),
];

fn refused() {
    let bed = Bed::new();
    let (dir, secret) = (bed.outside("dir"), bed.outside("secret"));
    let up = "../".repeat(20);
    let new = Archive::new;
    let table: Vec<(&str, Archive, &str)> = vec![
        ("dot dot", new().file("../x", "x"), "entry '../x': the name contains '..'"),
        ("dot dot inside", new().file("a/../../x", "x"), "the name contains '..'"),
        ("dot dot that stays", new().directory("a").file("a/../x", "x"), "the name contains '..'"),
        ("absolute dot dot", new().file("/../x", "x"), "the name contains '..'"),
        ("only dot dot", new().directory(".."), "the name contains '..'"),
        ("dot dot in a long name", new().file(format!("{}../x", "a/".repeat(100)), "x"), "contains '..'"),
        (
            "dot dot in pax",
            new().pax(&[(b"path", b"../x")]).file("ok", "x"),
            "entry '../x': the name contains",
        ),
        ("NUL in pax", new().pax(&[(b"path", b"a\0b")]).file("ok", "x"), "the name contains a NUL byte"),
        ("no name", new().file("", "x"), "the name is empty"),
        (
            "link out",
            new().symlink("l", &dir).file("l/x", "x"),
            "entry 'l/x': its parent 'l' is not a directory",
        ),
        (
            "link up and out",
            new().symlink("l", format!("{up}{dir}")).file("l/x", "x"),
            "its parent 'l' is not a directory",
        ),
        (
            "link to a link out",
            new().symlink("m", &dir).symlink("l", "m").directory("l/x"),
            "its parent 'l' is not a directory",
        ),
        (
            "magic link",
            new().directory("proc").symlink("l", "/proc/self/root").file("l/x", "x"),
            "its parent",
        ),
        ("link to itself", new().symlink("l", "l").file("l/x", "x"), "its parent 'l' is not a directory"),
        (
            "link that replaces itself",
            new().directory("d").symlink("d/loop", "../d").file("d/loop/loop", "").file("d/loop/x", ""),
            "entry 'd/loop/x': its parent 'd/loop' is not a directory",
        ),
        ("file as parent", new().file("f", "").file("f/x", "x"), "its parent 'f' is not a directory"),
        ("hard link out", new().hard_link("h", &secret), "is not in the archive before this entry"),
        (
            "hard link up",
            new().hard_link("h", format!("{up}{secret}")),
            "the target of the hard link contains '..'",
        ),
        (
            "hard link through a link",
            new().symlink("l", bed.outside("")).hard_link("h", "l/secret"),
            "is not in the archive before this entry",
        ),
        (
            "hard link to a later file",
            new().hard_link("h", "f").file("f", "x"),
            "is not in the archive before",
        ),
        ("hard link to a directory", new().directory("d").hard_link("h", "d"), "it is a directory"),
        ("hard link to the root", new().hard_link("h", "/"), "it is the root"),
        ("hard link without target", new().hard_link("h", ""), "the target of the hard link is empty"),
        ("hard link to a device", new().device(b'4', "sda").hard_link("h", "sda"), "or is a device"),
        ("root as a link", new().symlink("./", &dir), "the root of the archive is not a directory"),
        (
            "root as a file",
            new().pax(&[(b"path", b".")]).file("x", ""),
            "the root of the archive is not a directory",
        ),
        ("empty link", new().symlink("l", ""), "is no target for a link"),
        (
            "user id -1",
            new().pax(&[(b"uid", b"4294967295")]).file("f", ""),
            "4294967295 is not a user or group id",
        ),
    ];
    for (what, archive, expect) in table {
        match bed.import(&archive.end()) {
            Ok(layer) => panic!("{what}: unpacked to {:?}", names(&layer.rootfs)),
            Err(error) => assert!(error.to_string().contains(expect), "{what}: {error}"),
        }
    }
}

fn import(archive: Archive) -> (Bed, Layer) {
    let bed = Bed::new();
    let layer = bed.import(&archive.end()).unwrap();
    (bed, layer)
}

fn absolute() {
    let (_bed, layer) = import(Archive::new().file("/cuddy-test/passwd", "ours").file("//a", ""));
    assert_eq!(fs::read_to_string(layer.rootfs.join("cuddy-test/passwd")).unwrap(), "ours");
    assert_eq!(names(&layer.rootfs), ["a", "cuddy-test"]);
}

fn through_links() {
    let archive = Archive::new()
        .directory("cuddy-test/lib")
        .symlink("lib", "cuddy-test/lib")
        .symlink("absolute", "/cuddy-test/lib")
        .symlink("up", "../../../../cuddy-test/lib")
        .file("lib/one", "1")
        .file("absolute/two", "2")
        .file("up/three", "3")
        .hard_link("four", "up/one")
        .directory("up/new/dir");
    let (_bed, layer) = import(archive);
    assert_eq!(names(&layer.rootfs.join("cuddy-test/lib")), ["new", "one", "three", "two"]);
    assert_eq!(fs::metadata(layer.rootfs.join("four")).unwrap().nlink(), 2);
}

fn replaced_links() {
    let bed = Bed::new();
    let (dir, secret) = (bed.outside("dir"), bed.outside("secret"));
    let archive = Archive::new()
        .symlink("file", &secret)
        .file("file", "ours")
        .symlink("directory", &dir)
        .directory("directory")
        .file("directory/x", "ours")
        .symlink("fifo", &secret)
        .fifo("fifo")
        .symlink("link", &secret)
        .symlink("link", "file")
        .symlink("hard", &secret)
        .hard_link("hard", "file");
    let layer = bed.import(&archive.end()).unwrap();
    assert_eq!(fs::read_to_string(layer.rootfs.join("file")).unwrap(), "ours");
    assert!(layer.rootfs.join("directory").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_link(layer.rootfs.join("link")).unwrap().to_str(), Some("file"));
    assert_eq!(fs::metadata(layer.rootfs.join("file")).unwrap().nlink(), 2);
}

fn late_link() {
    let bed = Bed::new();
    let (outside, dir) = (bed.outside(""), bed.outside("dir"));
    let archive = Archive::new()
        .directory("d/dir")
        .directory("e")
        // The times of both are set at the end, when the names lead elsewhere.
        .symlink("d", &outside)
        .symlink("e", &dir);
    let layer = bed.import(&archive.end()).unwrap();
    assert!(layer.rootfs.join("d").symlink_metadata().unwrap().is_symlink());
}

fn hard_link_to_link() {
    let bed = Bed::new();
    let archive = Archive::new().symlink("l", bed.outside("secret")).hard_link("h", "l").file("h/../l", "");
    assert!(bed.import(&archive.end()).is_err());
    let archive = Archive::new().symlink("l", bed.outside("secret")).hard_link("h", "l");
    let layer = bed.import(&archive.end()).unwrap();
    let link = layer.rootfs.join("h").symlink_metadata().unwrap();
    assert!(link.is_symlink() && link.nlink() == 2);
}

fn devices() {
    let archive = Archive::new()
        .device(b'3', "dev/null")
        .device(b'4', "dev/sda")
        .file("file", "kept")
        .device(b'4', "file")
        .device(b'3', "whiteout");
    let (_bed, layer) = import(archive);
    assert_eq!(tally(&layer).skipped_devices, 4);
    assert_eq!(names(&layer.rootfs), ["file"]);
}

fn overlay_attributes() {
    let bed = Bed::in_memory();
    let attributes: [(&[u8], &[u8]); 4] = [
        (b"SCHILY.xattr.trusted.overlay.opaque", b"y"),
        (b"SCHILY.xattr.user.overlay.whiteout", b"y"),
        (b"SCHILY.xattr.trusted.anything", b"y"),
        (b"SCHILY.xattr.security.selinux", b"label"),
    ];
    let archive = Archive::new().pax(&attributes).directory("d").pax(&attributes).symlink("l", "d");
    let layer = bed.import(&archive.end()).unwrap();
    assert_eq!(tally(&layer).dropped_xattrs, 8);
    let mut list = [0u8; 1024];
    for name in ["d", "l"] {
        let length = rustix::fs::llistxattr(layer.rootfs.join(name), &mut list[..]).unwrap();
        assert!(
            !list[..length].windows(7).any(|window| window == b"overlay" || window == b"trusted"),
            "{name}"
        );
    }
}

fn private() {
    let (bed, _layer) = import(Archive::new().with(b'0', b"su", b"", b"", |header| header.set_mode(0o4755)));
    for name in ["store/layers", "store/archives"] {
        assert_eq!(fs::metadata(bed.path(name)).unwrap().mode() & 0o777, 0o700, "{name}");
    }
}
