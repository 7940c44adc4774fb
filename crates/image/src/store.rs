//! The store: layers by the digest of what they were made from.
//!
//! ```text
//!   ROOT/layers/sha256-HEX/rootfs/   a tree, whole and on the disk, or not there
//!   ROOT/layers/.tmp-DEV-INO/        one that is being made, locked by its maker (see `work`)
//!   ROOT/archives/DEV-INO            the digest of an archive that was read (see `index`)
//! ```
//!
//! `layers` and `archives` are for root alone (0700): the trees have set-user-id programs in them, which
//! must be out of reach of the machine's own users.

use crate::archive::Entries;
use crate::compression::{Compression, RECOGNISE_BYTES, recognise};
use crate::digest::Digest;
use crate::error::{Error, Fault, Place, printable};
use crate::index::{self, Identity};
use crate::input::Input;
use crate::limits::Limits;
use crate::stream::{self, Stream};
use crate::tree;
use crate::unpack::{Tally, Unpacker};
use crate::work::{self, Work};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The directory of a layer that is the root of its tree.
const ROOTFS: &str = "rootfs";

/// Layers and what they were made from, under one directory (`/var/lib/cuddy`).
///
/// Any number of processes may use the same store at the same time.
#[derive(Debug)]
pub struct Store {
    layers_path: PathBuf,
    archives_path: PathBuf,
    layers: OwnedFd,
    archives: OwnedFd,
    limits: Limits,
}

/// A tree in the store. It is never changed: containers put a writable layer above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the archive's bytes, as the file has them.
    pub digest: Digest,
    /// The root of the tree. Owner, mode and time are those of the archive's entry for its root (`./`); if it
    /// has none, the owner is root and the mode 0755.
    pub rootfs: PathBuf,
    /// What had to be done for it.
    pub origin: Origin,
}

/// What had to be done to have a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing: the archive is the one that was read before, and none of its bytes were read now.
    Remembered,
    /// The archive was unpacked.
    Unpacked(Tally),
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Another process unpacks the same archive; this one waits for it.
    Waiting,
    /// Reading and unpacking.
    Unpacking {
        /// Bytes of the archive, as the file has them, that are read.
        read: u64,
        /// Bytes of the archive.
        total: u64,
        /// Entries that are unpacked.
        entries: u64,
    },
    /// All is written; waiting until the disk has it.
    Syncing,
}

impl Store {
    /// Opens the store under `root`, which is made if it is not there, and removes what imports that died
    /// have left in it.
    ///
    /// # Errors
    /// [`Error::Store`] if a directory cannot be made, opened or swept.
    pub fn open(root: &Path) -> Result<Self, Error> {
        // Others may pass through the root: what is under it has modes of its own.
        make_directory(root, 0o711)?;
        let (layers_path, archives_path) = (root.join("layers"), root.join("archives"));
        let store = Self {
            layers: make_directory(&layers_path, 0o700)?,
            archives: make_directory(&archives_path, 0o700)?,
            layers_path,
            archives_path,
            limits: Limits::default(),
        };
        store.sweep()?;
        Ok(store)
    }

