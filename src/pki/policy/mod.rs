//! The policy module: a template applied to a request of a requester gives a profile or a denial.
//!
//! Absent on purpose: whether the template is published and whether a manager must approve (the
//! authority knows), keys that were revoked as compromised (the register knows), and anything a
//! request asks for beside names. Begin with [`decide`].

mod alt_security_identities;
mod directory_names;
mod extensions;
mod identity;
mod key;
mod permission;
mod renewal;
mod request_names;
mod security_identifier;
mod signatures;
mod validity;

pub use alt_security_identities::alt_security_identities;
pub use identity::is_named_by_directory;
pub use permission::{Enroller, Standing};
pub use renewal::earlier_approval_counts;
pub use security_identifier::is_of_another;
pub use signatures::Endorsement;

use super::account::Account;
use super::alternative_name::AlternativeName;
use super::certificate::Certificate;
use super::denial::{Denial, Rule};
use super::issuer::Issuer;
use super::name::DistinguishedName;
use super::profile::Profile;
use super::request::{CertificateRequest, TemplateHint};
use super::template::{Template, TemplateArc, TemplateOid};
use super::time::Timestamp;

/// Everything a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What may be issued.
    pub template: &'a Template,
    /// This installation's arc of template OIDs.
    pub arc: &'a TemplateArc,
    /// What is asked.
    pub request: &'a CertificateRequest,
    /// For whom: names from the directory are this account's.
    pub subject: &'a Account,
    /// By whom.
    pub enroller: Enroller<'a>,
    /// Who has signed the request beside the requester.
    pub endorsements: &'a [Endorsement],
    /// The certificate it renews, whose holder has proven that he is; in force, and this CA's.
    pub renewal_of: Option<&'a Certificate>,
    /// The CA that would issue it.
    pub issuer: &'a Issuer,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// A question, of whose issuer only the validity matters.
#[derive(Clone, Copy)]
struct Case<'a> {
    template: &'a Template,
    arc: &'a TemplateArc,
    request: &'a CertificateRequest,
    subject: &'a Account,
    enroller: Enroller<'a>,
    endorsements: &'a [Endorsement],
    renewal_of: Option<&'a Certificate>,
    now: Timestamp,
    authority_validity: (Timestamp, Timestamp),
}

impl<'a> Case<'a> {
    fn of(question: &Question<'a>) -> Self {
        Self {
            template: question.template,
            arc: question.arc,
            request: question.request,
            subject: question.subject,
            enroller: question.enroller,
            endorsements: question.endorsements,
            renewal_of: question.renewal_of,
            now: question.now,
            authority_validity: (question.issuer.not_before(), question.issuer.not_after()),
        }
    }
}

/// The names of a certificate.
struct Names {
    subject: DistinguishedName,
    alternative: Vec<AlternativeName>,
}

/// Decides every field of the certificate, or names the first rule that forbids it, in AD CS's
/// order ([MS-WCCE] 3.2.2.6.2.1.4): who, which template, which key, which names, how long.
pub fn decide(question: Question<'_>) -> Result<Profile, Denial> {
    decide_case(&Case::of(&question))
}

fn decide_case(case: &Case<'_>) -> Result<Profile, Denial> {
    permission::check(case)?;
    signatures::check(case)?;
    check_hints(case)?;
    renewal::check(case)?;
    let public_key = case.request.public_key();
    let key_usage = key::check(case.template, public_key)?;
    let names = match case.renewal_of {
        _ if !case.template.subject_comes_from_request() => {
            directory_names::build(case.template, case.subject)?
        }
        Some(old) => renewal::names(case, old)?,
        None => request_names::read(case)?,
    };
    let validity = validity::of(case)?;
    let extensions = extensions::list(case, &names, key_usage)?;
    Ok(Profile {
        subject: names.subject,
        public_key: public_key.clone(),
        not_before: validity.not_before,
        not_after: validity.not_after,
        validity_cut: validity.cut,
        extensions,
    })
}

/// A request that says it is meant for another template is not the one the caller thinks.
fn check_hints(case: &Case<'_>) -> Result<(), Denial> {
    let (cn, oid) = (case.template.cn(), case.template.oid(case.arc));
    let other = case.request.template_hints().iter().find_map(|hint| match hint {
        // Windows puts the OID where the name belongs if the template is of version 2 or later.
        TemplateHint::Name(name) if name.eq_ignore_ascii_case(cn) => None,
        TemplateHint::Name(name) if name.parse() == Ok(TemplateOid::Whole(oid)) => None,
        TemplateHint::Name(name) => Some(name.chars().take(64).collect()),
        TemplateHint::Identifier(own) if *own == oid => None,
        TemplateHint::Identifier(other) => Some(other.to_string()),
    });
    match other {
        None => Ok(()),
        Some(other) => Err(Denial::new(
            Rule::TemplateConflict,
            format!("the certificate request names the template {other:?}, the call names {cn}"),
        )),
    }
}

#[cfg(test)]
mod tests;
