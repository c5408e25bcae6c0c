//! The octets of a CRL as they are read: counted against the lengths that were announced, and
//! hashed while they belong to the to-be-signed part.

use std::io::{BufRead, BufReader, Read};

use aws_lc_rs::digest::Context;

use super::CrlError;
use crate::pki::encoding::read_header;
use crate::pki::signature::SignatureAlgorithm;

/// The longest element held in memory; a name is the longest there is.
const LARGEST_ELEMENT: u64 = 64 * 1024;

/// The source, counted and hashed.
#[derive(Debug)]
pub(super) struct Source<R> {
    inner: BufReader<R>,
    /// Octets read so far.
    pub(super) position: u64,
    /// Octets of CertificateList still to come.
    pub(super) outer_left: u64,
    /// Octets of TBSCertList still to come.
    pub(super) tbs_left: u64,
    pub(super) hashed: Hashed,
    buffer: Vec<u8>,
}

/// What happens to the octets of the to-be-signed part.
pub(super) enum Hashed {
    /// They are outside it.
    Nothing,
    /// The algorithm is not yet known.
    Kept(Vec<u8>),
    /// They are hashed.
    Digest(Context),
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hashed")
    }
}

impl<R: Read> Source<R> {
    pub(super) fn of(source: R) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, source),
            position: 0,
            // Until the first headers have told.
            outer_left: 16,
            tbs_left: 16,
            hashed: Hashed::Nothing,
            buffer: Vec::new(),
        }
    }

    /// The length of the element that begins here, which must have `tag`.
    pub(super) fn header(&mut self, tag: u8) -> Result<u64, CrlError> {
        match self.any_header()? {
            (found, length) if found == tag => Ok(length),
            _ => Err(CrlError::NotACrl),
        }
    }

    pub(super) fn any_header(&mut self) -> Result<(u8, u64), CrlError> {
        self.buffer.clear();
        self.extend(2)?;
        let more = match self.buffer[1] {
            short @ ..0x80 => return self.took_header(u64::from(short)),
            long => usize::from(long & 0x7f),
        };
        if more == 0 || more > 4 {
            return Err(CrlError::NotACrl);
        }
        self.extend(more)?;
        let (_, length) = read_header(&self.buffer)?;
        self.took_header(length as u64)
    }

    fn took_header(&mut self, length: u64) -> Result<(u8, u64), CrlError> {
        self.count(self.buffer.len() as u64)?;
        Ok((self.buffer[0], length))
    }

    /// The whole element that begins here, kept.
    pub(super) fn element(&mut self) -> Result<Vec<u8>, CrlError> {
        self.borrowed_element().map(<[u8]>::to_vec)
    }

    /// The whole element that begins here.
    pub(super) fn borrowed_element(&mut self) -> Result<&[u8], CrlError> {
        let (_, length) = self.any_header()?;
        if length > LARGEST_ELEMENT {
            return Err(CrlError::NotACrl);
        }
        self.count(length)?;
        // At most 64 KiB.
        self.extend(length as usize)?;
        Ok(&self.buffer)
    }

    /// Whether the list has ended, and with it the source.
    pub(super) fn is_at_end(&mut self) -> Result<bool, CrlError> {
        Ok(self.outer_left == 0 && self.inner.fill_buf()?.is_empty())
    }

    /// Reads `octets` more into the buffer.
    fn extend(&mut self, octets: usize) -> Result<(), CrlError> {
        let from = self.buffer.len();
        self.buffer.resize(from + octets, 0);
        self.inner.read_exact(&mut self.buffer[from..]).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => CrlError::NotACrl,
            _ => CrlError::Read(error),
        })?;
        self.position += octets as u64;
        match &mut self.hashed {
            Hashed::Nothing => {}
            Hashed::Kept(octets) => octets.extend_from_slice(&self.buffer[from..]),
            Hashed::Digest(digest) => digest.update(&self.buffer[from..]),
        }
        Ok(())
    }

    fn count(&mut self, octets: u64) -> Result<(), CrlError> {
        let inside = !matches!(self.hashed, Hashed::Nothing);
        self.outer_left = self.outer_left.checked_sub(octets).ok_or(CrlError::NotACrl)?;
        if inside {
            self.tbs_left = self.tbs_left.checked_sub(octets).ok_or(CrlError::NotACrl)?;
        }
        Ok(())
    }

    pub(super) fn hash_with(&mut self, algorithm: SignatureAlgorithm) {
        let mut digest = Context::new(algorithm.digest());
        if let Hashed::Kept(octets) = &self.hashed {
            digest.update(octets);
        }
        self.hashed = Hashed::Digest(digest);
    }
}
