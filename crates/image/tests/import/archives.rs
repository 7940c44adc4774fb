//! Archives made by hand, byte by byte where need be.

use std::io::Write;

/// A tar archive in the making.
#[derive(Clone, Default)]
pub struct Archive(Vec<u8>);

/// Bytes of a block.
const BLOCK: usize = 512;

impl Archive {
    pub fn new() -> Self {
        Self::default()
    }

    /// A regular file.
    pub fn file(self, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', name.as_ref(), b"", data.as_ref())
    }

    pub fn directory(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(b'5', name.as_ref(), b"", b"")
    }

    pub fn symlink(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(b'2', name.as_ref(), target.as_ref(), b"")
    }

    pub fn hard_link(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(b'1', name.as_ref(), target.as_ref(), b"")
    }

    pub fn fifo(self, name: &str) -> Self {
        self.entry(b'6', name.as_bytes(), b"", b"")
    }

    /// A device: `b'3'` for character, `b'4'` for block.
    pub fn device(self, kind: u8, name: &str) -> Self {
        self.with(kind, name.as_bytes(), b"", b"", |header| {
            header.set_device_major(8).unwrap();
            header.set_device_minor(0).unwrap();
        })
    }

    /// An entry of any type. Names and targets that do not fit the header go before it, as GNU tar does it.
    pub fn entry(self, kind: u8, name: &[u8], target: &[u8], data: &[u8]) -> Self {
        self.with(kind, name, target, data, |_| {})
    }

    /// An entry whose header `change` may change.
    pub fn with(
        mut self,
        kind: u8,
        name: &[u8],
        target: &[u8],
        data: &[u8],
        change: impl FnOnce(&mut tar::Header),
    ) -> Self {
        for (kind, long) in [(b'L', name), (b'K', target)] {
            if long.len() > 100 {
                let text = [long, b"\0"].concat();
                self = self.header(kind, b"././@LongLink", b"", text.len(), |_| {}).data(&text);
            }
        }
        self.header(kind, name, target, data.len(), change).data(data)
    }

    /// One header block; of names and targets, what fits.
    fn header(
        mut self,
        kind: u8,
        name: &[u8],
        target: &[u8],
        size: usize,
        change: impl FnOnce(&mut tar::Header),
    ) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
        header.as_old_mut().linkname[..target.len().min(100)]
            .copy_from_slice(&target[..target.len().min(100)]);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(size as u64);
        header.set_mode(if kind == b'5' { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_600_000_000);
        change(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self
    }

    /// Data with its padding.
    pub fn data(mut self, data: &[u8]) -> Self {
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// An extended header for the entry that follows.
    pub fn pax(self, records: &[(&[u8], &[u8])]) -> Self {
        let mut body = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            // The length counts its own digits.
            let length =
                (1..).map(|digits| rest + digits).find(|length| length.to_string().len() + rest == *length);
            write!(body, "{} ", length.unwrap()).unwrap();
            body.extend([key, &b"="[..], value, b"\n"].concat());
        }
        self.with(b'x', b"PaxHeaders/x", b"", &body, |_| {})
    }

    /// The archive with its end marker.
    pub fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK, 0);
        self.0
    }

    /// The archive so far, without an end marker.
    pub fn cut(self) -> Vec<u8> {
        self.0
    }
}

/// How archives are compressed.
pub type Compress = fn(&[u8]) -> Vec<u8>;

/// All ways to compress one.
pub const COMPRESSIONS: [(&str, Compress); 4] =
    [("plain", <[u8]>::to_vec), ("gzip", gzip), ("zstd", zstd), ("xz", xz)];

pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn xz(data: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}
