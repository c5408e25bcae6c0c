//! What became of a request, in the words of [MS-CSRA] (`Request.Disposition`).

/// The disposition of a request. A denied, pending or failed request owns no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// On record, not yet decided or not yet signed. Only seen while an enrolment is under way.
    Active,
    /// 9: waits for a certificate manager.
    Pending,
    /// 31: refused, by the policy module or by a certificate manager.
    Denied,
    /// 20: a certificate was issued.
    Issued,
    /// 21: a certificate was issued and later revoked (or is held).
    Revoked,
    /// 30: accepted, but no certificate could be made of it.
    Failed,
}

impl Disposition {
    /// Every disposition.
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Pending, Self::Denied, Self::Issued, Self::Revoked, Self::Failed];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Denied => "denied",
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
        }
    }

    /// From the word in JSON.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|disposition| disposition.as_str() == word)
    }
}
