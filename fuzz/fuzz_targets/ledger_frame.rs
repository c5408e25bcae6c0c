//! A damaged ledger: any bytes are a frame, the end, or damage; and an entry is one or is not.
#![no_main]

use chancery::storage::act::Entry;
use chancery::storage::ledger::frame::{may_follow, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse(bytes);
    let _ = may_follow(bytes, 7);
    let _ = minicbor::decode::<Entry>(bytes);
});
