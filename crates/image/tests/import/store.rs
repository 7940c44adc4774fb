//! The store as several imports see it, at once, one after the other, and after a death.

use crate::archives::Archive;
use crate::bed::{Bed, names};
use crate::{Needs, Test};
use image::{Origin, Progress, Store};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    Test::new("the_second_import_reads_nothing", Needs::Nothing, second_import),
    Test::new("an_archive_that_changed_is_read_again", Needs::Nothing, changed),
    Test::new("a_copy_of_an_archive_is_the_same_layer", Needs::Nothing, copies),
    Test::new("a_layer_that_is_gone_is_made_again", Needs::Nothing, removed_layer),
    Test::new("imports_at_the_same_time_unpack_once", Needs::Nothing, at_once),
    Test::new("copies_at_the_same_time_make_one_layer", Needs::Nothing, copies_at_once),
    Test::new("a_killed_import_leaves_nothing_once_the_store_is_opened", Needs::Nothing, killed),
    Test::new("progress_comes_to_the_whole", Needs::Nothing, progress),
    Test::new("an_archive_written_to_while_it_is_read_is_refused", Needs::Nothing, written_to),
    Test::new("a_store_that_cannot_be_made_is_named", Needs::Nothing, no_store),
];

/// An archive of some megabytes and some files.
fn archive() -> Vec<u8> {
    let data: Vec<u8> = (0..20_000u32).flat_map(|n| (n * n).to_le_bytes()).collect();
    (0..100).fold(Archive::new(), |archive, n| archive.file(format!("dir{}/file{n}", n % 7), &data)).end()
}

/// A file's times tell that it has changed only from the clock's next tick on.
fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

fn second_import() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    settle();
    let first = bed.store().import_archive(&path, &mut |_| {}).unwrap();
    assert!(matches!(first.origin, Origin::Unpacked(_)));
    fs::rename(&path, bed.path("b.tar")).unwrap();
    settle();
    // A new name changes the time of change on some file systems; that costs one more reading.
    bed.store().import_archive(&bed.path("b.tar"), &mut |_| {}).unwrap();
    let mut calls = 0;
    let second = bed.store().import_archive(&bed.path("b.tar"), &mut |_| calls += 1).unwrap();
    assert_eq!((second.origin, calls), (Origin::Remembered, 0));
    assert_eq!((second.digest, second.rootfs), (first.digest, first.rootfs));
}

fn changed() {
    let bed = Bed::in_memory();
    let one = Archive::new().file("one", "1").end();
    let two = Archive::new().file("two", "2").end();
    let path = bed.archive("a.tar", &one);
    settle();
    let first = bed.store().import_archive(&path, &mut |_| {}).unwrap();
    let times = fs::FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
    // The same inode, size and time of modification: only the kernel's own time tells.
    fs::write(&path, &two).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    settle();
    let second = bed.store().import_archive(&path, &mut |_| {}).unwrap();
    assert_ne!(first.digest, second.digest);
    assert_eq!(names(&second.rootfs), ["two"]);
    assert_eq!(bed.layers().len(), 2);
    assert_eq!(names(&bed.path("store/archives")).len(), 1);
}

fn copies() {
    let bed = Bed::in_memory();
    let layers: Vec<_> = ["a.tar", "b.tar"]
        .map(|name| bed.store().import_archive(&bed.archive(name, &archive()), &mut |_| {}).unwrap())
        .into();
    assert_eq!(layers[0].rootfs, layers[1].rootfs);
    assert_eq!(bed.layers(), [layers[0].digest.file_name()]);
}

fn removed_layer() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    settle();
    let store = bed.store();
    let first = store.import_archive(&path, &mut |_| {}).unwrap();
    fs::remove_dir_all(first.rootfs.parent().unwrap()).unwrap();
    let second = store.import_archive(&path, &mut |_| {}).unwrap();
    assert!(matches!(second.origin, Origin::Unpacked(_)));
    assert!(second.rootfs.is_dir());
}

