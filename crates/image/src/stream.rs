//! The decompressed bytes of an archive, made by a thread of their own.
//!
//! ```text
//!   thread "pump"                                   the caller's thread
//!   Input (read, hash) ─ decompress ─▶ chunks ─▶ Stream ─ Entries ─ Unpacker
//! ```
//!
//! The pump goes on to the end of the file even when the tar archive in it ends earlier: only then
//! are the checksums of the compressed stream and the digest of the file known.

use crate::compression::Compression;
use crate::digest::Digest;
use crate::error::Fault;
use crate::input::Input;
use crate::limits::WINDOW_BYTES;
use liblzma::stream::Stream as LzmaStream;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of one chunk.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait to be unpacked.
const DEPTH: usize = 16;

/// What the pump sends: the next bytes, or why there are none.
type Message = Result<Vec<u8>, Fault>;

/// A channel from the pump to a [`Stream`].
pub(crate) fn channel() -> (SyncSender<Message>, Stream) {
    let (sender, receiver) = sync_channel(DEPTH);
    (sender, Stream { receiver, chunk: Vec::new(), at: 0 })
}

/// The receiving end.
pub(crate) struct Stream {
    receiver: Receiver<Message>,
    chunk: Vec<u8>,
    /// What of `chunk` is consumed.
    at: usize,
}

impl Stream {
    /// The next bytes, without consuming them; none at the end of the stream.
    pub(crate) fn fill(&mut self) -> Result<&[u8], Fault> {
        while self.at == self.chunk.len() {
            match self.receiver.recv() {
                Ok(message) => (self.chunk, self.at) = (message?, 0),
                Err(_) => return Ok(&[]),
            }
        }
        Ok(&self.chunk[self.at..])
    }

    /// Takes `count` bytes of what [`fill`](Self::fill) gave.
    pub(crate) fn consume(&mut self, count: usize) {
        self.at += count;
        debug_assert!(self.at <= self.chunk.len());
    }
}

/// Decompresses `input` into the channel and gives the digest of all its bytes, or nothing if it could
/// not: the reason is then the last message.
pub(crate) fn pump(compression: Compression, mut input: Input, sink: SyncSender<Message>) -> Option<Digest> {
    let done = decompress(compression, &mut input, &sink).and_then(|()| input.finish().map_err(Stop::Read));
    let fault = match done {
        Ok(digest) => return Some(digest),
        Err(Stop::ReceiverLeft) => return None,
        Err(Stop::Read(cause)) => Fault::Read(cause),
        Err(Stop::Decode(cause)) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            Fault::Truncated { offset: 0 }
        }
        Err(Stop::Decode(cause)) => Fault::Decompress { compression, cause },
    };
    // A receiver that has left has an error of its own to report.
    let _ = sink.send(Err(fault));
    None
}

/// Why the pump stopped early.
enum Stop {
    ReceiverLeft,
    Read(io::Error),
    Decode(io::Error),
}

/// All three formats may be concatenated with themselves (gzip members, zstd frames, xz streams). What
/// follows the last one and is not of the format is padding or garbage, which their own tools ignore too.
fn decompress(compression: Compression, input: &mut Input, sink: &SyncSender<Message>) -> Result<(), Stop> {
    loop {
        match compression {
            Compression::None => return forward(input, sink).map_err(reading),
            Compression::Gzip => forward(flate2::bufread::GzDecoder::new(&mut *input), sink)?,
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(&mut *input).map_err(Stop::Decode)?;
                forward(decoder.single_frame(), sink)?;
            }
            Compression::Xz => {
                let lzma = LzmaStream::new_stream_decoder(WINDOW_BYTES, 0)
                    .map_err(|error| Stop::Decode(error.into()))?;
                forward(liblzma::bufread::XzDecoder::new_stream(&mut *input, lzma), sink)?;
                skip_padding(input).map_err(Stop::Read)?;
            }
        }
        let next = input.peek(Compression::MAGIC_BYTES).map_err(Stop::Read)?;
        if Compression::detect(next) != compression {
            return Ok(());
        }
    }
}

/// Without a decoder it is the file that failed.
fn reading(stop: Stop) -> Stop {
    match stop {
        Stop::Decode(cause) => Stop::Read(cause),
        other => other,
    }
}

/// Between xz streams there may be zeroes, four at a time (The .xz File Format 1.2, section 2.2).
fn skip_padding(input: &mut Input) -> io::Result<()> {
    while input.peek(4)? == [0; 4] {
        input.consume(4);
    }
    Ok(())
}

/// Sends everything that `source` gives, in chunks.
fn forward(mut source: impl Read, sink: &SyncSender<Message>) -> Result<(), Stop> {
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let result = source.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        let last = chunk.is_empty();
        // What came before an error is good, and tells the reader where it was.
        if !last {
            sink.send(Ok(chunk)).map_err(|_| Stop::ReceiverLeft)?;
        }
        result.map_err(Stop::Decode)?;
        if last {
            return Ok(());
        }
    }
}
