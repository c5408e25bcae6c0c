//! A parent's CRL, and why one is not taken.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;

use super::Parent;
use crate::ca::publish::sha256;
use crate::pki::presented::{Digest, Fit, Listed, Number, PresentedCrl};
use crate::pki::time::Timestamp;
use crate::storage::StoreError;

/// The largest that is taken. It is served from memory; a root's has a handful of entries.
pub const MOST_OCTETS: usize = 16 * 1024 * 1024;

/// A CRL of a parent, proven to be that and to be about what it issued of our chain.
#[derive(Debug)]
pub struct ParentCrl {
    /// As it came.
    pub octets: Bytes,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Its number, if it has one.
    pub number: Option<Number>,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// When the parent means to make the next one, if it says so.
    pub next_publish: Option<Timestamp>,
    /// Since when it is served, in whole seconds: Last-Modified.
    pub modified: Timestamp,
    /// How it lists the certificate below, which then is revoked.
    pub listed: Option<Listed>,
    /// How strong the digest under its signature is.
    pub digest: Digest,
}

/// Why a CRL is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// This CA is a root.
    #[error("this CA is a root: there is nobody above it whose CRL it could serve")]
    NoParents,
    /// Not a CRL.
    #[error("not a CRL in DER")]
    NotACrl,
    /// Larger than [`MOST_OCTETS`].
    #[error("larger than {MOST_OCTETS} octets")]
    TooLarge,
    /// Nobody above this CA has that name.
    #[error("it is of {0}, who does not stand above this CA")]
    AnotherIssuer(String),
    /// The signature is not that of the parent with this name.
    #[error("it is not signed with the key of {0} that is on record")]
    WrongSignature(String),
    /// A delta, which tells nothing without its base.
    #[error("it is a delta CRL; the complete one is wanted")]
    Delta,
    /// Relying parties would refuse it.
    #[error("it has a critical extension that nobody need know: {0}")]
    UnknownCritical(String),
    /// It is about other certificates.
    #[error("it {0}")]
    OutOfScope(&'static str),
    /// RFC 5280 §5.1.2.5.
    #[error("it does not say when the next one comes (nextUpdate)")]
    NoNextUpdate,
    /// An entry cannot be read.
    #[error("an entry of it is broken")]
    EntryBroken,
    /// It begins later than now.
    #[error("it begins only on {0}")]
    NotYetValid(Timestamp),
    /// Something newer is here.
    #[error("it is of {this_update}; a newer one, of {known}, is here already")]
    Older {
        /// Its thisUpdate.
        this_update: Timestamp,
        /// That of the newest.
        known: Timestamp,
    },
    /// Another one of the same number and time.
    #[error("another CRL with the same number and the same time is here already")]
    Twin,
    /// The register or the place of publication.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        let doing = "reading a parent's CRL".to_owned();
        Self::Store(StoreError::Io { doing, reason: error.to_string() })
    }
}

impl Parent {
    /// The CRL that these octets are, if it is this parent's and about what it issued of our
    /// chain; until when it holds is not asked.
    pub(super) fn read(
        &self,
        presented: &PresentedCrl,
        octets: Bytes,
        modified: Timestamp,
    ) -> Result<ParentCrl, NotTaken> {
        if presented.issuer_der() != self.presented.subject_der() {
            return Err(NotTaken::AnotherIssuer(presented.issuer_text()));
        }
        // What cannot be checked here is not believed either.
        if presented.fits(&self.presented) != Fit::Fits {
            return Err(NotTaken::WrongSignature(self.subject()));
        }
        if presented.is_delta() {
            return Err(NotTaken::Delta);
        }
        if let Some(unknown) = presented.unknown_critical() {
            return Err(NotTaken::UnknownCritical(unknown.oid_text()));
        }
        if let Some(why) = presented.scope().and_then(|own| own.leaves_out(Some(&self.below))) {
            return Err(NotTaken::OutOfScope(why));
        }
        let listed = presented.find(self.below.serial_octets());
        Ok(ParentCrl {
            sha256: sha256(&octets),
            octets,
            number: presented.number(),
            this_update: presented.this_update(),
            next_update: presented.next_update().ok_or(NotTaken::NoNextUpdate)?,
            next_publish: presented.next_publish(),
            modified,
            listed: listed.map_err(|_| NotTaken::EntryBroken)?,
            digest: presented.digest(),
        })
    }

    /// Takes up what stands in its place already.
    pub(super) fn take_up(&self) -> Result<(), StoreError> {
        let Some(file) = self.store.published()? else { return Ok(()) };
        let read = || {
            let data = file.metadata()?;
            let length = usize::try_from(data.len()).unwrap_or(usize::MAX);
            if length > MOST_OCTETS {
                return Err(NotTaken::TooLarge);
            }
            let modified = data.modified()?.duration_since(std::time::UNIX_EPOCH);
            let modified = modified.map_or(0, |since| since.as_secs());
            let mut octets = vec![0; length];
            file.read_exact_at(&mut octets, 0)?;
            let (presented, octets) = parsed(octets)?;
            self.read(&presented, octets, Timestamp::from_seconds(modified))
        };
        match read() {
            Ok(crl) => self.crl.store(Some(Arc::new(crl))),
            Err(error) => {
                let parent = self.subject();
                tracing::error!(%error, parent, "the stored CRL of a parent is not served");
            }
        }
        Ok(())
    }
}

/// Read, and as octets to be served.
pub(super) fn parsed(octets: Vec<u8>) -> Result<(PresentedCrl, Bytes), NotTaken> {
    if octets.len() > MOST_OCTETS {
        return Err(NotTaken::TooLarge);
    }
    let served = Bytes::copy_from_slice(&octets);
    let presented = PresentedCrl::from_der(octets).map_err(|_| NotTaken::NotACrl)?;
    Ok((presented, served))
}
