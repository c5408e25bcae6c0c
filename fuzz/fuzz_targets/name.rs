//! A distinguished name: as DER out of a request, and as RFC 4514 text from an operator.
#![no_main]

use chancery::pki::name::DistinguishedName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = DistinguishedName::from_der(bytes) {
        assert_eq!(name.as_der(), bytes, "original bytes are kept");
        let _ =
            (name.attributes(), name.common_names(), name.to_forward_string(), name.reencoded());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(name) = DistinguishedName::from_rfc4514(text) {
        DistinguishedName::from_der(name.as_der()).expect("what it encodes it can read");
    }
});
