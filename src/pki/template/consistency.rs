//! What no single key of a template shows: keys that contradict each other, and flags that ask
//! for what is not done here.

use super::mistake::{Collector, Problem};
use super::{
    EnrollmentFlags, GeneralFlags, NameFlags, ObjectSid, Origin, PrivateKeyFlags,
    SecurityIdentifier, Template,
};
use crate::pki::extension::KeyUsage;

/// What no single key shows.
pub(super) fn contradictions(template: &Template, mistakes: &mut Collector) {
    let general = template.general;
    let built_in = template.origin == Origin::BuiltIn;
    let authority_usage = KeyUsage::KEY_CERTIFICATE_SIGN.union(KeyUsage::CRL_SIGN);
    let signs_certificates = template.key_usage.without(authority_usage) != template.key_usage;
    let own_names = template.names.without(NameFlags::from_request());
    let checks = [
        (
            "origin",
            built_in != general.contains(GeneralFlags::IS_DEFAULT),
            "the flag IS_DEFAULT belongs to built-in templates and only to them",
        ),
        (
            "schema_version",
            template.schema_version == 1 && !built_in,
            "only built-in templates have schema version 1",
        ),
        (
            "application_policies",
            template.schema_version == 1 && !template.application_policies.is_empty(),
            "a template of schema version 1 has none",
        ),
        (
            "general_flags",
            general.intersects(GeneralFlags::IS_CROSS_CA.with(GeneralFlags::DONOTPERSISTINDB)),
            "IS_CROSS_CA and DONOTPERSISTINDB are not done here",
        ),
        (
            "key_usage",
            template.is_authority() != template.key_usage.contains(KeyUsage::KEY_CERTIFICATE_SIGN)
                || !template.is_authority() && signs_certificates,
            "keyCertSign and cRLSign belong to IS_CA, and IS_CA needs keyCertSign",
        ),
        ("key_usage", template.key_usage.is_empty(), "must not be empty"),
        (
            "maximum_issuing_depth",
            !template.is_authority() && template.maximum_issuing_depth != 0,
            "only a CA issues: 0 without IS_CA",
        ),
        (
            "enrollment_flags",
            template.enrollment.contains(EnrollmentFlags::ISSUANCE_POLICIES_FROM_REQUEST),
            "ISSUANCE_POLICIES_FROM_REQUEST: no policy is ever taken from a request",
        ),
        (
            "private_key_flags",
            template.private_key.contains(PrivateKeyFlags::REQUIRE_PRIVATE_KEY_ARCHIVAL),
            "REQUIRE_PRIVATE_KEY_ARCHIVAL: no private key is ever taken here",
        ),
        (
            "private_key_flags",
            template.private_key.contains(PrivateKeyFlags::ATTEST_REQUIRED),
            "ATTEST_REQUIRED: attestations are not verified here",
        ),
        (
            "security_identifier",
            template.security_identifier != SecurityIdentifier::default()
                && template.subject_comes_from_request(),
            "names from the request are not the account's, so its SID is never written",
        ),
        (
            "object_sid",
            template.object_sid == ObjectSid::Required
                && !template.writes_security_extension()
                && !template.writes_security_uri(),
            "required, but the template writes no SID",
        ),
        (
            "name_flags",
            own_names == NameFlags::default() && !template.subject_comes_from_request(),
            "neither from the request nor from the directory: the certificate would have no name",
        ),
        (
            "requested_names",
            template.requested_names.is_some() && !template.subject_comes_from_request(),
            "rules for names from the request need ENROLLEE_SUPPLIES_SUBJECT",
        ),
        (
            "issuance_policies",
            template.schema_version == 1 && !template.issuance_policies.is_empty(),
            "a template of schema version 1 has none",
        ),
        (
            "ra_signatures",
            template.ra_signatures > 0
                && template.ra_purposes.is_empty()
                && template.ra_policies.is_empty(),
            "signatures of whom? name ra_application_policies or ra_policies, or anybody's count",
        ),
        (
            "renewal_period",
            template.renewal.seconds() >= template.validity.seconds(),
            "not shorter than the validity period",
        ),
        (
            "supersedes",
            template.supersedes.iter().any(|cn| cn.eq_ignore_ascii_case(&template.cn)),
            "a template cannot supersede itself",
        ),
    ];
    for (key, wrong, why) in checks {
        if wrong {
            mistakes.note(key, Problem::Inconsistent(why));
        }
    }
}
