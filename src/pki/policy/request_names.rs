//! Names out of the request, within the template's rules. The first name outside them is refused
//! by name; nothing is left out silently, for a certificate without a name that was asked for
//! fails later and elsewhere.

use const_oid::ObjectIdentifier;

use super::Names;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::denial::{Denial, Rule};
use crate::pki::oid;
use crate::pki::request::CertificateRequest;
use crate::pki::template::{NameRules, RequestedNames, Template};

/// A SID as a URI ([MS-WCCE] §2.2.2.7.7.4, KB5014754): strong mapping, so never the request's.
const SID_URI: &str = "tag:microsoft.com,2022-09-14:sid:";

/// The names of `request`. Without rules the enroller is a manager (see `permission`), who may
/// name what he likes; a wildcard needs a rule even so.
pub(super) fn read(template: &Template, request: &CertificateRequest) -> Result<Names, Denial> {
    let subject = request.subject();
    let alternative = request.alternative_names();
    if subject.is_empty() && alternative.is_empty() {
        return Err(Denial::new(
            Rule::SubjectNotAllowed,
            format!(
                "the names of {} come from the request, and it has neither a subject nor an \
                 alternative name",
                template.cn()
            ),
        ));
    }
    let asked = Asked { template };
    for (kind, value) in subject.attributes() {
        asked.check_attribute(kind, &value)?;
    }
    for name in alternative {
        asked.check_alternative(name)?;
    }
    Ok(Names { subject: subject.clone(), alternative: alternative.to_vec() })
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

    fn check_attribute(&self, kind: ObjectIdentifier, value: &str) -> Result<(), Denial> {
        let common_name = kind == oid::COMMON_NAME;
        let allowed = match self.rules() {
            Some(rules) if common_name => rules.allow_dns_name(value),
            Some(rules) => rules.allow_subject_attribute(kind, value),
            None => !(common_name && value.contains('*')),
        };
        if allowed { Ok(()) } else { Err(self.subject_refused(kind, value)) }
    }

    fn check_alternative(&self, name: &AlternativeName) -> Result<(), Denial> {
        let sid = match name {
            AlternativeName::Uri(uri) => {
                uri.get(..SID_URI.len()).is_some_and(|start| start.eq_ignore_ascii_case(SID_URI))
            }
            AlternativeName::Other { oid, .. } => *oid == oid::OBJECT_SID,
            _ => false,
        };
        let allowed = match (self.rules(), name) {
            _ if sid => false,
            // An address in a dNSName is judged as the address it is, and stays a dNSName.
            (Some(rules), AlternativeName::Dns(dns)) => rules.allow_dns_name(dns),
            (Some(rules), AlternativeName::Ip(address)) => rules.allow_address(*address),
            (Some(_), _) => false,
            (None, name) => !name.is_wildcard(),
        };
        if allowed { Ok(()) } else { Err(self.refused(name)) }
    }

    fn refused(&self, name: &AlternativeName) -> Denial {
        Denial::new(
            Rule::NameNotAllowed,
            format!("the alternative name {name} is not among those that {} allows", self.cn()),
        )
    }

    fn subject_refused(&self, kind: ObjectIdentifier, value: &str) -> Denial {
        let key = if kind == oid::COMMON_NAME { "CN".to_owned() } else { kind.to_string() };
        Denial::new(
            Rule::SubjectNotAllowed,
            format!("the subject's {key}={value} is not among the names {} allows", self.cn()),
        )
    }

    fn cn(&self) -> &str {
        self.template.cn()
    }
}
