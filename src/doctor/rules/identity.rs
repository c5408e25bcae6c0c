//! The SID by which a domain controller maps the certificate to its account.

use super::documents::STRONG_MAPPING;
use super::{CLIENTS, Case, Confidence, Finding, Part, Product, Rule, VPN_USER, inferred, seen};
use crate::doctor::Severity;
use crate::pki::alternative_name::AlternativeName;

pub(super) const RULES: &[&Rule] =
    &[&SID_MISSING, &DEVICE_SID_MISSING, &SID_MALFORMED, &SIDS_DIFFER, &SID_IN_URI];

/// The URI form of the SID.
const TAG: &str = "tag:microsoft.com,2022-09-14:sid:";

static SID_MISSING: Rule = Rule {
    slug: "sid-missing",
    severity: Severity::Fault,
    products: &[Product::DomainController, Product::Nps],
    symptoms: &[
        seen(VPN_USER, "event 39 on the domain controller"),
        inferred(VPN_USER, "NPS event 6273 reason 16"),
        inferred(VPN_USER, "error 812 or 853 on the client"),
    ],
    remedy: "Issue it from a template without NO_SECURITY_EXTENSION to an account with a SID, or \
             map it in altSecurityIdentities by issuer and serial number (X509:<I>…<SR>…), which \
             cannot be seen from here.",
    documented: STRONG_MAPPING,
    confidence: Confidence::Confirmed,
};

static DEVICE_SID_MISSING: Rule = Rule {
    slug: "device-sid-missing",
    severity: Severity::Warning,
    products: &[Product::DomainController],
    symptoms: &[inferred(CLIENTS, "event 39 on the domain controller, where the device uses EAP")],
    remedy: "A device tunnel maps nothing; for EAP issue it with the computer account's SID.",
    documented: STRONG_MAPPING,
    confidence: Confidence::Inferred,
};

static SID_MALFORMED: Rule = Rule {
    slug: "sid-malformed",
    severity: Severity::Fault,
    products: &[Product::DomainController],
    symptoms: &[inferred(CLIENTS, "event 41 or 39 on the domain controller")],
    remedy: "Have it issued again: the extension holds the SID as text, S-1-5-21-….",
    documented: "[MS-WCCE] §2.2.2.7.7.4",
    confidence: Confidence::Inferred,
};

static SIDS_DIFFER: Rule = Rule {
    slug: "sids-differ",
    severity: Severity::Fault,
    products: &[Product::DomainController],
    symptoms: &[inferred(CLIENTS, "event 41 on the domain controller")],
    remedy: "Have it issued again with one SID; Windows takes the extension before the URI.",
    documented: STRONG_MAPPING,
    confidence: Confidence::Inferred,
};

static SID_IN_URI: Rule = Rule {
    slug: "sid-only-as-uri",
    severity: Severity::Warning,
    products: &[Product::DomainController],
    symptoms: &[seen(CLIENTS, "event 39 on domain controllers of Windows Server 2016")],
    remedy: "Domain controllers from Windows Server 2019 on read the URI; for older ones issue the \
             extension (security_identifier in the template).",
    documented: STRONG_MAPPING,
    confidence: Confidence::Confirmed,
};

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let part = case.question.part;
    let Some(own) = case.path.subject().filter(|_| part.is_client()) else { return };
    let names = own.alternative_names().and_then(Result::ok).unwrap_or_default();
    let in_uri = names.iter().find_map(|name| match name {
        AlternativeName::Uri(uri) => uri.strip_prefix(TAG),
        _ => None,
    });
    let found = match (own.security_identifier(), in_uri) {
        (Some(None), _) => Finding::new(&SID_MALFORMED, 0, "The SID extension does not read."),
        (Some(Some(sid)), _) if !is_sid(&sid) => {
            Finding::new(&SID_MALFORMED, 0, format!("The SID extension says {sid:?}."))
        }
        (Some(Some(sid)), Some(other)) if sid != other => {
            Finding::new(&SIDS_DIFFER, 0, format!("The extension says {sid}, the URI {other}."))
        }
        (Some(Some(_)), _) => return,
        (None, Some(sid)) => {
            Finding::new(&SID_IN_URI, 0, format!("The SID {sid} is in a URI of the SAN only."))
        }
        (None, None) if part == Part::VpnUser => {
            Finding::new(&SID_MISSING, 0, "There is no SID in the certificate.")
        }
        (None, None) => Finding::new(&DEVICE_SID_MISSING, 0, "There is no SID in the certificate."),
    };
    findings.push(found);
}

/// [MS-DTYP] §2.4.2.1: `S-1-` and numbers joined by hyphens.
fn is_sid(text: &str) -> bool {
    let numbers = text.strip_prefix("S-1-");
    let number = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    numbers.is_some_and(|numbers| numbers.contains('-') && numbers.split('-').all(number))
}
