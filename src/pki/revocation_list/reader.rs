//! Reads a CRL of any size in constant memory, and checks its signature as it goes.

use std::io::{BufRead, BufReader, Read};

use aws_lc_rs::digest::Context;

use super::CrlEntry;
use crate::pki::encoding::{
    BIT_STRING, Element, Elements, GENERALIZED_TIME, INTEGER, NotDer, SEQUENCE, UTC_TIME,
    constructed, only, primitive, read_header, time, unsigned,
};
use crate::pki::extension::Extension;
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::PublicKey;
use crate::pki::signature::{SignatureAlgorithm, SignatureError};
use crate::pki::time::Timestamp;

/// The longest element held in memory; a name is the longest there is.
const LARGEST_ELEMENT: u64 = 64 * 1024;

/// Why a CRL is not believed.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    /// The source failed.
    #[error("the CRL cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// Not a version 2 CRL with nextUpdate in DER, or cut short, or followed by something.
    #[error("not a version 2 CRL in DER, whole and with nextUpdate")]
    NotACrl,
    /// A delta CRL, a partial one, or one with another critical extension.
    #[error("the CRL has a critical extension: it is a delta or a part, not the whole list")]
    NotComplete,
    /// The signature does not fit, or its algorithm is unknown.
    #[error("the CRL: {0}")]
    Signature(#[from] SignatureError),
}

impl From<NotDer> for CrlError {
    fn from(_: NotDer) -> Self {
        Self::NotACrl
    }
}

/// A CRL whose signature has been verified, without its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSummary {
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The issuer's key identifier, if it is named.
    pub authority_key_identifier: Option<Vec<u8>>,
    /// CRL number, if there is one that fits 64 bits.
    pub number: Option<u64>,
    /// When it was issued.
    pub this_update: Timestamp,
    /// Until when the next is due.
    pub next_update: Timestamp,
    /// When the next is to be published, if it is told.
    pub next_publish: Option<Timestamp>,
    /// How many entries it has.
    pub entries: u64,
}

/// A CRL being read. Entries are told as they come, *before* the signature can be checked: act on
/// them only when [`CrlReader::finish`] has succeeded.
#[derive(Debug)]
pub struct CrlReader<R> {
    source: Source<R>,
    algorithm: Vec<u8>,
    signature: SignatureAlgorithm,
    summary: CrlSummary,
    entries_left: u64,
    entries_range: std::ops::Range<u64>,
    /// Whether the header of crlExtensions has been read already.
    extensions: Option<u64>,
}

impl<R: Read> CrlReader<R> {
    /// Reads up to the first entry.
    pub fn open(source: R) -> Result<Self, CrlError> {
        let mut source = Source::of(source);
        source.outer_left = source.header(SEQUENCE)?;
        source.hashed = Hashed::Kept(Vec::new());
        source.tbs_left = source.header(SEQUENCE)?;
        if unsigned(only(&source.element()?, INTEGER)?)? != 1 {
            return Err(CrlError::NotACrl);
        }
        let algorithm = source.element()?;
        let signature = SignatureAlgorithm::from_der(&algorithm)?;
        source.hash_with(signature);
        let issuer =
            DistinguishedName::from_der(&source.element()?).map_err(|_| CrlError::NotACrl)?;
        let this_update = moment(&source.element()?)?;
        let next_update = moment(&source.element()?)?;
        let mut reader = Self {
            source,
            algorithm,
            signature,
            summary: CrlSummary {
                issuer,
                authority_key_identifier: None,
                number: None,
                this_update,
                next_update,
                next_publish: None,
                entries: 0,
            },
            entries_left: 0,
            entries_range: 0..0,
            extensions: None,
        };
        if reader.source.tbs_left > 0 {
            match reader.source.any_header()? {
                (SEQUENCE, length) => reader.entries_left = length,
                (tag, length) if tag == constructed(0) => reader.extensions = Some(length),
                _ => return Err(CrlError::NotACrl),
            }
        }
        if reader.entries_left > reader.source.tbs_left {
            return Err(CrlError::NotACrl);
        }
        let from = reader.source.position;
        reader.entries_range = from..from + reader.entries_left;
        Ok(reader)
    }

    /// Where in the source the encoded entries stand, one after another.
    pub fn entries_range(&self) -> std::ops::Range<u64> {
        self.entries_range.clone()
    }

