//! What `certutil -v -template` and `certutil -v -dstemplate` print.
//!
//! Absent: output in another language than English, which is refused by the first word that is
//! not understood, because half of it would be guessed. Begin with [`read`]; `properties` is the
//! form of `-template`, `attributes` that of `-dstemplate`.

mod attributes;
mod properties;

use super::Unreadable;
use super::entry::Entry;

const MOST_TEMPLATES: usize = 2_000;

/// Whether the text is one of the two forms.
pub(super) fn recognises(text: &str) -> bool {
    is_properties(text) || text.lines().any(attributes::is_header)
}

fn is_properties(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("TemplateProp"))
}

/// Reads every template of the text.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    if is_properties(text) { properties::read(text) } else { attributes::read(text) }
}

/// `64 (100)` or `19`: hexadecimal, with the decimal form in brackets where the two differ.
fn hexadecimal(number: usize, text: &str) -> Result<i64, Unreadable> {
    let mistaken = || Unreadable::Line(number, "a number such as `64 (100)` is wanted");
    let mut words = text.split_whitespace();
    let digits = words.next().ok_or_else(mistaken)?;
    if !digits.bytes().all(|own| own.is_ascii_hexdigit()) {
        return Err(mistaken());
    }
    let value = u32::from_str_radix(digits, 16).map_err(|_| mistaken())?;
    match words.next() {
        None => Ok(i64::from(value)),
        Some(shown) => {
            let inner = shown.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let decimal: i64 = inner.and_then(|own| own.parse().ok()).ok_or_else(mistaken)?;
            // Windows prints flag words as signed or unsigned numbers of 32 bits.
            let same = decimal == i64::from(value) || decimal == i64::from(value.cast_signed());
            if same { Ok(i64::from(value)) } else { Err(mistaken()) }
        }
    }
}
