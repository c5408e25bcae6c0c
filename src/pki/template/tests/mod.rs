//! What templates promise: AD CS's own values, every mistake named, no dangerous one loaded,
//! edits that keep the identity, and a file form that loses nothing.

mod built_in;
mod dangers;
mod edits;
mod mistakes;
mod properties;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn template(cn: &str) -> Template {
    shipped().into_iter().find(|own| own.cn() == cn).unwrap()
}

/// The JSON of a shipped template with other values under some keys.
fn json_of(cn: &str, changes: &[(&str, Value)]) -> String {
    let mut file: Value = serde_json::from_str(&template(cn).to_json()).unwrap();
    for (key, value) in changes {
        file[*key] = value.clone();
    }
    file.to_string()
}

fn mistakes(text: &str) -> Vec<String> {
    Template::from_json(text).unwrap_err().iter().map(ToString::to_string).collect()
}

fn dangers(cn: &str, changes: &[(&str, Value)]) -> Vec<Danger> {
    match Template::from_json(&json_of(cn, changes)) {
        Ok(_) => vec![],
        Err(mistakes) => {
            let dangers: Vec<Danger> = mistakes.dangers().collect();
            assert_eq!(dangers.len(), mistakes.iter().count(), "{mistakes}");
            dangers
        }
    }
}

/// Lets groups enrol.
fn enroll(groups: &[&str]) -> Value {
    groups.iter().map(|group| json!({"group": group, "allow": ["Read", "Enroll"]})).collect()
}
