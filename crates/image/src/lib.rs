//! Root file systems and images on disk.
//!
//! So far: root file systems in tar archives, unpacked once into the store.
//!
//! ```no_run
//! let store = image::Store::open("/var/lib/cuddy".as_ref())?;
//! let layer = store.import_archive("debian.tar.zst".as_ref(), &mut |progress| println!("{progress:?}"))?;
//! println!("{} is at {}", layer.digest, layer.rootfs.display());
//! # Ok::<(), image::Error>(())
//! ```
//!
//! An archive is read once and in order. One thread reads, hashes and decompresses (`stream`); the
//! other makes entries of the bytes (`archive`) and files of the entries (`unpack`). The store
//! (`store`) sees to it that a layer is there whole or not at all.

mod archive;
mod compression;
mod content;
mod digest;
mod error;
mod header;
mod index;
mod input;
mod limits;
mod name;
mod pax;
mod sparse;
mod store;
mod stream;
mod times;
mod tree;
mod unpack;
mod work;

pub use compression::Compression;
pub use digest::{Digest, InvalidDigest};
pub use error::{EntryName, Error, Fault, Place};
pub use limits::Limits;
pub use store::{Layer, Origin, Progress, Store};
pub use tree::remove as remove_tree;
pub use unpack::Tally;
