//! Whether certificates say where the OCSP responder is.

/// Whether the URL of the OCSP responder stands among a certificate's authority information, on a
/// CA that has a responder. AD CS decides this for the whole CA, with flag 32 of
/// `CACertPublicationURLs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcspUrl {
    /// It does.
    #[default]
    Included,
    /// It does not: relying parties use the CRL.
    Omitted,
}

impl OcspUrl {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Omitted => "omitted",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Included, Self::Omitted].into_iter().find(|own| own.as_str() == word)
    }
}
