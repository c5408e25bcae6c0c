//! The textual encoding of RFC 7468.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands after `BEGIN`.
    pub label: String,
    /// The octets.
    pub der: Vec<u8>,
}

/// A block is not closed, its labels differ, or what is inside is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in the textual encoding of RFC 7468 (PEM)")]
pub struct NotPem;

/// The blocks in `text`, and what follows the last one. Text before and between is passed over.
pub fn read(text: &str) -> Result<(Vec<Block>, &str), NotPem> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, from_label)) = rest.split_once("-----BEGIN ") {
        let (label, body) = from_label.split_once("-----").ok_or(NotPem)?;
        let (body, from_end) = body.split_once("-----END ").ok_or(NotPem)?;
        rest = from_end
            .strip_prefix(label)
            .and_then(|after| after.strip_prefix("-----"))
            .ok_or(NotPem)?;
        let der = decode_base64(body).ok_or(NotPem)?;
        blocks.push(Block { label: label.to_owned(), der });
    }
    Ok((blocks, rest))
}

/// One block, lines of 64 characters, a newline at the end.
pub fn write(label: &str, der: &[u8]) -> String {
    const LINE_OCTETS: usize = 48;
    let lines = der.len().div_ceil(LINE_OCTETS);
    let mut out = String::with_capacity(65 * lines + 2 * label.len() + 32);
    for part in ["-----BEGIN ", label, "-----\n"] {
        out.push_str(part);
    }
    for line in der.chunks(LINE_OCTETS) {
        STANDARD.encode_string(line, &mut out);
        out.push('\n');
    }
    for part in ["-----END ", label, "-----\n"] {
        out.push_str(part);
    }
    out
}

/// Base64 with white space anywhere; not nothing.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let dense: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    if dense.is_empty() { None } else { STANDARD.decode(dense).ok() }
}
