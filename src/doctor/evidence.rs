//! What was fetched, and what could not be: CRLs, deltas, issuers, OCSP answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Question;
use super::path::{Level, Path, Source};
use crate::pki::bundle::certificates_from_pkcs7;
use crate::pki::presented::{PresentedAnswer, PresentedCertificate, PresentedCrl, question};

/// Addresses looked up for one question at most: nobody's chain has more, and a stranger's shall
/// not send us round the world.
pub const MOST_LOOKUPS: usize = 40;

/// Octets fetched for one question at most.
const MOST_OCTETS: usize = 128 * 1024 * 1024;

/// Fetches a document. What it may reach is its own business; it never follows a redirect.
pub trait Fetch {
    /// GET.
    fn get(&self, url: &str) -> Result<Document, NotFetched>;

    /// POST of an OCSP request (RFC 6960 appendix A).
    fn ask(&self, url: &str, request: &[u8]) -> Result<Document, NotFetched>;
}

/// Makes a [`Fetch`] for each question, whose time begins to run with it.
pub trait Fetching: Send + Sync {
    /// For one question.
    fn begin(&self) -> Box<dyn Fetch>;
}

/// Fetches nothing.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Fetching for Offline {
    fn begin(&self) -> Box<dyn Fetch> {
        Box::new(Self)
    }
}

impl Fetch for Offline {
    fn get(&self, _: &str) -> Result<Document, NotFetched> {
        Err(NotFetched::Offline)
    }

    fn ask(&self, _: &str, _: &[u8]) -> Result<Document, NotFetched> {
        Err(NotFetched::Offline)
    }
}

/// What an address gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The body.
    pub body: Arc<Vec<u8>>,
    /// How many seconds the server's clock (RFC 9110 §6.6.1) is ahead of ours; negative if behind.
    pub clock_ahead_seconds: Option<i64>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// Nothing is fetched at all.
    #[error("not looked up: nothing is fetched")]
    Offline,
    /// LDAP, HTTPS, a file: not looked up here.
    #[error("not looked up: {0} is not fetched here, only http")]
    OtherScheme(String),
    /// No URL.
    #[error("not a URL")]
    NotAUrl,
    /// An address that may not be asked from here.
    #[error("not looked up: {0} is a private address, and not among those allowed here")]
    Private(std::net::IpAddr),
    /// So many addresses were looked up already.
    #[error("not looked up: {MOST_LOOKUPS} addresses or 128 MiB were already")]
    TooMany,
    /// No such host, no connection, an answer that breaks off.
    #[error("{0}")]
    Unreachable(String),
    /// The time for all of them is over.
    #[error("not looked up: the {0} seconds for all addresses together are over")]
    OutOfTime(u64),
    /// Too long on its way.
    #[error("no answer within {0} seconds")]
    Slow(u64),
    /// Larger than is read.
    #[error("larger than {0} octets")]
    TooLarge(u64),
    /// A redirect.
    #[error("HTTP {0}: a redirect, which is not followed here")]
    Redirected(u16),
    /// Another status than 200.
    #[error("HTTP {0}")]
    Status(u16),
}

impl NotFetched {
    /// Whether it says nothing about the address: nobody went there.
    pub fn was_not_tried(&self) -> bool {
        matches!(
            self,
            Self::Offline
                | Self::OtherScheme(_)
                | Self::Private(_)
                | Self::TooMany
                | Self::OutOfTime(_)
        )
    }
}

/// What somebody wanted from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sought {
    /// An issuer's certificate.
    Issuer,
    /// A complete CRL.
    Crl,
    /// A delta CRL.
    Delta,
    /// An OCSP answer.
    Answer,
}

impl Sought {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Crl => "crl",
            Self::Delta => "delta-crl",
            Self::Answer => "ocsp",
        }
    }
}

/// An address that was looked up, or was to be.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The URL.
    pub url: String,
    /// What for.
    pub sought: Sought,
    /// The size of what came, or why nothing did.
    pub outcome: Result<usize, NotFetched>,
    /// The server's clock against ours.
    pub clock_ahead_seconds: Option<i64>,
}

/// A CRL, or why there is none at a place where one should be.
#[derive(Clone, Debug)]
pub struct CrlEvidence {
    /// The URL; none if it was given by hand.
    pub url: Option<String>,
    /// What was there.
    pub outcome: Result<PresentedCrl, NoCrl>,
}

