//! Whatever a token says, its claims become an account by the mapping or are refused by name.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::keys::{Keys, Sought};
use super::mapping::{Attributes, GroupForm, Mapping, MappingFault, Source};
use super::token::Unverified;
use crate::directory::Described;
use crate::pki::account::{Account, AccountKind};

fn mapping(change: impl FnOnce(&mut Attributes)) -> Mapping {
    let claim = |name: &str| Some(name.to_owned());
    let mut attributes = Attributes {
        kind: AccountKind::User,
        cn: claim("name"),
        display_name: None,
        distinguished_name: None,
        user_principal_name: claim("upn"),
        mail: claim("email"),
        dns_host_name: None,
        object_sid: claim("onprem_sid"),
        object_guid: claim("oid"),
        groups: claim("realm_access.roles"),
        group_names: None,
        group_form: GroupForm::Plain,
    };
    change(&mut attributes);
    let source = Source::Token(Box::new(attributes));
    Mapping { realm: "CLOUD".to_owned(), name: "preferred_username".to_owned(), source }
}

fn described(mapping: &Mapping, claims: Value) -> Result<Account, MappingFault> {
    match mapping.describe(claims.as_object().unwrap())? {
        Described::Account(account) => Ok(*account),
        Described::Named(name) => panic!("only a name: {name}"),
    }
}

#[test]
fn each_claim_is_its_attribute_and_nothing_is_guessed() {
    let account = described(
        &mapping(|_| {}),
        json!({"preferred_username": "anna", "upn": "anna@contoso.com", "sub": "x", "cn": "no",
               "email": "anna@contoso.com", "realm_access": {"roles": ["VPN Users", "b"]}}),
    );
    let account = account.unwrap();
    assert_eq!(account.name, "CLOUD\\anna");
    assert_eq!(account.user_principal_name.as_deref(), Some("anna@contoso.com"));
    assert_eq!(account.mail.as_deref(), Some("anna@contoso.com"));
    assert_eq!(account.groups, ["VPN Users", "b"]);
    assert_eq!((account.cn, account.object_sid, account.object_guid), (None, None, None));
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let own = mapping(|_| {});
    let missing = Err(MappingFault::Missing("preferred_username".to_owned()));
    assert_eq!(described(&own, json!({"upn": "anna@contoso.com"})), missing);
    assert_eq!(described(&own, json!({"preferred_username": null})), missing);
    for (claim, value) in [
        ("preferred_username", json!("CORP\\admin")),
        ("preferred_username", json!(["anna"])),
        ("upn", json!(7)),
        ("upn", json!("a\u{0}b")),
        ("upn", json!(" a@b")),
        ("realm_access", json!({"roles": ["a", 7]})),
        ("realm_access", json!({"roles": {"a": 1}})),
    ] {
        let mut claims = json!({"preferred_username": "anna"});
        claims[claim] = value;
        let refused = described(&own, claims.clone());
        assert!(matches!(refused, Err(MappingFault::Malformed(..))), "{claims}: {refused:?}");
    }
}

#[test]
fn groups_are_named_by_configuration_and_never_left_out() {
    let names = BTreeMap::from([("b6a1".to_owned(), "VPN Users".to_owned())]);
    let own = mapping(|attributes| {
        attributes.groups = Some("groups".to_owned());
        attributes.group_names = Some(names);
        attributes.group_form = GroupForm::Qualified;
    });
    let claims = json!({"preferred_username": "anna", "groups": ["b6a1", "VPN Users"]});
    assert_eq!(described(&own, claims).unwrap().groups, ["CLOUD\\VPN Users"]);
    // Entra ID leaves more than 200 out and says so.
    for overage in [
        json!({"preferred_username": "anna", "_claim_names": {"groups": "src1"}}),
        json!({"preferred_username": "anna", "hasgroups": true}),
    ] {
        assert_eq!(described(&own, overage), Err(MappingFault::GroupsElsewhere));
    }
}

#[test]
fn an_address_that_is_not_verified_is_none() {
    let claims = |verified: Value| json!({"preferred_username": "anna", "email": "a@b.c", "email_verified": verified});
    // Whatever it is to be: the account's own name too.
    let as_upn = mapping(|own| own.user_principal_name = Some("email".to_owned()));
    let as_name = Mapping { name: "email".to_owned(), ..mapping(|_| {}) };
    for unverified in [json!(false), json!("false"), json!(0), json!("no")] {
        let account = described(&as_upn, claims(unverified.clone())).unwrap();
        assert_eq!((account.mail, account.user_principal_name), (None, None), "{unverified}");
        let nobody = described(&as_name, claims(unverified));
        assert_eq!(nobody, Err(MappingFault::Missing("email".to_owned())));
    }
    for verified in [json!(true), json!("true"), Value::Null] {
        let account = described(&as_upn, claims(verified.clone())).unwrap();
        assert_eq!(account.user_principal_name.as_deref(), Some("a@b.c"), "{verified}");
        assert_eq!(described(&as_name, claims(verified)).unwrap().name, "CLOUD\\a@b.c");
    }
}

#[test]
fn a_claims_name_may_hold_dots() {
    let own = mapping(|attributes| attributes.groups = Some("https://contoso.com/groups".into()));
    let claims = json!({"preferred_username": "anna", "https://contoso.com/groups": "one"});
    assert_eq!(described(&own, claims).unwrap().groups, ["one"]);
}

#[test]
fn only_public_signature_keys_are_kept() {
    let set = json!({"keys": [
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "new", "kid": "unknown"}, 7,
    ]});
    let keys = Keys::read(set.to_string().as_bytes()).unwrap();
    let find = |kid, algorithm| keys.find(Sought { kid, algorithm }).is_some();
    use jsonwebtoken::Algorithm::{EdDSA, HS256, RS256};
    assert!(find(Some("ed"), EdDSA) && find(None, EdDSA));
    for (kid, algorithm) in [("ed", RS256), ("ed", HS256), ("secret", HS256), ("enc", RS256)] {
        assert!(!find(Some(kid), algorithm), "{kid} {algorithm:?}");
    }
}

fn claim() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("roles|[a-z.]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Every attribute is a text that the token holds under the claim that is configured.
    #[test]
    fn nothing_comes_from_elsewhere(
        claims in proptest::collection::btree_map(
            "preferred_username|upn|email|name|oid|realm_access|[a-z.]{1,8}", claim(), 0..8
        )
    ) {
        let claims: Map<String, Value> = claims.into_iter().collect();
        if let Ok(Described::Account(account)) = mapping(|_| {}).describe(&claims) {
            let same = |attribute: &Option<String>, name: &str| {
                attribute.as_deref().is_none_or(|own| claims[name] == own)
            };
            prop_assert_eq!(&account.name, &format!("CLOUD\\{}", claims["preferred_username"].as_str().unwrap()));
            prop_assert!(same(&account.user_principal_name, "upn") && same(&account.mail, "email"));
            prop_assert!(same(&account.cn, "name") && same(&account.object_guid, "oid"));
            prop_assert!(account.object_sid.is_none() || claims.contains_key("onprem_sid"));
        }
    }

    #[test]
    fn any_token_and_any_key_set_is_read_or_refused(text in ".{0,80}", parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,20}") {
        let _ = (Unverified::read(&text), Unverified::read(&parts), Keys::read(text.as_bytes()));
    }
}
