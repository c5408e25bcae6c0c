//! OCSP answers: that they can be had, are the issuer's, hold, and agree with the CRL.

use super::crl::{REVOKED, concerns, standing, weighed};
use super::{CLIENTS, Case, EVERY_PART, Finding, Rule, VPN_USER, inferred, seen};
use crate::doctor::evidence::{AnswerEvidence, NoAnswer};
use crate::pki::presented::{AnsweredBy, Listed, PresentedAnswer, Said};
use crate::pki::time::Timestamp;

pub(super) const RULES: &[&Rule] =
    &[&UNREACHABLE, &BROKEN, &REFUSED, &OF_ANOTHER, &SIGNER, &OUT_OF_TIME, &UNKNOWN, &DISAGREES];

/// Clocks may differ by so much.
const TOLERATED_SECONDS: u64 = 300;

/// Windows asks OCSP first and the CRL where it gets no answer.
const FALLS_BACK: &[super::Symptom] = &[
    inferred(EVERY_PART, "slow connections: Windows asks the CRL only after the responder"),
    inferred(EVERY_PART, "0x80092013 where the CRL cannot be had either"),
];

rules! {
    UNREACHABLE "ocsp-unreachable" Warning [CryptoApi StrongSwan] FALLS_BACK, Inferred,
        "RFC 6960; Windows prefers OCSP and falls back to the CRL",
        "Bring the responder back, or leave its address out of new certificates.";
    BROKEN "ocsp-answer-broken" Warning [Rfc5280] FALLS_BACK, Inferred, "RFC 6960 §4.2.1",
        "What answers at that address is no OCSP responder.";
    REFUSED "ocsp-refused" Warning [Rfc5280] FALLS_BACK, Inferred, "RFC 6960 §2.3, §4.2.1",
        "Let the responder answer for this CA: unauthorized means that it does not know it, or \
         has no answer for this certificate.";
    OF_ANOTHER "ocsp-of-another-certificate" Warning [Rfc5280] FALLS_BACK, Confirmed,
        "RFC 6960 §3.2 (1)",
        "Let the responder answer by SHA-1 and by SHA-256 of the issuer's name and key.";
    SIGNER "ocsp-signer-not-authorised" Warning [Rfc5280] FALLS_BACK, Confirmed,
        "RFC 6960 §4.2.2.2",
        "Give the responder a certificate for OCSP Signing (1.3.6.1.5.5.7.3.9) by the CA itself, and \
         have it in the answer.";
    OUT_OF_TIME "ocsp-answer-out-of-time" Warning [Rfc5280] FALLS_BACK, Confirmed,
        "RFC 6960 §4.2.2.1",
        "Find out why the responder gives old answers, and compare the clocks.";
    UNKNOWN "ocsp-unknown" Fault [CryptoApi StrongSwan] &[
            inferred(VPN_USER, "NPS event 6273 reason 258"),
            seen(EVERY_PART, "0x80092012 CRYPT_E_NO_REVOCATION_CHECK"),
        ], Inferred, "RFC 6960 §2.2",
        "Let the responder know this CA's certificates: to it this one was never issued.";
    DISAGREES "ocsp-disagrees-with-crl" Fault [Rfc5280] &[
            inferred(CLIENTS, "one party lets it in and another does not"),
        ], Confirmed, "RFC 6960 §2.7, RFC 5280 §6.3",
        "Find out which of the two knows more: responder and CRL must come from one register.";
}

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for concern in concerns(case).filter(|concern| concern.certificate.is_some()) {
        let (listed, crl_of) = standing(&concern, case.question.now);
        for evidence in &concern.revocation.answers {
            let found = match &evidence.outcome {
                Err(NoAnswer::NotFetched(why)) if why.was_not_tried() => continue,
                Err(why) => Some(absent(concern.position, evidence, why)),
                Ok(answer) => {
                    let list = List { listed, crl_of };
                    answered(concern.position, answer, &list, evidence, case.question.now)
                }
            };
            findings.extend(found.map(|finding| weighed(case, finding)));
        }
    }
}

/// What the CRL says, and of when it is.
struct List {
    listed: Option<Listed>,
    crl_of: Option<Timestamp>,
}

fn absent(position: usize, evidence: &AnswerEvidence, why: &NoAnswer) -> Finding {
    let rule = match why {
        NoAnswer::NotFetched(_) => &UNREACHABLE,
        NoAnswer::NotAnAnswer => &BROKEN,
    };
    Finding::new(rule, position, format!("{}: {why}.", evidence.url))
}

fn answered(
    position: usize,
    answer: &PresentedAnswer,
    list: &List,
    evidence: &AnswerEvidence,
    now: Timestamp,
) -> Option<Finding> {
    let url = &evidence.url;
    let found = |rule, sentence: String| Some(Finding::new(rule, position, sentence));
    let (said, this_update, next_update, by) = match answer {
        PresentedAnswer::Refused(status) => {
            return found(&REFUSED, format!("{url} answers: {}.", status_words(*status)));
        }
        PresentedAnswer::OfAnother => {
            return found(&OF_ANOTHER, format!("{url} answers about other certificates."));
        }
        PresentedAnswer::About { said, this_update, next_update, by } => {
            (*said, *this_update, *next_update, *by)
        }
    };
    match by {
        AnsweredBy::Nobody => {
            return found(&SIGNER, format!("{url} signs with a key that the issuer did not name."));
        }
        AnsweredBy::Delegate { until } if now > until => {
            return found(&SIGNER, format!("The certificate of {url} ended on {until}."));
        }
        AnsweredBy::Issuer | AnsweredBy::Delegate { .. } | AnsweredBy::Unchecked => {}
    }
    if this_update > now.plus_seconds(TOLERATED_SECONDS) {
        return found(&OUT_OF_TIME, format!("The answer of {url} begins on {this_update}."));
    }
    if let Some(ended) = next_update.filter(|ends| now > *ends) {
        return found(&OUT_OF_TIME, format!("The answer of {url} ended on {ended}."));
    }
    match (said, list.listed) {
        (Said::Unknown, _) => found(&UNKNOWN, format!("{url} does not know the certificate.")),
        // An answer from before the revocation is only old.
        (Said::Good, Some(listed)) if listed.since <= this_update => {
            found(&DISAGREES, format!("{url} says good, the CRL revoked since {}.", listed.since))
        }
        (Said::Revoked(since), None) => {
            // As is a CRL from before it.
            let newer = list.crl_of.filter(|crl| since <= *crl);
            let found = match newer {
                Some(_) => {
                    let told = format!("{url} says revoked since {since}, the CRL nothing.");
                    Finding::new(&DISAGREES, position, told)
                }
                None => {
                    let told = format!("It is revoked since {since}, says {url}.");
                    Finding::new(&REVOKED, position, told)
                }
            };
            Some(found)
        }
        _ => None,
    }
}

/// OCSPResponseStatus (RFC 6960 §4.2.1).
fn status_words(status: u8) -> &'static str {
    match status {
        1 => "malformedRequest",
        2 => "internalError",
        3 => "tryLater",
        5 => "sigRequired",
        6 => "unauthorized",
        _ => "a status that does not exist",
    }
}
