//! The chain: that it is whole, signed by the right keys, and made of CAs.

use super::documents::TROUBLESHOOTING;
use super::{CLIENTS, Case, Confidence, Finding, NPS_SERVER, Part, Product, Rule};
use super::{EVERY_PART, SERVERS, VPN_DEVICE, VPN_SERVER, VPN_USER, inferred, seen};
use crate::doctor::{Given, Level, Severity, Source};
use crate::pki::extension::KeyUsage;
use crate::pki::oid;
use crate::pki::presented::{Fit, PresentedCertificate, PresentedExtension};

pub(super) const RULES: &[&Rule] = &[
    &INCOMPLETE,
    &NOT_SENT,
    &ROOT,
    &SIGNATURE,
    &UNCHECKED,
    &KEY_IDENTIFIER,
    &NOT_A_CA,
    &MAY_NOT_SIGN,
    &MAY_NOT_SIGN_CRLS,
    &PATH_LENGTH,
    &CRITICAL,
];

static INCOMPLETE: Rule = Rule {
    slug: "chain-incomplete",
    severity: Severity::Fault,
    products: &[Product::CryptoApi, Product::FreeRadius, Product::StrongSwan],
    symptoms: &[
        seen(VPN_SERVER, "error 13801"),
        inferred(VPN_DEVICE, "error 13806"),
        seen(EVERY_PART, "0x800B010A CERT_E_CHAINING"),
        inferred(VPN_USER, "NPS event 6273 reason 265"),
        inferred(NPS_SERVER, "error 853"),
    ],
    remedy: "Put the missing CA certificate into the file, or into Intermediate Certification \
             Authorities of the machines; have AIA name a place where it is.",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static NOT_SENT: Rule = Rule {
    slug: "chain-not-sent",
    severity: Severity::Warning,
    products: &[Product::StrongSwan, Product::FreeRadius],
    symptoms: &[inferred(SERVERS, "clients that do not fetch from AIA do not find the issuer")],
    remedy: "Have the server send its issuer's certificates: import them into its Intermediate \
             Certification Authorities, or put them into its chain file.",
    documented: "RFC 8446 §4.4.2",
    confidence: Confidence::Confirmed,
};

static ROOT: Rule = Rule {
    slug: "root-not-trusted",
    severity: Severity::Fault,
    products: &[Product::WindowsClient, Product::Nps, Product::Rras],
    symptoms: &[
        seen(VPN_SERVER, "error 13801"),
        seen(VPN_USER, "NPS event 6273 reason 265"),
        inferred(VPN_DEVICE, "error 13801 or 13806"),
        inferred(NPS_SERVER, "error 853"),
        seen(EVERY_PART, "0x800B0109 CERT_E_UNTRUSTEDROOT"),
    ],
    remedy: "Put this root into Trusted Root Certification Authorities of the local machine on both \
             sides (certutil -dspublish -f root.cer RootCA for a domain), or issue from the CA \
             below the root that is trusted.",
    documented: "Microsoft, NPS Reason Codes 258 Through 282 (dd197582); \
                 always-on-vpn-deploy-troubleshooting",
    confidence: Confidence::Confirmed,
};

static SIGNATURE: Rule = Rule {
    slug: "signature-wrong",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        inferred(VPN_SERVER, "error 13801"),
        inferred(CLIENTS, "NPS event 6273 reason 284"),
        seen(EVERY_PART, "0x80096004 TRUST_E_CERT_SIGNATURE"),
    ],
    remedy: "Find the CA certificate with the key that signed it: after a CA was renewed with a new \
             key, or made again under the same name, there are several of one name.",
    documented: "RFC 5280 §6.1.3 (a)(1)",
    confidence: Confidence::Confirmed,
};

static UNCHECKED: Rule = Rule {
    slug: "signature-not-checked",
    severity: Severity::Warning,
    products: &[Product::CryptoApi],
    symptoms: &[inferred(
        EVERY_PART,
        "0x80096004, where the relying party does not know it either",
    )],
    remedy: "Have it signed with RSA or ECDSA over SHA-256: this algorithm is not known here.",
    documented: "RFC 5280 §4.1.1.2",
    confidence: Confidence::Unconfirmed,
};

