//! Subject, DNS names, addresses and the UPN.

use std::collections::BTreeSet;

use super::documents::{NPS_REQUIREMENTS, STRONGSWAN_WINDOWS, TROUBLESHOOTING};
use super::{Case, Confidence, Finding, Part, Product, Rule};
use super::{EVERY_PART, NPS_SERVER, SERVERS, VPN_DEVICE, VPN_SERVER, VPN_USER, inferred, seen};
use crate::doctor::Severity;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::presented::PresentedCertificate;

pub(super) const RULES: &[&Rule] = &[
    &SUBJECT_EMPTY,
    &SAN_UNREADABLE,
    &SAN_ABSENT,
    &DNS_MISSING,
    &UPN_MISSING,
    &NAME_MISSING,
    &NAME_CASE,
    &CAPITALS,
    &ADDRESS,
    &WILDCARD,
];

static SUBJECT_EMPTY: Rule = Rule {
    slug: "subject-empty",
    severity: Severity::Fault,
    products: &[Product::Nps, Product::Rras, Product::Rfc5280],
    symptoms: &[
        seen(NPS_SERVER, "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)"),
        inferred(VPN_SERVER, "error 13801"),
    ],
    remedy: "Give the certificate a subject: the common name is the server's full DNS name.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static SAN_UNREADABLE: Rule = Rule {
    slug: "alternative-name-unreadable",
    severity: Severity::Fault,
    products: &[Product::Rfc5280],
    symptoms: &[inferred(EVERY_PART, "the name is not found in the certificate")],
    remedy: "Have the certificate issued again with names that keep to RFC 5280 §4.2.1.6.",
    documented: "RFC 5280 §4.2.1.6",
    confidence: Confidence::Inferred,
};

static SAN_ABSENT: Rule = Rule {
    slug: "alternative-name-absent",
    severity: Severity::Warning,
    products: &[Product::StrongSwan, Product::WindowsClient],
    symptoms: &[inferred(
        VPN_SERVER,
        "error 13801 on clients that look for the name in the SAN only",
    )],
    remedy: "Put every name that clients connect to into the subject alternative name as dNSName.",
    documented: STRONGSWAN_WINDOWS,
    confidence: Confidence::Inferred,
};

static DNS_MISSING: Rule = Rule {
    slug: "alternative-name-without-dns",
    severity: Severity::Fault,
    products: &[Product::Nps, Product::WindowsClient],
    symptoms: &[
        seen(NPS_SERVER, "the certificate is not in the list of NPS (PEAP, EAP-TLS properties)"),
        inferred(VPN_SERVER, "error 13801"),
        inferred(VPN_DEVICE, "error 13806"),
    ],
    remedy: "Put the full DNS name into the subject alternative name as dNSName.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static UPN_MISSING: Rule = Rule {
    slug: "upn-missing",
    severity: Severity::Fault,
    products: &[Product::Nps],
    symptoms: &[
        inferred(VPN_USER, "NPS event 6273 reason 16"),
        inferred(VPN_USER, "error 812 or 853 on the client"),
    ],
    remedy: "Issue it from a template with SUBJECT_ALT_REQUIRE_UPN, to an account that has a UPN.",
    documented: NPS_REQUIREMENTS,
    confidence: Confidence::Confirmed,
};

