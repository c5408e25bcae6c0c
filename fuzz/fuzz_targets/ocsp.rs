//! OCSP requests in a POST's body and in a GET's path, and stored answers.
#![no_main]

use chancery::http::publication::ocsp_path;
use chancery::pki::ocsp::{OcspRequest, SignedAnswer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let _ = SignedAnswer::singles(bytes);
    if let Some(der) = std::str::from_utf8(bytes).ok().and_then(ocsp_path::request) {
        read(&der);
    }
});

fn read(der: &[u8]) {
    let Ok(asked) = OcspRequest::from_der(der) else { return };
    assert!(!asked.certificates.is_empty());
    // What an answer repeats was asked, octet for octet.
    for id in &asked.certificates {
        assert!(der.windows(id.as_der().len()).any(|part| part == id.as_der()));
    }
    if let Some(nonce) = asked.nonce {
        assert!((1..=131).contains(&nonce.len()));
    }
}
