//! CRLs of every level: that they can be had now, are the issuer's, hold, and do not list it.

mod list;
mod place;
mod table;

use super::{Case, Finding, Rule};
use crate::doctor::evidence::{CrlEvidence, NoCrl, Revocation};
use crate::doctor::{NotFetched, Severity};
use crate::pki::presented::{Listed, PresentedCertificate, PresentedCrl};
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;

use list::is_authentic;
pub(super) use list::signed_by_another;
pub(super) use table::REVOKED;
pub(super) use table::RULES;
use table::{DEAD, HTTPS, LDAP, NONE_NAMED};

/// Whose CRLs are looked at, and for whom.
pub(super) struct Concern<'a> {
    /// The certificate's place in the chain.
    pub position: usize,
    /// The issuer of the CRLs.
    pub issuer: &'a PresentedCertificate,
    /// The certificate that they may list; none where a CA's own CRLs are looked at.
    pub certificate: Option<&'a PresentedCertificate>,
    /// What was fetched.
    pub revocation: &'a Revocation,
}

/// Every certificate that can be revoked, with its issuer; then the CA in question as an issuer.
pub(super) fn concerns<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Concern<'a>> {
    let levels = case.path.levels.iter().zip(&case.evidence.revocation).enumerate();
    let below = levels.filter_map(|(position, (level, revocation))| {
        let certificate = &level.certificate;
        let revocable = case.path.can_be_revoked(position);
        let issuer = case.path.issuer_of(position).filter(|_| revocable)?;
        Some(Concern { position, issuer, certificate: Some(certificate), revocation })
    });
    let issued = &case.evidence.issued;
    let own = case.path.subject().filter(|_| !issued.crls.is_empty());
    let own =
        own.map(|issuer| Concern { position: 0, issuer, certificate: None, revocation: issued });
    below.chain(own)
}

/// Where nobody looks at revocation unless told to, it is a warning.
pub(super) fn weighed(case: &Case<'_>, finding: Finding) -> Finding {
    if case.question.part.is_server() { finding.as_warning() } else { finding }
}

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    // What a certificate says of its CRL needs no issuer to be looked at.
    for (position, level) in case.path.levels.iter().enumerate() {
        locations(case, position, &level.certificate, findings);
    }
    judge_lists(case, findings);
}

/// What is published, whoever says where.
pub(super) fn judge_lists(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for concern in concerns(case) {
        one(case, &concern, findings);
    }
}

fn one(case: &Case<'_>, concern: &Concern<'_>, findings: &mut Vec<Finding>) {
    let now = case.question.now;
    let mut usable = false;
    let mut broken = Vec::new();
    let mut remarks = Vec::new();
    for evidence in &concern.revocation.crls {
        let problems = match &evidence.outcome {
            Err(NoCrl::NotFetched(why)) if why.was_not_tried() => continue,
            Err(why) => vec![place::finding(concern.position, evidence, why)],
            Ok(crl) => list::problems(concern, evidence, crl, now),
        };
        let fatal = problems.iter().any(|finding| finding.severity == Severity::Fault);
        usable |= !fatal;
        if fatal { broken.extend(problems) } else { remarks.extend(problems) }
    }
    if usable {
        findings.extend(distinct(remarks));
        for finding in broken {
            let sentence = format!("Another place is well, but: {}", finding.sentence);
            findings.push(Finding::new(&DEAD, finding.certificate, sentence));
        }
    } else {
        findings.extend(distinct(broken).into_iter().map(|finding| weighed(case, finding)));
    }
    if let (Some(listed), _) = standing(concern, now) {
        let reason =
            RevocationReason::from_code(listed.reason).map_or("?", RevocationReason::as_str);
        let sentence = format!("It is revoked since {}: {reason}.", listed.since);
        findings.push(Finding::new(&REVOKED, concern.position, sentence));
    }
}

/// One finding a rule: two places with the same trouble are one trouble.
fn distinct(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if !kept.iter().any(|own| own.rule.slug == finding.rule.slug) {
            kept.push(finding);
        }
    }
    kept
}

/// What the certificate says of where its CRL is.
fn locations(
    case: &Case<'_>,
    position: usize,
    certificate: &PresentedCertificate,
    findings: &mut Vec<Finding>,
) {
    if !case.path.can_be_revoked(position) {
        return;
    }
    let points = certificate.crl_distribution_points();
    let urls: Vec<&String> = points.iter().flat_map(|point| &point.urls).collect();
    let scheme = |wanted: &str| {
        urls.iter().any(|url| crate::doctor::evidence::scheme(url).as_deref() == Some(wanted))
    };
    let finding = if urls.is_empty() {
        let finding = Finding::new(
            &NONE_NAMED,
            position,
            "The certificate does not say where its issuer's CRL is.",
        );
        // Windows asks OCSP first, and is content with it.
        if certificate.ocsp_urls().is_empty() { finding } else { finding.as_warning() }
    } else if scheme("http") {
        return;
    } else if scheme("https") {
        let sentence = "The only places that the certificate names are https.";
        Finding::new(&HTTPS, position, sentence)
    } else {
        let sentence = "The only places that the certificate names are in a directory or a file: \
                        not looked up here.";
        Finding::new(&LDAP, position, sentence)
    };
    findings.push(weighed(case, finding));
}

/// What the newest list that can be believed says of the certificate, a delta that fits its base
/// before that; and of when that list is.
pub(super) fn standing(
    concern: &Concern<'_>,
    now: Timestamp,
) -> (Option<Listed>, Option<Timestamp>) {
    let Some(certificate) = concern.certificate else { return (None, None) };
    let serial = certificate.serial_octets();
    let base = newest_base(concern);
    let deltas = concern.revocation.deltas.iter().filter_map(|own| own.outcome.as_ref().ok());
    let deltas = deltas.filter(|delta| super::delta::applies(concern, delta, now));
    let delta = deltas.max_by_key(|delta| delta.this_update());
    let of = delta.or(base).map(PresentedCrl::this_update);
    if let Some(listed) = delta.and_then(|delta| delta.find(serial).ok().flatten()) {
        // removeFromCRL (RFC 5280 §5.3.1): released, or expired.
        return ((listed.reason != 8).then_some(listed), of);
    }
    (base.and_then(|base| base.find(serial).ok().flatten()), of)
}

/// The newest complete list that is the issuer's and about the certificate.
pub(super) fn newest_base<'a>(concern: &Concern<'a>) -> Option<&'a PresentedCrl> {
    let lists = concern.revocation.crls.iter().filter_map(|own| own.outcome.as_ref().ok());
    let believed = lists
        .filter(|crl| !crl.is_delta() && is_authentic(concern, crl) && list::covers(concern, crl));
    believed.max_by_key(|crl| crl.this_update())
}

/// `NotFetched` as a problem of the place.
fn unreachable(evidence: &CrlEvidence, why: &NotFetched) -> String {
    format!("{}: {why}.", evidence.url.as_deref().unwrap_or_default())
}
