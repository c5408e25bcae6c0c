//! Certificate templates as AD CS has them ([MS-CRTD]): complete, consistent, within limits.
//!
//! Absent on purpose: the directory's LDAP form, and who may change a template (the authority
//! knows). Begin with [`Template`]; `file` is its JSON shape, `reading` how one becomes the
//! other, `danger` what no template may open, `permissions` who may do what, `editing` how revisions rise.

mod compatibility;
mod consistency;
mod danger;
mod delegation;
mod editing;
pub mod exchange;
mod file;
mod flags;
mod identifier;
mod key_rules;
mod mistake;
mod ocsp_url;
mod period;
mod permissions;
mod purpose;
mod reading;
mod record;
mod requested_names;
mod security_identifier;
mod shipped;
mod signature_rules;
mod value;

pub use compatibility::Compatibility;
pub use danger::{Acceptance, Danger, Warning};
pub use editing::NotEditable;
pub use file::{
    AcceptedDangerFile, CompatibilityFile, KeyAlgorithmFile, LARGEST_FILE, PermissionFile,
    RequestedNamesFile, TemplateFile,
};
pub use flags::{EnrollmentFlags, GeneralFlags, NameFlags, PrivateKeyFlags, UnknownBits};
pub use identifier::{NotATemplateOid, NotAnArc, TemplateArc, TemplateOid};
pub use key_rules::{KeyRule, KeySpec};
pub use mistake::{Mistake, Mistakes, Problem};
pub use ocsp_url::OcspUrl;
pub use period::{NotAPeriod, Period};
pub use permissions::{AUTHENTICATED_USERS, Permission, Permissions, Principal, Right, Rights};
pub use purpose::{NotAPurpose, Purpose};
pub use requested_names::{Broken, CommonName, NameRules, RequestedNames, Wildcards};
pub use security_identifier::{ObjectSid, SecurityIdentifier};
pub use shipped::{mistakes_in_shipped, shipped};
pub use value::LONGEST_CN;

use const_oid::ObjectIdentifier;

use crate::pki::extension::KeyUsage;

/// A certificate template. That it exists proves that its file was complete, consistent,
/// within limits, and opens none of the attacks in [`Danger`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    cn: String,
    display_name: String,
    oid: TemplateOid,
    origin: Origin,
    schema_version: u32,
    major_revision: u32,
    minor_revision: u32,
    general: GeneralFlags,
    names: NameFlags,
    enrollment: EnrollmentFlags,
    private_key: PrivateKeyFlags,
    compatibility: Compatibility,
    validity: Period,
    renewal: Period,
    key_usage: KeyUsage,
    key_spec: KeySpec,
    key_rules: Vec<KeyRule>,
    csps: Vec<String>,
    extended_key_usage: Vec<Purpose>,
    application_policies: Vec<Purpose>,
    issuance_policies: Vec<ObjectIdentifier>,
    critical_extensions: Vec<ObjectIdentifier>,
    maximum_issuing_depth: i32,
    supersedes: Vec<String>,
    ra_signatures: u32,
    ra_application_policies: Vec<String>,
    ra_purposes: Vec<ObjectIdentifier>,
    ra_policies: Vec<ObjectIdentifier>,
    requested_names: Option<RequestedNames>,
    security_identifier: SecurityIdentifier,
    object_sid: ObjectSid,
    ocsp_url: OcspUrl,
    accepted_dangers: Vec<Acceptance>,
    permissions: Permissions,
}

/// Where a template comes from, which decides whether it can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of AD CS's own: can be duplicated, not changed.
    BuiltIn,
    /// One of the three of the tutorial: published at first, can be changed.
    Tutorial,
    /// Anything else.
    Custom,
}

impl Origin {
    const ALL: [(Self, &'static str); 3] =
        [(Self::BuiltIn, "built-in"), (Self::Tutorial, "tutorial"), (Self::Custom, "custom")];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(origin, _)| *origin == self).map_or("custom", |(_, word)| word)
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(origin, _)| *origin)
    }
}

impl Template {
    /// `cn`: the name in requests and paths; compared without regard to ASCII case.
    pub fn cn(&self) -> &str {
        &self.cn
    }

    /// `displayName`.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// `msPKI-Cert-Template-OID`, whole, in an installation with `arc`.
    pub fn oid(&self, arc: &TemplateArc) -> ObjectIdentifier {
        self.oid.under(arc)
    }

