//! LDIF ([RFC 2849]): what `ldifde -f` and `ldapsearch` write and `ldifde -i` reads.
//!
//! [RFC 2849]: https://www.rfc-editor.org/rfc/rfc2849

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Unreadable;
use super::entry::Entry;
use super::note::{MARK, Note};
use crate::pki::security_descriptor::SecurityDescriptor;

const MOST_RECORDS: usize = 2_000;
/// Where lines are folded; RFC 2849 note 2 wants at most 76 characters.
const WIDTH: usize = 76;
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Reads every record of a file.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut open: Option<Entry> = None;
    let mut note = String::new();
    for (number, line) in unfolded(text)? {
        let mistaken = |why: &'static str| Unreadable::Line(number, why);
        if line.is_empty() {
            entries.extend(open.take());
            if entries.len() > MOST_RECORDS {
                return Err(mistaken("more than 2000 records"));
            }
            continue;
        }
        if line.starts_with('#') {
            note.push_str(line.strip_prefix(MARK).unwrap_or_default());
            continue;
        }
        let (name, value) = pair(&line).map_err(mistaken)?;
        match (&mut open, name.to_ascii_lowercase().as_str()) {
            (None, "version") if entries.is_empty() && value == b"1" => (),
            (None, "version") => return Err(mistaken("only version 1 is read")),
            (None, "dn") => {
                let name = String::from_utf8(value).map_err(|_| mistaken("the dn is no text"))?;
                let note = Note::from_line(&std::mem::take(&mut note));
                open = Some(Entry { note, ..Entry::named(name) });
            }
            (None, _) => return Err(mistaken("a record begins with its dn")),
            (Some(_), "dn") => return Err(mistaken("an empty line is missing before this dn")),
            (Some(_), "changetype") if value.eq_ignore_ascii_case(b"add") => (),
            (Some(_), "changetype") => {
                return Err(mistaken("only whole entries are read (changetype add or none)"));
            }
            (Some(_), "control") => return Err(mistaken("controls are not read")),
            (Some(entry), _) if name.eq_ignore_ascii_case(DESCRIPTOR) => {
                let descriptor = SecurityDescriptor::read(&value)
                    .map_err(|error| Unreadable::Descriptor(number, error.to_string()))?;
                if entry.descriptor.replace(descriptor).is_some() {
                    return Err(mistaken("a second nTSecurityDescriptor"));
                }
            }
            (Some(entry), _) => {
                entry.add(name, value).map_err(|_| mistaken("the entry is too large"))?;
            }
        }
    }
    entries.extend(open);
    Ok(entries)
}

/// Lines with their numbers, folded ones joined (RFC 2849 §2: a line that begins with a space
/// continues the one before).
fn unfolded(text: &str) -> Result<Vec<(usize, String)>, Unreadable> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some((_, last))) if !last.is_empty() => last.push_str(rest),
            (Some(_), _) => {
                return Err(Unreadable::Line(index + 1, "there is no line that this continues"));
            }
            (None, _) => lines.push((index + 1, line.to_owned())),
        }
    }
    Ok(lines)
}

/// `name: value`, `name:: base64`; `name:< url` is refused, because nothing is fetched here.
fn pair(line: &str) -> Result<(&str, Vec<u8>), &'static str> {
    let (name, rest) = line.split_once(':').ok_or("no colon")?;
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b';' | b'.');
    if name.is_empty() || !name.bytes().all(letters) {
        return Err("what stands before the colon is no attribute");
    }
    let value = match rest.as_bytes() {
        [b':', ..] => {
            let coded = rest.trim_start_matches(':').trim_matches(' ');
            STANDARD.decode(coded).map_err(|_| "the value is no base64")?
        }
        [b'<', ..] => return Err("a value from elsewhere (`:<`) is not fetched"),
        _ => rest.trim_start_matches(' ').as_bytes().to_vec(),
    };
    Ok((name, value))
}

/// Writes records as `ldifde -i` reads them: each is added, lines end in CR LF, and there is no
/// line `version: 1`, which `ldifde` does not write and Samba's reader does not take.
pub(super) fn write(entries: &[Entry]) -> Result<String, Unreadable> {
    let mut out = String::new();
    for entry in entries {
        if !out.is_empty() {
            out.push_str("\r\n");
        }
        if let Some(note) = &entry.note {
            remark(&mut out, &note.line());
        }
        put(&mut out, &line("dn", entry.name.as_bytes()));
        put(&mut out, "changetype: add");
        for (name, values) in entry.attributes() {
            for value in values {
                put(&mut out, &line(name, value));
            }
        }
        if let Some(descriptor) = &entry.descriptor {
            let octets =
                descriptor.write().map_err(|error| Unreadable::Descriptor(0, error.to_string()))?;
            put(&mut out, &format!("{DESCRIPTOR}:: {}", STANDARD.encode(octets)));
        }
    }
    Ok(out)
}

/// A value that is no SAFE-STRING of RFC 2849, or ends in a space, is written in base64.
fn line(name: &str, value: &[u8]) -> String {
    let safe = |octet: &u8| matches!(octet, 0x01..=0x09 | 0x0b | 0x0c | 0x0e..=0x7f);
    let begins_badly = value.first().is_some_and(|own| matches!(own, b' ' | b':' | b'<'));
    match std::str::from_utf8(value) {
        Ok(text) if value.iter().all(safe) && !begins_badly && !text.ends_with(' ') => {
            format!("{name}: {text}")
        }
        _ => format!("{name}:: {}", STANDARD.encode(value)),
    }
}

/// A comment in as many lines as it needs: readers differ on folded comments.
fn remark(out: &mut String, text: &str) {
    let mut room = 0;
    for letter in text.chars() {
        if room < letter.len_utf8() {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push_str("\r\n");
            }
            out.push_str(MARK);
            room = WIDTH - MARK.len();
        }
        out.push(letter);
        room -= letter.len_utf8();
    }
    out.push_str("\r\n");
}

/// Folds on borders of characters.
fn put(out: &mut String, line: &str) {
    let mut column = 0;
    for letter in line.chars() {
        if column + letter.len_utf8() > WIDTH {
            out.push_str("\r\n ");
            column = 1;
        }
        out.push(letter);
        column += letter.len_utf8();
    }
    out.push_str("\r\n");
}