impl CrlEvidence {
    /// `CRL at http://…`, or `CRL given by hand`.
    pub fn words(&self) -> String {
        match &self.url {
            Some(url) => format!("CRL at {url}"),
            None => "CRL given by hand".to_owned(),
        }
    }
}

/// Why there is no CRL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCrl {
    /// It could not be had.
    #[error(transparent)]
    NotFetched(NotFetched),
    /// PEM, which RFC 5280 §4.2.1.13 does not allow there.
    #[error("a CRL in PEM instead of DER")]
    Pem,
    /// Something else.
    #[error("no CRL in DER")]
    NotACrl,
}

/// What an OCSP responder says of a certificate.
#[derive(Clone, Debug)]
pub struct AnswerEvidence {
    /// The responder's URL.
    pub url: String,
    /// Its answer.
    pub outcome: Result<PresentedAnswer, NoAnswer>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be had.
    #[error(transparent)]
    NotFetched(NotFetched),
    /// Something else came.
    #[error("no OCSP answer in DER")]
    NotAnAnswer,
}

/// What there is about the revocation of one certificate.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// Complete CRLs, from every place that is named, in that order.
    pub crls: Vec<CrlEvidence>,
    /// Delta CRLs, likewise.
    pub deltas: Vec<CrlEvidence>,
    /// OCSP answers, from every responder that is named.
    pub answers: Vec<AnswerEvidence>,
}

