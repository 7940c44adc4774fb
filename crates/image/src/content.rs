//! The data of a regular file, written with its holes.

use crate::archive::Entries;
use crate::error::Fault;
use crate::sparse::Content;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Zeroes are left out of a file in units of this many bytes, at multiples of it.
const HOLE: usize = 64 << 10;

/// Writes the data of the current entry into a new, empty file. `step` is called now and then.
pub(crate) fn write(
    file: &File,
    content: &Content,
    entries: &mut Entries,
    mut step: impl FnMut(&Entries) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut end = 0;
    for piece in &content.pieces {
        let (mut at, mut left) = (piece.offset, piece.length);
        while left > 0 {
            let data = entries.data()?;
            let count = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
            end = end.max(write_at(file, at, &data[..count]).map_err(|error| Fault::io("pwrite", &error))?);
            entries.consume(count)?;
            at += count as u64;
            left -= count as u64;
            step(entries)?;
        }
    }
    if end < content.size {
        rustix::fs::ftruncate(file, content.size)
            .map_err(|error| Fault::call(format!("ftruncate to {} bytes", content.size), error))?;
    }
    Ok(())
}

/// Writes what is not zero and gives where it ends in the file, 0 if nothing was written.
fn write_at(file: &File, offset: u64, data: &[u8]) -> io::Result<u64> {
    let mut end = 0;
    // The run of bytes that is to be written next.
    let mut run = 0..0;
    let mut unit = 0..0;
    while unit.end < data.len() {
        let to_edge = HOLE - ((offset + unit.end as u64) % HOLE as u64) as usize;
        unit = unit.end..data.len().min(unit.end + to_edge);
        if !is_zero(&data[unit.clone()]) {
            run.end = unit.end;
            if unit.end < data.len() {
                continue;
            }
        }
        if !run.is_empty() {
            file.write_all_at(&data[run.clone()], offset + run.start as u64)?;
            end = offset + run.end as u64;
        }
        run = unit.end..unit.end;
    }
    Ok(end)
}

fn is_zero(data: &[u8]) -> bool {
    // Without an exit inside of it the inner loop is vectorized.
    data.chunks(1024).all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn zeroes_become_holes_and_everything_else_is_there() {
        let mut data = vec![0; 10 * HOLE + 17];
        for at in [0, 3 * HOLE - 1, 3 * HOLE, 7 * HOLE + 5, 10 * HOLE + 16] {
            data[at] = 1;
        }
        for offset in [0, 1, HOLE as u64 - 1] {
            let file = tempfile::tempfile().unwrap();
            let end = write_at(&file, offset, &data).unwrap();
            assert_eq!(end, offset + data.len() as u64);
            let mut back = vec![0; data.len()];
            file.read_exact_at(&mut back, offset).unwrap();
            assert!(back == data);
            assert!(file.metadata().unwrap().blocks() * 512 <= 8 * HOLE as u64);
        }
    }
}
