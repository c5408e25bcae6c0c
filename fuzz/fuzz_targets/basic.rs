//! `Authorization`: a credential, or 401; a name and password are those that were sent.
#![no_main]

use axum::http::{HeaderMap, HeaderValue, header};
use chancery::http::credentials::Credential;
use chancery::http::peer::Peer;
use libfuzzer_sys::fuzz_target;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 §4, by another hand than the one that reads it.
fn base64(octets: &[u8]) -> String {
    let mut text = String::new();
    for three in octets.chunks(3) {
        let number = three.iter().fold(0u32, |number, octet| number << 8 | u32::from(*octet));
        let number = number << (8 * (3 - three.len()));
        for place in 0..4 {
            match place <= three.len() {
                true => text.push(char::from(DIGITS[(number >> (18 - 6 * place) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

fn credential(value: &[u8], told: impl FnOnce(Option<Credential<'_>>)) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let mut headers = HeaderMap::new();
    headers.append(header::AUTHORIZATION, value);
    told(Credential::of(&headers, &Peer::default()).ok());
}

fuzz_target!(|bytes: &[u8]| {
    credential(bytes, |_| {});
    let sent = format!("Basic {}", base64(bytes));
    credential(sent.as_bytes(), |read| {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control));
        match (read, text.and_then(|text| text.split_once(':'))) {
            (Some(Credential::Password(own)), Some((name, _))) => {
                assert_eq!(own.name, name);
                assert!(!name.is_empty() && name.len() <= 1024);
            }
            (None, Some((name, _))) => assert!(name.is_empty() || name.len() > 1024),
            (None, None) => {}
            (Some(_), _) => panic!("what is no name and password was taken for one"),
        }
    });
});
