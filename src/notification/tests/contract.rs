//! What `openapi.yaml` says of notifications and what is sent are the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::signing::events;
use crate::notification::body;
use crate::notification::event::Kind;

fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../../openapi.yaml")).unwrap()
}

/// What is described of the data of a kind.
fn described<'a>(document: &'a Value, kind: &str) -> &'a Value {
    let sent = &document["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"];
    let reference = sent["schema"]["$ref"].as_str().unwrap();
    let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    let own = &schema["allOf"][1]["properties"];
    assert_eq!(own["type"]["const"], kind);
    &own["data"]
}

/// Every field is described, of its type, and what is required is there.
fn fits(value: &Value, schema: &Value, place: &str) {
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        other => panic!("{place}: {other}"),
    };
    assert_eq!(schema["type"], kind, "{place}: {value}");
    for inner in value.as_array().into_iter().flatten() {
        fits(inner, &schema["items"], place);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        fits(inner, &schema["properties"][name], &format!("{place}.{name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(value.get(name).is_some(), "{place} has no {name}: {value}");
    }
}

#[test]
fn every_notification_is_as_the_contract_has_it() {
    let document = document();
    let mut seen = BTreeSet::new();
    for event in events() {
        let kind = event.kind().as_str();
        let mut read: Value = serde_json::from_slice(&body::of(&event)).unwrap();
        let data = std::mem::replace(&mut read["data"], serde_json::json!({}));
        fits(&read, &document["components"]["schemas"]["Notification"], kind);
        fits(&data, described(&document, kind), kind);
        seen.insert(kind);
    }
    assert_eq!(seen, Kind::ALL.into_iter().map(Kind::as_str).collect());
    let webhooks = document["webhooks"].as_object().unwrap();
    assert_eq!(seen, webhooks.keys().map(String::as_str).collect());
}
