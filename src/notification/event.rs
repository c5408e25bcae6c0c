//! What is told: one entry of the ledger that somebody outside wants to know of.

use crate::pki::time::Timestamp;

/// An event. What it says never changes: it is made from what stands on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The ledger entry's number.
    pub sequence: u64,
    /// Its hash, which covers all before it: no other event of this CA's life ever has it, so the
    /// notification's identifier is made from it. (Numbers come again after a restore.)
    pub hash: [u8; 32],
    /// When it came to be.
    pub at: Timestamp,
    /// What happened.
    pub news: News,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A request waits for a certificate manager.
    RequestPending(PendingRequest),
    /// A CRL stands at its publication point.
    CrlPublished(PublishedCrl),
    /// The published CRL ends soon and there is no newer one, though it was due.
    CrlExpiring(Distance, EndingCrl),
    /// The CRL of a CA above this one, as it is served here, ends soon.
    ParentCrlExpiring(Distance, EndingParentCrl),
    /// OCSP answers end soon and there are no newer ones, though they were due.
    AnswersExpiring(Distance, EndingAnswers),
    /// A CA certificate ends soon.
    AuthorityExpiring(Distance, EndingAuthority),
    /// Certificates of one template end soon and nothing renews them.
    CertificatesExpiring(Distance, EndingCertificates),
    /// The service looked at itself and found something else than before.
    SelfCheckChanged(SelfCheck),
}

/// What the service finds when it looks at itself as relying parties do; nothing where all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfCheck {
    /// What relying parties will refuse.
    pub faults: Vec<String>,
    /// What they may refuse.
    pub warnings: Vec<String>,
}

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// Its number.
    pub request_id: u64,
    /// The template's cn.
    pub template: String,
    /// Whose certificate it shall be.
    pub account: String,
    /// Who submitted it.
    pub requester: String,
    /// The request in the API.
    pub url: String,
}

/// A CRL that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedCrl {
    /// CRL number.
    pub number: u64,
    /// BaseCRLNumber, if it is a delta CRL.
    pub base: Option<u64>,
    /// thisUpdate and nextUpdate, as far as on record.
    pub validity: Option<(Timestamp, Timestamp)>,
    /// How many entries it has, as far as on record.
    pub entries: Option<u64>,
    /// Its size in octets.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where it is served.
    pub urls: Vec<String>,
}

/// A CRL that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingCrl {
    /// CRL number.
    pub number: u64,
    /// BaseCRLNumber, if it is a delta CRL.
    pub base: Option<u64>,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// Where it is served.
    pub urls: Vec<String>,
}

/// A CRL of a CA above this one that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingParentCrl {
    /// Who issued it.
    pub issuer: String,
    /// CRL number, if it has one that fits 64 bits.
    pub number: Option<u64>,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// Where it is served.
    pub urls: Vec<String>,
}

/// OCSP answers that end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingAnswers {
    /// About what was issued under the CA's key of this index.
    pub key_index: u16,
    /// When the first of them end.
    pub next_update: Timestamp,
    /// Where they are asked for.
    pub urls: Vec<String>,
    /// Why there are none newer.
    pub why: String,
}

/// A CA certificate that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingAuthority {
    /// Its subject.
    pub subject: String,
    /// SHA-256 of the certificate.
    pub sha256: [u8; 32],
    /// notAfter.
    pub not_after: Timestamp,
}

/// Certificates that end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingCertificates {
    /// The template's cn.
    pub template: String,
    /// Which.
    pub certificates: Vec<EndingCertificate>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingCertificate {
    /// Lower-case hex.
    pub serial_number: String,
    /// The account it was issued to.
    pub account: String,
    /// Common and alternative names.
    pub names: Vec<String>,
    /// notAfter.
    pub not_after: Timestamp,
    /// The certificate in the API.
    pub url: String,
}

/// How far an end is, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// It is told so many seconds before.
    pub before_seconds: u64,
    /// So many when it was told last; `None` if it never was.
    pub told_before_seconds: Option<u64>,
}

impl Distance {
    /// Whether whoever wants to be told at these distances is to be told now: one of them was
    /// reached since the last time. After a standstill several are, and it is told once.
    pub fn reaches(&self, wanted: &[u64]) -> bool {
        wanted.iter().any(|own| {
            self.before_seconds <= *own && self.told_before_seconds.is_none_or(|told| *own < told)
        })
    }
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`News::RequestPending`].
    RequestPending,
    /// [`News::CrlPublished`].
    CrlPublished,
    /// [`News::CrlExpiring`] and [`News::ParentCrlExpiring`].
    CrlExpiring,
    /// [`News::AnswersExpiring`].
    AnswersExpiring,
    /// [`News::AuthorityExpiring`].
    AuthorityExpiring,
    /// [`News::CertificatesExpiring`].
    CertificatesExpiring,
    /// [`News::SelfCheckChanged`].
    SelfCheckChanged,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::RequestPending,
        Self::CrlPublished,
        Self::CrlExpiring,
        Self::AnswersExpiring,
        Self::AuthorityExpiring,
        Self::CertificatesExpiring,
        Self::SelfCheckChanged,
    ];

    /// The word in settings and bodies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequestPending => "request.pending",
            Self::CrlPublished => "crl.published",
            Self::CrlExpiring => "crl.expiring",
            Self::AnswersExpiring => "ocsp.expiring",
            Self::AuthorityExpiring => "ca.expiring",
            Self::CertificatesExpiring => "certificate.expiring",
            Self::SelfCheckChanged => "self_check.changed",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Event {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self.news {
            News::RequestPending(_) => Kind::RequestPending,
            News::CrlPublished(_) => Kind::CrlPublished,
            News::CrlExpiring(..) | News::ParentCrlExpiring(..) => Kind::CrlExpiring,
            News::AnswersExpiring(..) => Kind::AnswersExpiring,
            News::AuthorityExpiring(..) => Kind::AuthorityExpiring,
            News::CertificatesExpiring(..) => Kind::CertificatesExpiring,
            News::SelfCheckChanged(_) => Kind::SelfCheckChanged,
        }
    }

    /// The notification's identifier: the same at every attempt, to every endpoint, before and
    /// after a restore; no dot is in it (it is signed with dots around it).
    pub fn id(&self) -> String {
        format!("act_{}", hex(&self.hash))
    }

    /// The template it is about, if it is about one.
    pub fn template(&self) -> Option<&str> {
        match &self.news {
            News::RequestPending(own) => Some(&own.template),
            News::CertificatesExpiring(_, own) => Some(&own.template),
            News::CrlPublished(_)
            | News::CrlExpiring(..)
            | News::ParentCrlExpiring(..)
            | News::AnswersExpiring(..)
            | News::AuthorityExpiring(..)
            | News::SelfCheckChanged(_) => None,
        }
    }
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
