//! The sections `[[directory]]` of the settings file: who answers for which accounts. They stand
//! in the file only. Every mistake is told with its line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml_edit::{Document, Item, Table, Value};

use super::mistake::{Mistake, Place};
use super::quantity;
use crate::directory::oidc::keys::Pace;
use crate::directory::oidc::mapping::{Attributes, GroupForm, Mapping, Source};
use crate::directory::oidc::{ALGORITHMS, Settings};
use crate::pki::account::AccountKind;

/// The key of the sections.
pub(super) const SECTIONS: &str = "directory";

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSection {
    /// What tokens must be and how they become accounts.
    pub settings: Settings,
    /// How often keys are fetched.
    pub pace: Pace,
    /// PEM file of the roots that the provider's TLS certificate leads to; the system's if none.
    pub root_file: Option<PathBuf>,
}

/// Reads every section of a document that parses.
pub(super) fn sections(
    document: &Document<&str>,
    place: &dyn Fn(Option<Range<usize>>) -> Place,
    mistakes: &mut Vec<Mistake>,
) -> Vec<OidcSection> {
    let Some(item) = document.as_table().get(SECTIONS) else { return Vec::new() };
    let Some(tables) = item.as_array_of_tables() else {
        let why = "directory is a list of tables: write [[directory]]".to_owned();
        mistakes.push(Mistake::new(place(item.span()), why));
        return Vec::new();
    };
    let mut found: Vec<OidcSection> = Vec::new();
    for table in tables {
        let mut section = Section { table, place, mistakes, read: Vec::new() };
        let Some(read) = section.read() else { continue };
        let own = &read.settings;
        let alike = found.iter().any(|other| {
            let other = &other.settings;
            other.issuer == own.issuer
                || other.mapping.realm.eq_ignore_ascii_case(&own.mapping.realm)
        });
        if alike {
            section.wrong(table.span(), "another directory has this issuer or realm".to_owned());
        }
        found.push(read);
    }
    found
}

/// One section while it is read.
struct Section<'a> {
    table: &'a Table,
    place: &'a dyn Fn(Option<Range<usize>>) -> Place,
    mistakes: &'a mut Vec<Mistake>,
    /// The keys that were asked for; others are mistakes.
    read: Vec<&'static str>,
}

