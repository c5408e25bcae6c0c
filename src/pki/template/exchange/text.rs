//! Octets of a file as text: UTF-8, or what Windows writes.

/// The file is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither UTF-8 nor UTF-16 with a byte order mark; save the file as UTF-8")]
pub struct NotText;

/// Reads UTF-8 with or without a byte order mark, or UTF-16 with one (`ldifde -u`, PowerShell's `>`).
pub fn decoded(octets: &[u8]) -> Result<String, NotText> {
    match octets {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        octets => utf8(octets),
    }
}

fn utf8(octets: &[u8]) -> Result<String, NotText> {
    let text = std::str::from_utf8(octets).map_err(|_| NotText)?;
    if text.contains('\0') { Err(NotText) } else { Ok(text.to_owned()) }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (pairs, []) = octets.as_chunks::<2>() else { return Err(NotText) };
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| NotText)?;
    if text.contains('\0') { Err(NotText) } else { Ok(text) }
}
