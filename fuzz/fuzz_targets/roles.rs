//! The document of roles, as it is sent and as it is on record: taken whole or refused, and what
//! is taken comes back as it was.
#![no_main]

use chancery::ca::roles::RoleDocument;
use chancery::http::roles::Document;
use chancery::storage::act::RolesSaved;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sent) = serde_json::from_slice::<Document>(bytes)
        && let Ok(assignments) = sent.read()
        && let Ok(document) = RoleDocument::of(assignments, 7)
    {
        let row = minicbor::to_vec(document.to_row()).expect("memory");
        let row: RolesSaved = minicbor::decode(&row).expect("what was just written");
        assert_eq!(RoleDocument::load(Some(row)).expect("what was taken"), document);
        let text = serde_json::to_vec(&Document::of(&document)).expect("memory");
        let again: Document = serde_json::from_slice(&text).expect("what was just written");
        assert_eq!(again.read().expect("what was taken"), document.assignments());
    }
    if let Ok(row) = minicbor::decode::<RolesSaved>(bytes) {
        let _ = RoleDocument::load(Some(row));
    }
});
