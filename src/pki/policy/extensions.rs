//! The extensions of a certificate and their order, as AD CS writes them: version 1 templates
//! have an order of their own. All of them come from the template and the directory; none from
//! the request but the alternative names.

use const_oid::ObjectIdentifier;

use super::{Case, Names, security_identifier};
use crate::pki::denial::Denial;
use crate::pki::extension::{self, Extension, KeyUsage};
use crate::pki::profile::ExtensionSlot;
use crate::pki::template::{EnrollmentFlags, Purpose, Template};

/// Every extension of the certificate, in order.
pub(super) fn list(
    case: &Case<'_>,
    names: &Names,
    usage: KeyUsage,
) -> Result<Vec<ExtensionSlot>, Denial> {
    let template = case.template;
    let sid = security_identifier::extension(template, case.subject)?;
    let alternative = alternative_names(template, names);
    let key_identifier = Some(extension::subject_key_identifier(case.request.public_key()));
    let key_usage = Some(by_template(template, extension::key_usage(usage)));
    let purposes = purposes(template.extended_key_usage(), extension::extended_key_usage);
    let [authority_key, crl, freshest, authority] = issuer_slots(template);
    let constraints = basic_constraints(template);
    let slots = if template.schema_version() == 1 {
        vec![
            // A CA gives its own version in its request; nothing is taken from there, so a
            // subordinate's is always its first.
            fixed(template.is_authority().then(|| extension::ca_version(0, 0))),
            fixed(Some(extension::template_name(template.cn()))),
            authority,
            fixed(key_identifier),
            fixed(key_usage),
            fixed(constraints),
            fixed(alternative),
            fixed(sid),
            crl,
            freshest,
            authority_key,
            fixed(purposes),
            fixed(no_check(template)),
        ]
    } else {
        let (major, minor) = (template.major_revision(), template.minor_revision());
        let oid = template.oid(case.arc);
        vec![
            fixed(Some(extension::template_information(&oid, major, minor))),
            fixed(purposes),
            fixed(key_usage),
            fixed(issuance_policies(template)),
            fixed(self::purposes(template.application_policies(), extension::application_policies)),
            fixed(constraints),
            fixed(no_check(template)),
            fixed(key_identifier),
            authority_key,
            crl,
            freshest,
            authority,
            fixed(alternative),
            fixed(sid),
        ]
    };
    Ok(slots.into_iter().flatten().collect())
}

fn fixed(extension: Option<Extension>) -> Option<ExtensionSlot> {
    extension.map(ExtensionSlot::Fixed)
}

/// AKI, CDP, FreshestCRL and AIA; only the first where the template wants no revocation
/// information.
fn issuer_slots(template: &Template) -> [Option<ExtensionSlot>; 4] {
    let silent = EnrollmentFlags::NOREVOCATIONINFOINISSUEDCERTS;
    let told = !template.enrollment_flags().contains(silent);
    [
        Some(ExtensionSlot::AuthorityKeyIdentifier),
        told.then_some(ExtensionSlot::CrlDistributionPoints),
        told.then_some(ExtensionSlot::FreshestCrl),
        told.then_some(ExtensionSlot::AuthorityInformationAccess(template.ocsp_url())),
    ]
}

/// Critical where the template says so, and always where there is no subject (RFC 5280
/// §4.1.2.6), which AD CS forgets.
fn alternative_names(template: &Template, names: &Names) -> Option<Extension> {
    if names.alternative.is_empty() {
        return None;
    }
    let extension = extension::subject_alternative_name(&names.alternative);
    let critical = names.subject.is_empty() || is_critical(template, extension.oid);
    Some(Extension { critical, ..extension })
}

/// cA for a CA's certificate; an empty one elsewhere only where the template wants it.
fn basic_constraints(template: &Template) -> Option<Extension> {
    let wanted = EnrollmentFlags::INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS;
    if template.is_authority() {
        Some(extension::authority_basic_constraints(template.maximum_issuing_depth()))
    } else if template.enrollment_flags().contains(wanted) {
        Some(by_template(template, extension::end_entity_basic_constraints()))
    } else {
        None
    }
}

fn no_check(template: &Template) -> Option<Extension> {
    let wanted = template.enrollment_flags().contains(EnrollmentFlags::ADD_OCSP_NOCHECK);
    wanted.then(extension::ocsp_no_check)
}

/// `msPKI-Certificate-Policy`, without qualifiers.
fn issuance_policies(template: &Template) -> Option<Extension> {
    let policies = template.issuance_policies();
    (!policies.is_empty()).then(|| extension::certificate_policies(policies))
}

fn purposes(
    purposes: &[Purpose],
    encode: impl Fn(&[ObjectIdentifier]) -> Extension,
) -> Option<Extension> {
    let oids: Vec<ObjectIdentifier> = purposes.iter().map(Purpose::oid).collect();
    (!oids.is_empty()).then(|| encode(&oids))
}

/// As critical as `pKICriticalExtensions` says.
fn by_template(template: &Template, extension: Extension) -> Extension {
    Extension { critical: is_critical(template, extension.oid), ..extension }
}

fn is_critical(template: &Template, oid: ObjectIdentifier) -> bool {
    template.critical_extensions().contains(&oid)
}
