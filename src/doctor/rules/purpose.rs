//! Extended key usages, application policies, key usage, and that it is no CA.

use super::documents::{HICKS, NPS_REQUIREMENTS, TROUBLESHOOTING, TUTORIAL};
use super::{CLIENTS, Case, Confidence, Finding, NPS_SERVER, Part, Product, Rule};
use super::{EVERY_PART, SERVERS, VPN_DEVICE, VPN_SERVER, VPN_USER, inferred, seen};
use crate::doctor::Severity;
use crate::pki::extension::KeyUsage;
use crate::pki::oid;
use const_oid::ObjectIdentifier;

pub(super) const RULES: &[&Rule] = &[
    &SERVER,
    &CLIENT,
    &IKE_INTERMEDIATE,
    &ABSENT,
    &ANY_PURPOSE,
    &POLICIES,
    &ISSUER_EXCLUDES,
    &SMART_CARD,
    &DIGITAL_SIGNATURE,
    &IS_AUTHORITY,
];

static SERVER: Rule = Rule {
    slug: "eku-without-server-authentication",
    severity: Severity::Fault,
    products: &[Product::WindowsClient, Product::Nps, Product::FreeRadius],
    symptoms: &[
        seen(VPN_SERVER, "error 13801"),
        seen(VPN_SERVER, "0x80070040"),
        seen(NPS_SERVER, "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)"),
        inferred(NPS_SERVER, "error 853"),
    ],
    remedy: "Issue it from a template with Server Authentication (1.3.6.1.5.5.7.3.1).",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static CLIENT: Rule = Rule {
    slug: "eku-without-client-authentication",
    severity: Severity::Fault,
    products: &[Product::Nps, Product::Rras, Product::FreeRadius],
    symptoms: &[
        seen(VPN_USER, "NPS event 6273 reason 283"),
        seen(VPN_DEVICE, "error 13806"),
        inferred(VPN_USER, "the client offers no certificate (error 798)"),
    ],
    remedy: "Issue it from a template with Client Authentication (1.3.6.1.5.5.7.3.2).",
    documented: "Microsoft, NPS Reason Codes 283 Through 303 (dd197508); \
                 nps-manage-cert-requirements",
    confidence: Confidence::Confirmed,
};

static IKE_INTERMEDIATE: Rule = Rule {
    slug: "eku-without-ike-intermediate",
    severity: Severity::Warning,
    products: &[Product::Rras],
    symptoms: &[seen(VPN_SERVER, "error 13801 where the server has several certificates")],
    remedy: "Add IP security IKE intermediate (1.3.6.1.5.5.8.2.2): by it RRAS picks the right one \
             of several certificates for Server Authentication.",
    documented: TUTORIAL,
    confidence: Confidence::Confirmed,
};

static ABSENT: Rule = Rule {
    slug: "eku-absent",
    severity: Severity::Warning,
    products: &[Product::Nps],
    symptoms: &[inferred(CLIENTS, "NPS event 6273 reason 283")],
    remedy: "Name the purposes: no extended key usage means every purpose, which not every party \
             takes for Client Authentication.",
    documented: "RFC 5280 §4.2.1.12; nps-manage-cert-requirements does not say",
    confidence: Confidence::Unconfirmed,
};

static ANY_PURPOSE: Rule = Rule {
    slug: "eku-any-purpose",
    severity: Severity::Warning,
    products: &[Product::Nps, Product::WindowsClient],
    symptoms: &[
        inferred(SERVERS, "error 13801 or 853"),
        inferred(CLIENTS, "NPS event 6273 reason 283"),
    ],
    remedy: "Name the purpose itself: whether Any Purpose stands for it is not documented, and such \
             a certificate is good for more than it should be (ESC2).",
    documented: "RFC 5280 §4.2.1.12; nps-manage-cert-requirements does not say",
    confidence: Confidence::Unconfirmed,
};

static POLICIES: Rule = Rule {
    slug: "application-policies-narrower",
    severity: Severity::Fault,
    products: &[Product::CryptoApi],
    symptoms: &[
        inferred(VPN_SERVER, "error 13801"),
        inferred(NPS_SERVER, "error 853"),
        inferred(VPN_DEVICE, "error 13806"),
        seen(VPN_USER, "NPS event 6273 reason 283"),
    ],
    remedy: "Make application policies and extended key usages the same in the template: Windows \
             demands the purpose in both where both are there.",
    documented: "Microsoft, NPS Reason Codes 283 Through 303 (dd197508); [MS-WCCE]",
    confidence: Confidence::Inferred,
};

static ISSUER_EXCLUDES: Rule = Rule {
    slug: "issuer-eku-excludes",
    severity: Severity::Fault,
    products: &[Product::CryptoApi],
    symptoms: &[
        inferred(VPN_SERVER, "error 13801"),
        inferred(NPS_SERVER, "error 853"),
        inferred(CLIENTS, "NPS event 6273 reason 283 or 296"),
    ],
    remedy: "The CA's own extended key usage limits what it may issue for: renew the CA without it, \
             or with the purpose in it.",
    documented: HICKS,
    confidence: Confidence::Inferred,
};

static SMART_CARD: Rule = Rule {
    slug: "eku-smart-card-logon",
    severity: Severity::Fault,
    products: &[Product::Nps],
    symptoms: &[seen(
        NPS_SERVER,
        "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)",
    )],
    remedy: "Use a certificate without Smart Card Logon for NPS.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static DIGITAL_SIGNATURE: Rule = Rule {
    slug: "key-usage-without-digital-signature",
    severity: Severity::Fault,
    products: &[Product::Rfc5280, Product::FreeRadius, Product::StrongSwan],
    symptoms: &[inferred(EVERY_PART, "the handshake is refused: unsupported certificate")],
    remedy: "Issue it with digitalSignature in the key usage (0xA0, or 0x80 for ECDSA).",
    documented: "RFC 8446 §4.4.2.2; RFC 7296 §2.15 with RFC 4945 §5.1.3.2",
    confidence: Confidence::Confirmed,
};

static IS_AUTHORITY: Rule = Rule {
    slug: "end-entity-is-a-ca",
    severity: Severity::Warning,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "the certificate is refused as not valid for its purpose")],
    remedy: "Use a certificate that is no CA's; its key could sign others.",
    documented: "RFC 5280 §4.2.1.9; whether Windows refuses it is not documented",
    confidence: Confidence::Unconfirmed,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let part = case.question.part;
    let Some(own) = case.path.subject().filter(|_| part != Part::Ca) else { return };
    let (needed, missing) = match part.is_server() {
        true => (oid::SERVER_AUTHENTICATION, &SERVER),
        false => (oid::CLIENT_AUTHENTICATION, &CLIENT),
    };
    let usages = own.extended_key_usage();
    match &usages {
        None if part.is_server() => {
            findings.push(Finding::new(missing, 0, "There is no extended key usage."));
        }
        None => findings.push(Finding::new(&ABSENT, 0, "There is no extended key usage.")),
        Some(usages) if usages.contains(&needed) => {
            narrowed(case, needed, findings);
            specific(part, usages, findings);
        }
        Some(usages) if usages.contains(&oid::ANY_PURPOSE) => {
            let sentence = "The extended key usage says Any Purpose and not the purpose itself.";
            findings.push(Finding::new(&ANY_PURPOSE, 0, sentence));
        }
        Some(usages) => {
            let has = list(usages);
            findings.push(Finding::new(missing, 0, format!("The extended key usage says: {has}.")));
        }
    }
    if own.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        let sentence = "The key usage lacks digitalSignature.";
        findings.push(Finding::new(&DIGITAL_SIGNATURE, 0, sentence));
    }
    if own.basic_constraints().is_some_and(|constraints| constraints.authority) {
        findings.push(Finding::new(&IS_AUTHORITY, 0, "The basic constraints say that it is a CA."));
    }
}