/// Imports archives in threads, each with a store of its own: to the locks they are processes.
fn import_in_threads(bed: &Bed, archives: &[std::path::PathBuf]) -> Vec<Origin> {
    std::thread::scope(|scope| {
        let start = |path| move || bed.store().import_archive(path, &mut |_| {}).unwrap();
        let threads: Vec<_> = archives.iter().map(|path| scope.spawn(start(path))).collect();
        let layers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(bed.layers(), [layers[0].digest.file_name()]);
        layers.iter().map(|layer| layer.origin).collect()
    })
}

fn at_once() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    settle();
    let origins = import_in_threads(&bed, &vec![path; 8]);
    assert_eq!(origins.iter().filter(|origin| **origin != Origin::Remembered).count(), 1, "{origins:?}");
}

fn copies_at_once() {
    let bed = Bed::in_memory();
    let paths: Vec<_> = (0..4).map(|n| bed.archive(&format!("{n}.tar"), &archive())).collect();
    import_in_threads(&bed, &paths);
}

const CHILD: &str = "CUDDY_TEST_IMPORT";

/// In a child that [`killed`] started: imports and gives the exit status.
pub fn run_as_child() -> Option<i32> {
    let directory = std::env::var_os(CHILD)?;
    let directory = Path::new(&directory);
    let store = Store::open(&directory.join("store"));
    let layer = store.and_then(|store| store.import_archive(&directory.join("a.tar"), &mut |_| {}));
    Some(i32::from(layer.is_err()))
}

fn killed() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    let mut died_at_work = 0;
    for pause in (0..40).map(|n| Duration::from_millis(2 * n)) {
        let mut child =
            Command::new("/proc/self/exe").env(CHILD, bed.path("")).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        died_at_work += bed.layers().iter().filter(|name| name.starts_with(".tmp-")).count();
        bed.store();
        assert!(bed.layers().iter().all(|name| name.starts_with("sha256-")), "{:?}", bed.layers());
        for name in bed.layers() {
            assert_eq!(names(&bed.path("store/layers").join(&name).join("rootfs")).len(), 7);
            fs::remove_dir_all(bed.path("store/layers").join(name)).unwrap();
        }
    }
    assert!(died_at_work > 0, "no child was killed at work");
    assert!(matches!(bed.store().import_archive(&path, &mut |_| {}).unwrap().origin, Origin::Unpacked(_)));
}

fn progress() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    let mut calls = Vec::new();
    bed.store().import_archive(&path, &mut |progress| calls.push(progress)).unwrap();
    let size = fs::metadata(&path).unwrap().len();
    let mut last = (0, 0);
    for call in &calls {
        if let Progress::Unpacking { read, total, entries } = *call {
            assert!(total == size && read <= size && read >= last.0 && entries >= last.1, "{call:?}");
            last = (read, entries);
        }
    }
    assert_eq!(last, (size, 107));
    assert!(calls.len() < 1000, "{} calls", calls.len());
    assert_eq!(calls.last(), Some(&Progress::Syncing));
}

fn written_to() {
    let bed = Bed::in_memory();
    let path = bed.archive("a.tar", &archive());
    settle();
    let mut written = false;
    let result = bed.store().import_archive(&path, &mut |_| {
        if !std::mem::replace(&mut written, true) {
            let file = fs::File::options().append(true).open(&path).unwrap();
            std::io::Write::write_all(&mut &file, b"more").unwrap();
        }
    });
    assert!(matches!(result, Err(image::Error::Changed { .. })), "{result:?}");
    assert!(bed.layers().is_empty());
}

fn no_store() {
    let bed = Bed::new();
    fs::write(bed.path("file"), "").unwrap();
    let error = Store::open(&bed.path("file/store")).unwrap_err().to_string();
    assert!(error.contains("cannot make the directory") && error.contains("file/store"), "{error}");
}
