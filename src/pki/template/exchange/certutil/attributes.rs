//! `certutil -v -dstemplate`: a block `[Administrator]` for each template, the directory's
//! attributes as `name = "value"`, the bits of flag words below (those not set in brackets).

use super::super::Unreadable;
use super::super::entry::Entry;
use super::super::span;
use super::MOST_TEMPLATES;

/// Attributes whose values are printed in other forms than they are stored in.
const SPANS: [&str; 2] = ["pKIExpirationPeriod", "pKIOverlapPeriod"];
const OCTETS: &str = "pKIKeyUsage";
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// `[Administrator]`
pub(super) fn is_header(line: &str) -> bool {
    let inner = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|name| !name.is_empty() && !name.contains(['[', ']', '"', '{', ',']))
}

pub(super) fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut attribute: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if is_header(line) {
            if entries.len() >= MOST_TEMPLATES {
                return Err(Unreadable::Line(number, "more than 2000 templates"));
            }
            entries.push(Entry::named(line.trim().trim_matches(['[', ']'])));
            attribute = None;
            continue;
        }
        let Some(entry) = entries.last_mut() else { continue };
        let values = match assignment(line) {
            Some((name, rest)) => {
                attribute = Some(name);
                rest
            }
            None => line,
        };
        let Some(name) = attribute else { continue };
        for value in
            quoted(values).ok_or(Unreadable::Line(number, "a quotation mark is missing"))?
        {
            put(entry, number, name, value)?;
        }
    }
    Ok(entries.into_iter().filter(|entry| entry.attributes().next().is_some()).collect())
}

/// `name =`, where the name is an attribute's: letters, digits and hyphens.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once('=')?;
    let name = name.trim();
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    (!name.is_empty() && name.bytes().all(plain)).then_some((name, rest))
}

/// What stands between quotation marks; what stands between them is for people.
fn quoted(text: &str) -> Option<Vec<&str>> {
    let mut pieces = text.split('"');
    pieces.next();
    let mut values = Vec::new();
    while let Some(value) = pieces.next() {
        pieces.next()?;
        values.push(value);
    }
    Some(values)
}

fn put(entry: &mut Entry, number: usize, name: &str, value: &str) -> Result<(), Unreadable> {
    let many = |_| Unreadable::Line(number, "too many values");
    if SPANS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        let octets = span::seconds_of_certutil(value).and_then(span::octets);
        return entry.add(name, octets.ok_or(Unreadable::NotEnglish(number))?).map_err(many);
    }
    if name.eq_ignore_ascii_case(OCTETS) {
        let octets = octets(value).ok_or(Unreadable::Line(number, "octets are wanted"))?;
        return entry.add(name, octets).map_err(many);
    }
    if name.eq_ignore_ascii_case(DESCRIPTOR) {
        let wrong = |error| Unreadable::Descriptor(number, format!("{error}"));
        entry.descriptor = Some(value.parse().map_err(wrong)?);
        return Ok(());
    }
    entry.add(name, value).map_err(many)
}

/// `a0 00`
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let octet = |pair: &str| (pair.len() <= 2).then(|| u8::from_str_radix(pair, 16).ok())?;
    let octets: Option<Vec<u8>> =
        text.split([' ', ',']).filter(|own| !own.is_empty()).map(octet).collect();
    octets.filter(|octets| (1..=2).contains(&octets.len()))
}
