//! Text of strangers as it may be shown.

use super::attribute::{is_bidirectional, is_control};

/// The text with what a terminal obeys, what breaks lines and what turns the direction of writing
/// (UAX #9) written out as `\u001b`, which JSON reads back as it was.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_control(letter) || is_bidirectional(letter) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        assert_eq!(visible("\u{1b}[2Jhttp://a/\u{9b}31m"), "\\u001b[2Jhttp://a/\\u009b31m");
        assert_eq!(visible("a\r\nFAULT\u{202e}b\u{2028}"), "a\\u000d\\u000aFAULT\\u202eb\\u2028");
        assert_eq!(visible("CN=Müller \\,"), "CN=Müller \\,");
    }

    proptest! {
        #[test]
        fn nothing_is_left_that_a_terminal_obeys(text: String) {
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(|letter| is_control(letter) || is_bidirectional(letter)));
            if !text.contains(['\\', '"']) {
                let read: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
                prop_assert_eq!(read, text);
            }
        }
    }
}
