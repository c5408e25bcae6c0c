//! The JSON of the PowerShell module ADCSTemplate (`Export-ADCSTemplate`): one object, the names
//! of the directory's attributes as keys; octets as lists of numbers. It has no access control
//! list; ours adds `nTSecurityDescriptor` in SDDL, which the module passes over.

use serde_json::{Map, Value};

use super::Unreadable;
use super::entry::Entry;
use super::note::{KEY, Note};
use crate::pki::security_descriptor::SecurityDescriptor;

const MOST_TEMPLATES: usize = 2_000;
/// Attributes whose values are octets.
const OCTETS: [&str; 3] = ["pKIExpirationPeriod", "pKIKeyUsage", "pKIOverlapPeriod"];
/// Attributes that the module writes as lists even with one value.
const LISTS: [&str; 8] = [
    "msPKI-Certificate-Application-Policy",
    "msPKI-Certificate-Policy",
    "msPKI-RA-Application-Policies",
    "msPKI-RA-Policies",
    "msPKI-Supersede-Templates",
    "pKICriticalExtensions",
    "pKIDefaultCSPs",
    "pKIExtendedKeyUsage",
];
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Reads one template, or a list of them.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Unreadable::Json(error.to_string()))?;
    match value {
        Value::Object(keys) => Ok(vec![entry(keys, 0)?]),
        Value::Array(list) if list.len() > MOST_TEMPLATES => {
            Err(Unreadable::Json("more than 2000 templates".to_owned()))
        }
        Value::Array(list) => {
            let object = |(index, value)| match value {
                Value::Object(keys) => entry(keys, index),
                _ => Err(Unreadable::Json(format!("template {index} is no object"))),
            };
            list.into_iter().enumerate().map(object).collect()
        }
        _ => Err(Unreadable::Json("neither an object nor a list of objects".to_owned())),
    }
}

fn entry(keys: Map<String, Value>, index: usize) -> Result<Entry, Unreadable> {
    let name = keys.get("name").or_else(|| keys.get("cn")).and_then(Value::as_str);
    let mut entry =
        Entry::named(name.map_or_else(|| format!("template {index}"), ToOwned::to_owned));
    for (key, value) in keys {
        let mistaken = |why: &str| Unreadable::Json(format!("{}, {key}: {why}", entry.name));
        if key == KEY {
            entry.note = serde_json::from_value::<Note>(value).ok();
            continue;
        }
        if key.eq_ignore_ascii_case(DESCRIPTOR) {
            let descriptor = descriptor(&value).map_err(|why| mistaken(&why))?;
            if entry.descriptor.is_some() {
                return Err(mistaken("there twice"));
            }
            entry.descriptor = Some(descriptor);
            continue;
        }
        let values = match value {
            Value::Array(list) if is_octets(&key) => {
                let octets = octets(&list).ok_or_else(|| mistaken("a list of octets is wanted"))?;
                vec![octets]
            }
            Value::Array(list) => list
                .iter()
                .map(|value| plain(value).ok_or_else(|| mistaken("a text or a number is wanted")))
                .collect::<Result<_, _>>()?,
            Value::Null => Vec::new(),
            value => vec![plain(&value).ok_or_else(|| mistaken("a text or a number is wanted"))?],
        };
        for value in values {
            entry.add(&key, value).map_err(|error| Unreadable::Json(error.to_string()))?;
        }
    }
    Ok(entry)
}

fn is_octets(key: &str) -> bool {
    OCTETS.iter().any(|own| own.eq_ignore_ascii_case(key))
}

fn octets(list: &[Value]) -> Option<Vec<u8>> {
    list.iter().map(|value| value.as_u64().and_then(|own| u8::try_from(own).ok())).collect()
}

fn plain(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}

fn descriptor(value: &Value) -> Result<SecurityDescriptor, String> {
    match value {
        Value::String(text) => text.parse().map_err(|error| format!("{error}")),
        Value::Array(list) => {
            let octets = octets(list).ok_or("a list of octets is wanted")?;
            SecurityDescriptor::read(&octets).map_err(|error| error.to_string())
        }
        _ => Err("SDDL or a list of octets is wanted".to_owned()),
    }
}

/// Writes one template as the module does.
pub(super) fn write(entry: &Entry) -> Value {
    let mut keys = Map::new();
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    for (name, values) in entry.attributes() {
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        let value = match values {
            [octets] if OCTETS.contains(&name) => Value::from(octets.clone()),
            values if LISTS.contains(&name) => values.iter().map(text).map(Value::from).collect(),
            // The module names the entry and the most special class, not the whole list.
            _ if name == "objectClass" => Value::from("pKICertificateTemplate"),
            [value] if matches!(name, "name" | "displayName" | "msPKI-Cert-Template-OID") => {
                Value::from(text(value))
            }
            [value] => number(&text(value)),
            values => values.iter().map(text).map(Value::from).collect(),
        };
        if !matches!(name, "cn" | "showInAdvancedViewOnly") {
            keys.insert(name.to_owned(), value);
        }
    }
    keys.insert("name".to_owned(), Value::from(entry.text("cn").unwrap_or_default()));
    if let Some(descriptor) = &entry.descriptor {
        keys.insert(DESCRIPTOR.to_owned(), Value::from(descriptor.to_string()));
    }
    if let Some(note) = entry.note.as_ref().and_then(|note| serde_json::to_value(note).ok()) {
        keys.insert(KEY.to_owned(), note);
    }
    Value::Object(keys)
}
