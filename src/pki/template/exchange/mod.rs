//! Templates from Active Directory and to it: LDIF, the PowerShell module's JSON, certutil's text.
//!
//! Absent on purpose: LDAP itself, and what becomes of a template that was read (the authority
//! decides). Begin with [`read`], which gives entries whatever the format; then [`convert`], which
//! makes a template of one and reports every step; `directory_form` is the way back.

mod access;
mod certutil;
mod conversion;
mod directory_form;
mod entry;
mod flag_words;
mod keys;
mod ldif;
mod module_json;
mod note;
mod reading;
mod report;
mod span;
mod text;
mod trustees;

pub use conversion::{Circumstances, Conversion, Losses, convert};
pub use directory_form::{Forest, entries};
pub use entry::{Entry, TooLarge};
pub use note::Note;
pub use report::{Loss, Mapped, NotHonoured, Report};
pub use trustees::Principals;

use crate::pki::template::Template;

/// In which form templates come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// LDIF.
    Ldif,
    /// The JSON of the PowerShell module ADCSTemplate.
    Json,
    /// What certutil prints; it can only be read.
    Certutil,
}

impl Format {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Ldif, "ldif"), (Self::Json, "json"), (Self::Certutil, "certutil")];

    /// The word in a query.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("ldif", |(_, word)| word)
    }

    /// From the word in a query.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(own, _)| *own)
    }

    /// From the look of a text.
    fn of(text: &str) -> Option<Self> {
        let start = text.trim_start();
        let list =
            start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
        let ldif = |line: &str| {
            let line = line.to_ascii_lowercase();
            line.starts_with("dn:") || line.starts_with("version:")
        };
        if start.starts_with('{') || list {
            Some(Self::Json)
        } else if certutil::recognises(text) {
            Some(Self::Certutil)
        } else if text.lines().any(ldif) {
            Some(Self::Ldif)
        } else {
            None
        }
    }
}

/// The keys in which two templates differ, but for what always differs from forest to forest:
/// OID and permissions.
pub fn differing_keys(one: &Template, other: &Template) -> Vec<String> {
    let keys = |template: &Template| serde_json::to_value(template.to_file()).unwrap_or_default();
    let (one, other) = (keys(one), keys(other));
    let names = one.as_object().into_iter().flatten().map(|(name, _)| name);
    names
        .filter(|name| !matches!(name.as_str(), "oid" | "permissions"))
        .filter(|name| one.get(name.as_str()) != other.get(name.as_str()))
        .cloned()
        .collect()
}

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No text.
    #[error(transparent)]
    Text(#[from] text::NotText),
    /// None of the formats.
    #[error("neither LDIF nor JSON nor the output of certutil")]
    Format,
    /// A line.
    #[error("line {0}: {1}")]
    Line(usize, &'static str),
    /// A security descriptor.
    #[error("line {0}: {1}")]
    Descriptor(usize, String),
    /// JSON.
    #[error("{0}")]
    Json(String),
    /// certutil in another language.
    #[error(
        "line {0} is not English; run `certutil` with the display language English, or export \
         LDIF, which is the same in every language"
    )]
    NotEnglish(usize),
    /// Two entries of the same name.
    #[error("{0} is there twice")]
    Twice(String),
    /// Nothing to import.
    #[error("there is no certificate template in it")]
    Empty,
}

/// The certificate templates in a file. Other entries of an LDIF file (the containers, the OIDs'
/// registrations) are passed over.
pub fn read(octets: &[u8], format: Option<Format>) -> Result<Vec<Entry>, Unreadable> {
    let text = text::decoded(octets)?;
    let entries = match format.or_else(|| Format::of(&text)).ok_or(Unreadable::Format)? {
        Format::Ldif => {
            let mut entries = ldif::read(&text)?;
            entries.retain(|entry| entry.is_a("pKICertificateTemplate"));
            entries
        }
        Format::Json => module_json::read(&text)?,
        Format::Certutil => certutil::read(&text)?,
    };
    let mut names = std::collections::HashSet::new();
    for entry in &entries {
        let cn = entry.cn();
        if !names.insert(cn.to_ascii_lowercase()) {
            return Err(Unreadable::Twice(cn.to_owned()));
        }
    }
    if entries.is_empty() { Err(Unreadable::Empty) } else { Ok(entries) }
}

/// Writes entries; certutil's form can only be read.
pub fn write(entries: &[Entry], format: Format) -> Result<String, Unreadable> {
    match format {
        Format::Ldif => ldif::write(entries),
        Format::Json => {
            let templates = entries.iter().filter(|own| own.is_a("pKICertificateTemplate"));
            let mut values: Vec<_> = templates.map(module_json::write).collect();
            let value = match values.len() {
                1 => values.remove(0),
                _ => serde_json::Value::from(values),
            };
            serde_json::to_string_pretty(&value)
                .map_err(|error| Unreadable::Json(error.to_string()))
        }
        Format::Certutil => Err(Unreadable::Format),
    }
}

#[cfg(test)]
mod tests;