    /// The template's own part of the OID.
    pub fn template_oid(&self) -> TemplateOid {
        self.oid
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// `msPKI-Template-Schema-Version`: 1 to 4.
    pub fn schema_version(&self) -> u32 {
        self.schema_version
    }

    /// `revision`.
    pub fn major_revision(&self) -> u32 {
        self.major_revision
    }

    /// `msPKI-Template-Minor-Revision`.
    pub fn minor_revision(&self) -> u32 {
        self.minor_revision
    }

    /// `flags`.
    pub fn general_flags(&self) -> GeneralFlags {
        self.general
    }

    /// `msPKI-Certificate-Name-Flag`.
    pub fn name_flags(&self) -> NameFlags {
        self.names
    }

    /// `msPKI-Enrollment-Flag`.
    pub fn enrollment_flags(&self) -> EnrollmentFlags {
        self.enrollment
    }

    /// `msPKI-Private-Key-Flag` without the version nibbles.
    pub fn private_key_flags(&self) -> PrivateKeyFlags {
        self.private_key
    }

    /// `msPKI-Private-Key-Flag` as the directory stores it, with the version nibbles.
    pub fn private_key_word(&self) -> u32 {
        self.private_key.bits() | self.compatibility.nibbles()
    }

    /// The version nibbles.
    pub fn compatibility(&self) -> Compatibility {
        self.compatibility
    }

    /// `pKIExpirationPeriod`.
    pub fn validity(&self) -> Period {
        self.validity
    }

    /// `pKIOverlapPeriod`: how long before its end a certificate is renewed.
    pub fn renewal(&self) -> Period {
        self.renewal
    }

    /// `pKIKeyUsage`.
    pub fn key_usage(&self) -> KeyUsage {
        self.key_usage
    }

    /// `pKIDefaultKeySpec`, for clients with a legacy provider.
    pub fn key_spec(&self) -> KeySpec {
        self.key_spec
    }

    /// The key algorithms that may be certified; never empty.
    pub fn key_rules(&self) -> &[KeyRule] {
        &self.key_rules
    }

    /// `pKIDefaultCSPs`, best first; for clients.
    pub fn csps(&self) -> &[String] {
        &self.csps
    }

    /// `pKIExtendedKeyUsage`, in the order in which they are encoded.
    pub fn extended_key_usage(&self) -> &[Purpose] {
        &self.extended_key_usage
    }

    /// `msPKI-Certificate-Application-Policy`, in the order in which they are encoded.
    pub fn application_policies(&self) -> &[Purpose] {
        &self.application_policies
    }

    /// `msPKI-Certificate-Policy`: the issuance policies of its certificates.
    pub fn issuance_policies(&self) -> &[ObjectIdentifier] {
        &self.issuance_policies
    }

    /// `pKICriticalExtensions`.
    pub fn critical_extensions(&self) -> &[ObjectIdentifier] {
        &self.critical_extensions
    }

    /// `pKIMaxIssuingDepth`: the path length of a CA's certificate, none for no limit.
    pub fn maximum_issuing_depth(&self) -> Option<u8> {
        u8::try_from(self.maximum_issuing_depth).ok()
    }

    /// `msPKI-Supersede-Templates`: for clients.
    pub fn supersedes(&self) -> &[String] {
        &self.supersedes
    }

    /// `msPKI-RA-Signature`: how many authorised signatures a request needs.
    pub fn ra_signatures(&self) -> u32 {
        self.ra_signatures
    }

    /// `msPKI-RA-Application-Policies`: what each signer's certificate must be for, all of it.
    pub fn ra_purposes(&self) -> &[ObjectIdentifier] {
        &self.ra_purposes
    }

    /// `msPKI-RA-Policies`: under which issuance policies each signer's certificate must be, all
    /// of them.
    pub fn ra_policies(&self) -> &[ObjectIdentifier] {
        &self.ra_policies
    }

    /// The rules for names from the request; with none, only administrators and certificate
    /// managers may enrol a template whose names come from the request.
    pub fn requested_names(&self) -> Option<&RequestedNames> {
        self.requested_names.as_ref()
    }

    /// Whether the account's SID stands in the extension. `NO_SECURITY_EXTENSION` forbids that
    /// and nothing else.
    pub fn writes_security_extension(&self) -> bool {
        let forms = [SecurityIdentifier::Extension, SecurityIdentifier::Both];
        forms.contains(&self.security_identifier)
            && !self.enrollment.contains(EnrollmentFlags::NO_SECURITY_EXTENSION)
            && !self.subject_comes_from_request()
    }

    /// Whether the account's SID stands among the alternative names.
    pub fn writes_security_uri(&self) -> bool {
        let forms = [SecurityIdentifier::Uri, SecurityIdentifier::Both];
        forms.contains(&self.security_identifier) && !self.subject_comes_from_request()
    }

    /// Whether an account without a SID is refused.
    pub fn object_sid(&self) -> ObjectSid {
        self.object_sid
    }

    /// Whether its certificates say where the OCSP responder is, if there is one.
    pub fn ocsp_url(&self) -> OcspUrl {
        self.ocsp_url
    }

    /// `nTSecurityDescriptor`: who may do what with it.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Whether subject and alternative names come from the request. The older place of the
    /// flag counts too: the template editor of Windows sets it there and leaves the other.
    pub fn subject_comes_from_request(&self) -> bool {
        self.names.contains(NameFlags::ENROLLEE_SUPPLIES_SUBJECT)
            || self.general.contains(GeneralFlags::ENROLLEE_SUPPLIES_SUBJECT)
    }

    /// Whether every request waits for a certificate manager.
    pub fn needs_approval(&self) -> bool {
        self.enrollment.contains(EnrollmentFlags::PEND_ALL_REQUESTS)
    }

    /// Whether the certificate is a CA's.
    pub fn is_authority(&self) -> bool {
        self.general.contains(GeneralFlags::IS_CA)
    }

    /// Whether it is among those published when a CA is made: the tutorial's three.
    pub fn is_published_at_first(&self) -> bool {
        self.origin == Origin::Tutorial
    }

    /// Whether a certificate could prove its holder's identity to Windows.
    pub fn can_log_on(&self) -> bool {
        self.is_for_any_purpose() || self.purposes().any(Purpose::can_log_on)
    }

    /// Extended key usages and application policies: Windows looks at both.
    fn purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.extended_key_usage.iter().chain(&self.application_policies)
    }

    fn is_for_any_purpose(&self) -> bool {
        self.extended_key_usage.is_empty() || self.purposes().any(Purpose::is_any)
    }
}

#[cfg(test)]
mod tests;
