//! How the account's security identifier stands in a certificate, so that Windows maps it
//! strongly (KB5014754; [MS-WCCE] §2.2.2.7.7.4).

/// Where the SID stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityIdentifier {
    /// In the extension 1.3.6.1.4.1.311.25.2, as AD CS writes it.
    #[default]
    Extension,
    /// In a uniformResourceIdentifier among the alternative names, which domain controllers of
    /// Windows Server 2019 and later understand.
    Uri,
    /// In both; Windows prefers the extension.
    Both,
    /// Nowhere.
    None,
}

/// Whether an account must have a SID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectSid {
    /// One without gets a certificate without.
    #[default]
    Optional,
    /// One without is refused, as AD CS does ([MS-WCCE] 3.2.2.6.2.1.4.5.9).
    Required,
}

impl SecurityIdentifier {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Extension, "extension"),
        (Self::Uri, "uri"),
        (Self::Both, "both"),
        (Self::None, "none"),
    ];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("none", |(_, word)| word)
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(own, _)| *own)
    }
}

impl ObjectSid {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Optional, Self::Required].into_iter().find(|own| own.as_str() == word)
    }
}
