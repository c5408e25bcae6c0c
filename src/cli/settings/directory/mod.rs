//! The sections `[[directory]]` of the settings file: who answers for which accounts. They stand
//! in the file only, secrets never in it. Every mistake is told with its line.
//!
//! `section` (beside this room) reads one table's keys; `oidc` and `ldap` know which there are. Begin with
//! [`DirectorySection`].

mod ldap;
mod oidc;

use std::ops::Range;

use toml_edit::{Document, Table};

pub use ldap::{LdapSection, Secret};
pub use oidc::OidcSection;

use super::mistake::{Mistake, Place};
use super::section::Section;
use crate::directory::oidc::mapping::Source;

/// The key of the sections.
pub(super) const SECTIONS: &str = "directory";

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectorySection {
    /// `kind = "ldap"`: Active Directory.
    Ldap(LdapSection),
    /// `kind = "oidc"`: an OpenID Connect provider.
    Oidc(OidcSection),
}

impl DirectorySection {
    fn realm(&self) -> &str {
        match self {
            Self::Ldap(own) => &own.domain.realm,
            Self::Oidc(own) => &own.settings.mapping.realm,
        }
    }

    /// Why both cannot be there.
    fn clash(&self, other: &Self) -> Option<&'static str> {
        if self.realm().eq_ignore_ascii_case(other.realm()) {
            return Some("another directory has this issuer or realm");
        }
        match (self, other) {
            (Self::Oidc(own), Self::Oidc(other)) => (own.settings.issuer == other.settings.issuer)
                .then_some("another directory has this issuer or realm"),
            (Self::Ldap(own), Self::Ldap(other)) => own.clash(other),
            _ => None,
        }
    }
}

/// Reads every section of a document that parses.
pub(super) fn sections(
    document: &Document<&str>,
    place: &dyn Fn(Option<Range<usize>>) -> Place,
    mistakes: &mut Vec<Mistake>,
) -> Vec<DirectorySection> {
    let Some(item) = document.as_table().get(SECTIONS) else { return Vec::new() };
    let Some(tables) = item.as_array_of_tables() else {
        let why = "directory is a list of tables: write [[directory]]".to_owned();
        mistakes.push(Mistake::new(place(item.span()), why));
        return Vec::new();
    };
    let mut found: Vec<(DirectorySection, &Table)> = Vec::new();
    let before = mistakes.len();
    for table in tables {
        let mut section = Section::of(SECTIONS, table, place, mistakes);
        let Some(read) = section.read() else { continue };
        if let Some(why) = found.iter().find_map(|(other, _)| read.clash(other)) {
            section.wrong(table.span(), why.to_owned());
        }
        found.push((read, table));
    }
    if mistakes.len() == before {
        named_directories_are_there(&found, place, mistakes);
    }
    found.into_iter().map(|(section, _)| section).collect()
}

/// A provider whose tokens only name accounts names them in a directory that is there.
fn named_directories_are_there(
    found: &[(DirectorySection, &Table)],
    place: &dyn Fn(Option<Range<usize>>) -> Place,
    mistakes: &mut Vec<Mistake>,
) {
    for (section, table) in found {
        let DirectorySection::Oidc(own) = section else { continue };
        let Source::Directory(Some(realm)) = &own.settings.mapping.source else { continue };
        let is_there = found.iter().any(|(other, _)| {
            matches!(other, DirectorySection::Ldap(_)) && other.realm().eq_ignore_ascii_case(realm)
        });
        if !is_there {
            let why =
                format!("account_from: no directory of kind \"ldap\" has the realm {realm:?}");
            mistakes.push(Mistake::new(place(table.span()), why));
        }
    }
}

impl Section<'_> {
    fn read(&mut self) -> Option<DirectorySection> {
        match self.needed("kind", "ldap or oidc")?.as_str() {
            "ldap" => self.ldap().map(DirectorySection::Ldap),
            "oidc" => self.oidc().map(DirectorySection::Oidc),
            other => {
                let why = format!("{other:?} is no kind of directory: ldap, oidc");
                self.wrong(self.span("kind"), why);
                None
            }
        }
    }
}
