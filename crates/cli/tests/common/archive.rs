//! Tar archives entry by entry, also such as no tar writes.

use std::io::{self, Write};

/// An entry's type, the byte in its header; see tar(5).
pub const FILE: u8 = b'0';
pub const HARD_LINK: u8 = b'1';
pub const SYMLINK: u8 = b'2';
pub const BLOCK_DEVICE: u8 = b'4';
pub const DIRECTORY: u8 = b'5';

/// Writes entries to a stream.
pub struct Archive<W>(pub W);

impl<W: Write> Archive<W> {
    /// An entry with contents (of a file) or a target (of a link).
    pub fn entry(&mut self, kind: u8, name: &[u8], target: &[u8], contents: &[u8]) -> io::Result<&mut Self> {
        assert!(name.len() <= 100 && target.len() <= 100, "fits into a plain header");
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name);
        header[100..108].copy_from_slice(b"0000755\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", contents.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + target.len()].copy_from_slice(target);
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[329..337].copy_from_slice(b"0000001\0");
        header[337..345].copy_from_slice(b"0000003\0");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.write_all(&header)?;
        self.0.write_all(contents)?;
        self.0.write_all(&[0; 512][..contents.len().next_multiple_of(512) - contents.len()])?;
        Ok(self)
    }

    /// The end: two blocks of zeroes.
    pub fn end(&mut self) -> io::Result<()> {
        self.0.write_all(&[0; 1024])?;
        self.0.flush()
    }
}
