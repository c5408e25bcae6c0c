//! `openapi.yaml` and the routes say the same.

use std::collections::BTreeSet;

use chancery::http::ROUTES;
use chancery::http::health::CONTRACT;
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    serde_saphyr::from_str(CONTRACT).unwrap()
}

#[test]
fn every_route_is_in_the_contract_and_the_other_way_round() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(method).is_some()) {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let served: BTreeSet<String> =
        ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, served);
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                fields.values().for_each(|inner| visit(document, inner));
            }
            Value::Array(items) => items.iter().for_each(|inner| visit(document, inner)),
            _ => (),
        }
    }
    let document = document();
    visit(&document, &document);
}

#[test]
fn only_the_open_routes_need_no_credential() {
    let document = document();
    for route in ROUTES {
        let method = route.method.as_str().to_lowercase();
        let operation = &document["paths"][route.path][&method];
        let open = operation["security"].as_array().is_some_and(Vec::is_empty);
        let is_open = matches!(route.access, chancery::http::Access::Open(_));
        assert_eq!(open, is_open, "{method} {}", route.path);
        let refusals = operation["responses"].get("401").is_some();
        assert_eq!(refusals, !is_open, "{method} {}", route.path);
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: BTreeSet<&str> = path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described: BTreeSet<&str> = item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| match parameter["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).unwrap(),
                None => parameter,
            })
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(named, described, "{path}");
    }
}
