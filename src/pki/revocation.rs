//! Revocation and its reasons (RFC 5280 §5.3).

use super::time::Timestamp;

/// A reason that may be asked for (RFC 5280 §5.3.1). `removeFromCRL` is not one: it is how a
/// delta CRL says that a hold was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// 0: no reason given; written as the absence of the extension.
    Unspecified,
    /// 1: the private key is known or suspected to be in other hands.
    KeyCompromise,
    /// 2: the CA's key is.
    CaCompromise,
    /// 3: the holder's name or affiliation changed.
    AffiliationChanged,
    /// 4: another certificate took its place.
    Superseded,
    /// 5: no longer needed.
    CessationOfOperation,
    /// 6: on hold; the only reason that can be taken back.
    CertificateHold,
    /// 9: a privilege in it was withdrawn.
    PrivilegeWithdrawn,
    /// 10: the attribute authority's key is compromised.
    AaCompromise,
}

impl RevocationReason {
    /// Every reason that may be asked for.
    pub const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The CRLReason code.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// From a CRLReason code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The name in RFC 5280's ASN.1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// From the name in RFC 5280's ASN.1.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// That a certificate is revoked, since when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When the revocation was recorded: the entry's revocationDate.
    pub revoked_at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
    /// Since when the key is thought to have been unsafe (RFC 5280 §5.3.2).
    pub invalidity_date: Option<Timestamp>,
}
