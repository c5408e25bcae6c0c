//! A denial: the rule that forbids a certificate, named as AD CS names it.

/// Why a request was denied. Recorded with the request and told to the requester in full.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Denial {
    /// The rule, as a stable word: the last part of the problem type (RFC 9457).
    pub rule: Rule,
    /// What was wrong, in a sentence that names the offending value.
    pub detail: String,
}

impl Denial {
    /// A denial under `rule`.
    pub fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $hresult:expr;)*) => {
        /// The rules of issuing. Each has a stable slug and, where AD CS has one, its HRESULT
        /// ([MS-WCCE] §2.2.2.6 and [MS-ERREF]).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            /// Every rule, for tables and tests.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The stable word.
            pub fn slug(self) -> &'static str {
                match self { $(Rule::$name => $slug,)* }
            }

            /// From the stable word.
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|rule| rule.slug() == slug)
            }

            /// AD CS's HRESULT.
            pub fn hresult(self) -> Option<u32> {
                match self { $(Rule::$name => $hresult,)* }
            }
        }
    };
}

rules! {
    /// CERTSRV_E_UNSUPPORTED_CERT_TYPE: no such template.
    TemplateUnknown = "template-unknown", Some(0x8009_4800);
    /// CERTSRV_E_UNSUPPORTED_CERT_TYPE: the template exists but is not published on this CA.
    TemplateNotPublished = "template-not-published", Some(0x8009_4800);
    /// CERTSRV_E_TEMPLATE_DENIED: the account may not enrol this template.
    EnrollmentNotPermitted = "enrollment-not-permitted", Some(0x8009_4012);
    /// CERTSRV_E_ENROLL_DENIED: the account is disabled or unknown.
    AccountDisabled = "account-disabled", Some(0x8009_4011);
    /// CERTSRV_E_ADMIN_DENIED_REQUEST: a certificate manager said no.
    DeniedByManager = "denied-by-manager", Some(0x8009_4014);
    /// Whose request it is took it back while it waited; AD CS has no such thing.
    Withdrawn = "withdrawn", None;
    /// It waited longer than this CA lets a request wait; AD CS lets it wait for good.
    WaitedTooLong = "expired", None;
    /// CERTSRV_E_BAD_REQUESTSUBJECT: the subject is missing, or not what the template allows.
    SubjectNotAllowed = "subject-not-allowed", Some(0x8009_4001);
    /// CERTSRV_E_BAD_REQUESTSUBJECT: an alternative name outside the template's rules.
    NameNotAllowed = "name-not-allowed", Some(0x8009_4001);
    /// CERTSRV_E_SUBJECT_ALT_NAME_REQUIRED: the template needs an alternative name.
    AlternativeNameRequired = "alternative-name-required", Some(0x8009_4803);
    /// CERTSRV_E_SUBJECT_UPN_REQUIRED: the account has no userPrincipalName.
    UserPrincipalNameRequired = "user-principal-name-required", Some(0x8009_480D);
    /// CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED: the account has no objectGUID.
    DirectoryGuidRequired = "directory-guid-required", Some(0x8009_480E);
    /// CERTSRV_E_SUBJECT_DNS_REQUIRED: the account has no dNSHostName.
    DnsNameRequired = "dns-name-required", Some(0x8009_480F);
    /// CERTSRV_E_SUBJECT_EMAIL_REQUIRED: the account has no mail.
    EmailRequired = "email-required", Some(0x8009_4812);
    /// CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED: the account has no objectSid.
    DirectorySidRequired = "directory-sid-required", Some(0x8009_4821);
    /// CERTSRV_E_BAD_REQUESTSUBJECT: the account has no cn or distinguishedName.
    DirectoryNameRequired = "directory-name-required", Some(0x8009_4001);
    /// CERTSRV_E_KEY_LENGTH: the key is smaller than the template's minimum.
    KeyTooSmall = "key-too-small", Some(0x8009_4811);
    /// CERTSRV_E_KEY_LENGTH: the key is larger than this CA takes.
    KeyTooLarge = "key-too-large", Some(0x8009_4811);
    /// CERTSRV_E_WEAK_SIGNATURE_OR_KEY: the algorithm is not one the template allows.
    KeyAlgorithmNotAllowed = "key-algorithm-not-allowed", Some(0x8009_4016);
    /// CERTSRV_E_WEAK_SIGNATURE_OR_KEY: a known-weak key, exponent, point or hash.
    WeakKey = "weak-key", Some(0x8009_4016);
    /// CERTSRV_E_WEAK_SIGNATURE_OR_KEY: the key was revoked for keyCompromise.
    CompromisedKey = "compromised-key", Some(0x8009_4016);
    /// CERTSRV_E_WEAK_SIGNATURE_OR_KEY: the CA's own key.
    AuthorityKey = "authority-key", Some(0x8009_4016);
    /// CERTSRV_E_SIGNATURE_COUNT: fewer have signed than the template demands.
    AuthorizedSignaturesRequired = "authorized-signatures-required", Some(0x8009_480A);
    /// CERTSRV_E_SIGNATURE_POLICY_REQUIRED: nobody has signed, where the template demands it.
    SignaturePolicyRequired = "signature-policy-required", Some(0x8009_4809);
    /// CERTSRV_E_SIGNATURE_REJECTED: a signer's certificate is not of this CA, not in force, or
    /// lacks an application policy.
    SignatureRejected = "signature-rejected", Some(0x8009_480B);
    /// CERTSRV_E_ISSUANCE_POLICY_REQUIRED: signers whose certificates lack an issuance policy.
    IssuancePolicyRequired = "issuance-policy-required", Some(0x8009_480C);
    /// CERTSRV_E_RESTRICTEDOFFICER: an enrolment agent outside its templates or subjects.
    AgentRestricted = "agent-restricted", Some(0x8009_4009);
    /// CERTSRV_E_RESTRICTEDOFFICER: a certificate manager outside its templates or subjects.
    OfficerRestricted = "officer-restricted", Some(0x8009_4009);
    /// Nobody approves a request that he submitted or that is for him; AD CS has no code for it.
    OwnRequest = "own-request", None;
    /// CERTSRV_E_TEMPLATE_CONFLICT: the request names another template than the call does.
    TemplateConflict = "template-conflict", Some(0x8009_4802);
    /// CERTSRV_E_BAD_RENEWAL_SUBJECT: a renewal with other names than the old certificate's.
    RenewalSubjectChanged = "renewal-subject-changed", Some(0x8009_4806);
    /// CERTSRV_E_RENEWAL_BAD_PUBLIC_KEY: a renewal with another key, where the template keeps it.
    RenewalKeyChanged = "renewal-key-changed", Some(0x8009_4816);
    /// CERTSRV_E_INVALID_CA_CERTIFICATE: the CA's own certificate has expired or expires at once.
    AuthorityExpired = "authority-expired", Some(0x8009_4005);
}
