//! A CRL from outside, read as a stream: restore and adoption learn revocations from one.
#![no_main]

use chancery::pki::revocation_list::CrlReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = CrlReader::open(bytes) else { return };
    let _ = (reader.issuer(), reader.this_update(), reader.entries_range());
    while let Ok(Some(_)) = reader.next_change() {}
});
