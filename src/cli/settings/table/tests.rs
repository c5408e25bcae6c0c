use super::*;
use proptest::prelude::*;

/// The help tells the truth: each default that is a value reads as that default.
#[test]
fn defaults_in_the_help_are_the_defaults() {
    let read = settings().fold(Settings::default(), |mut settings, setting| {
        let _ = setting.read(&mut settings, &[setting.default]);
        settings
    });
    let told = Settings { key_passphrase_file: None, publication_directory: None, ..read };
    assert_eq!(told, Settings::default());
}

proptest! {
    #[test]
    fn any_value_is_taken_or_refused(which in 0..settings().count(), text in ".{0,40}") {
        let setting = settings().nth(which).unwrap();
        let _ = setting.read(&mut Settings::default(), &[&text]);
    }
}

#[test]
fn a_log_filter_with_other_letters_than_ascii_is_refused() {
    let setting = settings().find(|setting| setting.key == "log_level").unwrap();
    // Found at random: tracing-subscriber panics over it.
    assert!(setting.read(&mut Settings::default(), &["\t\u{7868}&/?\u{10a0f2}\u{f}="]).is_none());
}
