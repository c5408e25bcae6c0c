//! Renewals: the same template, the same names, and the same key where the template says so
//! ([MS-WCCE] 3.2.2.6.2.1.2.3, 3.2.2.6.2.1.4.5.7, 3.2.2.6.2.1.4.8).

use super::{Case, Names, Question, request_names};
use crate::pki::alternative_name::AlternativeName;
use crate::pki::certificate::Certificate;
use crate::pki::denial::{Denial, Rule};
use crate::pki::template::{EnrollmentFlags, PrivateKeyFlags};

/// That the certificate is one of this template, and that its key stays where it must.
pub(super) fn check(case: &Case<'_>) -> Result<(), Denial> {
    let Some(old) = case.renewal_of else { return Ok(()) };
    if !is_of_template(case, old) {
        return Err(Denial::new(
            Rule::TemplateConflict,
            format!("the certificate that is renewed is not one of {}", case.template.cn()),
        ));
    }
    let same_key = PrivateKeyFlags::REQUIRE_SAME_KEY_RENEWAL;
    if case.template.private_key_flags().contains(same_key)
        && case.request.public_key().spki_der() != old.spki_der()
    {
        return Err(Denial::new(
            Rule::RenewalKeyChanged,
            format!(
                "{} is renewed with the same key (REQUIRE_SAME_KEY_RENEWAL)",
                case.template.cn()
            ),
        ));
    }
    Ok(())
}

/// By the template's OID; a certificate of a version 1 template carries its name.
fn is_of_template(case: &Case<'_>, old: &Certificate) -> bool {
    match old.template_oid() {
        Some(oid) => oid == case.template.oid(case.arc),
        None => {
            let name = old.template_name();
            name.is_some_and(|name| name.eq_ignore_ascii_case(case.template.cn()))
        }
    }
}

/// The names of the old certificate, if the template still allows them and the request asks for
/// no others. A client repeats them in its request or leaves them out ([MS-WCCE]
/// 3.1.2.4.2.2.2.10, `OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME`).
pub(super) fn names(case: &Case<'_>, old: &Certificate) -> Result<Names, Denial> {
    let request = case.request;
    let subject = request.subject();
    // Read anew as the request's was, so that string types make no difference.
    let same = old.subject().reencoded().is_ok_and(|own| own == *subject);
    if !subject.is_empty() && !same {
        return Err(Denial::new(
            Rule::RenewalSubjectChanged,
            format!("a renewal keeps the subject {}; the request has {subject}", old.subject()),
        ));
    }
    let strange = |name: &&AlternativeName| !old.alternative_names().contains(name);
    if let Some(name) = request.alternative_names().iter().find(strange) {
        return Err(Denial::new(
            Rule::RenewalSubjectChanged,
            format!("a renewal keeps its alternative names; {name} is not one of the old ones"),
        ));
    }
    let names =
        Names { subject: old.subject().clone(), alternative: old.alternative_names().to_vec() };
    request_names::check(case, &names)?;
    Ok(names)
}

/// Whether the approval of the certificate that is renewed counts for this request too, so that
/// it neither waits nor needs authorised signatures (`PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT`
/// or key-based renewal, and the conditions of [MS-WCCE] 3.2.2.6.2.1.4.8, to the letter but for
/// two: a request without a subject means the old one's, and a computer's certificate is known by
/// its DNS name, which AD CS does not look at, so that there no computer's approval ever counts).
pub fn earlier_approval_counts(question: &Question<'_>) -> bool {
    approval_counts(&Case::of(question))
}

/// See [`earlier_approval_counts`].
pub(super) fn approval_counts(case: &Case<'_>) -> bool {
    let (template, Some(old)) = (case.template, case.renewal_of) else { return false };
    let validates = EnrollmentFlags::PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT
        .with(EnrollmentFlags::ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT);
    if !template.enrollment_flags().intersects(validates)
        || old.template_oid() != Some(template.oid(case.arc))
    {
        return false;
    }
    if template.subject_comes_from_request() {
        return names(case, old).is_ok();
    }
    let account = case.subject;
    let same = |own: &Option<String>, text: &str| {
        own.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(text))
    };
    let compared = old.alternative_names().iter().filter_map(|name| match name {
        AlternativeName::UserPrincipalName(upn) => Some(same(&account.user_principal_name, upn)),
        AlternativeName::Email(mail) => Some(same(&account.mail, mail)),
        AlternativeName::Dns(host) => Some(same(&account.dns_host_name, host)),
        _ => None,
    });
    let compared: Vec<bool> = compared.collect();
    !compared.is_empty() && compared.into_iter().all(|same| same)
}

/// Whether the old certificate stands in for the permission to enrol: key-based renewal is for
/// holders whom the directory no longer lets enrol, or never did.
pub(super) fn permission_counts(case: &Case<'_>) -> bool {
    let flag = EnrollmentFlags::ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT;
    case.template.enrollment_flags().contains(flag) && approval_counts(case)
}
