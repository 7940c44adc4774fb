//! How much an archive may ask of the machine before it is refused.

/// What one archive may use. The defaults are far above any root file system that people build, and
/// far below what would take a machine down.
///
/// There is no limit on the ratio of compression: a tree with much empty space in it compresses a
/// thousandfold without any ill will, and runs of zeroes are not written to the disk anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries, and directories that had to be made because no entry named them.
    pub entries: u64,
    /// Bytes of the tar stream, that is, after decompression. Holes of sparse files do not count.
    pub bytes: u64,
    /// Bytes that must stay free on the store's file system.
    pub keep_free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 4_000_000, bytes: 256 << 30, keep_free: 128 << 20 }
    }
}

/// Bytes that the extended header or the long name of one entry may have. Linux stores at most
/// 64 KiB per extended attribute and 4 KiB per path.
pub(crate) const EXTENSION_BYTES: u64 = 1 << 20;

/// Pieces that the map of one sparse file may have; 16 bytes of memory each.
pub(crate) const SPARSE_PIECES: usize = 1 << 20;

/// Bytes of one path component (NAME_MAX in linux/limits.h).
pub(crate) const NAME_BYTES: usize = 255;

/// Bytes of a whole path: PATH_MAX in linux/limits.h, less the final NUL.
pub(crate) const PATH_BYTES: usize = 4095;

/// Bytes of memory that a decompressor may use for its window. `xz -9` needs 65 MiB; zstd's own
/// limit is 128 MiB.
pub(crate) const WINDOW_BYTES: u64 = 256 << 20;
