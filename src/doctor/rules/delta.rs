//! Delta CRLs: that they can be had, and fit their base.

use super::crl::{Concern, concerns, newest_base, signed_by_another, weighed};
use super::{
    CLIENTS, Case, Confidence, EVERY_PART, Finding, Product, Rule, VPN_USER, inferred, seen,
};
use crate::doctor::Severity;
use crate::doctor::evidence::{CrlEvidence, NoCrl};
use crate::pki::oid;
use crate::pki::presented::PresentedCrl;
use crate::pki::time::Timestamp;

pub(super) const RULES: &[&Rule] = &[&UNREACHABLE, &INCONSISTENT, &EXPIRED];

static UNREACHABLE: Rule = Rule {
    slug: "delta-unreachable",
    severity: Severity::Fault,
    products: &[Product::CryptoApi, Product::Nps],
    symptoms: &[
        seen(EVERY_PART, "0x80092013 CRYPT_E_REVOCATION_OFFLINE"),
        inferred(VPN_USER, "NPS event 6273 reason 259"),
        inferred(VPN_USER, "NPS event 6273 reason 291"),
    ],
    remedy: "Publish the delta where freshestCRL says it is, or publish a base without freshestCRL. \
             A plus sign in its name is refused by IIS unless double escaping is allowed.",
    documented: "Microsoft, AD CS deployment notes on delta CRLs and IIS double escaping",
    confidence: Confidence::Inferred,
};

static INCONSISTENT: Rule = Rule {
    slug: "delta-inconsistent",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(
        EVERY_PART,
        "0x80092012 or 0x80092013; revocations since the base are not seen",
    )],
    remedy: "Publish base and delta together, of one issuer, key and scope, the delta against a \
             base that relying parties can be holding.",
    documented: "RFC 5280 §5.2.4, §6.3.3 (c)",
    confidence: Confidence::Confirmed,
};

static EXPIRED: Rule = Rule {
    slug: "delta-expired",
    severity: Severity::Fault,
    products: &[Product::CryptoApi],
    symptoms: &[
        seen(EVERY_PART, "0x80092013 CRYPT_E_REVOCATION_OFFLINE"),
        inferred(CLIENTS, "NPS event 6273 reason 258"),
    ],
    remedy: "Publish a new delta, or a base without freshestCRL.",
    documented: "RFC 5280 §6.3.3 (c)",
    confidence: Confidence::Inferred,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for concern in concerns(case) {
        for evidence in &concern.revocation.deltas {
            let found = one(&concern, evidence, case.question.now);
            findings.extend(found.map(|finding| weighed(case, finding)));
        }
    }
}

fn one(concern: &Concern<'_>, evidence: &CrlEvidence, now: Timestamp) -> Option<Finding> {
    let place = evidence.url.as_deref().unwrap_or_default();
    let found = |rule, sentence: String| Some(Finding::new(rule, concern.position, sentence));
    let delta = match &evidence.outcome {
        Ok(delta) => delta,
        Err(NoCrl::NotFetched(why)) if why.was_not_tried() => return None,
        Err(why) => {
            let plus = if place.contains('+') { " (there is a plus sign in the name)" } else { "" };
            return found(&UNREACHABLE, format!("{place}: {why}{plus}."));
        }
    };
    if let Some(why) = misfit(concern, delta) {
        return found(&INCONSISTENT, format!("The delta CRL at {place} {why}."));
    }
    match delta.next_update() {
        Some(ends) if now > ends => {
            found(&EXPIRED, format!("The delta CRL at {place} ended on {ends}."))
        }
        _ => None,
    }
}

/// Whether it says something about what its base says (RFC 5280 §5.2.4): it fits, is not older
/// than the base, and has not ended.
pub(super) fn applies(concern: &Concern<'_>, delta: &PresentedCrl, now: Timestamp) -> bool {
    let Some(base) = newest_base(concern) else { return false };
    let is_older = match (delta.number(), base.number()) {
        (Some(delta), Some(base)) => delta < base,
        _ => delta.this_update() < base.this_update(),
    };
    misfit(concern, delta).is_none()
        && !is_older
        && delta.next_update().is_none_or(|ends| now <= ends)
}

/// Why it does not fit the newest base that is the issuer's.
fn misfit(concern: &Concern<'_>, delta: &PresentedCrl) -> Option<String> {
    let issuer = concern.issuer;
    if !delta.is_delta() {
        return Some("has no delta CRL indicator".to_owned());
    }
    if delta.issuer_der() != issuer.subject_der() {
        return Some(format!("is of {}", delta.issuer_text()));
    }
    if signed_by_another(delta, issuer) {
        return Some(format!("is not signed with the key of {}", issuer.subject_text()));
    }
    if delta.extensions().iter().any(|own| own.oid == oid::FRESHEST_CRL.as_bytes()) {
        return Some("names a freshest CRL itself (RFC 5280 §5.2.6)".to_owned());
    }
    if let Some(unknown) = delta.unknown_critical() {
        return Some(format!("has the critical extension {}", unknown.oid_text()));
    }
    // Without a base there is nothing to fit: that there is none is told of the base.
    let base = newest_base(concern)?;
    if base.scope_der() != delta.scope_der() {
        return Some("has another scope than its base".to_owned());
    }
    match (delta.base_number(), base.number()) {
        (Some(wanted), Some(held)) if wanted > held => {
            Some(format!("is against base {wanted}; the base that is published is {held}"))
        }
        (None, _) => Some("does not say which base it is against".to_owned()),
        _ => None,
    }
}