static NAME_MISSING: Rule = Rule {
    slug: "name-not-in-certificate",
    severity: Severity::Fault,
    products: &[Product::WindowsClient, Product::StrongSwan, Product::Nps],
    symptoms: &[
        seen(VPN_SERVER, "error 13801"),
        seen(NPS_SERVER, "error 853"),
        inferred(VPN_USER, "NPS event 6273 reason 16"),
    ],
    remedy: "Have the certificate issued with that name, or let clients use a name it has.",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static NAME_CASE: Rule = Rule {
    slug: "name-in-other-case",
    severity: Severity::Fault,
    products: &[Product::WindowsClient],
    symptoms: &[seen(NPS_SERVER, "error 853 (Windows 11)")],
    remedy: "Write the name in the profile's ServerNames exactly as in the certificate, or issue \
             the certificate in lower case.",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static CAPITALS: Rule = Rule {
    slug: "name-with-capitals",
    severity: Severity::Warning,
    products: &[Product::WindowsClient],
    symptoms: &[seen(NPS_SERVER, "error 853 (Windows 11) where ServerNames is in lower case")],
    remedy: "Write the name in the profile's ServerNames exactly as in the certificate, or issue \
             the certificate in lower case.",
    documented: TROUBLESHOOTING,
    confidence: Confidence::Confirmed,
};

static ADDRESS: Rule = Rule {
    slug: "address-not-as-dns-name",
    severity: Severity::Warning,
    products: &[Product::WindowsClient],
    symptoms: &[seen(VPN_SERVER, "error 13801 on clients that connect to the address")],
    remedy: "Put the address into the subject alternative name as dNSName too: Windows does not \
             look at iPAddress.",
    documented: STRONGSWAN_WINDOWS,
    confidence: Confidence::Confirmed,
};

static WILDCARD: Rule = Rule {
    slug: "wildcard-name",
    severity: Severity::Warning,
    products: &[Product::WindowsClient],
    symptoms: &[inferred(SERVERS, "error 13801 or 853")],
    remedy: "Name the server in full; whether the IKEv2 and PEAP clients take a wildcard is not \
             documented.",
    documented: "no document found",
    confidence: Confidence::Unconfirmed,
};

/// The names of one certificate, as far as they read.
struct Names {
    common: Vec<String>,
    alternative: Option<Vec<AlternativeName>>,
}

impl Names {
    fn of(certificate: &PresentedCertificate) -> Self {
        let common = certificate.subject().map(|own| own.common_names()).unwrap_or_default();
        let alternative = certificate.alternative_names().map(Result::unwrap_or_default);
        Self { common, alternative }
    }

    fn alternative(&self) -> &[AlternativeName] {
        self.alternative.as_deref().unwrap_or_default()
    }

    fn dns(&self) -> impl Iterator<Item = &str> {
        self.alternative().iter().filter_map(|name| match name {
            AlternativeName::Dns(name) => Some(name.as_str()),
            _ => None,
        })
    }

    fn upn(&self) -> impl Iterator<Item = &str> {
        self.alternative().iter().filter_map(|name| match name {
            AlternativeName::UserPrincipalName(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Where a party of this part looks for a name: dNSName and common name, or UPN.
    fn looked_at(&self, part: Part) -> Vec<&str> {
        match part {
            Part::VpnUser => self.upn().collect(),
            _ => self.dns().chain(self.common.iter().map(String::as_str)).collect(),
        }
    }
}

pub(super) fn judge(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(own) = case.path.subject() else { return };
    let part = case.question.part;
    if own.subject_is_empty() && !part.is_client() {
        findings.push(Finding::new(&SUBJECT_EMPTY, 0, "The subject is empty."));
    }
    if let Some(Err(why)) = own.alternative_names() {
        let sentence = format!("The subject alternative name does not read: {why}.");
        findings.push(Finding::new(&SAN_UNREADABLE, 0, sentence));
        return;
    }
    if part == Part::Ca {
        return;
    }
    let names = Names::of(own);
    kinds(part, &names, findings);
    asked_for(case, &names, findings);
    if part.is_server() {
        server(part, &names, findings);
    }
}

/// The kinds of names that the part needs.
fn kinds(part: Part, names: &Names, findings: &mut Vec<Finding>) {
    match (part, &names.alternative) {
        (Part::VpnUser, _) => {
            if names.upn().next().is_none() {
                let sentence = "The subject alternative name has no user principal name.";
                findings.push(Finding::new(&UPN_MISSING, 0, sentence));
            }
        }
        (Part::NpsServer | Part::VpnServer, None) => {
            let sentence = "There is no subject alternative name; the common name is all there is.";
            findings.push(Finding::new(&SAN_ABSENT, 0, sentence));
        }
        _ => {
            if names.dns().next().is_none() {
                let sentence = "The subject alternative name has no DNS name.";
                findings.push(Finding::new(&DNS_MISSING, 0, sentence));
            }
        }
    }
}

/// The names that the question is about.
fn asked_for(case: &Case<'_>, names: &Names, findings: &mut Vec<Finding>) {
    let part = case.question.part;
    let looked_at = names.looked_at(part);
    for wanted in case.question.names {
        if looked_at.iter().any(|own| own == wanted) {
            continue;
        }
        let alike = looked_at.iter().find(|own| own.eq_ignore_ascii_case(wanted));
        match alike {
            Some(own) if part == Part::NpsServer => {
                let sentence = format!("{wanted} is asked for; the certificate says {own}.");
                findings.push(Finding::new(&NAME_CASE, 0, sentence));
            }
            Some(_) => {}
            None if looked_at.iter().any(|own| covers(own, wanted)) => {} // told as a wildcard
            None => {
                let has =
                    if looked_at.is_empty() { "none".to_owned() } else { looked_at.join(", ") };
                let sentence = format!("{wanted} is asked for; the certificate has: {has}.");
                findings.push(Finding::new(&NAME_MISSING, 0, sentence));
            }
        }
    }
}

/// RFC 6125 §6.4.3: an asterisk stands for one label.
fn covers(pattern: &str, name: &str) -> bool {
    let rest = |text: &str| text.split_once('.').map(|(_, rest)| rest.to_ascii_lowercase());
    pattern.starts_with("*.") && rest(pattern) == rest(name)
}

fn server(part: Part, names: &Names, findings: &mut Vec<Finding>) {
    for name in names.dns().filter(|name| name.contains('*')) {
        findings.push(Finding::new(&WILDCARD, 0, format!("{name} is a wildcard.")));
    }
    if part == Part::NpsServer {
        let capital =
            names.looked_at(part).into_iter().find(|name| name.contains(char::is_uppercase));
        let told = findings.iter().any(|finding| finding.rule.slug == NAME_CASE.slug);
        if let Some(name) = capital.filter(|_| !told) {
            findings.push(Finding::new(&CAPITALS, 0, format!("{name} has capital letters.")));
        }
    }
    if part == Part::VpnServer {
        let as_dns: BTreeSet<&str> = names.dns().collect();
        for address in names.alternative() {
            let AlternativeName::Ip(address) = address else { continue };
            let text = address.to_string();
            if !as_dns.contains(text.as_str()) {
                let sentence = format!("{text} is an iPAddress and no dNSName.");
                findings.push(Finding::new(&ADDRESS, 0, sentence));
            }
        }
    }
}
