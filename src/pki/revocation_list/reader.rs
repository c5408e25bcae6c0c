//! Reads a CRL of any size in constant memory, and checks its signature as it goes.

use std::io::Read;

use super::source::{Hashed, Source};
use super::{CrlEntry, CrlKind, DeltaEntry};
use der::Decode;
use der::asn1::BitStringRef;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;
use x509_cert::time::Time;

use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{NotDer, SEQUENCE, constructed};
use crate::pki::extension;
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::PublicKey;
use crate::pki::signature::{SignatureAlgorithm, SignatureError};
use crate::pki::time::Timestamp;

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
    /// A complete CRL that takes somebody off, which only deltas may (RFC 5280 §5.3.1).
    #[error("the CRL is complete and has an entry with the reason removeFromCRL")]
    RemovesFromComplete,
    /// The signature does not fit, or its algorithm is unknown.
    #[error("the CRL: {0}")]
    Signature(#[from] SignatureError),
}

impl From<der::Error> for CrlError {
    fn from(_: der::Error) -> Self {
        Self::NotACrl
    }
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
    /// The whole list, or what changed since.
    pub kind: CrlKind,
    /// Where its deltas are: the URLs of FreshestCRL, none without one.
    pub freshest_urls: Vec<String>,
    /// Of a part of what its issuer has issued: where it is found, as its critical
    /// issuingDistributionPoint says. None: it is about all of it.
    pub distribution_point_urls: Vec<String>,
}

/// A CRL being read. Entries are told as they come, *before* the signature can be checked: act on
/// them only when [`CrlReader::finish`] has succeeded.
#[derive(Debug)]
pub struct CrlReader<R> {
    source: Source<R>,
    algorithm: Vec<u8>,
    signature: SignatureAlgorithm,
    summary: CrlSummary,
    /// How many of the entries take somebody off.
    removals: u64,
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
        if Version::from_der(&source.element()?)? != Version::V2 {
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
                kind: CrlKind::Complete,
                freshest_urls: Vec::new(),
                distribution_point_urls: Vec::new(),
            },
            removals: 0,
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
        match self.next_change()? {
            None => Ok(None),
            Some(DeltaEntry::Listed(entry)) => Ok(Some(entry)),
            Some(DeltaEntry::Removed { .. }) => Err(CrlError::NotComplete),
        }
    }

    /// The next entry of a list that may be a delta, or nothing after the last.
    pub fn next_change(&mut self) -> Result<Option<DeltaEntry>, CrlError> {
        if self.entries_left == 0 {
            return Ok(None);
        }
        let before = self.source.tbs_left;
        let entry = DeltaEntry::decode(self.source.borrowed_element()?)?;
        let octets = before - self.source.tbs_left;
        self.entries_left = self.entries_left.checked_sub(octets).ok_or(CrlError::NotACrl)?;
        self.summary.entries += 1;
        self.removals += u64::from(matches!(entry, DeltaEntry::Removed { .. }));
        Ok(Some(entry))
    }

    /// Reads what is left (entries not asked for are checked and passed over), verifies the
    /// signature with the issuer's key, and that nothing follows. A delta is refused.
    pub fn finish(self, issuer_key: &PublicKey) -> Result<CrlSummary, CrlError> {
        let summary = self.finish_either(issuer_key)?;
        if summary.kind == CrlKind::Complete { Ok(summary) } else { Err(CrlError::NotComplete) }
    }

    /// The same for a list that may be a delta: [`CrlSummary::kind`] tells.
    pub fn finish_either(self, issuer_key: &PublicKey) -> Result<CrlSummary, CrlError> {
        let summary = self.finish_any(issuer_key)?;
        match summary.distribution_point_urls.is_empty() {
            true => Ok(summary),
            false => Err(CrlError::NotComplete),
        }
    }

    /// The same for a list that may be a delta, or about a part of what its issuer has issued:
    /// [`CrlSummary::distribution_point_urls`] tells.
    pub fn finish_any(mut self, issuer_key: &PublicKey) -> Result<CrlSummary, CrlError> {
        while self.next_change()?.is_some() {}
        if self.extensions.is_none() && self.source.tbs_left > 0 {
            self.extensions = Some(self.source.header(constructed(0))?);
        }
        if let Some(length) = self.extensions {
            if length != self.source.tbs_left {
                return Err(CrlError::NotACrl);
            }
            let list = self.source.element()?;
            read_extensions(&mut self.summary, &Vec::from_der(&list)?)?;
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
        let signature = BitStringRef::from_der(&bits)?.as_bytes().ok_or(CrlError::NotACrl)?;
        if !self.source.is_at_end()? {
            return Err(CrlError::NotACrl);
        }
        self.signature.verify_digest(issuer_key, &digest.finish(), signature)?;
        if self.summary.kind == CrlKind::Complete && self.removals > 0 {
            return Err(CrlError::RemovesFromComplete);
        }
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
    Ok(Timestamp::from_x509(&Time::from_der(element)?))
}

fn read_extensions(
    summary: &mut CrlSummary,
    extensions: &[ExtensionPart<'_>],
) -> Result<(), CrlError> {
    for extension in extensions {
        let value = extension.value;
        match extension.oid {
            number if number == oid::CRL_NUMBER.as_bytes() => {
                summary.number = u64::from_der(value).ok();
            }
            publish if publish == oid::NEXT_CRL_PUBLISH.as_bytes() => {
                summary.next_publish = Some(moment(value)?);
            }
            authority if authority == oid::AUTHORITY_KEY_IDENTIFIER.as_bytes() => {
                let identifier = AuthorityKeyIdentifier::from_der(value)?.key_identifier;
                summary.authority_key_identifier = identifier.map(|found| found.as_bytes().into());
            }
            indicator if indicator == oid::DELTA_CRL_INDICATOR.as_bytes() => {
                // Not critical: whoever does not know it takes the delta for the whole list.
                if !extension.critical {
                    return Err(CrlError::NotACrl);
                }
                let base = u64::from_der(value).map_err(|_| CrlError::NotComplete)?;
                summary.kind = CrlKind::Delta { base };
            }
            freshest if freshest == oid::FRESHEST_CRL.as_bytes() => {
                // Not needed to know who is revoked: what does not read is passed over.
                summary.freshest_urls =
                    extension::read_distribution_points(value).unwrap_or_default();
            }
            point if point == oid::ISSUING_DISTRIBUTION_POINT.as_bytes() => {
                summary.distribution_point_urls = partition(extension)?;
            }
            _ if extension.critical => return Err(CrlError::NotComplete),
            _ => {}
        }
    }
    Ok(())
}

/// The URLs of a distribution point that parts by nothing but itself: not by the kind of
/// certificate, nor by reasons, nor is the list indirect (RFC 5280 §5.2.5).
fn partition(extension: &ExtensionPart<'_>) -> Result<Vec<String>, CrlError> {
    // Not critical: whoever does not know it takes the part for the whole.
    if !extension.critical {
        return Err(CrlError::NotACrl);
    }
    let urls = extension::read_issuing_distribution_point(extension.value)?;
    if urls.is_empty() { Err(CrlError::NotComplete) } else { Ok(urls) }
}
