//! Names out of the request, within the template's rules. Each name outside them is told; nothing
//! is left out silently, for a certificate without a name that was asked for fails later and
//! elsewhere.

use const_oid::ObjectIdentifier;

use super::Names;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::denial::{Denial, Rule};
use crate::pki::oid;
use crate::pki::request::CertificateRequest;
use crate::pki::template::{NameRules, RequestedNames, Template};

/// A SID as a URI ([MS-WCCE] §2.2.2.7.7.4, KB5014754): strong mapping, so never the request's.
const SID_URI: &str = "tag:microsoft.com,2022-09-14:sid:";

/// How many refused names a denial tells.
const MOST_LISTED: usize = 16;

/// The names of `request`. Without rules the enroller is a manager (see `permission`), who may
/// name what he likes; a wildcard needs a rule even so.
pub(super) fn read(template: &Template, request: &CertificateRequest) -> Result<Names, Denial> {
    let names = Names {
        subject: request.subject().clone(),
        alternative: request.alternative_names().to_vec(),
    };
    if names.subject.is_empty() && names.alternative.is_empty() {
        return Err(Denial::new(
            Rule::SubjectNotAllowed,
            format!(
                "the names of {} come from the request, and it has neither a subject nor an \
                 alternative name",
                template.cn()
            ),
        ));
    }
    check(template, &names)?;
    Ok(names)
}

/// That the template's rules allow each of `names`.
pub(super) fn check(template: &Template, names: &Names) -> Result<(), Denial> {
    let asked = Asked { template };
    let attributes = names.subject.attributes();
    let attributes =
        attributes.iter().filter(|(kind, value)| !asked.allows_attribute(*kind, value));
    let in_subject: Vec<String> = attributes.map(|(kind, value)| written(*kind, value)).collect();
    let others = names.alternative.iter().filter(|name| !asked.allows(name));
    let in_alternative: Vec<String> = others.map(ToString::to_string).collect();
    let rule = match (in_subject.is_empty(), in_alternative.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => Rule::SubjectNotAllowed,
        (true, false) => Rule::NameNotAllowed,
    };
    Err(Denial::new(
        rule,
        format!(
            "the template {} does not allow these names: {}",
            template.cn(),
            listed(in_subject.into_iter().chain(in_alternative).collect())
        ),
    ))
}

/// The template whose rules are asked.
struct Asked<'a> {
    template: &'a Template,
}

impl Asked<'_> {
    fn rules(&self) -> Option<&NameRules> {
        match self.template.requested_names() {
            Some(RequestedNames::Within(rules)) => Some(rules),
            Some(RequestedNames::Any) | None => None,
        }
    }

    fn allows_attribute(&self, kind: ObjectIdentifier, value: &str) -> bool {
        let common_name = kind == oid::COMMON_NAME;
        match self.rules() {
            Some(rules) if common_name => rules.allow_dns_name(value),
            Some(rules) => rules.allow_subject_attribute(kind, value),
            None => !(common_name && value.contains('*')),
        }
    }

    fn allows(&self, name: &AlternativeName) -> bool {
        match (self.rules(), name) {
            _ if is_sid(name) => false,
            // An address in a dNSName is judged as the address it is, and stays a dNSName.
            (Some(rules), AlternativeName::Dns(dns)) => rules.allow_dns_name(dns),
            (Some(rules), AlternativeName::Ip(address)) => rules.allow_address(*address),
            (Some(_), _) => false,
            (None, name) => !name.is_wildcard(),
        }
    }
}

fn is_sid(name: &AlternativeName) -> bool {
    match name {
        AlternativeName::Uri(uri) => {
            let start = uri.get(..SID_URI.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(SID_URI))
        }
        AlternativeName::Other { oid, .. } => *oid == oid::OBJECT_SID,
        _ => false,
    }
}

/// `CN=vpn.contoso.com`; other types by their OID.
fn written(kind: ObjectIdentifier, value: &str) -> String {
    if kind == oid::COMMON_NAME { format!("CN={value}") } else { format!("{kind}={value}") }
}

/// The refused names in a sentence; a request may hold thousands.
fn listed(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> =
        names.iter().take(MOST_LISTED).map(|name| name.chars().take(256).collect()).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
