//! The flag words of a template as named sets ([MS-CRTD] §2.4, §2.26–2.28). A bit without a
//! name is refused, so that a word read from a file or a directory is never half understood.

/// The word has bits that [MS-CRTD] does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bits {0:#x} have no name in [MS-CRTD]")]
pub struct UnknownBits(pub u32);

macro_rules! flag_word {
    ($(#[$doc:meta])* $word:ident { $($(#[$bit_doc:meta])* $name:ident = $bit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $word(u32);

        impl $word {
            $($(#[$bit_doc])* pub const $name: Self = Self($bit);)*

            const NAMED: &'static [(&'static str, u32)] = &[$((stringify!($name), $bit),)*];

            /// Every bit that has a name.
            pub const ALL: Self = Self(0 $(| $bit)*);

            /// From the number in the directory.
            pub fn from_bits(bits: u32) -> Result<Self, UnknownBits> {
                match bits & !Self::ALL.0 {
                    0 => Ok(Self(bits)),
                    unknown => Err(UnknownBits(unknown)),
                }
            }

            /// The number as the directory stores it.
            pub fn bits(self) -> u32 {
                self.0
            }

            /// One flag by its name, with or without `CT_FLAG_`.
            pub fn from_name(name: &str) -> Option<Self> {
                let name = name.strip_prefix("CT_FLAG_").unwrap_or(name);
                Self::NAMED.iter().find(|(own, _)| *own == name).map(|(_, bit)| Self(*bit))
            }

            /// The names of the flags that are set, lowest bit first.
            pub fn names(self) -> Vec<&'static str> {
                Self::NAMED.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect()
            }

            /// Whether every flag of `other` is set.
            pub fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any flag of `other` is set.
            pub fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// These flags and those of `other`.
            #[must_use]
            pub fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// These flags without those of `other`.
            #[must_use]
            pub fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }
    };
}

flag_word! {
    /// `flags` ([MS-CRTD] §2.4). The four that certca.h calls reserved are kept for display.
    GeneralFlags {
        /// Older word for "subject from the request"; counts like the name flag.
        ENROLLEE_SUPPLIES_SUBJECT = 0x1,
        /// Reserved.
        ADD_EMAIL = 0x2,
        /// Reserved.
        ADD_OBJ_GUID = 0x4,
        /// Reserved.
        PUBLISH_TO_DS = 0x8,
        /// Reserved.
        EXPORTABLE_KEY = 0x10,
        /// Clients may enrol by themselves.
        AUTO_ENROLLMENT = 0x20,
        /// For machines, not for users.
        MACHINE_TYPE = 0x40,
        /// The certificate is a CA's.
        IS_CA = 0x80,
        /// Reserved.
        ADD_DIRECTORY_PATH = 0x100,
        /// The template's name goes into the certificate (schema 1).
        ADD_TEMPLATE_NAME = 0x200,
        /// The certificate is a cross CA's.
        IS_CROSS_CA = 0x800,
        /// The CA keeps no record. Refused here: everything issued is on record.
        DONOTPERSISTINDB = 0x1000,
        /// A built-in template.
        IS_DEFAULT = 0x1_0000,
        /// Changed or made by an administrator.
        IS_MODIFIED = 0x2_0000,
    }
}

flag_word! {
    /// `msPKI-Certificate-Name-Flag` ([MS-CRTD] §2.28).
    NameFlags {
        /// Subject and alternative names come from the request.
        ENROLLEE_SUPPLIES_SUBJECT = 0x1,
        /// Clients renew with the names of the old certificate.
        OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME = 0x8,
        /// Alternative names come from the request; AD CS ignores it and so does this CA.
        ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME = 0x1_0000,
        /// dNSName: the domain of the account's dNSHostName.
        SUBJECT_ALT_REQUIRE_DOMAIN_DNS = 0x40_0000,
        /// otherName: userPrincipalName, like `SUBJECT_ALT_REQUIRE_UPN` ([MS-CRTD] §2.28 says UPN).
        SUBJECT_ALT_REQUIRE_SPN = 0x80_0000,
        /// otherName: objectGUID.
        SUBJECT_ALT_REQUIRE_DIRECTORY_GUID = 0x100_0000,
        /// otherName: userPrincipalName.
        SUBJECT_ALT_REQUIRE_UPN = 0x200_0000,
        /// rfc822Name: mail.
        SUBJECT_ALT_REQUIRE_EMAIL = 0x400_0000,
        /// dNSName: dNSHostName.
        SUBJECT_ALT_REQUIRE_DNS = 0x800_0000,
        /// Subject: CN is dNSHostName.
        SUBJECT_REQUIRE_DNS_AS_CN = 0x1000_0000,
        /// Subject: E is mail.
        SUBJECT_REQUIRE_EMAIL = 0x2000_0000,
        /// Subject: CN is cn of a user, dNSHostName of a computer.
        SUBJECT_REQUIRE_COMMON_NAME = 0x4000_0000,
        /// Subject: the distinguishedName.
        SUBJECT_REQUIRE_DIRECTORY_PATH = 0x8000_0000,
    }
}

