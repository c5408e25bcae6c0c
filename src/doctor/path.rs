//! The chain: each certificate's issuer out of what is given, trusted, or named by AIA.

use super::Question;
use super::evidence::Evidence;
use crate::pki::presented::{Fit, PresentedCertificate};

/// Certificates in a chain at most.
const LONGEST: usize = 10;

/// Certificates of one name whose keys are tried at most: a CA that was renewed has a few.
const MOST_OF_ONE_NAME: usize = 32;

/// Where a certificate of the chain came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was given.
    Given,
    /// It is one of the roots that are trusted.
    Trusted,
    /// It was fetched from where AIA says.
    Fetched(String),
}

/// A certificate of the chain.
#[derive(Clone, Debug)]
pub struct Level {
    /// The certificate.
    pub certificate: PresentedCertificate,
    /// Where it came from.
    pub source: Source,
}

/// A chain from the certificate in question upwards.
#[derive(Clone, Debug)]
pub struct Path {
    /// The certificate in question first; never empty.
    pub levels: Vec<Level>,
    /// Whether it ends in a certificate that names itself as its issuer.
    pub complete: bool,
}

impl Path {
    /// Goes upwards from the certificate in question as far as there are issuers.
    pub(super) fn build(question: &Question<'_>, evidence: &mut Evidence<'_>) -> Self {
        let given = question.certificates.iter().map(|own| (own, Source::Given));
        let trusted = question.roots.iter().map(|own| (own, Source::Trusted));
        let mut pool: Vec<Level> = given
            .chain(trusted)
            .map(|(certificate, source)| Level { certificate: certificate.clone(), source })
            .collect();
        let mut path =
            Self { levels: pool.first().cloned().into_iter().collect(), complete: false };
        while let Some(below) = path.levels.last().map(|level| level.certificate.clone()) {
            // Another key may have signed it: a CA's new certificate under its old key.
            if below.is_self_issued() && below.fits(&below) != Fit::Wrong {
                path.complete = true;
                break;
            }
            if path.levels.len() == LONGEST {
                break;
            }
            let mut next = path.best_issuer(&pool, &below);
            // One of the right name and the wrong key is the last resort.
            if next.as_ref().is_none_or(|level| below.fits(&level.certificate) == Fit::Wrong) {
                pool.extend(evidence.issuers(&below));
                next = path.best_issuer(&pool, &below);
            }
            // Of its own name only a key that fits is another's: else it is a root that is broken.
            let fits = |level: &Level| below.fits(&level.certificate) != Fit::Wrong;
            let Some(next) = next.filter(|level| !below.is_self_issued() || fits(level)) else {
                path.complete = below.is_self_issued();
                break;
            };
            path.levels.push(next);
        }
        path
    }

    /// The certificate in question alone.
    pub(super) fn of_one(question: &Question<'_>) -> Self {
        let level =
            |own: &PresentedCertificate| Level { certificate: own.clone(), source: Source::Given };
        Self {
            levels: question.certificates.first().map(level).into_iter().collect(),
            complete: false,
        }
    }

    /// Of those that have the issuer's name: the one whose key fits, that has the key identifier
    /// asked for, and whose validity ends last, in this order of weight.
    fn best_issuer(&self, pool: &[Level], below: &PresentedCertificate) -> Option<Level> {
        let wanted = below.authority_key_identifier();
        let weight = |level: &&Level| {
            let own = &level.certificate;
            let named = wanted.is_some() && own.subject_key_identifier() == wanted;
            let fit = match below.fits(own) {
                Fit::Fits => 2,
                Fit::Unchecked => 1,
                Fit::Wrong => 0,
            };
            (fit, named, own.not_after())
        };
        let used =
            |own: &PresentedCertificate| self.levels.iter().any(|level| level.certificate == *own);
        let named = pool.iter().filter(|level| {
            level.certificate.subject_der() == below.issuer_der() && !used(&level.certificate)
        });
        named.take(MOST_OF_ONE_NAME).max_by_key(weight).cloned()
    }

    /// The issuer of the certificate at `position`: the next one, or itself if it is a root.
    pub fn issuer_of(&self, position: usize) -> Option<&PresentedCertificate> {
        let own = self.levels.get(position)?;
        match self.levels.get(position + 1) {
            Some(above) => Some(&above.certificate),
            None => own.certificate.is_self_issued().then_some(&own.certificate),
        }
    }

    /// Whether the certificate at `position` is where the chain ends in itself.
    pub fn is_root(&self, position: usize) -> bool {
        let own = self.levels.get(position).filter(|_| position + 1 == self.levels.len());
        own.is_some_and(|level| level.certificate.is_self_issued())
    }

    /// Whether somebody asks for the revocation of the certificate at `position`.
    pub fn can_be_revoked(&self, position: usize) -> bool {
        let own = self.levels.get(position);
        let exempt = own.is_none_or(|level| level.certificate.is_exempt_from_revocation());
        !exempt && !self.is_root(position)
    }

    /// The certificate in question.
    pub fn subject(&self) -> Option<&PresentedCertificate> {
        self.levels.first().map(|level| &level.certificate)
    }
}
