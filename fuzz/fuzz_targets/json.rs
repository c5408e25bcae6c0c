//! A JSON body, as every route of the API reads one: a value or a problem, at any depth.
#![no_main]

use chancery::http::body::read_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _ = read_json::<serde_json::Value>(body);
    let _ = read_json::<chancery::pki::template::TemplateFile>(body);
});
