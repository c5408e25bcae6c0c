//! The request of a GET (RFC 6960 §A.1): `{url}/{percent-encoded base64 of the DER}`, and what
//! clients and proxies make of it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::pki::ocsp::LARGEST_REQUEST;

/// The largest path that could hold a request: base64 and every octet of it percent-encoded.
const LARGEST_PATH: usize = LARGEST_REQUEST * 4;

/// Who left the padding out is understood, as is who left bits in it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The DER in what stands after the responder's own path, its slash included. Tolerated:
/// - more than one slash between the two, which a URL that ends in one leads to. (base64 itself
///   begins with `M`, so no slash of its own is lost. One further in cannot be doubled or halved
///   without harm: those stay as they are.)
/// - `+`, `/` and `=` as they are or percent-encoded, in either case of the digits;
/// - a blank where a `+` was: what decodes forms makes one of it;
/// - the letters that base64url has for `+` and `/`;
/// - line breaks, which some tools' base64 has.
pub fn request(rest: &str) -> Option<Vec<u8>> {
    let encoded = rest.trim_start_matches('/').as_bytes();
    if encoded.len() > LARGEST_PATH {
        return None;
    }
    let mut letters = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(octet) = encoded.get(at) {
        let letter = match octet {
            b'%' => {
                let digits = encoded.get(at + 1..at + 3)?;
                at += 2;
                digit(digits[0])? << 4 | digit(digits[1])?
            }
            other => *other,
        };
        at += 1;
        match letter {
            b' ' | b'-' => letters.push(b'+'),
            b'_' => letters.push(b'/'),
            b'\r' | b'\n' => {}
            other => letters.push(other),
        }
    }
    let leading = letters.iter().take_while(|letter| **letter == b'/').count();
    BASE64.decode(letters.get(leading..)?).ok()
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How each octet of the base64 may be written.
    fn written(letter: char, way: u8) -> String {
        match (way % 4, letter) {
            (1, _) => format!("%{:02X}", letter as u32),
            (2, _) => format!("%{:02x}", letter as u32),
            (3, '+') => "%20".to_owned(),
            _ => letter.to_string(),
        }
    }

    proptest! {
        #[test]
        fn every_way_of_writing_it_is_understood(
            content in prop::collection::vec(any::<u8>(), 0..300),
            slashes in 1usize..4,
            ways in prop::collection::vec(any::<u8>(), 500),
            padded: bool,
        ) {
            // A request is a SEQUENCE; its base64 begins with M.
            let der = [&[0x30], content.as_slice()].concat();
            let mut text = base64::engine::general_purpose::STANDARD.encode(&der);
            if !padded {
                text = text.trim_end_matches('=').to_owned();
            }
            let letters: String =
                text.chars().zip(&ways).map(|(letter, way)| written(letter, *way)).collect();
            let path = format!("{}{letters}", "/".repeat(slashes));
            prop_assert_eq!(request(&path).unwrap(), der);
        }

        #[test]
        fn any_path_is_refused_or_read(path in ".{0,200}") {
            let _ = request(&path);
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for path in ["/%", "/%4", "/%zz", "/M*", "/MA==MA==", "/M", "/é"] {
            assert_eq!(request(path), None, "{path}");
        }
        assert_eq!(request(&format!("/{}", "M".repeat(LARGEST_PATH + 1))), None);
        assert_eq!(request("/").as_deref(), Some(&[][..]));
    }

    #[test]
    fn double_slashes_inside_stay() {
        // 0x30 0x0f 0xff 0xff 0xff: "MA////8="
        for path in ["/MA////8=", "//MA////8=", "/MA%2F%2F%2f/8%3d", "/MA____8"] {
            assert_eq!(request(path).unwrap(), [0x30, 0x0f, 0xff, 0xff, 0xff], "{path}");
        }
    }
}
