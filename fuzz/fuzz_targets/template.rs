//! A template file: the mistakes are told, or it is a template that writes the same file again.
#![no_main]

use chancery::pki::template::{Template, TemplateFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(file) = TemplateFile::parse(text) else { return };
    let again = TemplateFile::parse(&file.to_json()).expect("what it writes it can read");
    assert_eq!(again, file);
    let Ok(template) = Template::from_file(&file) else { return };
    let again = Template::from_json(&template.to_json()).expect("what it writes it can read");
    assert_eq!(again, template);
});