    /// The same store with other limits for what is imported through it.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Gives the layer of the root file system in `archive`, unpacking it if the store does not have it.
    ///
    /// The archive is a tar, plain or compressed with gzip, zstd or xz, told by its contents. Device nodes are
    /// left out, and so are most extended attributes ([`Tally`]). Where several entries have one name, the
    /// last one wins. As root, files are given to the numeric owners of the archive; otherwise to the caller.
    ///
    /// Several imports of one archive at the same time unpack it once. After a power cut the layer is there
    /// whole or not at all.
    ///
    /// `progress` is called on this thread, a few hundred times in all.
    ///
    /// # Errors
    /// See [`Error`]. Nothing is left in the store then.
    pub fn import_archive(&self, archive: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Layer, Error> {
        let file = open_archive(archive)?;
        let identity = || Identity::of(&file).map_err(|error| cannot_open(archive, error.into()));
        loop {
            let identity = identity()?;
            if let Some(layer) = self.remembered(&identity) {
                return Ok(layer);
            }
            let waiting = || progress(Progress::Waiting);
            let work = Work::claim(&self.layers, &identity.file_name(), waiting)
                .map_err(|error| self.failed("make a directory in", error.into()))?;
            let Some(work) = work else { continue };
            // Between the look above and the lock another process may have finished.
            if let Some(layer) = self.remembered(&identity) {
                return Ok(layer);
            }
            return self.unpack(archive, &file, &identity, work, progress);
        }
    }

    /// The layer of an archive that was read before, if it is still here.
    fn remembered(&self, identity: &Identity) -> Option<Layer> {
        let digest = index::recall(&self.archives, identity)?;
        tree::is_directory(&self.layers, format!("{}/{ROOTFS}", digest.file_name()).as_bytes())
            .then(|| self.layer(digest, Origin::Remembered))
    }

    fn layer(&self, digest: Digest, origin: Origin) -> Layer {
        Layer { digest, rootfs: self.layers_path.join(digest.file_name()).join(ROOTFS), origin }
    }

    fn unpack(
        &self,
        archive: &Path,
        file: &File,
        identity: &Identity,
        work: Work,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Layer, Error> {
        let settled = identity.is_settled();
        let read = AtomicU64::new(0);
        let mut input = Input::new(file, &read);
        let start = input.peek(RECOGNISE_BYTES).map_err(|error| cannot_open(archive, error))?;
        if start.is_empty() {
            return Err(Error::EmptyFile { archive: archive.into() });
        }
        let (compression, known) = (Compression::detect(start), recognise(start));

        let mut meter = Meter::new(&read, identity.size, progress);
        let result = self.unpack_stream(compression, input, work.directory(), &mut |tally| meter.step(tally));
        let (tally, digest) = result.map_err(|(place, fault)| match fault {
            Fault::NotTar(block) => not_tar(archive, compression, &block, known),
            fault => Error::Unpack { archive: archive.into(), place, fault },
        })?;
        if Identity::of(file).ok().as_ref() != Some(identity) {
            return Err(Error::Changed { archive: archive.into() });
        }
        if let Some(marker) = image_marker(work.directory()) {
            return Err(Error::ImageArchive { archive: archive.into(), marker });
        }

        meter.tell(&tally);
        progress(Progress::Syncing);
        // Written before the layer is there, where it does not count yet, and while the lock is held: whoever
        // waited for the lock finds both.
        if settled {
            index::remember(&self.archives, identity, &digest).map_err(|cause| Error::Store {
                doing: "write to",
                path: self.archives_path.clone(),
                cause,
            })?;
        }
        work.publish(&digest.file_name()).map_err(|error| self.failed("write a layer into", error.into()))?;
        Ok(self.layer(digest, Origin::Unpacked(tally)))
    }

    /// Runs the pump and the unpacker side by side.
    fn unpack_stream(
        &self,
        compression: Compression,
        input: Input,
        work: &OwnedFd,
        step: &mut dyn FnMut(&Tally),
    ) -> Result<(Tally, Digest), (Place, Fault)> {
        let mut unpack = |stream: Stream| {
            let unpacker =
                Unpacker::new(work, ROOTFS, &self.limits).map_err(|fault| (Place::Archive, fault))?;
            unpacker.run(&mut Entries::new(stream, self.limits.bytes), step)
        };
        std::thread::scope(|scope| {
            let (sink, stream) = stream::channel();
            let pump = std::thread::Builder::new()
                .name("pump".into())
                .spawn_scoped(scope, move || stream::pump(compression, input, sink))
                .map_err(|error| (Place::Archive, Fault::io("clone3", &error)))?;
            // The stream is gone when this returns, which stops the pump if it still runs.
            let tally = unpack(stream);
            let digest = pump.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let digest = digest.ok_or((Place::Archive, Fault::Read(io::ErrorKind::UnexpectedEof.into())));
            Ok((tally?, digest?))
        })
    }

    fn sweep(&self) -> Result<(), Error> {
        work::sweep(&self.layers)
            .map_err(|error| self.failed("remove what a dead import left in", error.into()))
    }

    fn failed(&self, doing: &'static str, cause: io::Error) -> Error {
        Error::Store { doing, path: self.layers_path.clone(), cause }
    }
}

/// Makes a directory with its parents, if it is not there, and opens it.
fn make_directory(path: &Path, mode: u32) -> Result<OwnedFd, Error> {
    let failed = |doing| move |cause| Error::Store { doing, path: path.into(), cause };
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(failed("make the directory"))?;
    tree::open_path(path).map_err(|error| failed("open the directory")(error.into()))
}

/// Opens a regular file for reading. Anything else is not waited for, nor read.
fn open_archive(archive: &Path) -> Result<File, Error> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, archive, flags, Mode::empty());
    let file = file.map_err(|error| cannot_open(archive, error.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|error| cannot_open(archive, error.into()))?;
    let (what, hint) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(File::from(file)),
        FileType::Directory => ("a directory", "a directory needs no unpacking: use it as the root as it is"),
        FileType::Fifo => ("a pipe", "write its contents to a file first"),
        _ => ("a device or socket", "write its contents to a file first"),
    };
    Err(Error::NotAFile { archive: archive.into(), what, hint })
}

fn cannot_open(archive: &Path, cause: io::Error) -> Error {
    Error::Open { archive: archive.into(), cause }
}

fn not_tar(archive: &Path, compression: Compression, block: &[u8], known: Option<&'static str>) -> Error {
    let starts_with = match block {
        [] => "nothing".into(),
        block => format!("'{}'", printable(&block[..block.len().min(16)])),
    };
    let known = if compression == Compression::None { known } else { recognise(block) };
    Error::NotTar { archive: archive.into(), compression, starts_with, known }
}

/// Tells an image from a root file system: it has its table of contents (image-spec, image-layout.md; the
/// manifest of `docker save`) where a root file system has directories.
fn image_marker(work: &OwnedFd) -> Option<&'static str> {
    let root = tree::open_directory(work, ROOTFS.as_bytes()).ok()?;
    if ["usr", "bin", "etc"].iter().any(|name| tree::exists(&root, name.as_bytes())) {
        return None;
    }
    ["oci-layout", "manifest.json"].into_iter().find(|name| tree::exists(&root, name.as_bytes()))
}

/// Tells the caller how far it is, but not at every step.
struct Meter<'a> {
    read: &'a AtomicU64,
    total: u64,
    /// What was told last.
    told: Option<(u64, u64)>,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Meter<'a> {
    /// Entries after which it is told even if no more bytes were read.
    const ENTRIES: u64 = 4096;

    fn new(read: &'a AtomicU64, total: u64, progress: &'a mut dyn FnMut(Progress)) -> Self {
        Self { read, total, told: None, progress }
    }

    fn step(&mut self, tally: &Tally) {
        let (read, entries) = (self.read.load(Ordering::Relaxed), tally.entries);
        let news = |(old_read, old_entries)| {
            read >= old_read + (self.total / 256).max(1) || entries >= old_entries + Self::ENTRIES
        };
        if self.told.is_none_or(news) {
            self.tell(tally);
        }
    }

    fn tell(&mut self, tally: &Tally) {
        let (read, entries) = (self.read.load(Ordering::Relaxed), tally.entries);
        self.told = Some((read, entries));
        (self.progress)(Progress::Unpacking { read, total: self.total, entries });
    }
}