impl Section<'_> {
    fn read(&mut self) -> Option<OidcSection> {
        let before = self.mistakes.len();
        match self.needed("kind", "oidc")?.as_str() {
            "oidc" => {}
            other => {
                let why = format!("{other:?} is no kind of directory: oidc");
                self.wrong(self.span("kind"), why);
                return None;
            }
        }
        let realm = self.needed("realm", "what stands before the backslash in account names");
        let issuer = self.needed("issuer", "the tokens' iss, an https:// URL");
        let audiences = self.texts("audience");
        let settings = Settings {
            clients: self.texts("client").unwrap_or_default(),
            algorithms: self.algorithms(),
            clock_skew_seconds: self.seconds("clock_skew", 60),
            mapping: Mapping {
                realm: realm.unwrap_or_default(),
                name: self.text("name_claim").unwrap_or_else(|| "preferred_username".to_owned()),
                source: self.source(),
            },
            issuer: issuer.unwrap_or_default(),
            audiences: audiences.unwrap_or_default(),
        };
        let pace = Pace {
            least_seconds: self.seconds("refetch", 30),
            life_seconds: self.seconds("keys_life", 3600),
            patience: Duration::from_secs(self.seconds("timeout", 5)),
        };
        let root_file = self.text("root_file").map(PathBuf::from);
        self.check(&settings);
        self.unknown_keys();
        (self.mistakes.len() == before).then_some(OidcSection { settings, pace, root_file })
    }

    fn source(&mut self) -> Source {
        match self.text("account_from").as_deref() {
            None | Some("token") => Source::Token(Box::new(self.attributes())),
            Some("builtin") => Source::Directory(None),
            Some(realm) => Source::Directory(Some(realm.to_owned())),
        }
    }

    fn attributes(&mut self) -> Attributes {
        let kind = match self.text("account_kind") {
            None => AccountKind::User,
            Some(word) => AccountKind::from_word(&word).unwrap_or_else(|| {
                let why = format!("{word:?} is not user, computer or service");
                self.wrong(self.span("account_kind"), why);
                AccountKind::User
            }),
        };
        let group_form = match self.boolean("qualified_groups") {
            Some(true) => GroupForm::Qualified,
            _ => GroupForm::Plain,
        };
        Attributes {
            kind,
            cn: self.text("cn_claim"),
            display_name: self.text("display_name_claim"),
            distinguished_name: self.text("distinguished_name_claim"),
            user_principal_name: self.text("upn_claim"),
            mail: self.text("mail_claim"),
            dns_host_name: self.text("dns_host_name_claim"),
            object_sid: self.text("sid_claim"),
            object_guid: self.text("guid_claim"),
            groups: self.text("groups_claim"),
            group_names: self.names("groups"),
            group_form,
        }
    }

    fn algorithms(&mut self) -> Vec<jsonwebtoken::Algorithm> {
        let Some(words) = self.texts("algorithms") else { return ALGORITHMS.to_vec() };
        let mut found = Vec::new();
        for word in words {
            match ALGORITHMS.into_iter().find(|known| format!("{known:?}") == word) {
                Some(algorithm) => found.push(algorithm),
                None => {
                    let why = format!("{word:?} is not RS256, PS256, ES256, ES384 or EdDSA");
                    self.wrong(self.span("algorithms"), why);
                }
            }
        }
        found
    }

    /// What only shows once it is read.
    fn check(&mut self, settings: &Settings) {
        if !settings.issuer.is_empty() && !settings.issuer.starts_with("https://") {
            self.wrong(self.span("issuer"), "issuer must be an https:// URL".to_owned());
        }
        let realm = &settings.mapping.realm;
        let forbidden = |letter: char| letter.is_control() || "\"/\\[]:;|=,+*?<>@".contains(letter);
        if realm.contains(forbidden) || realm.eq_ignore_ascii_case("builtin") {
            self.wrong(self.span("realm"), format!("{realm:?} is no realm"));
        }
        if settings.audiences.is_empty() {
            self.missing("audience", "the tokens' aud, one or several");
        }
    }

    fn item(&mut self, key: &'static str) -> Option<&Item> {
        self.read.push(key);
        self.table.get(key)
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        let text = item.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        if text.is_none() {
            self.wrong(self.span(key), format!("{key} must be a text"));
        }
        text
    }

    fn needed(&mut self, key: &'static str, what: &str) -> Option<String> {
        if self.table.get(key).is_none() {
            self.read.push(key);
            self.missing(key, what);
            return None;
        }
        self.text(key)
    }

    fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let item = self.item(key)?;
        let list = match item.as_value() {
            Some(Value::String(text)) => Some(vec![text.value().clone()]),
            Some(Value::Array(list)) => {
                list.iter().map(|value| value.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        let list: Option<Vec<String>> = list;
        let list = list.filter(|list| !list.is_empty() && list.iter().all(|text| !text.is_empty()));
        if list.is_none() {
            self.wrong(self.span(key), format!("{key} must be a text or a list of texts"));
        }
        list
    }

    fn names(&mut self, key: &'static str) -> Option<BTreeMap<String, String>> {
        let item = self.item(key)?;
        let pairs = item.as_table_like().and_then(|table| {
            let pair =
                |(name, item): (&str, &Item)| Some((name.to_owned(), item.as_str()?.to_owned()));
            table.iter().map(pair).collect::<Option<BTreeMap<_, _>>>()
        });
        if pairs.is_none() {
            let why = format!("{key} must be a table from the provider's names to ours");
            self.wrong(self.span(key), why);
        }
        pairs
    }

    fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.item(key)?.as_bool();
        if value.is_none() {
            self.wrong(self.span(key), format!("{key} must be true or false"));
        }
        value
    }

    fn seconds(&mut self, key: &'static str, usual: u64) -> u64 {
        let Some(item) = self.item(key) else { return usual };
        match item.as_str().and_then(quantity::seconds) {
            Some(seconds) => seconds,
            None => {
                self.wrong(self.span(key), format!("{key} must be a time, such as \"60s\""));
                usual
            }
        }
    }

    fn unknown_keys(&mut self) {
        let table = self.table;
        for (key, item) in table {
            if !self.read.contains(&key) {
                let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
                self.wrong(span, format!("no such setting {key:?} in this directory"));
            }
        }
    }

    fn missing(&mut self, key: &str, what: &str) {
        self.wrong(self.table.span(), format!("{key} is missing: {what}"));
    }

    fn span(&self, key: &str) -> Option<Range<usize>> {
        let key_span = self.table.key(key).and_then(toml_edit::Key::span);
        key_span.or_else(|| self.table.get(key).and_then(Item::span))
    }

    fn wrong(&mut self, span: Option<Range<usize>>, why: String) {
        self.mistakes.push(Mistake::new((self.place)(span), why));
    }
}