/// What takes the purpose away again.
fn narrowed(case: &Case<'_>, needed: ObjectIdentifier, findings: &mut Vec<Finding>) {
    for (position, level) in case.path.levels.iter().enumerate() {
        let own = &level.certificate;
        if position == 0 {
            let policies = own.application_policies();
            let any = [needed, oid::ANY_PURPOSE, oid::ANY_APPLICATION_POLICY];
            if let Some(policies) = policies.filter(|own| !own.iter().any(|one| any.contains(one)))
            {
                let sentence = format!("The application policies say: {}.", list(&policies));
                findings.push(Finding::new(&POLICIES, 0, sentence));
            }
            continue;
        }
        let usages = own.extended_key_usage();
        let any = [needed, oid::ANY_PURPOSE];
        if let Some(usages) = usages.filter(|own| !own.iter().any(|one| any.contains(one))) {
            let sentence = format!("The CA's extended key usage says: {}.", list(&usages));
            findings.push(Finding::new(&ISSUER_EXCLUDES, position, sentence));
        }
    }
}

fn specific(part: Part, usages: &[ObjectIdentifier], findings: &mut Vec<Finding>) {
    if part == Part::VpnServer && !usages.contains(&oid::IKE_INTERMEDIATE) {
        let sentence = format!("The extended key usage says: {}.", list(usages));
        findings.push(Finding::new(&IKE_INTERMEDIATE, 0, sentence));
    }
    if part == Part::NpsServer && usages.contains(&oid::SMARTCARD_LOGON) {
        findings.push(Finding::new(
            &SMART_CARD,
            0,
            "The extended key usage says Smart Card Logon.",
        ));
    }
}

fn list(usages: &[ObjectIdentifier]) -> String {
    if usages.is_empty() {
        return "nothing that reads".to_owned();
    }
    let each: Vec<String> = usages.iter().map(ToString::to_string).collect();
    each.join(", ")
}
