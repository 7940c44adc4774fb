//! Any archive is unpacked into a store or refused, and nothing outside of the store is touched.

#![no_main]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::{Limits, Store};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// Seen by this process alone, and where the links of the seeds lead to.
const BASE: &str = "/mnt/cuddy-fuzz";

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate_tar(data, size, max_size, seed)
});

fuzz_target!(init: fuzz::private(Path::new("/mnt")), |bytes: &[u8]| {
    static CANARY: OnceLock<Vec<String>> = OnceLock::new();
    let base = Path::new(BASE);
    let canary = CANARY.get_or_init(|| {
        fs::create_dir_all(base.join("outside/dir")).expect("a directory in memory");
        fs::write(base.join("outside/secret"), "secret").expect("a file in memory");
        list(&base.join("outside"))
    });
    let place = base.join("place");
    fs::create_dir_all(&place).expect("a directory in memory");
    let archive = place.join("archive");
    fs::write(&archive, bytes).expect("a file in memory");
    let limits = Limits { entries: 2000, bytes: 4 << 20, keep_free: 0 };
    let store = Store::open(&place.join("store")).expect("a store").with_limits(limits);
    // Refused or not: what counts is where it wrote.
    let _ = store.import_archive(&archive, &mut |_| {});
    assert_eq!(&list(&base.join("outside")), canary, "something outside of the store changed");
    let beside: Vec<_> = names(&place);
    assert_eq!(beside, [archive, place.join("store")], "something beside the store was made");
    fs::remove_dir_all(&place).expect("all that is unpacked can be removed");
});

fn names(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of ours");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    names
}

/// What may not change: names, content, owners, modes, times.
fn list(directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for path in names(directory) {
        let data = fs::symlink_metadata(&path).expect("a file of ours");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let owner = (data.uid(), data.gid(), data.mode(), data.nlink());
        lines.push(format!("{} {owner:?} {}.{} {text}", path.display(), data.mtime(), data.mtime_nsec()));
        if data.is_dir() {
            lines.extend(list(&path));
        }
    }
    lines
}