/// All of it.
pub struct Evidence<'a> {
    fetch: &'a dyn Fetch,
    /// Each URL is asked once.
    fetched: BTreeMap<String, Result<Document, NotFetched>>,
    /// In the order asked.
    pub lookups: Vec<Lookup>,
    /// For each certificate of the chain.
    pub revocation: Vec<Revocation>,
    /// For the certificate in question as the issuer of CRLs.
    pub issued: Revocation,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch) -> Self {
        Self {
            fetch,
            fetched: BTreeMap::new(),
            lookups: Vec::new(),
            revocation: Vec::new(),
            issued: Revocation::default(),
        }
    }

    /// The certificates at the addresses where AIA says the issuer's is; the first place that has
    /// any counts.
    pub(super) fn issuers(&mut self, below: &PresentedCertificate) -> Vec<Level> {
        for url in below.issuer_urls() {
            let Ok(document) = self.look_up(&url, Sought::Issuer) else { continue };
            let ders = match PresentedCertificate::from_der(&document.body) {
                Ok(certificate) => vec![certificate],
                // RFC 5280 §4.2.2.1: a collection in certs-only CMS.
                Err(_) => certificates_from_pkcs7(&document.body)
                    .unwrap_or_default()
                    .iter()
                    .take(super::intake::MOST_CERTIFICATES)
                    .filter_map(|der| PresentedCertificate::from_der(der).ok())
                    .collect(),
            };
            if !ders.is_empty() {
                let source = Source::Fetched(url);
                let level = |certificate| Level { certificate, source: source.clone() };
                return ders.into_iter().map(level).collect();
            }
        }
        Vec::new()
    }

    /// Fetches what is said of the revocation of every certificate that is no root.
    pub(super) fn gather(&mut self, question: &Question<'_>, path: &Path) {
        for (position, level) in path.levels.iter().enumerate() {
            let own = &level.certificate;
            let mut revocation = Revocation::default();
            if !own.is_self_issued() && !own.is_exempt_from_revocation() {
                let urls = own.crl_distribution_points().into_iter().flat_map(|point| point.urls);
                let mut freshest = own.freshest_crl_urls();
                revocation.crls = self.crls(question, own.issuer_der(), urls, &mut freshest);
                revocation.deltas = self.deltas(freshest);
                if let Some(issuer) = path.issuer_of(position) {
                    revocation.answers = self.answers(own, issuer);
                }
            }
            self.revocation.push(revocation);
        }
        if let Some(own) = path.subject() {
            let urls = question.issued_crl_urls.iter().cloned();
            let mut freshest = Vec::new();
            self.issued.crls = self.crls(question, own.subject_der(), urls, &mut freshest);
            self.issued.deltas = self.deltas(freshest);
        }
    }

    /// The CRLs at `urls` and, of those given by hand, this issuer's; notes where their deltas are.
    fn crls(
        &mut self,
        question: &Question<'_>,
        issuer: &[u8],
        urls: impl Iterator<Item = String>,
        freshest: &mut Vec<String>,
    ) -> Vec<CrlEvidence> {
        let given = question.crls.iter().filter_map(|der| PresentedCrl::from_der(der.clone()).ok());
        let given = given.filter(|crl| crl.issuer_der() == issuer && !crl.is_delta());
        let mut found: Vec<CrlEvidence> =
            given.map(|crl| CrlEvidence { url: None, outcome: Ok(crl) }).collect();
        found.extend(urls.map(|url| self.crl(url, Sought::Crl)));
        for crl in found.iter().filter_map(|own| own.outcome.as_ref().ok()) {
            for url in crl.freshest_crl_urls() {
                if !freshest.contains(&url) {
                    freshest.push(url);
                }
            }
        }
        found
    }

    fn answers(
        &mut self,
        own: &PresentedCertificate,
        issuer: &PresentedCertificate,
    ) -> Vec<AnswerEvidence> {
        let Some(request) = question(own, issuer) else { return Vec::new() };
        let mut answers = Vec::new();
        for url in own.ocsp_urls() {
            let outcome = self.counted(&url, Sought::Answer, |fetch| fetch.ask(&url, &request));
            let outcome = outcome.map_err(NoAnswer::NotFetched).and_then(|document| {
                PresentedAnswer::from_der(&document.body, own, issuer)
                    .map_err(|_| NoAnswer::NotAnAnswer)
            });
            answers.push(AnswerEvidence { url, outcome });
        }
        answers
    }

    fn deltas(&mut self, urls: Vec<String>) -> Vec<CrlEvidence> {
        urls.into_iter().map(|url| self.crl(url, Sought::Delta)).collect()
    }

    fn crl(&mut self, url: String, sought: Sought) -> CrlEvidence {
        let outcome = match self.look_up(&url, sought) {
            Err(why) => Err(NoCrl::NotFetched(why)),
            Ok(document) if document.body.starts_with(b"-----BEGIN X509 CRL-----") => {
                Err(NoCrl::Pem)
            }
            Ok(document) => PresentedCrl::from_der(document.body).map_err(|_| NoCrl::NotACrl),
        };
        CrlEvidence { url: Some(url), outcome }
    }

    /// GET, once for each URL.
    fn look_up(&mut self, url: &str, sought: Sought) -> Result<Document, NotFetched> {
        if let Some(known) = self.fetched.get(url).cloned() {
            return self.noted(url, sought, known);
        }
        let outcome = self.counted(url, sought, |fetch| fetch.get(url));
        self.fetched.insert(url.to_owned(), outcome.clone());
        outcome
    }

    /// Goes there, if it is a place to go to and there were not too many.
    fn counted(
        &mut self,
        url: &str,
        sought: Sought,
        go: impl FnOnce(&dyn Fetch) -> Result<Document, NotFetched>,
    ) -> Result<Document, NotFetched> {
        let octets: usize = self.lookups.iter().filter_map(|own| own.outcome.as_ref().ok()).sum();
        let outcome = match scheme(url) {
            _ if self.lookups.len() >= MOST_LOOKUPS || octets >= MOST_OCTETS => {
                Err(NotFetched::TooMany)
            }
            Some(scheme) if scheme == "http" => go(self.fetch),
            Some(scheme) => Err(NotFetched::OtherScheme(scheme)),
            None => Err(NotFetched::NotAUrl),
        };
        self.noted(url, sought, outcome)
    }

    fn noted(
        &mut self,
        url: &str,
        sought: Sought,
        outcome: Result<Document, NotFetched>,
    ) -> Result<Document, NotFetched> {
        if !self.lookups.iter().any(|own| own.url == url && own.sought == sought) {
            self.lookups.push(Lookup {
                url: url.to_owned(),
                sought,
                outcome: outcome.as_ref().map(|own| own.body.len()).map_err(Clone::clone),
                clock_ahead_seconds: outcome.as_ref().ok().and_then(|own| own.clock_ahead_seconds),
            });
        }
        outcome
    }
}

/// The scheme of a URL in lower case.
pub fn scheme(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once(':')?;
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    (!scheme.is_empty() && scheme.bytes().all(letters)).then(|| scheme.to_ascii_lowercase())
}