static KEY_IDENTIFIER: Rule = Rule {
    slug: "authority-key-identifier-differs",
    severity: Severity::Warning,
    products: &[Product::CryptoApi, Product::Rfc5280],
    symptoms: &[inferred(
        EVERY_PART,
        "0x800B010A where the issuer is looked for by its key identifier",
    )],
    remedy: "Have it issued again by a CA that writes its own subject key identifier into it.",
    documented: "RFC 5280 §4.2.1.1",
    confidence: Confidence::Inferred,
};

static NOT_A_CA: Rule = Rule {
    slug: "issuer-not-a-ca",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        seen(CLIENTS, "NPS event 6273 reason 280"),
        inferred(VPN_SERVER, "error 13801"),
        seen(EVERY_PART, "0x80096019 TRUST_E_BASIC_CONSTRAINTS"),
    ],
    remedy: "Issue from a CA whose certificate has basic constraints with cA; the template SubCA \
             makes one.",
    documented: "RFC 5280 §6.1.4 (k)",
    confidence: Confidence::Confirmed,
};

static MAY_NOT_SIGN: Rule = Rule {
    slug: "issuer-may-not-sign-certificates",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "0x800B0110 CERT_E_WRONG_USAGE")],
    remedy: "Renew the CA's certificate with keyCertSign in its key usage (0x86).",
    documented: "RFC 5280 §6.1.4 (n)",
    confidence: Confidence::Confirmed,
};

static MAY_NOT_SIGN_CRLS: Rule = Rule {
    slug: "issuer-may-not-sign-crls",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        inferred(CLIENTS, "NPS event 6273 reason 258"),
        inferred(EVERY_PART, "0x80092012 CRYPT_E_NO_REVOCATION_CHECK"),
    ],
    remedy: "Renew the CA's certificate with cRLSign in its key usage (0x86).",
    documented: "RFC 5280 §6.3.3 (f)",
    confidence: Confidence::Confirmed,
};

static PATH_LENGTH: Rule = Rule {
    slug: "path-length-exceeded",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        seen(CLIENTS, "NPS event 6273 reason 281"),
        inferred(EVERY_PART, "0x80096019 TRUST_E_BASIC_CONSTRAINTS"),
    ],
    remedy: "Renew the CA above with a larger pathLenConstraint, or issue from a CA nearer the root.",
    documented: "RFC 5280 §6.1.4 (l)",
    confidence: Confidence::Confirmed,
};

static CRITICAL: Rule = Rule {
    slug: "critical-extension-unknown",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[
        seen(CLIENTS, "NPS event 6273 reason 282"),
        inferred(EVERY_PART, "0x800B0105 CERT_E_CRITICAL"),
    ],
    remedy: "Have it issued without that extension, or with it not critical.",
    documented: "RFC 5280 §4.2; Microsoft, NPS Reason Codes 258 Through 282 (dd197582)",
    confidence: Confidence::Confirmed,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let levels = &case.path.levels;
    for (position, level) in levels.iter().enumerate() {
        if position > 0 || case.question.part == Part::Ca {
            authority(levels, position, findings);
        }
        for extension in level.certificate.extensions().iter().filter(|own| !is_known(own)) {
            let sentence = format!("The extension {} is critical.", extension.oid_text());
            findings.push(Finding::new(&CRITICAL, position, sentence));
        }
        let Some(above) = levels.get(position + 1) else { continue };
        signature(position, &level.certificate, &above.certificate, findings);
        let fetched = matches!(above.source, Source::Fetched(_));
        if case.question.given == Given::ByHandshake && fetched {
            let sentence = "The server did not send the certificate of its issuer.";
            findings.push(Finding::new(&NOT_SENT, position, sentence));
        }
    }
    end(case, findings);
}

