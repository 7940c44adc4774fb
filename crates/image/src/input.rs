//! The archive's file: read once, in order, with its digest taken on the way.

use crate::digest::Digest;
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// A buffered reader that hashes every byte of the file it reads.
pub(crate) struct Input<'a> {
    file: &'a File,
    buffer: Box<[u8]>,
    /// What of `buffer` is read from the file but not yet consumed.
    unread: std::ops::Range<usize>,
    hash: Context,
    /// Bytes read from the file so far, for another thread to look at.
    read: &'a AtomicU64,
}

impl<'a> Input<'a> {
    const BUFFER: usize = 256 << 10;

    pub(crate) fn new(file: &'a File, read: &'a AtomicU64) -> Self {
        let buffer = vec![0; Self::BUFFER].into_boxed_slice();
        Self { file, buffer, unread: 0..0, hash: Context::new(&SHA256), read }
    }

    /// The next bytes without consuming them: `count` of them, fewer only at the end of the file.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.unread.len() < count {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            while self.unread.len() < count && self.read_more()? {}
        }
        let unread = &self.buffer[self.unread.clone()];
        Ok(&unread[..count.min(unread.len())])
    }

    /// Reads what is left and gives the digest of the whole file.
    pub(crate) fn finish(mut self) -> io::Result<Digest> {
        while !self.fill_buf()?.is_empty() {
            self.unread = 0..0;
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(self.hash.finish().as_ref());
        Ok(Digest::from_bytes(digest))
    }

    /// Reads once into the free end of the buffer; false at the end of the file.
    fn read_more(&mut self) -> io::Result<bool> {
        let count = loop {
            match self.file.read(&mut self.buffer[self.unread.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.hash.update(&self.buffer[self.unread.end..][..count]);
        self.unread.end += count;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count > 0)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.unread = 0..0;
            self.read_more()?;
        }
        Ok(&self.buffer[self.unread.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.unread.start += count;
    }
}

impl Read for Input<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
