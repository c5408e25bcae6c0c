//! Reads the TOML file into texts with their lines; unknown keys and other shapes are refused.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, Value as Toml};

use super::directory::{self, DirectorySection};
use super::mistake::{Mistake, Place};
use super::notification::{self, NotificationSection};
use super::table::{Values, settings};

/// What stands in the file.
#[derive(Default)]
pub(super) struct Read {
    /// The values, in its order.
    pub values: Vec<super::Value>,
    /// The sections `[[directory]]`.
    pub directories: Vec<DirectorySection>,
    /// The sections `[[notification]]`.
    pub notifications: Vec<NotificationSection>,
}

/// Reads the file's text.
pub(super) fn read(path: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> Read {
    let place = |span: Option<Range<usize>>| {
        let line = span.map(|span| line_of(text, span.start));
        Place::File(path.to_owned(), line)
    };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let why = error.message().trim().replace('\n', ", ");
            mistakes.push(Mistake::new(place(error.span()), why));
            return Read::default();
        }
    };
    let mut found = Vec::new();
    let table = document.as_table();
    for (name, item) in table {
        if [directory::SECTIONS, notification::SECTIONS].contains(&name) {
            continue;
        }
        let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
        let place = place(span);
        let Some(setting) = settings().find(|setting| setting.key == name) else {
            mistakes.push(Mistake::new(place, unknown(name)));
            continue;
        };
        match texts(item, setting.values) {
            Some(values) => found.push(super::Value { key: name.to_owned(), values, place }),
            None => {
                let why = format!("{name} must be {}", setting.wanted);
                mistakes.push(Mistake::new(place, why));
            }
        }
    }
    Read {
        values: found,
        directories: directory::sections(&document, &place, mistakes),
        notifications: notification::sections(&document, &place, mistakes),
    }
}

fn texts(item: &Item, values: Values) -> Option<Vec<String>> {
    let scalar = |value: &Toml| match value {
        Toml::String(text) => Some(text.value().clone()),
        Toml::Integer(number) => Some(number.value().to_string()),
        Toml::Boolean(word) => Some(word.value().to_string()),
        _ => None,
    };
    match (item.as_value()?, values) {
        (Toml::Array(list), Values::Several) => list.iter().map(scalar).collect(),
        (value, _) => scalar(value).map(|text| vec![text]),
    }
}

/// Names the key that was probably meant.
fn unknown(name: &str) -> String {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let alike =
        |own: &&str| letters(own).trim_end_matches('s') == letters(name).trim_end_matches('s');
    match settings().map(|setting| setting.key).find(alike) {
        Some(meant) => format!("no such setting {name:?}; {meant:?} is one"),
        None => format!("no such setting {name:?}"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|octet| *octet == b'\n').count()
}