/// Where the chain ends.
fn end(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let levels = &case.path.levels;
    let Some(last) = levels.last() else { return };
    let position = levels.len() - 1;
    if !case.path.complete {
        let issuer = last.certificate.issuer_text();
        let sentence = format!("The certificate of its issuer, {issuer}, was not found.");
        findings.push(Finding::new(&INCOMPLETE, position, sentence));
        return;
    }
    if last.certificate.fits(&last.certificate) == Fit::Wrong {
        let sentence = "It names itself as its issuer, and is not signed with its own key.";
        findings.push(Finding::new(&SIGNATURE, position, sentence));
    }
    let roots = &case.question.roots;
    // A root renewed with its key is the same anchor (RFC 5280 §6.1.1 (d)).
    let same = |root: &&PresentedCertificate| {
        root.subject_der() == last.certificate.subject_der()
            && root.spki_der() == last.certificate.spki_der()
    };
    if !roots.is_empty() && roots.iter().find(same).is_none() {
        let sentence = format!("The chain ends in {}.", last.certificate.subject_text());
        findings.push(Finding::new(&ROOT, position, sentence));
    }
}

fn signature(
    position: usize,
    own: &PresentedCertificate,
    above: &PresentedCertificate,
    findings: &mut Vec<Finding>,
) {
    match own.fits(above) {
        Fit::Wrong => {
            let sentence = format!("It is not signed with the key of {}.", above.subject_text());
            findings.push(Finding::new(&SIGNATURE, position, sentence));
            return;
        }
        Fit::Unchecked => {
            let sentence = "The algorithm of the signature is not known here, or not of that key.";
            findings.push(Finding::new(&UNCHECKED, position, sentence));
        }
        Fit::Fits => {}
    }
    let (named, has) = (own.authority_key_identifier(), above.subject_key_identifier());
    if named.is_some() && has.is_some() && named != has {
        let sentence =
            "Its authority key identifier is not the subject key identifier of its issuer.";
        findings.push(Finding::new(&KEY_IDENTIFIER, position, sentence));
    }
}

fn authority(levels: &[Level], position: usize, findings: &mut Vec<Finding>) {
    let Some(own) = levels.get(position).map(|level| &level.certificate) else { return };
    let Some(constraints) = own.basic_constraints().filter(|own| own.authority) else {
        // A root of version 1 is trusted because it is installed.
        if own.is_version_3() || !own.is_self_issued() {
            let sentence = "Its basic constraints do not say that it is a CA.";
            findings.push(Finding::new(&NOT_A_CA, position, sentence));
        }
        return;
    };
    // Those between it and the end entity, self-issued ones not counted (RFC 5280 §6.1.4 (l)).
    let below = levels.get(1..position).unwrap_or_default();
    let below = below.iter().filter(|level| !level.certificate.is_self_issued()).count();
    if constraints.path_length.is_some_and(|longest| (below as u64) > longest) {
        let sentence = format!(
            "It allows {} CAs below it; there are {below}.",
            constraints.path_length.unwrap_or_default()
        );
        findings.push(Finding::new(&PATH_LENGTH, position, sentence));
    }
    let Some(usage) = own.key_usage() else { return };
    if !usage.contains(KeyUsage::KEY_CERTIFICATE_SIGN) {
        findings.push(Finding::new(&MAY_NOT_SIGN, position, "Its key usage lacks keyCertSign."));
    }
    if !usage.contains(KeyUsage::CRL_SIGN) {
        findings.push(Finding::new(&MAY_NOT_SIGN_CRLS, position, "Its key usage lacks cRLSign."));
    }
}

/// Whether whoever keeps to RFC 5280 knows it, or may pass it over.
fn is_known(extension: &PresentedExtension) -> bool {
    const KNOWN: [&[u8]; 11] = [
        oid::KEY_USAGE.as_bytes(),
        oid::SUBJECT_ALTERNATIVE_NAME.as_bytes(),
        oid::BASIC_CONSTRAINTS.as_bytes(),
        oid::EXTENDED_KEY_USAGE.as_bytes(),
        oid::CERTIFICATE_POLICIES.as_bytes(),
        oid::APPLICATION_POLICIES.as_bytes(),
        oid::CRL_DISTRIBUTION_POINTS.as_bytes(),
        // nameConstraints, policyMappings, policyConstraints, inhibitAnyPolicy.
        &[0x55, 0x1d, 0x1e],
        &[0x55, 0x1d, 0x21],
        &[0x55, 0x1d, 0x24],
        &[0x55, 0x1d, 0x36],
    ];
    !extension.critical || KNOWN.contains(&extension.oid.as_slice())
}
