//! One CRL: whose it is, what it is about, until when it holds.

use super::table::{
    CRITICAL, DELTA, DIGEST, EXPIRED, ISSUER, NO_NEXT_UPDATE, NO_NUMBER, NOT_YET_VALID, OVERDUE,
    SCOPE, SIGNATURE, UNREADABLE_ENTRY,
};
use super::{Concern, CrlEvidence, Finding, PresentedCrl};
use crate::pki::presented::{Digest, Fit, PresentedCertificate};
use crate::pki::time::Timestamp;

/// Clocks may differ by so much.
const TOLERATED_SECONDS: u64 = 300;

/// What is wrong with it. One that is not the issuer's, or about something else, is not looked at
/// any further.
pub(super) fn problems(
    concern: &Concern<'_>,
    evidence: &CrlEvidence,
    crl: &PresentedCrl,
    now: Timestamp,
) -> Vec<Finding> {
    let list = evidence.words();
    let found = |rule, sentence: String| Finding::new(rule, concern.position, sentence);
    if crl.issuer_der() != concern.issuer.subject_der() {
        let sentence = format!("The {list} is of {}.", crl.issuer_text());
        return vec![found(&ISSUER, sentence)];
    }
    if crl.is_delta() {
        return vec![found(&DELTA, format!("The {list} is a delta CRL."))];
    }
    if crl.fits(concern.issuer) == Fit::Wrong {
        let sentence =
            format!("The {list} is not signed with the key of {}.", concern.issuer.subject_text());
        return vec![found(&SIGNATURE, sentence)];
    }
    if let Some(unknown) = crl.unknown_critical() {
        let sentence = format!("In the {list} {} is critical.", unknown.oid_text());
        return vec![found(&CRITICAL, sentence)];
    }
    if let Some(why) = outside(concern, crl) {
        return vec![found(&SCOPE, format!("The {list} {why}."))];
    }
    let mut problems = Vec::new();
    if let Some(certificate) = concern.certificate
        && crl.find(certificate.serial_octets()).is_err()
    {
        problems.push(found(&UNREADABLE_ENTRY, format!("An entry of the {list} is broken.")));
    }
    if let Digest::Broken(digest) = crl.digest() {
        problems.push(found(&DIGEST, format!("The {list} is signed over {digest}.")));
    }
    if crl.number().is_none() {
        problems.push(found(&NO_NUMBER, format!("The {list} has no number.")));
    }
    problems.extend(times(crl, now).map(|(rule, why)| found(rule, format!("The {list} {why}."))));
    problems
}

fn times(crl: &PresentedCrl, now: Timestamp) -> Option<(&'static super::Rule, String)> {
    let begins = crl.this_update();
    if begins > now.plus_seconds(TOLERATED_SECONDS) {
        return Some((&NOT_YET_VALID, format!("begins on {begins}")));
    }
    let Some(ends) = crl.next_update() else {
        return Some((&NO_NEXT_UPDATE, "does not say when the next one comes".to_owned()));
    };
    if now > ends {
        return Some((&EXPIRED, format!("ended on {ends}")));
    }
    if let Some(due) = crl.next_publish() {
        return (now > due.plus_seconds(TOLERATED_SECONDS))
            .then(|| (&OVERDUE, format!("should have been replaced on {due}; it ends on {ends}")));
    }
    // Where it is not told when the next is due: in its last twentieth.
    let life = ends.seconds_since(begins);
    (ends.seconds_since(now) < life / 20).then(|| (&OVERDUE, format!("ends soon, on {ends}")))
}

/// Whether it is by the issuer's name and key, as far as that can be checked.
pub(in super::super) fn is_authentic(concern: &Concern<'_>, crl: &PresentedCrl) -> bool {
    crl.issuer_der() == concern.issuer.subject_der() && crl.fits(concern.issuer) != Fit::Wrong
}

/// Whether another key than the issuer's signed it.
pub(in super::super) fn signed_by_another(
    crl: &PresentedCrl,
    issuer: &PresentedCertificate,
) -> bool {
    crl.fits(issuer) == Fit::Wrong
}

/// Whether it is about the certificate.
pub(super) fn covers(concern: &Concern<'_>, crl: &PresentedCrl) -> bool {
    outside(concern, crl).is_none()
}

/// Why the certificate lies outside what the CRL is about.
fn outside(concern: &Concern<'_>, crl: &PresentedCrl) -> Option<&'static str> {
    crl.scope()?.leaves_out(concern.certificate)
}
