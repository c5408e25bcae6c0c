//! A binary security descriptor: refused, or what it writes reads as the same.
#![no_main]

use chancery::pki::security_descriptor::SecurityDescriptor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(descriptor) = SecurityDescriptor::read(octets) else { return };
    if let Ok(written) = descriptor.write() {
        assert_eq!(SecurityDescriptor::read(&written).expect("what it writes it can read"), descriptor);
    }
});
