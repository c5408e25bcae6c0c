//! The PowerShell module's JSON: refused, or entries that become templates or are refused with their reasons; what becomes
//! a template comes back from its own export.
#![no_main]

use chancery::pki::template::TemplateArc;
use chancery::pki::template::exchange::{
    Circumstances, Forest, Format, Losses, Principals, convert, entries, read, write,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let arc = TemplateArc::from_random([7; 16]);
    let principals = Principals::new();
    let circumstances =
        Circumstances { arc: &arc, principals: &principals, losses: Losses::Accepted };
    for entry in read(octets, Some(Format::Json)).unwrap_or_default() {
        let conversion = convert(&entry, &circumstances);
        assert_eq!(conversion.template.is_some(), conversion.report.refused.is_empty());
        let Some(template) = conversion.template else { continue };
        let written = entries(&[&template], &arc, &Forest::named("DC=x")).expect("it is small");
        let written = write(&written, Format::Ldif).expect("its permissions can be written");
        let again = read(written.as_bytes(), Some(Format::Ldif)).expect("what it writes it can read");
        assert_eq!(convert(&again[0], &circumstances).template, Some(template));
    }
});
