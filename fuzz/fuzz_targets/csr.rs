//! A certificate request as a client sends it: PEM, base64 or DER, and what is read out of it.
#![no_main]

use chancery::pki::request::CertificateRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sent: &[u8]| {
    let Ok(request) = CertificateRequest::parse(sent) else { return };
    let again = CertificateRequest::parse(request.der()).expect("its own DER is a request");
    assert_eq!(again.der(), request.der());
    assert_eq!(again.subject().as_der(), request.subject().as_der());
    let _ = (request.alternative_names(), request.template_hints());
});
