//! Validity of every certificate of the chain, and the clocks.

use super::documents::TROUBLESHOOTING;
use super::{CLIENTS, Case, Confidence, Finding, NPS_SERVER, Part, Product, Rule};
use super::{EVERY_PART, VPN_DEVICE, VPN_SERVER, VPN_USER, inferred, seen};
use crate::doctor::Severity;
use crate::pki::presented::PresentedCertificate;

pub(super) const RULES: &[&Rule] =
    &[&EXPIRED, &NOT_YET_VALID, &EXPIRES_SOON, &OUTLIVES_ISSUER, &CLOCK];

const DAY: u64 = 86_400;
/// How far the clocks of two machines may be apart: what Kerberos allows.
const CLOCKS_APART_SECONDS: u64 = 300;

static EXPIRED: Rule = Rule {
    slug: "expired",
    severity: Severity::Fault,
    products: &[Product::WindowsClient, Product::Nps, Product::Rras, Product::Rfc5280],
    symptoms: &[
        seen(VPN_SERVER, "error 13801"),
        seen(VPN_DEVICE, "error 13806"),
        seen(CLIENTS, "NPS event 6273 reason 268"),
        inferred(NPS_SERVER, "error 853"),
        seen(EVERY_PART, "0x800B0101 CERT_E_EXPIRED"),
    ],
    remedy: "Renew it. Where it is a CA's, everything below it fails until the renewed CA \
             certificate is everywhere.",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static NOT_YET_VALID: Rule = Rule {
    slug: "not-yet-valid",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        inferred(VPN_SERVER, "error 13801"),
        inferred(VPN_USER, "NPS event 6273 reason 264 or 265"),
        seen(EVERY_PART, "0x800B0101 CERT_E_EXPIRED"),
    ],
    remedy: "Compare the clocks of the CA and of the machine that uses the certificate.",
    documented: "RFC 5280 §6.1.3 (a)(2)",
    confidence: Confidence::Confirmed,
};

static EXPIRES_SOON: Rule = Rule {
    slug: "expires-soon",
    severity: Severity::Warning,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "nothing yet; then what `expired` shows")],
    remedy: "Renew it now, and find out why its renewal has not happened by itself.",
    documented: "RFC 5280 §4.1.2.5",
    confidence: Confidence::Confirmed,
};

static OUTLIVES_ISSUER: Rule = Rule {
    slug: "outlives-issuer",
    severity: Severity::Warning,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "0x800B0101 from the day on which the CA's certificate ends")],
    remedy: "Renew the CA in time, then this certificate: it is good only as long as its issuer is.",
    documented: "RFC 5280 §6.1 (every certificate of the path must be valid)",
    confidence: Confidence::Confirmed,
};

static CLOCK: Rule = Rule {
    slug: "clock-skew",
    severity: Severity::Warning,
    products: &[Product::CryptoApi, Product::DomainController],
    symptoms: &[
        seen(&[Part::VpnUser], "NPS event 6273 reason 264"),
        inferred(EVERY_PART, "certificates and CRLs that are not yet valid"),
    ],
    remedy: "Set the clocks by NTP: this machine's, or the server's that publishes.",
    documented: "Microsoft, NPS Reason Codes 258 Through 282 (dd197582); RFC 9110 §6.6.1",
    confidence: Confidence::Inferred,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for (position, level) in case.path.levels.iter().enumerate() {
        one(case, position, &level.certificate, findings);
    }
    let apart = case.evidence.lookups().iter().find_map(|own| {
        let ahead = own.clock_ahead_seconds?;
        (ahead.unsigned_abs() > CLOCKS_APART_SECONDS).then_some((own, ahead))
    });
    if let Some((lookup, ahead)) = apart {
        let (seconds, way) = (ahead.unsigned_abs(), if ahead > 0 { "ahead of" } else { "behind" });
        let sentence = format!("The clock at {} is {seconds} seconds {way} this one.", lookup.url);
        findings.push(Finding::new(&CLOCK, 0, sentence));
    }
}

fn one(case: &Case<'_>, position: usize, own: &PresentedCertificate, findings: &mut Vec<Finding>) {
    let now = case.question.now;
    if now > own.not_after() {
        let sentence = format!("It ended on {}.", own.not_after());
        findings.push(Finding::new(&EXPIRED, position, sentence));
        return;
    }
    if now < own.not_before() {
        let sentence = format!("It begins on {}.", own.not_before());
        findings.push(Finding::new(&NOT_YET_VALID, position, sentence));
        return;
    }
    let authority = position > 0 || case.question.part == Part::Ca;
    let left = own.not_after().seconds_since(now);
    let life = own.not_after().seconds_since(own.not_before());
    let enough = if authority { 180 * DAY } else { 30 * DAY };
    if left < enough.min(life / 5) {
        let sentence = format!("It ends on {}, in {} days.", own.not_after(), left / DAY);
        findings.push(Finding::new(&EXPIRES_SOON, position, sentence));
    }
    let above = case.path.levels.get(position + 1).map(|level| &level.certificate);
    let sooner =
        above.filter(|above| now <= above.not_after() && above.not_after() < own.not_after());
    if let Some(above) = sooner {
        let (own, above) = (own.not_after(), above.not_after());
        let sentence = format!("It ends on {own}, its issuer's certificate on {above}.");
        findings.push(Finding::new(&OUTLIVES_ISSUER, position, sentence));
    }
}