    /// Who issued it, as it says itself.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.summary.issuer
    }

    /// When it was issued, as it says itself.
    pub fn this_update(&self) -> Timestamp {
        self.summary.this_update
    }

    /// The next entry, or nothing after the last.
    pub fn next_entry(&mut self) -> Result<Option<CrlEntry>, CrlError> {
        if self.entries_left == 0 {
            return Ok(None);
        }
        let before = self.source.tbs_left;
        let entry = CrlEntry::decode(self.source.borrowed_element()?)?;
        let octets = before - self.source.tbs_left;
        self.entries_left = self.entries_left.checked_sub(octets).ok_or(CrlError::NotACrl)?;
        self.summary.entries += 1;
        Ok(Some(entry))
    }

    /// Reads what is left (entries not asked for are checked and passed over), verifies the
    /// signature with the issuer's key, and that nothing follows.
    pub fn finish(mut self, issuer_key: &PublicKey) -> Result<CrlSummary, CrlError> {
        while self.next_entry()?.is_some() {}
        if self.extensions.is_none() && self.source.tbs_left > 0 {
            self.extensions = Some(self.source.header(constructed(0))?);
        }
        if let Some(length) = self.extensions {
            if length != self.source.tbs_left {
                return Err(CrlError::NotACrl);
            }
            let list = self.source.element()?;
            read_extensions(&mut self.summary, only(&list, SEQUENCE)?)?;
        }
        if self.source.tbs_left > 0 {
            return Err(CrlError::NotACrl);
        }
        let digest = std::mem::replace(&mut self.source.hashed, Hashed::Nothing);
        let Hashed::Digest(digest) = digest else { return Err(CrlError::NotACrl) };
        if self.source.element()? != self.algorithm {
            return Err(CrlError::NotACrl);
        }
        let bits = self.source.element()?;
        let [0, signature @ ..] = only(&bits, BIT_STRING)?.content else {
            return Err(CrlError::NotACrl);
        };
        if self.source.outer_left > 0 || !self.source.inner.fill_buf()?.is_empty() {
            return Err(CrlError::NotACrl);
        }
        self.signature.verify_digest(issuer_key, &digest.finish(), signature)?;
        Ok(self.summary)
    }
}

impl<R: Read> Iterator for CrlReader<R> {
    type Item = Result<CrlEntry, CrlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.next_entry();
        if entry.is_err() {
            self.entries_left = 0;
        }
        entry.transpose()
    }
}

fn moment(element: &[u8]) -> Result<Timestamp, CrlError> {
    match Elements::of(element).take()? {
        moment if matches!(moment.tag, UTC_TIME | GENERALIZED_TIME) => Ok(time::decode(moment)?),
        _ => Err(CrlError::NotACrl),
    }
}

fn read_extensions(summary: &mut CrlSummary, list: Element<'_>) -> Result<(), CrlError> {
    let mut extensions = list.elements();
    while !extensions.is_empty() {
        let extension = Extension::from_element(extensions.expect(SEQUENCE)?)?;
        let value = Elements::of(&extension.value).take()?;
        match extension.oid {
            oid::CRL_NUMBER => summary.number = unsigned(value).ok(),
            oid::NEXT_CRL_PUBLISH => summary.next_publish = Some(time::decode(value)?),
            oid::AUTHORITY_KEY_IDENTIFIER => {
                let identifier = value.elements().optional(primitive(0))?;
                summary.authority_key_identifier = identifier.map(|found| found.content.to_vec());
            }
            _ if extension.critical => return Err(CrlError::NotComplete),
            _ => {}
        }
    }
    Ok(())
}

/// The source, counted and hashed.
#[derive(Debug)]
struct Source<R> {
    inner: BufReader<R>,
    /// Octets read so far.
    position: u64,
    outer_left: u64,
    tbs_left: u64,
    hashed: Hashed,
    buffer: Vec<u8>,
}

/// What happens to the octets of the to-be-signed part.
enum Hashed {
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
    fn of(source: R) -> Self {
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
    fn header(&mut self, tag: u8) -> Result<u64, CrlError> {
        match self.any_header()? {
            (found, length) if found == tag => Ok(length),
            _ => Err(CrlError::NotACrl),
        }
    }

    fn any_header(&mut self) -> Result<(u8, u64), CrlError> {
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
    fn element(&mut self) -> Result<Vec<u8>, CrlError> {
        self.borrowed_element().map(<[u8]>::to_vec)
    }

    /// The whole element that begins here.
    fn borrowed_element(&mut self) -> Result<&[u8], CrlError> {
        let (_, length) = self.any_header()?;
        if length > LARGEST_ELEMENT {
            return Err(CrlError::NotACrl);
        }
        self.count(length)?;
        // At most 64 KiB.
        self.extend(length as usize)?;
        Ok(&self.buffer)
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

    fn hash_with(&mut self, algorithm: SignatureAlgorithm) {
        let mut digest = Context::new(algorithm.digest());
        if let Hashed::Kept(octets) = &self.hashed {
            digest.update(octets);
        }
        self.hashed = Hashed::Digest(digest);
    }
}
