//! What a file is, told by its first bytes and never by its name.

use std::fmt;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, or in a way that is not known here.
    None,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
    /// xz (The .xz File Format 1.2), any number of streams.
    Xz,
}

impl Compression {
    /// Bytes that [`detect`](Self::detect) wants to see.
    pub(crate) const MAGIC_BYTES: usize = 6;

    /// Tells the compression from the first bytes of a file.
    pub fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame, which pzstd and the seekable format put first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        })
    }
}

/// Bytes that [`recognise`] wants to see: the last thing it looks for is at 32 KiB.
pub(crate) const RECOGNISE_BYTES: usize = 0x8006;

/// Names a file that is not an archive of ours, with what to do about it, if it is easily told.
pub(crate) fn recognise(start: &[u8]) -> Option<&'static str> {
    /// (offset, the bytes there, what the file is and what to do)
    const KNOWN: &[(usize, &[u8], &str)] = &[
        (0, b"PK\x03\x04", "a zip archive; unpack it and give the directory"),
        (0, b"hsqs", "a squashfs image; mount it and give the directory"),
        (0, b"\x7fELF", "a program (ELF), not a root file system"),
        (0, b"BZh", "compressed with bzip2; recompress it with zstd, xz or gzip"),
        (0, b"\x04\x22\x4d\x18", "compressed with lz4; recompress it with zstd, xz or gzip"),
        (0, b"LZIP", "compressed with lzip; recompress it with zstd, xz or gzip"),
        (0, b"070701", "a cpio archive; make a tar archive of it"),
        (0, b"070707", "a cpio archive; make a tar archive of it"),
        (0, b"!<arch>\n", "an ar archive, perhaps a Debian package; give a root file system"),
        (0, b"\xed\xab\xee\xdb", "an RPM package; give a root file system"),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it and give the directory"),
        (0, b"QFI\xfb", "a qcow2 disk image; mount its file system and give the directory"),
        (0x438, b"\x53\xef", "an ext2, ext3 or ext4 file system; mount it and give the directory"),
        (0x8001, b"CD001", "an ISO 9660 image; mount it and give the directory"),
        (0, b"<!DOCTYPE", "a web page; the download went wrong"),
        (0, b"<html", "a web page; the download went wrong"),
    ];
    KNOWN.iter().find(|(at, magic, _)| start.get(*at..).is_some_and(|s| s.starts_with(magic))).map(|k| k.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_compression() {
        let table: &[(&[u8], Compression)] = &[
            (b"\x1f\x8b\x08\x00", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", Compression::Zstd),
            (b"\x50\x2a\x4d\x18\x04", Compression::Zstd),
            (b"\xfd7zXZ\x00\x00", Compression::Xz),
            (b"\xfd7zX", Compression::None),
            (b"\x1f", Compression::None),
            (b"", Compression::None),
            (b"./bin", Compression::None),
        ];
        for (start, expect) in table {
            assert_eq!(Compression::detect(start), *expect, "{start:?}");
        }
    }

    #[test]
    fn strangers_are_named() {
        let mut ext4 = vec![0; 2048];
        ext4[0x438..0x43a].copy_from_slice(b"\x53\xef");
        for (start, word) in
            [(&b"PK\x03\x04rest"[..], "zip"), (b"hsqs", "squashfs"), (b"\x7fELF\x02", "ELF"), (&ext4, "ext4")]
        {
            assert!(recognise(start).unwrap().contains(word));
        }
        assert_eq!(recognise(b"what is this"), None);
    }
}
