//! Distinguished names as text: RFC 4514 in and out, and Windows' own form out.

use der::asn1::{Any, AnyRef, ObjectIdentifier};
use der::{Decode, Encode};
use x509_cert::attr::AttributeTypeAndValue;

use super::{Attribute, NameError, attribute};

/// Reads RFC 4514 text into attributes in the order of the encoding.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<AttributeTypeAndValue>>, NameError> {
    let mut names = Vec::new();
    if text.trim().is_empty() {
        return Ok(names);
    }
    let mut cursor = Cursor { letters: text.chars().collect(), at: 0 };
    loop {
        let mut attributes = vec![cursor.attribute()?];
        while cursor.peek() == Some('+') {
            cursor.at += 1;
            attributes.push(cursor.attribute()?);
        }
        names.push(attributes);
        match cursor.peek() {
            None => break,
            // An attribute ends before a comma or a plus, or at the end.
            Some(_) => cursor.at += 1,
        }
    }
    names.reverse();
    Ok(names)
}

struct Cursor {
    letters: Vec<char>,
    at: usize,
}

impl Cursor {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn wrong(&self, problem: &'static str) -> NameError {
        NameError::Syntax { problem, position: self.at + 1 }
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    /// `key = value`, up to a separator.
    fn attribute(&mut self) -> Result<AttributeTypeAndValue, NameError> {
        let oid = self.key()?;
        self.skip_spaces();
        if self.peek() == Some('#') {
            let value = self.hexadecimal_value()?;
            return encoded_value(&oid, &value).ok_or_else(|| self.wrong("no DER after #"))?;
        }
        attribute::encode(&oid, &self.value()?)
    }

    fn key(&mut self) -> Result<ObjectIdentifier, NameError> {
        self.skip_spaces();
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) {
            self.at += 1;
        }
        let key: String = self.letters[start..self.at].iter().collect();
        self.skip_spaces();
        if key.is_empty() || self.peek() != Some('=') {
            return Err(self.wrong("a key and an equals sign are expected"));
        }
        self.at += 1;
        let dotted = key.strip_prefix("OID.").or(key.strip_prefix("oid.")).unwrap_or(&key);
        let known = attribute::KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&key));
        known
            .map(|(_, oid)| *oid)
            .or_else(|| ObjectIdentifier::new(dotted).ok())
            .ok_or(NameError::UnknownAttribute { key })
    }

    /// A value in characters and escapes; spaces around it do not count unless escaped.
    fn value(&mut self) -> Result<String, NameError> {
        let mut octets = Vec::new();
        // How much of `octets` stays when unescaped spaces at the end go.
        let mut kept = 0;
        while let Some(letter) = self.peek() {
            match letter {
                ',' | '+' => break,
                '\\' => {
                    self.escape(&mut octets)?;
                    kept = octets.len();
                    continue;
                }
                '"' | ';' | '<' | '>' => return Err(self.wrong("a character to be escaped")),
                ' ' => octets.push(b' '),
                _ => {
                    octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    kept = octets.len();
                }
            }
            self.at += 1;
        }
        octets.truncate(kept);
        String::from_utf8(octets).map_err(|_| self.wrong("escaped octets that are not UTF-8"))
    }

    /// `\,` and the like, or `\` and two hexadecimal digits that stand for one octet of UTF-8.
    fn escape(&mut self, octets: &mut Vec<u8>) -> Result<(), NameError> {
        self.at += 1;
        match self.peek() {
            Some(letter) if " \"#+,;<=>\\".contains(letter) => {
                octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                self.at += 1;
                Ok(())
            }
            _ => self.octet().map(|octet| octets.push(octet)),
        }
    }

    fn octet(&mut self) -> Result<u8, NameError> {
        let digit = |at: usize| self.letters.get(at).and_then(|letter| letter.to_digit(16));
        let (Some(high), Some(low)) = (digit(self.at), digit(self.at + 1)) else {
            return Err(self.wrong("two hexadecimal digits are expected"));
        };
        self.at += 2;
        Ok((high * 16 + low) as u8)
    }

    /// `#` and the DER of the value in hexadecimal digits.
    fn hexadecimal_value(&mut self) -> Result<Vec<u8>, NameError> {
        self.at += 1;
        let mut value = Vec::new();
        while self.peek().is_some_and(|letter| !matches!(letter, ',' | '+' | ' ')) {
            value.push(self.octet()?);
        }
        self.skip_spaces();
        match self.peek() {
            None | Some(',' | '+') => Ok(value),
            Some(_) => Err(self.wrong("a separator is expected")),
        }
    }
}

/// The attribute whose value is given as DER, if that is what it is.
fn encoded_value(
    oid: &ObjectIdentifier,
    der: &[u8],
) -> Option<Result<AttributeTypeAndValue, NameError>> {
    let value = Any::from_der(der).ok()?;
    let checked =
        attribute::decode(oid, AnyRef::from(&value)).and_then(|text| attribute::check(oid, &text));
    Some(checked.map(|()| AttributeTypeAndValue { oid: *oid, value }))
}

/// RFC 4514 text: most specific first; a type without a key has its value in DER (§2.4).
pub(super) fn write(names: &[Vec<Attribute<'_>>]) -> String {
    let relative = names.iter().rev().map(|attributes| {
        let parts = attributes.iter().map(|attribute| {
            let key = attribute::key(&attribute.oid);
            if key.starts_with(|first: char| first.is_ascii_digit()) {
                format!("{key}=#{}", value_in_hex(attribute))
            } else {
                format!("{key}={}", escaped(&attribute.text))
            }
        });
        parts.collect::<Vec<_>>().join("+")
    });
    relative.collect::<Vec<_>>().join(",")
}

fn value_in_hex(attribute: &Attribute<'_>) -> String {
    // Read from DER, so that it writes.
    let der = attribute.value.to_der().unwrap_or_default();
    der.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// RFC 4514 §2.4.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (position, letter) in text.chars().enumerate() {
        let special = "\"+,;<>\\".contains(letter)
            || letter == ' ' && (position == 0 || position == last)
            || letter == '#' && position == 0;
        if special {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Windows' CertNameToStr form in the order of the encoding: `S` for a state, `OID.` before a
/// type without a key, quotes round a value with special characters.
pub(super) fn write_forward(names: &[Vec<Attribute<'_>>]) -> String {
    let relative = names.iter().map(|attributes| {
        let parts = attributes.iter().map(|attribute| {
            let key = match attribute::key(&attribute.oid) {
                key if key == "ST" => "S".to_owned(),
                // Neither the user id nor any lower-case key is one of Windows' own.
                key if key == "UID" || key.starts_with(|c: char| !c.is_ascii_uppercase()) => {
                    format!("OID.{}", attribute.oid)
                }
                key => key,
            };
            format!("{key}={}", quoted(&attribute.text))
        });
        parts.collect::<Vec<_>>().join(" + ")
    });
    relative.collect::<Vec<_>>().join(",")
}

fn quoted(text: &str) -> String {
    let special = text.contains(|letter| ",+=\"<>#;".contains(letter));
    if special || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
