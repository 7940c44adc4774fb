//! Large archives, and small ones that become large.

use crate::archives::{Archive, gzip, zstd};
use crate::bed::{Bed, names, tally};
use crate::faithful::tar;
use crate::{Needs, Test};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::Command;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    Test::new("a_sparse_file_of_a_gigabyte_takes_no_gigabyte", Needs::Tar, sparse),
    Test::new("a_sparse_file_of_a_terabyte_in_few_bytes_is_instant", Needs::Nothing, huge_hole),
    Test::new("zeroes_become_holes", Needs::Nothing, zeroes),
    Test::new("an_archive_that_would_fill_the_disk_is_stopped_before", Needs::Root, full_disk),
    Test::new("a_hundred_thousand_entries", Needs::Nothing, many_entries),
    Test::new("a_million_entries_are_refused_where_fewer_are_allowed", Needs::Nothing, too_many_entries),
];

/// Bytes that a file takes on the disk.
fn on_disk(path: &std::path::Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

fn sparse() {
    const SIZE: u64 = 1 << 30;
    let bed = Bed::new();
    fs::create_dir(bed.path("tree")).unwrap();
    let file = File::create(bed.path("tree/sparse")).unwrap();
    // Enough pieces for the map to go on in blocks of its own.
    let pieces: Vec<u64> = (0..60).map(|n| n * 16 * 1_000_003).collect();
    for (n, offset) in pieces.iter().enumerate() {
        file.write_all_at(&[n as u8 + 1; 5000], *offset).unwrap();
    }
    file.set_len(SIZE).unwrap();
    let formats: [&[&str]; 4] = [
        &["--format=gnu"],
        &["--format=posix", "--sparse-version=0.0"],
        &["--format=posix", "--sparse-version=0.1"],
        &["--format=posix", "--sparse-version=1.0"],
    ];
    for format in formats {
        let options = [&["--sparse"], format].concat();
        tar(&bed.path("tree"), &bed.path("tree.tar"), &options);
        let start = Instant::now();
        let layer = bed.import(&gzip(&fs::read(bed.path("tree.tar")).unwrap())).unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{format:?} took {:?}", start.elapsed());
        let path = layer.rootfs.join("sparse");
        assert_eq!(fs::metadata(&path).unwrap().len(), SIZE, "{format:?}");
        assert!(on_disk(&path) < 2 << 20, "{format:?}: {} bytes on the disk", on_disk(&path));
        let copy = File::open(&path).unwrap();
        for (n, offset) in pieces.iter().enumerate() {
            let mut data = [0; 5000];
            copy.read_exact_at(&mut data, *offset).unwrap();
            assert!(data == [n as u8 + 1; 5000], "{format:?}: piece {n}");
        }
    }
}

fn huge_hole() {
    let bed = Bed::new();
    let archive = Archive::new().with(b'S', b"hole", b"", b"end", |header| {
        let gnu = header.as_gnu_mut().unwrap();
        gnu.sparse[0].set_offset((1 << 40) - 3);
        gnu.sparse[0].set_length(3);
        gnu.set_real_size(1 << 40);
    });
    let layer = bed.import(&archive.end()).unwrap();
    let path = layer.rootfs.join("hole");
    assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 40);
    assert!(on_disk(&path) < 1 << 20);
}

fn zeroes() {
    let bed = Bed::new();
    let mut data = vec![0; 64 << 20];
    data[40 << 20] = 1;
    let layer = bed.import(&zstd(&Archive::new().file("zeroes", &data).end())).unwrap();
    let path = layer.rootfs.join("zeroes");
    assert!(on_disk(&path) <= 128 << 10, "{} bytes on the disk", on_disk(&path));
    assert!(fs::read(&path).unwrap() == data);
}

/// A small file system in memory, gone when dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: std::path::PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(&path).status();
        assert!(mount.unwrap().success());
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let umount = Command::new("umount").arg(&self.0).status();
        assert!(std::thread::panicking() || umount.unwrap().success());
    }
}

fn full_disk() {
    let bed = Bed::new();
    let _disk = SmallDisk::mount(bed.path("store"));
    let layer = bed.import(&Archive::new().file("fits", vec![7; 64 << 20]).end()).unwrap();
    fs::remove_dir_all(layer.rootfs).unwrap();
    let error = bed.import(&Archive::new().file("big", vec![7; 200 << 20]).end()).unwrap_err().to_string();
    assert!(error.contains("entry 'big': the store's file system is full"), "{error}");
}

fn many_entries() {
    let bed = Bed::in_memory();
    let mut archive = Archive::new();
    for directory in 0..100 {
        archive = archive.directory(format!("d{directory}"));
        for file in 0..999 {
            archive = archive.file(format!("d{directory}/f{file}"), "");
        }
    }
    let layer = bed.import(&zstd(&archive.end())).unwrap();
    assert_eq!(tally(&layer).entries, 100_000);
    assert_eq!(names(&layer.rootfs.join("d99")).len(), 999);
}

fn too_many_entries() {
    let bed = Bed::in_memory();
    let entry = Archive::new().file("f", "").cut();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..1000 {
        std::io::Write::write_all(&mut encoder, &entry.repeat(1000)).unwrap();
    }
    let archive = encoder.finish().unwrap();
    let limits = image::Limits { entries: 10_000, ..Default::default() };
    let error = bed.import_limited(&archive, limits).unwrap_err().to_string();
    assert!(error.contains("more than 10000 entries"), "{error}");
}
