//! One table of a list of tables (`[[directory]]`, `[[notification]]`) while it is read: every key
//! once, every mistake with its line.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Item, Table, Value};

use super::mistake::{Mistake, Place};
use super::quantity;
use crate::directory::oidc::mapping::GroupForm;

/// One section while it is read.
pub(super) struct Section<'a> {
    /// The list's key.
    list: &'static str,
    pub(super) table: &'a Table,
    pub(super) place: &'a dyn Fn(Option<Range<usize>>) -> Place,
    pub(super) mistakes: &'a mut Vec<Mistake>,
    /// The keys that were asked for; others are mistakes.
    pub(super) read: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn of(
        list: &'static str,
        table: &'a Table,
        place: &'a dyn Fn(Option<Range<usize>>) -> Place,
        mistakes: &'a mut Vec<Mistake>,
    ) -> Self {
        Self { list, table, place, mistakes, read: Vec::new() }
    }

    /// `realm`: what stands before the backslash in the names of the directory's accounts.
    pub(super) fn realm(&mut self) -> String {
        let what = "what stands before the backslash in account names";
        let realm = self.needed("realm", what).unwrap_or_default();
        let forbidden = |letter: char| letter.is_control() || "\"/\\[]:;|=,+*?<>@".contains(letter);
        if realm.contains(forbidden) || realm.eq_ignore_ascii_case("builtin") {
            self.wrong(self.span("realm"), format!("{realm:?} is no realm"));
        }
        realm
    }

    pub(super) fn group_form(&mut self) -> GroupForm {
        match self.boolean("qualified_groups") {
            Some(true) => GroupForm::Qualified,
            _ => GroupForm::Plain,
        }
    }

    pub(super) fn item(&mut self, key: &'static str) -> Option<&Item> {
        self.read.push(key);
        self.table.get(key)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        let text = item.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        if text.is_none() {
            self.wrong(self.span(key), format!("{key} must be a text"));
        }
        text
    }

    pub(super) fn needed(&mut self, key: &'static str, what: &str) -> Option<String> {
        if self.table.get(key).is_none() {
            self.read.push(key);
            self.missing(key, what);
            return None;
        }
        self.text(key)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
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

    pub(super) fn names(&mut self, key: &'static str) -> Option<BTreeMap<String, String>> {
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

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.item(key)?.as_bool();
        if value.is_none() {
            self.wrong(self.span(key), format!("{key} must be true or false"));
        }
        value
    }

    pub(super) fn seconds(&mut self, key: &'static str, usual: u64) -> u64 {
        let Some(item) = self.item(key) else { return usual };
        match item.as_str().and_then(quantity::seconds) {
            Some(seconds) => seconds,
            None => {
                self.wrong(self.span(key), format!("{key} must be a time, such as \"60s\""));
                usual
            }
        }
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        usual: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> usize {
        let Some(item) = self.item(key) else { return usual };
        let number = item.as_integer().and_then(|number| usize::try_from(number).ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                let (from, to) = range.into_inner();
                let why = format!("{key} must be a number from {from} to {to}");
                self.wrong(self.span(key), why);
                usual
            }
        }
    }

    pub(super) fn unknown_keys(&mut self) {
        let table = self.table;
        for (key, item) in table {
            if !self.read.contains(&key) {
                let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
                let list = self.list;
                self.wrong(span, format!("no such setting {key:?} in this {list}"));
            }
        }
    }

    pub(super) fn missing(&mut self, key: &str, what: &str) {
        self.wrong(self.table.span(), format!("{key} is missing: {what}"));
    }

    pub(super) fn span(&self, key: &str) -> Option<Range<usize>> {
        let key_span = self.table.key(key).and_then(toml_edit::Key::span);
        key_span.or_else(|| self.table.get(key).and_then(Item::span))
    }

    pub(super) fn wrong(&mut self, span: Option<Range<usize>>, why: String) {
        self.mistakes.push(Mistake::new((self.place)(span), why));
    }
}
