//! A store to import into, and something beside it that must not change.

use image::{Error, Layer, Limits, Origin, Store, Tally};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory with a store, archives, and a canary.
pub struct Bed {
    base: TempDir,
    canary: String,
}

impl Bed {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    /// On a file system in memory if there is one: for tests that make many files and do not care where.
    pub fn in_memory() -> Self {
        Self::at(tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap()))
    }

    fn at(base: TempDir) -> Self {
        fs::create_dir_all(base.path().join("outside/dir")).unwrap();
        fs::write(base.path().join("outside/secret"), "secret").unwrap();
        let canary = list(&base.path().join("outside"));
        Self { base, canary }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    /// The path of a file or directory that no archive may touch.
    pub fn outside(&self, name: &str) -> String {
        self.path("outside").join(name).into_os_string().into_string().unwrap()
    }

    pub fn store(&self) -> Store {
        Store::open(&self.path("store")).unwrap()
    }

    /// Writes an archive to a file.
    pub fn archive(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Imports an archive, and sees to it that nothing else changed.
    pub fn import(&self, bytes: &[u8]) -> Result<Layer, Error> {
        self.import_limited(bytes, Limits::default())
    }

    pub fn import_limited(&self, bytes: &[u8], limits: Limits) -> Result<Layer, Error> {
        let archive = self.archive("archive", bytes);
        let before = self.layers();
        let result = self.store().with_limits(limits).import_archive(&archive, &mut |_| {});
        assert_eq!(list(&self.path("outside")), self.canary, "something outside of the root changed");
        if result.is_err() {
            assert_eq!(self.layers(), before, "an import that failed left something behind");
        }
        result
    }

    /// The names in the store's directory of layers.
    pub fn layers(&self) -> Vec<String> {
        names(&self.path("store/layers"))
    }
}

/// The names in a directory, in order.
pub fn names(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What unpacking came to.
pub fn tally(layer: &Layer) -> Tally {
    match layer.origin {
        Origin::Unpacked(tally) => tally,
        Origin::Remembered => panic!("the archive was not unpacked"),
    }
}

/// A tree as text: one line per file, in order of their names.
pub fn list(path: &Path) -> String {
    let mut text = String::new();
    walk(path, Path::new("."), &mut text);
    text
}

fn walk(root: &Path, name: &Path, text: &mut String) {
    let path = root.join(name);
    let meta = path.symlink_metadata().unwrap();
    let contents = if meta.is_symlink() {
        format!("-> {:?}", fs::read_link(&path).unwrap())
    } else if meta.is_file() {
        let data = fs::read(&path).unwrap();
        format!("{} bytes, sum {}", data.len(), data.iter().map(|byte| u64::from(*byte)).sum::<u64>())
    } else {
        String::new()
    };
    let links = if meta.is_dir() { 1 } else { meta.nlink() };
    text.push_str(&format!(
        "{name:?} {:o} {}:{} {}.{:09} links {links} {contents}\n",
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.mtime(),
        meta.mtime_nsec(),
    ));
    if meta.is_dir() {
        let mut children: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        children.sort();
        children.iter().for_each(|child| walk(root, &name.join(child), text));
    }
}
