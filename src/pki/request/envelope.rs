//! The forms in which a request arrives: PEM, DER or bare base64.

use std::borrow::Cow;

use der::{Decode, Encode, Header, Length, SliceReader};

use super::RequestError;
use crate::pki::bundle::pem;

const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// The DER inside what was sent.
pub(super) fn open(sent: &[u8]) -> Result<Cow<'_, [u8]>, RequestError> {
    // DER's first octet is also the digit 0, but base64 of a SEQUENCE begins with an M.
    if sent.first() == Some(&0x30) {
        return Ok(Cow::Borrowed(sent));
    }
    let text = std::str::from_utf8(sent).map_err(|_| RequestError::NotARequest)?;
    if !text.contains("-----BEGIN") {
        return pem::decode_base64(text).map(Cow::Owned).ok_or(RequestError::NotARequest);
    }
    let (blocks, after) = pem::read(text).map_err(|_| RequestError::NotARequest)?;
    match blocks.as_slice() {
        [block] if !LABELS.contains(&block.label.as_str()) => Err(RequestError::NotARequest),
        [_] if !after.trim().is_empty() => Err(RequestError::TrailingBytes),
        [block] => Ok(Cow::Owned(block.der.clone())),
        [] => Err(RequestError::NotARequest),
        [_, _, ..] => Err(RequestError::TwoPemBlocks),
    }
}

/// That the outermost element ends where the bytes do.
pub(super) fn check_length(der: &[u8]) -> Result<(), RequestError> {
    let header = Header::decode(&mut SliceReader::new(der)?)?;
    let length = (header.encoded_len()? + header.length())?;
    match length.cmp(&Length::try_from(der.len())?) {
        std::cmp::Ordering::Less => Err(RequestError::TrailingBytes),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(RequestError::NotARequest),
    }
}
