//! A directory entry as a file of any of the formats gives it: names of attributes and values.

use std::collections::BTreeMap;

use super::note::Note;
use crate::pki::security_descriptor::{SecurityDescriptor, Sid};
use crate::pki::template::GeneralFlags;

/// A certificate template as it stands in Active Directory ([MS-CRTD] §2). What the values mean
/// is not looked at yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What to call it in messages: its distinguished name, or its cn.
    pub name: String,
    pub(super) attributes: Vec<(String, Vec<Vec<u8>>)>,
    /// `nTSecurityDescriptor`, in whichever form it was.
    pub descriptor: Option<SecurityDescriptor>,
    /// Names that the file itself gives to security identifiers (certutil does).
    pub names: BTreeMap<Sid, String>,
    /// What this CA wrote beside the attributes when it exported the template.
    pub note: Option<Note>,
    /// What the format does not show, so that it had to be assumed.
    pub assumed: Vec<&'static str>,
}

/// Limits: what no template comes near.
const MOST_ATTRIBUTES: usize = 256;
const MOST_VALUES: usize = 1_024;

/// An entry is too large to be a template's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry with more than 256 attributes or 1024 values is no template")]
pub struct TooLarge;

impl Entry {
    /// An entry without attributes.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a value; names are compared without regard to case.
    pub fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), TooLarge> {
        let position = self.attributes.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
        let position = match position {
            Some(position) => position,
            None if self.attributes.len() >= MOST_ATTRIBUTES => return Err(TooLarge),
            None => {
                self.attributes.push((name.to_owned(), Vec::new()));
                self.attributes.len() - 1
            }
        };
        let Some((_, values)) = self.attributes.get_mut(position) else { return Err(TooLarge) };
        if values.len() >= MOST_VALUES {
            return Err(TooLarge);
        }
        values.push(value.into());
        Ok(())
    }

    /// The values of an attribute; none if it is not there.
    pub fn values(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, values)| values.as_slice())
    }

    /// The first value of an attribute, as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values(name).first().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The entry without an attribute.
    #[must_use]
    pub(super) fn without(mut self, name: &str) -> Self {
        self.attributes.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self
    }

    /// The entry without what says who may do what with it.
    #[must_use]
    pub fn without_permissions(&self) -> Self {
        Self { descriptor: None, note: None, ..self.clone() }
    }

    /// The attributes in the order in which they came.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.attributes.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The cn; without one the module's `name`, or the first part of the distinguished name.
    pub fn cn(&self) -> &str {
        let first = self.name.split(',').next().unwrap_or_default();
        let first =
            first.strip_prefix("CN=").or_else(|| first.strip_prefix("cn=")).unwrap_or(first);
        self.text("cn").or_else(|| self.text("name")).unwrap_or(first)
    }

    /// Whether it is one of AD CS's own templates: CT_FLAG_IS_DEFAULT in `flags`.
    pub fn is_built_in(&self) -> bool {
        let word = self.text("flags").and_then(|text| text.trim().parse::<i64>().ok());
        word.is_some_and(|word| word & i64::from(GeneralFlags::IS_DEFAULT.bits()) != 0)
    }

    /// Whether it is of this class.
    pub fn is_a(&self, class: &str) -> bool {
        self.values("objectClass").iter().any(|own| own.eq_ignore_ascii_case(class.as_bytes()))
    }
}