impl NameFlags {
    /// The flags that take names from the request or from an older certificate.
    pub(super) fn from_request() -> Self {
        Self::ENROLLEE_SUPPLIES_SUBJECT
            .with(Self::OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME)
            .with(Self::ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME)
    }
}

flag_word! {
    /// `msPKI-Enrollment-Flag` ([MS-CRTD] §2.26).
    EnrollmentFlags {
        /// S/MIME capabilities; not followed here (RC2 and DES).
        INCLUDE_SYMMETRIC_ALGORITHMS = 0x1,
        /// Every request waits for a certificate manager.
        PEND_ALL_REQUESTS = 0x2,
        /// Key recovery agents' container.
        PUBLISH_TO_KRA_CONTAINER = 0x4,
        /// The certificate is appended to the account's userCertificate.
        PUBLISH_TO_DS = 0x8,
        /// For clients.
        AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE = 0x10,
        /// Clients may enrol by themselves.
        AUTO_ENROLLMENT = 0x20,
        /// A renewal signed with the old certificate needs no second approval.
        PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT = 0x40,
        /// Named by tools, not by [MS-CRTD].
        DOMAIN_AUTHENTICATION_NOT_REQUIRED = 0x80,
        /// For clients.
        USER_INTERACTION_REQUIRED = 0x100,
        /// Named by tools, not by [MS-CRTD].
        ADD_TEMPLATE_NAME = 0x200,
        /// For clients.
        REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE = 0x400,
        /// Enrolment agents; there are none here.
        ALLOW_ENROLL_ON_BEHALF_OF = 0x800,
        /// id-pkix-ocsp-nocheck goes into the certificate.
        ADD_OCSP_NOCHECK = 0x1000,
        /// For clients.
        ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL = 0x2000,
        /// No CDP and no AIA in the certificate.
        NOREVOCATIONINFOINISSUEDCERTS = 0x4000,
        /// basicConstraints also in end entities' certificates.
        INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS = 0x8000,
        /// Key-based renewal.
        ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT = 0x1_0000,
        /// Issuance policies from the request; refused here.
        ISSUANCE_POLICIES_FROM_REQUEST = 0x2_0000,
        /// For clients.
        SKIP_AUTO_RENEWAL = 0x4_0000,
        /// No SID extension.
        NO_SECURITY_EXTENSION = 0x8_0000,
    }
}

flag_word! {
    /// `msPKI-Private-Key-Flag` ([MS-CRTD] §2.27) without its two version nibbles, which are
    /// the template's compatibility.
    PrivateKeyFlags {
        /// Key archival; there is none here.
        REQUIRE_PRIVATE_KEY_ARCHIVAL = 0x1,
        /// For clients: the key may be exported.
        EXPORTABLE_KEY = 0x10,
        /// For clients.
        STRONG_KEY_PROTECTION_REQUIRED = 0x20,
        /// For clients.
        REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM = 0x40,
        /// For clients.
        REQUIRE_SAME_KEY_RENEWAL = 0x80,
        /// For clients.
        USE_LEGACY_PROVIDER = 0x100,
        /// Attestation.
        EK_TRUST_ON_USE = 0x200,
        /// Attestation.
        EK_VALIDATE_CERT = 0x400,
        /// Attestation.
        EK_VALIDATE_KEY = 0x800,
        /// Attestation.
        ATTEST_PREFERRED = 0x1000,
        /// Attestation.
        ATTEST_REQUIRED = 0x2000,
        /// Attestation.
        ATTESTATION_WITHOUT_POLICY = 0x4000,
        /// Windows Hello.
        HELLO_LOGON_KEY = 0x20_0000,
    }
}
