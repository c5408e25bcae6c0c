//! A security descriptor in SDDL: refused, or what it writes reads as the same.
#![no_main]

use chancery::pki::security_descriptor::{Dacl, Effect, SecurityDescriptor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(descriptor) = text.parse::<SecurityDescriptor>() else { return };
    let conditional = match &descriptor.dacl {
        Dacl::Entries(entries) => {
            entries.iter().any(|own| matches!(own.effect, Effect::AllowIf | Effect::DenyIf))
        }
        Dacl::Null => false,
    };
    if !conditional {
        let again = descriptor.to_string().parse::<SecurityDescriptor>();
        assert_eq!(again.expect("what it writes it can read"), descriptor);
    }
});
