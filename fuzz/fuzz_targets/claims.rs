//! What a provider says: tokens before their signature is verified, key sets, claims.
#![no_main]

use chancery::directory::oidc::keys::Keys;
use chancery::directory::oidc::mapping::{Attributes, GroupForm, Mapping, Source};
use chancery::directory::oidc::token::Unverified;
use chancery::pki::account::AccountKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Keys::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Unverified::read(text);
    let Ok(serde_json::Value::Object(claims)) = serde_json::from_str(text) else { return };
    let claim = |name: &str| Some(name.to_owned());
    let attributes = Attributes {
        kind: AccountKind::User,
        cn: claim("name"),
        display_name: None,
        distinguished_name: claim("dn"),
        user_principal_name: claim("upn"),
        mail: claim("email"),
        dns_host_name: None,
        object_sid: claim("onprem_sid"),
        object_guid: claim("oid"),
        groups: claim("realm_access.roles"),
        group_names: None,
        group_form: GroupForm::Qualified,
    };
    let source = Source::Token(Box::new(attributes));
    let mapping =
        Mapping { realm: "CLOUD".to_owned(), name: "preferred_username".to_owned(), source };
    let _ = mapping.describe(&claims);
});
