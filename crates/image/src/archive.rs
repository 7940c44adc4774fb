//! A tar stream as entries, one after the other, in bounded memory.

use crate::error::Fault;
use crate::header::{self, BLOCK, Header};
use crate::limits::EXTENSION_BYTES;
use crate::pax::{Pax, Time};
use crate::sparse::{self, Content};
use crate::stream::Stream;

/// One file of the archive.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The name as the archive has it.
    pub name: Vec<u8>,
    pub kind: Kind,
    pub meta: Meta,
    /// Extended attributes, name and value.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a file is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Its data follows: see [`Entries::data`].
    File(Content),
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Fifo,
    /// A character or block device.
    Device,
}

/// What every file has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta {
    /// Permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime: Time,
}

/// Reads entries from a stream.
pub(crate) struct Entries {
    stream: Stream,
    /// Bytes of the tar stream that are consumed.
    offset: u64,
    /// The most that `offset` may become.
    limit: u64,
    /// Bytes of the current entry's data that are not consumed, and of the padding after it.
    data: u64,
    padding: u64,
}

/// What comes before an entry and is about it.
#[derive(Default)]
struct Extensions {
    /// GNU: the name, the target of the link.
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Pax,
    any: bool,
}

impl Entries {
    pub(crate) fn new(stream: Stream, limit: u64) -> Self {
        Self { stream, offset: 0, limit, data: 0, padding: 0 }
    }

