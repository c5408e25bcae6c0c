//! Reading encoded CRL entries out of files without their cursors, many readers at once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::PublishError;
use crate::pki::revocation_list::CrlEntry;
use crate::pki::serial::SerialNumber;

/// Part of a file, read from its beginning whatever others do with the same handle.
#[derive(Debug)]
pub(super) struct Part<'a> {
    file: &'a File,
    left: Range<u64>,
}

impl<'a> Part<'a> {
    pub fn of(file: &'a File, range: Range<u64>) -> Self {
        Self { file, left: range }
    }

    /// Fills `buffer` from the part, as far as there is something left; says how far.
    pub fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.end.saturating_sub(self.left.start);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(target) = buffer.get_mut(..wanted) else { return Ok(0) };
        self.file.read_exact_at(target, self.left.start)?;
        self.left.start += wanted as u64;
        Ok(wanted)
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.end.saturating_sub(self.left.start);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(target) = buffer.get_mut(..wanted) else { return Ok(0) };
        let octets = self.file.read_at(target, self.left.start)?;
        self.left.start += octets as u64;
        Ok(octets)
    }
}

/// Encoded entries one after another.
pub(super) struct Entries<'a> {
    source: BufReader<Part<'a>>,
    entry: Vec<u8>,
}

impl<'a> Entries<'a> {
    pub fn of(part: Part<'a>) -> Self {
        Self { source: BufReader::with_capacity(64 * 1024, part), entry: Vec::new() }
    }

    /// The next entry's serial number and DER.
    pub fn next(&mut self) -> Result<Option<(SerialNumber, &[u8])>, PublishError> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut header = [0; 2];
        self.source.read_exact(&mut header)?;
        self.entry.clear();
        self.entry.extend_from_slice(&header);
        let length = match header[1] {
            // An entry has a serial number of 20 octets at most, a date and two extensions.
            short @ ..=0x7f => usize::from(short),
            0x81 => {
                let mut longer = [0; 1];
                self.source.read_exact(&mut longer)?;
                self.entry.extend_from_slice(&longer);
                usize::from(longer[0])
            }
            _ => return Err(PublishError::EntriesDamaged),
        };
        let from = self.entry.len();
        self.entry.resize(from + length, 0);
        if let Some(rest) = self.entry.get_mut(from..) {
            self.source.read_exact(rest)?;
        }
        let serial = CrlEntry::serial_of(&self.entry).map_err(|_| PublishError::EntriesDamaged)?;
        Ok(Some((serial, &self.entry)))
    }
}
