//! Names out of the request, within the template's rules. Each name outside them is told with the
//! rule it broke; nothing is left out silently, for a certificate without a name that was asked
//! for fails later and elsewhere.

use std::net::IpAddr;

use const_oid::ObjectIdentifier;

use super::{Case, Names, security_identifier};
use crate::pki::account::Account;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::denial::{Denial, Rule};
use crate::pki::name::attribute_key;
use crate::pki::oid;
use crate::pki::template::{Broken, CommonName, NameRules, RequestedNames, Template};

/// How many refused names a denial tells.
const MOST_LISTED: usize = 16;

/// The names of the request. Without rules the enroller is a manager (see `permission`), who may
/// name what he likes; a wildcard needs a rule even so.
pub(super) fn read(case: &Case<'_>) -> Result<Names, Denial> {
    let (template, request) = (case.template, case.request);
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
    check(case, &names)?;
    Ok(names)
}

/// That the template's rules allow each of `names`.
pub(super) fn check(case: &Case<'_>, names: &Names) -> Result<(), Denial> {
    let asked = Asked { template: case.template, own: case.subject };
    let attributes = names.subject.attributes();
    asked.check_count(attributes.len() + names.alternative.len())?;
    let mut commons = 0_usize;
    let in_subject = attributes.iter().filter_map(|(kind, value)| {
        commons += usize::from(*kind == oid::COMMON_NAME);
        let broken = asked.attribute(*kind, value, commons, &names.alternative).err()?;
        Some((format!("{}={value}", attribute_key(kind)), broken))
    });
    let in_subject: Vec<Refused> = in_subject.collect();
    let others = names.alternative.iter();
    let others = others.filter_map(|name| Some((name.to_string(), asked.name(name).err()?)));
    let in_alternative: Vec<Refused> = others.collect();
    let rule = match (in_subject.is_empty(), in_alternative.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => Rule::SubjectNotAllowed,
        (true, false) => Rule::NameNotAllowed,
    };
    Err(Denial::new(
        rule,
        format!(
            "the template {} does not allow these names: {}",
            case.template.cn(),
            listed(in_subject.into_iter().chain(in_alternative).collect())
        ),
    ))
}

/// A name as it is told, and the rule it broke.
type Refused = (String, Broken);

/// The template whose rules are asked, and the account that asks.
struct Asked<'a> {
    template: &'a Template,
    own: &'a Account,
}

impl Asked<'_> {
    fn rules(&self) -> Option<&NameRules> {
        match self.template.requested_names() {
            Some(RequestedNames::Within(rules)) => Some(rules),
            Some(RequestedNames::Any) | None => None,
        }
    }

    fn check_count(&self, count: usize) -> Result<(), Denial> {
        match self.rules().and_then(NameRules::maximum_count) {
            Some(limit) if count > limit as usize => Err(Denial::new(
                Rule::NameNotAllowed,
                format!(
                    "the template {} allows {limit} name(s) (maximum_count), and there are {count}",
                    self.template.cn()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// One attribute of the subject; `commons` counts the common names up to this one.
    fn attribute(
        &self,
        kind: ObjectIdentifier,
        value: &str,
        commons: usize,
        alternative: &[AlternativeName],
    ) -> Result<(), Broken> {
        let common_name = kind == oid::COMMON_NAME;
        let Some(rules) = self.rules() else {
            return if common_name && value.contains('*') { Err(Broken::Wildcard) } else { Ok(()) };
        };
        rules.check_length(value)?;
        if !common_name {
            return rules.check_subject_attribute(kind, value);
        }
        if commons > 1 {
            return Err(Broken::SecondCommonName);
        }
        rules.check_dns_name(value, self.own)?;
        let repeated = alternative.iter().any(|name| says(name, value));
        match rules.common_name() {
            CommonName::InAlternativeNames if !repeated => Err(Broken::CommonNameAlone),
            _ => Ok(()),
        }
    }

    fn name(&self, name: &AlternativeName) -> Result<(), Broken> {
        if security_identifier::is_one(name) {
            return Err(Broken::SecurityIdentifier);
        }
        let Some(rules) = self.rules() else {
            return if name.is_wildcard() { Err(Broken::Wildcard) } else { Ok(()) };
        };
        rules.check_length(&name.to_text())?;
        match name {
            // An address in a dNSName is judged as the address it is, and stays a dNSName.
            AlternativeName::Dns(dns) => rules.check_dns_name(dns, self.own),
            AlternativeName::Ip(address) => rules.check_address(*address),
            AlternativeName::UserPrincipalName(name) => {
                rules.check_user_principal_name(name, self.own)
            }
            AlternativeName::Email(address) => rules.check_email(address, self.own),
            AlternativeName::Uri(uri) => rules.check_uri(uri),
            AlternativeName::DirectoryGuid(_)
            | AlternativeName::DirectoryName(_)
            | AlternativeName::RegisteredId(_)
            | AlternativeName::Other { .. } => Err(Broken::Kind),
        }
    }
}

/// Whether an alternative name says the same as a common name.
fn says(name: &AlternativeName, common_name: &str) -> bool {
    match name {
        AlternativeName::Ip(address) => common_name.parse::<IpAddr>() == Ok(*address),
        AlternativeName::Dns(dns) => match idna::domain_to_ascii(common_name) {
            Ok(ascii) => ascii.eq_ignore_ascii_case(dns),
            Err(_) => false,
        },
        _ => false,
    }
}

/// The refused names in a sentence; a request may hold thousands.
fn listed(names: Vec<Refused>) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    let shown = names.iter().take(MOST_LISTED).map(|(name, broken)| {
        let name: String = name.chars().take(256).collect();
        format!("{name} ({broken})")
    });
    let shown: Vec<String> = shown.collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
