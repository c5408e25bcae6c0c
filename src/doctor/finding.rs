//! What is found: a rule that is broken, where, and in which words.

use super::part::Part;
use crate::pki::name::visible;

/// Characters of a sentence at most: a certificate may have as many names as there is room for.
const LONGEST_SENTENCE: usize = 1000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Some party refuses it under some circumstances, or will soon.
    Warning,
    /// A party that the part has to do with refuses it.
    Fault,
}

impl Severity {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// How well it is known that a product behaves so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The document named says so, or it was seen.
    Confirmed,
    /// It follows from what is documented.
    Inferred,
    /// It is said, and could not be confirmed.
    Unconfirmed,
}

impl Confidence {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Inferred => "inferred",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// Who has a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Network Policy Server.
    Nps,
    /// Routing and Remote Access.
    Rras,
    /// The IKEv2, PEAP and EAP-TLS clients of Windows.
    WindowsClient,
    /// Whatever builds chains with Windows' CryptoAPI.
    CryptoApi,
    /// A domain controller that maps certificates to accounts.
    DomainController,
    /// FreeRADIUS.
    FreeRadius,
    /// strongSwan.
    StrongSwan,
    /// Whoever keeps to RFC 5280.
    Rfc5280,
}

impl Product {
    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nps => "NPS",
            Self::Rras => "RRAS",
            Self::WindowsClient => "Windows client",
            Self::CryptoApi => "Windows CryptoAPI",
            Self::DomainController => "domain controller",
            Self::FreeRadius => "FreeRADIUS",
            Self::StrongSwan => "strongSwan",
            Self::Rfc5280 => "any relying party (RFC 5280)",
        }
    }
}

/// The words in which a broken rule shows, for those who search.
#[derive(Clone, Copy, Debug)]
pub struct Symptom {
    /// In which parts it shows so.
    pub parts: &'static [Part],
    /// The words.
    pub words: &'static str,
    /// How well that is known.
    pub confidence: Confidence,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name.
    pub slug: &'static str,
    /// How bad it is to break it; a part in which nobody looks by default makes it a warning.
    pub severity: Severity,
    /// Who has it.
    pub products: &'static [Product],
    /// How it shows.
    pub symptoms: &'static [Symptom],
    /// What to do.
    pub remedy: &'static str,
    /// Where it is documented.
    pub documented: &'static str,
    /// How well it is known.
    pub confidence: Confidence,
}

/// A rule that is broken.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// Which certificate, counted from 0 for the one in question.
    pub certificate: usize,
    /// What was seen, in a sentence.
    pub sentence: String,
}

impl Finding {
    /// Of this certificate. What strangers wrote into the sentence is made fit to be shown, and cut
    /// off where it goes on for too long: it goes to terminals, logs and notifications.
    pub fn new(rule: &'static Rule, certificate: usize, sentence: impl AsRef<str>) -> Self {
        let sentence = sentence.as_ref();
        let end = sentence.char_indices().nth(LONGEST_SENTENCE).map(|(end, _)| end);
        let sentence = match end.and_then(|end| sentence.get(..end)) {
            Some(beginning) => format!("{}….", visible(beginning)),
            None => visible(sentence),
        };
        Self { rule, severity: rule.severity, certificate, sentence }
    }

    /// The same, where it only matters under circumstances.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// How it shows in this part.
    pub fn symptoms(&self, part: Part) -> impl Iterator<Item = &'static Symptom> {
        self.rule.symptoms.iter().filter(move |symptom| symptom.parts.contains(&part))
    }
}
