//! What an export says beside the directory's attributes, because Active Directory has no place
//! for it: the template as this CA holds it. In LDIF it is a comment, which `ldifde -i` passes
//! over; in JSON a key, which the PowerShell module passes over.
//!
//! A note never counts for more than the attributes: it is believed only if exporting its
//! template again gives the very attributes it stands beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pki::security_descriptor::Sid;
use crate::pki::template::TemplateFile;

/// What stands before each line of it in LDIF.
pub(super) const MARK: &str = "# chancery: ";
/// Its key in JSON.
pub(super) const KEY: &str = "chancery";

/// The note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The template with its whole OID.
    pub template: TemplateFile,
    /// The security identifiers in the descriptor beside it, by the names they stand for:
    /// `group VPN Users`, `account bob`.
    pub principals: BTreeMap<String, String>,
}

impl Note {
    /// As one line.
    pub(super) fn line(&self) -> String {
        // A structure of strings, numbers and lists always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From one line; what does not read is no note.
    pub(super) fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The identifiers by name.
    pub(super) fn sids(&self) -> BTreeMap<String, Sid> {
        let read = |(name, sid): (&String, &String)| Some((name.clone(), sid.parse().ok()?));
        self.principals.iter().filter_map(read).collect()
    }
}
