//! A client certificate as the handshake brings it: its key, and all that is read before it is
//! compared with the register.
#![no_main]

use chancery::pki::certificate::{Certificate, KeyParts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sent: &[u8]| {
    let parts = KeyParts::of_certificate(sent);
    let Ok(certificate) = Certificate::from_der(sent) else { return };
    match parts {
        Ok(key) => assert!(certificate.spki_der().ends_with(key.octets)),
        Err(_) => assert!(certificate.public_key().is_err()),
    }
    let _ = (certificate.key_usage(), certificate.extended_key_usage(), certificate.template_oid());
    let _ = (certificate.alternative_names(), certificate.names(), certificate.public_key());
});