    /// Bytes of the tar stream read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next entry, or none after the end marker. What is left of the last one's data is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Fault> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_data()?;
            let start = self.offset;
            let malformed = |reason: String| Fault::Header { offset: start, reason };
            let block = match self.block()? {
                Some(block) => block,
                None if start == 0 => return Err(Fault::NotTar(Vec::new())),
                None => return Err(Fault::Truncated { offset: start }),
            };
            if block == [0; BLOCK] {
                if extensions.any {
                    return Err(malformed("an extended header with no entry after it".into()));
                }
                return Ok(None);
            }
            let Some(header) = Header::parse(&block) else {
                return Err(match start {
                    0 => Fault::NotTar(block.to_vec()),
                    _ => malformed("its checksum is wrong".into()),
                });
            };
            let size = header.size().map_err(malformed)?;
            match header.kind() {
                kind @ (b'x' | b'X' | b'L' | b'K') => {
                    extensions.any = true;
                    let bytes = self.extension(size)?;
                    match kind {
                        b'L' => extensions.long_name = Some(before_nul(bytes)),
                        b'K' => extensions.long_link = Some(before_nul(bytes)),
                        _ => extensions.pax = Pax::parse(&bytes).map_err(malformed)?,
                    }
                }
                // A global extended header (git writes one for its commit id) and a volume's label.
                b'g' | b'V' => self.announce(size),
                _ => return self.entry(&header, start, extensions).map(Some),
            }
        }
    }

    /// Builds the entry of a header and what came before it.
    fn entry(&mut self, header: &Header, start: u64, extensions: Extensions) -> Result<Entry, Fault> {
        let malformed = |reason: String| Fault::Header { offset: start, reason };
        let Extensions { long_name, long_link, pax, .. } = extensions;
        let size = pax.size.map_or_else(|| header.size(), Ok).map_err(malformed)?;
        let name = pax.sparse.name.clone().or(pax.path).or(long_name).unwrap_or_else(|| header.name());
        let link = || pax.link_path.or(long_link).unwrap_or_else(|| header.link_name());
        let kind = match header.kind() {
            // v7 has no type for directories but a slash at the end of the name.
            b'0' if name.ends_with(b"/") => Kind::Directory,
            b'0' | b'7' => {
                self.announce(size);
                Kind::File(self.content(size, pax.sparse).map_err(|fault| at(start, fault))?)
            }
            b'S' => {
                let content = self.old_sparse(header, size).map_err(|fault| at(start, fault))?;
                self.announce(size);
                Kind::File(content)
            }
            // Header-only types have no data, whatever their size says (pax(1), "ustar Interchange Format").
            b'1' => Kind::HardLink(link()),
            b'2' => Kind::Symlink(link()),
            b'3' | b'4' => Kind::Device,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            // GNU's incremental backups: a directory whose data is its listing.
            b'D' => {
                self.announce(size);
                Kind::Directory
            }
            other => return Err(Fault::UnknownType(other)),
        };
        let mtime = match pax.mtime {
            Some(mtime) => mtime,
            None => Time { seconds: header.mtime().map_err(malformed)?, nanoseconds: 0 },
        };
        let uid = pax.uid.map_or_else(|| header.uid(), Ok).and_then(id).map_err(malformed)?;
        let gid = pax.gid.map_or_else(|| header.gid(), Ok).and_then(id).map_err(malformed)?;
        let meta = Meta { mode: header.mode().map_err(malformed)?, uid, gid, mtime };
        Ok(Entry { name, kind, meta, xattrs: pax.xattrs })
    }

    /// The contents of an ordinary file of `size` bytes, or of a sparse one in formats 0.0, 0.1 and 1.0.
    fn content(&mut self, size: u64, sparse: crate::pax::Sparse) -> Result<Content, Bad> {
        let map = match sparse.map {
            _ if sparse.map_in_data => {
                let map = sparse::from_data(|| self.data_byte())??;
                // The map is padded to a whole block like everything else.
                let used = size - self.data;
                self.skip((used.next_multiple_of(BLOCK as u64) - used).min(self.data))?;
                map
            }
            Some(map) => map,
            None => return Ok(Content::whole(size)),
        };
        let real_size = sparse.real_size.ok_or_else(|| "a sparse file without its real size".to_owned())?;
        Ok(Content::sparse(map, real_size, self.data)?)
    }

    /// The contents of a sparse file in GNU's old format, whose map is in the header and in blocks after it.
    fn old_sparse(&mut self, header: &Header, stored: u64) -> Result<Content, Bad> {
        let (mut map, mut more) = header.sparse()?;
        while more {
            let block = self.block()?.ok_or(Fault::Truncated { offset: self.offset })?;
            let pieces;
            (pieces, more) = header::extended_sparse(&block)?;
            sparse::extend(&mut map, pieces)?;
        }
        Ok(Content::sparse(map, header.real_size()?, stored)?)
    }

    /// The next bytes of the current entry's data; none when all are consumed.
    pub(crate) fn data(&mut self) -> Result<&[u8], Fault> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let offset = self.offset;
        let limit = self.data;
        let bytes = self.stream.fill().map_err(|fault| located(fault, offset))?;
        match bytes.len() {
            0 => Err(Fault::Truncated { offset }),
            length => Ok(&bytes[..usize::try_from(limit).unwrap_or(usize::MAX).min(length)]),
        }
    }

    /// Takes `count` bytes of what [`data`](Self::data) gave.
    pub(crate) fn consume(&mut self, count: usize) -> Result<(), Fault> {
        self.stream.consume(count);
        self.data -= count as u64;
        self.advance(count)
    }

    /// Reads on to the end of the stream, past what a tar may have after its end marker.
    pub(crate) fn drain(&mut self) -> Result<(), Fault> {
        loop {
            let offset = self.offset;
            match self.stream.fill().map_err(|fault| located(fault, offset))?.len() {
                0 => return Ok(()),
                count => {
                    self.stream.consume(count);
                    self.advance(count)?;
                }
            }
        }
    }

    /// Says that `size` bytes of data follow.
    fn announce(&mut self, size: u64) {
        self.data = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// The data of an extended header or long name.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        if size > EXTENSION_BYTES {
            return Err(Fault::Limit { what: "bytes in one extended header", limit: EXTENSION_BYTES });
        }
        self.announce(size);
        let mut all = Vec::new();
        loop {
            let bytes = self.data()?;
            if bytes.is_empty() {
                return Ok(all);
            }
            let count = bytes.len();
            all.extend_from_slice(bytes);
            self.consume(count)?;
        }
    }

    fn data_byte(&mut self) -> Result<u8, Bad> {
        let byte =
            *self.data()?.first().ok_or_else(|| "the map of the sparse file is cut short".to_owned())?;
        self.consume(1)?;
        Ok(byte)
    }

    fn skip_data(&mut self) -> Result<(), Fault> {
        self.data = self.data.checked_add(self.padding).ok_or(Fault::Truncated { offset: self.offset })?;
        self.padding = 0;
        self.skip(self.data)
    }

    fn skip(&mut self, mut count: u64) -> Result<(), Fault> {
        while count > 0 {
            let step = (self.data()?.len() as u64).min(count);
            self.consume(step as usize)?;
            count -= step;
        }
        Ok(())
    }

    /// A whole block, or none at the end of the stream.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Fault> {
        let mut block = [0; BLOCK];
        let mut have = 0;
        while have < BLOCK {
            let offset = self.offset;
            let bytes = self.stream.fill().map_err(|fault| located(fault, offset))?;
            let count = bytes.len().min(BLOCK - have);
            if count == 0 {
                return match have {
                    0 => Ok(None),
                    // Too short to tell what it is, and surely no archive.
                    _ if offset < BLOCK as u64 => Err(Fault::NotTar(block[..have].to_vec())),
                    _ => Err(Fault::Truncated { offset }),
                };
            }
            block[have..have + count].copy_from_slice(&bytes[..count]);
            have += count;
            self.stream.consume(count);
            self.advance(count)?;
        }
        Ok(Some(block))
    }

    fn advance(&mut self, count: usize) -> Result<(), Fault> {
        self.offset += count as u64;
        match self.offset > self.limit {
            true => Err(Fault::Limit { what: "bytes", limit: self.limit }),
            false => Ok(()),
        }
    }
}

/// Something wrong with a header: told by where it is, or already a fault.
enum Bad {
    Reason(String),
    Fault(Fault),
}

impl From<String> for Bad {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

impl From<Fault> for Bad {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn at(offset: u64, bad: Bad) -> Fault {
    match bad {
        Bad::Reason(reason) => Fault::Header { offset, reason },
        Bad::Fault(fault) => fault,
    }
}

/// The pump knows that the stream is cut short, but not where in the tar stream that is.
fn located(fault: Fault, offset: u64) -> Fault {
    match fault {
        Fault::Truncated { .. } => Fault::Truncated { offset },
        other => other,
    }
}

/// A user or group id. The highest one means "leave it" to chown(2), so nobody can have it.
fn id(number: u64) -> Result<u32, String> {
    u32::try_from(number)
        .ok()
        .filter(|id| *id != u32::MAX)
        .ok_or_else(|| format!("{number} is not a user or group id"))
}

fn before_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    bytes
}
