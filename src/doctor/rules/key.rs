//! Kinds and sizes of keys, and the digests under signatures.

use super::documents::{HICKS, NPS_REQUIREMENTS};
use super::{
    Case, Confidence, EVERY_PART, Finding, NPS_SERVER, Part, Product, Rule, inferred, seen,
};
use crate::doctor::Severity;
use crate::pki::oid;
use crate::pki::presented::{Digest, PresentedKey};

pub(super) const RULES: &[&Rule] = &[&TOO_SMALL, &WEAK, &UNSUPPORTED, &NOT_RSA, &DIGEST];

/// Bits of an RSA key at least.
const SMALLEST_RSA_BITS: u32 = 2048;

static TOO_SMALL: Rule = Rule {
    slug: "key-too-small",
    severity: Severity::Fault,
    products: &[Product::Nps, Product::CryptoApi, Product::FreeRadius],
    symptoms: &[
        seen(NPS_SERVER, "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)"),
        inferred(EVERY_PART, "0x80096004 or 0x800B0109: the chain is not valid"),
    ],
    remedy: "Make a new key of at least 2048 bits and have it certified.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static WEAK: Rule = Rule {
    slug: "key-weak",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "whoever wants to can compute the private key")],
    remedy: "Make a new key, have it certified, and revoke this certificate for keyCompromise.",
    documented: "CVE-2017-15361, CVE-2022-26320, FIPS 186-5 A.1.1",
    confidence: Confidence::Confirmed,
};

static UNSUPPORTED: Rule = Rule {
    slug: "key-algorithm-unsupported",
    severity: Severity::Fault,
    products: &[Product::CryptoApi],
    symptoms: &[inferred(EVERY_PART, "the certificate is not offered, or its chain is not valid")],
    remedy: "Use RSA from 2048 bits on, or the curves P-256, P-384 and P-521.",
    documented: "Microsoft, CNG algorithm identifiers; [MS-CRTD] msPKI-Asymmetric-Algorithm",
    confidence: Confidence::Inferred,
};

static NOT_RSA: Rule = Rule {
    slug: "key-not-rsa",
    severity: Severity::Warning,
    products: &[Product::Nps],
    symptoms: &[seen(
        NPS_SERVER,
        "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)",
    )],
    remedy: "Microsoft asks for RSA in the Software Key Storage Provider for NPS; try before you \
             rely on an elliptic curve.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static DIGEST: Rule = Rule {
    slug: "signature-digest-broken",
    severity: Severity::Fault,
    products: &[Product::Nps, Product::CryptoApi, Product::FreeRadius],
    symptoms: &[inferred(EVERY_PART, "0x80096004 or 0x800B0109; OpenSSL: ca md too weak")],
    remedy: "Have it issued again by a CA that signs with SHA-256.",
    documented: HICKS,
    confidence: Confidence::Inferred,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for (position, level) in case.path.levels.iter().enumerate() {
        let own = &level.certificate;
        let key = own.key();
        let sentence = format!("The key is {key}.");
        match &key {
            PresentedKey::Rsa { bits, .. } if *bits < SMALLEST_RSA_BITS => {
                findings.push(Finding::new(&TOO_SMALL, position, sentence));
            }
            PresentedKey::Rsa { weakness: Some(why), .. } => {
                findings.push(Finding::new(&WEAK, position, format!("{why}.")));
            }
            PresentedKey::Rsa { .. } => {}
            PresentedKey::Elliptic { curve: oid::P256 | oid::P384 | oid::P521 } => {
                if position == 0 && case.question.part == Part::NpsServer {
                    findings.push(Finding::new(&NOT_RSA, position, sentence));
                }
            }
            _ => findings.push(Finding::new(&UNSUPPORTED, position, sentence)),
        }
        // A root is trusted for what it is, not for its own signature.
        if let (Digest::Broken(digest), false) = (own.digest(), case.path.is_root(position)) {
            let sentence = format!("It is signed over {digest}.");
            findings.push(Finding::new(&DIGEST, position, sentence));
        }
    }
}
