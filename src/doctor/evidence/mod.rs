//! What was fetched, and what could not be: CRLs, deltas, issuers, OCSP answers.
//!
//! Absent: judgements, which are the rules', and the network, which is whoever's that gives a
//! [`Fetch`]. Begin with `Evidence`; `addresses` says how much is fetched at all.

mod addresses;
mod fetch;
mod found;

pub use addresses::{MOST_LOOKUPS, scheme};
pub use fetch::{Document, Fetch, Fetching, NotFetched, Offline};
pub use found::{AnswerEvidence, CrlEvidence, Lookup, NoAnswer, NoCrl, Revocation, Sought};

use super::Question;
use super::path::{Level, Path, Source};
use crate::pki::bundle::certificates_from_pkcs7;
use crate::pki::presented::{PresentedAnswer, PresentedCertificate, PresentedCrl, question};
use addresses::{Addresses, distinct};

/// All of it.
pub struct Evidence<'a> {
    addresses: Addresses<'a>,
    /// For each certificate of the chain.
    pub revocation: Vec<Revocation>,
    /// For the certificate in question as the issuer of CRLs.
    pub issued: Revocation,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch) -> Self {
        Self {
            addresses: Addresses::new(fetch),
            revocation: Vec::new(),
            issued: Revocation::default(),
        }
    }

    /// The addresses looked up, in the order asked.
    pub fn lookups(&self) -> &[Lookup] {
        &self.addresses.lookups
    }

    /// The certificates at the addresses where AIA says the issuer's is; the first place that has
    /// any counts.
    pub(super) fn issuers(&mut self, below: &PresentedCertificate) -> Vec<Level> {
        for url in distinct(below.issuer_urls()) {
            let Ok(document) = self.addresses.get(&url, Sought::Issuer) else { continue };
            let found = match PresentedCertificate::from_der(&document.body) {
                Ok(certificate) => vec![certificate],
                // RFC 5280 §4.2.2.1: a collection in certs-only CMS.
                Err(_) => certificates_from_pkcs7(&document.body)
                    .unwrap_or_default()
                    .iter()
                    .take(super::intake::MOST_CERTIFICATES)
                    .filter_map(|der| PresentedCertificate::from_der(der).ok())
                    .collect(),
            };
            if !found.is_empty() {
                let source = Source::Fetched(url);
                let level = |certificate| Level { certificate, source: source.clone() };
                return found.into_iter().map(level).collect();
            }
        }
        Vec::new()
    }

    /// Fetches what is said of the revocation of every certificate that is no root.
    pub(super) fn gather(&mut self, question: &Question<'_>, path: &Path) {
        for (position, level) in path.levels.iter().enumerate() {
            let own = &level.certificate;
            let mut revocation = Revocation::default();
            if path.can_be_revoked(position) {
                let urls = own.crl_distribution_points().into_iter().flat_map(|point| point.urls);
                let named = own.freshest_crl_urls();
                revocation = self.lists(question, own.issuer_der(), urls, named);
                if let Some(issuer) = path.issuer_of(position) {
                    revocation.answers = self.answers(own, issuer);
                }
            }
            self.revocation.push(revocation);
        }
        self.gather_issued(question, path);
    }

    /// Fetches what the certificate in question issues.
    pub(super) fn gather_issued(&mut self, question: &Question<'_>, path: &Path) {
        if let Some(own) = path.subject() {
            let urls = question.issued_crl_urls.iter().cloned();
            self.issued = self.lists(question, own.subject_der(), urls, Vec::new());
        }
    }

    /// The CRLs at `urls` and, of those given by hand, this issuer's, with the deltas that they or
    /// `freshest` name.
    fn lists(
        &mut self,
        question: &Question<'_>,
        issuer: &[u8],
        urls: impl Iterator<Item = String>,
        freshest: Vec<String>,
    ) -> Revocation {
        let given = question.crls.iter().filter_map(|der| PresentedCrl::from_der(der.clone()).ok());
        let given = given.filter(|crl| crl.issuer_der() == issuer && !crl.is_delta());
        let mut crls: Vec<CrlEvidence> =
            given.map(|crl| CrlEvidence { url: None, outcome: Ok(crl) }).collect();
        crls.extend(distinct(urls).into_iter().map(|url| self.crl(url, Sought::Crl)));
        let named = crls.iter().filter_map(|own| own.outcome.as_ref().ok());
        let named: Vec<String> = named.flat_map(PresentedCrl::freshest_crl_urls).collect();
        let deltas = distinct(freshest.into_iter().chain(named));
        let deltas = deltas.into_iter().map(|url| self.crl(url, Sought::Delta)).collect();
        let mut revocation = Revocation { crls, deltas, answers: Vec::new() };
        self.catch_up(&mut revocation);
        revocation
    }

    /// Between fetching a base and its delta both may have been replaced: a base that is older
    /// than its delta's is asked for once more before anybody is told that they do not fit.
    fn catch_up(&mut self, revocation: &mut Revocation) {
        let deltas = revocation.deltas.iter().filter_map(|own| own.outcome.as_ref().ok());
        let Some(wanted) = deltas.filter_map(PresentedCrl::base_number).max() else { return };
        for base in &mut revocation.crls {
            let (Some(url), Ok(held)) = (&base.url, &base.outcome) else { continue };
            if held.number().is_none_or(|number| number >= wanted) {
                continue;
            }
            let document = self.addresses.get_again(url);
            if let Some(Ok(newer)) = document.map(|own| PresentedCrl::from_der(own.body)) {
                base.outcome = Ok(newer);
            }
        }
    }

    fn answers(
        &mut self,
        own: &PresentedCertificate,
        issuer: &PresentedCertificate,
    ) -> Vec<AnswerEvidence> {
        let Some(request) = question(own, issuer) else { return Vec::new() };
        let mut answers = Vec::new();
        for url in distinct(own.ocsp_urls()) {
            let outcome = self.addresses.ask(&url, &request, Sought::Answer);
            let outcome = outcome.map_err(NoAnswer::NotFetched).and_then(|document| {
                PresentedAnswer::from_der(&document.body, own, issuer)
                    .map_err(|_| NoAnswer::NotAnAnswer)
            });
            answers.push(AnswerEvidence { url, outcome });
        }
        answers
    }

    fn crl(&mut self, url: String, sought: Sought) -> CrlEvidence {
        let outcome = match self.addresses.get(&url, sought) {
            Err(why) => Err(NoCrl::NotFetched(why)),
            Ok(document) if document.body.starts_with(b"-----BEGIN X509 CRL-----") => {
                Err(NoCrl::Pem)
            }
            Ok(document) => PresentedCrl::from_der(document.body).map_err(|_| NoCrl::NotACrl),
        };
        CrlEvidence { url: Some(url), outcome }
    }
}
