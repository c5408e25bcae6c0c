//! What an Active Directory entry says of an account ([MS-ADA1], [MS-ADA3]). Nothing is guessed:
//! an attribute that is not there, or does not read, is absent.

use ldap3::SearchEntry;

use crate::pki::account::{Account, AccountKind, is_account_name};
use crate::pki::time::Timestamp;

/// The attributes that are asked for.
pub const ATTRIBUTES: [&str; 13] = [
    "sAMAccountName",
    "cn",
    "displayName",
    "distinguishedName",
    "userPrincipalName",
    "mail",
    "dNSHostName",
    "objectSid",
    "objectGUID",
    "servicePrincipalName",
    "userAccountControl",
    "accountExpires",
    "objectClass",
];

/// ADS_UF_ACCOUNTDISABLE ([MS-ADTS] §2.2.16).
const DISABLED: u32 = 2;
/// Seconds from 1601 to 1970.
const FILETIME_EPOCH: u64 = 11_644_473_600;

/// The account of an entry, with these groups; `None` if the entry has no `sAMAccountName` that
/// could be one.
pub fn account(
    entry: &SearchEntry,
    realm: &str,
    groups: Vec<String>,
    now: Timestamp,
) -> Option<Account> {
    let sam_account_name = text(entry, "sAMAccountName").filter(|name| is_account_name(name))?;
    Some(Account {
        name: format!("{realm}\\{sam_account_name}"),
        kind: kind(entry),
        cn: text(entry, "cn"),
        display_name: text(entry, "displayName"),
        distinguished_name: text(entry, "distinguishedName"),
        user_principal_name: text(entry, "userPrincipalName"),
        mail: text(entry, "mail"),
        dns_host_name: text(entry, "dNSHostName"),
        object_sid: octets(entry, "objectSid").first().and_then(|own| sid(own)),
        object_guid: octets(entry, "objectGUID").first().and_then(|own| guid(own)),
        service_principal_names: texts(entry, "servicePrincipalName"),
        groups,
        enabled: is_enabled(entry, now),
    })
}

/// The `sAMAccountName`.
pub fn name(entry: &SearchEntry) -> Option<String> {
    text(entry, "sAMAccountName")
}

/// Every value of an attribute, as octets: the library sorts values by whether they happen to be
/// UTF-8. Attribute names have no case (RFC 4512 §2.5).
pub fn octets(entry: &SearchEntry, attribute: &str) -> Vec<Vec<u8>> {
    let texts = entry.attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    let others = entry.bin_attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    texts
        .flat_map(|(_, values)| values.iter().map(|value| value.as_bytes().to_vec()))
        .chain(others.flat_map(|(_, values)| values.iter().cloned()))
        .collect()
}

/// Values that are text. The line's end in the names of what replication left over ("…CNF:…",
/// [MS-ADTS] §3.1.1.5.1.3) and other control characters belong in no certificate.
fn texts(entry: &SearchEntry, attribute: &str) -> Vec<String> {
    let values = octets(entry, attribute).into_iter();
    let texts = values.filter_map(|value| String::from_utf8(value).ok());
    texts.filter(|it| !it.is_empty() && !it.contains(char::is_control)).collect()
}

fn text(entry: &SearchEntry, attribute: &str) -> Option<String> {
    texts(entry, attribute).into_iter().next()
}

/// Managed service accounts are computers by class and named like users.
fn kind(entry: &SearchEntry) -> AccountKind {
    let classes = texts(entry, "objectClass");
    let has = |class: &str| classes.iter().any(|own| own.eq_ignore_ascii_case(class));
    let managed = [
        "msDS-GroupManagedServiceAccount",
        "msDS-ManagedServiceAccount",
        "msDS-DelegatedManagedServiceAccount",
    ];
    if managed.into_iter().any(has) {
        AccountKind::Service
    } else if has("computer") {
        AccountKind::Computer
    } else {
        AccountKind::User
    }
}

/// Neither disabled nor expired. Who may not see whether it is disabled takes it for disabled.
fn is_enabled(entry: &SearchEntry, now: Timestamp) -> bool {
    let Some(control) = text(entry, "userAccountControl") else { return false };
    // Written as a signed number ([MS-ADTS] §3.1.1.2.2.2.6).
    let Ok(control) = control.parse::<i32>() else { return false };
    let Some(expires) = text(entry, "accountExpires") else {
        return control.cast_unsigned() & DISABLED == 0;
    };
    let Ok(expires) = expires.parse::<i64>() else { return false };
    control.cast_unsigned() & DISABLED == 0 && !is_past(expires, now)
}

/// [MS-ADA1] §2.1: 0 and the largest number mean never.
fn is_past(filetime: i64, now: Timestamp) -> bool {
    match u64::try_from(filetime) {
        Ok(0) => false,
        Ok(ticks) => ticks / 10_000_000 <= now.seconds() + FILETIME_EPOCH,
        Err(_) => true,
    }
}

/// A SID as text ([MS-DTYP] §2.4.2.1) from its packet form (§2.4.2.2).
pub fn sid(octets: &[u8]) -> Option<String> {
    let (&[1, count, ref authority @ ..], rest) = octets.split_at_checked(8)? else { return None };
    if rest.len() != usize::from(count) * 4 || count > 15 {
        return None;
    }
    let authority = authority.iter().fold(0u64, |number, octet| number << 8 | u64::from(*octet));
    let mut text = format!("S-1-{authority}");
    for part in rest.as_chunks::<4>().0 {
        text.push_str(&format!("-{}", u32::from_le_bytes(*part)));
    }
    Some(text)
}

/// A GUID as text ([MS-DTYP] §2.3.4.3) from its packet form (§2.3.4.2), whose first three numbers
/// have their least octet first.
pub fn guid(octets: &[u8]) -> Option<String> {
    let own: [u8; 16] = octets.try_into().ok()?;
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (number, position) in order.into_iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{:02x}", own[position]));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(attributes: &[(&str, &[&str])]) -> SearchEntry {
        let values = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        SearchEntry {
            dn: String::new(),
            attrs: attributes.iter().map(|(name, own)| ((*name).to_owned(), values(own))).collect(),
            bin_attrs: std::collections::HashMap::new(),
        }
    }

    #[test]
    fn packets_become_text() {
        // [MS-DTYP] §2.4.2.2 and a SID of a domain; §2.3.4.2.
        let domain = [
            1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xdc, 0xf4, 0xdc, 0x3b, 0x83, 0x3d, 0x2b, 0x46,
            0x82, 0x8b, 0xa6, 0x28, 0, 2, 0, 0,
        ];
        let text = "S-1-5-21-1004336348-1177238915-682003330-512";
        assert_eq!(sid(&domain).as_deref(), Some(text));
        for end in 0..domain.len() {
            assert_eq!(sid(&domain[..end]), None, "{end}");
        }
        let octets: Vec<u8> = (0..16).collect();
        assert_eq!(guid(&octets).as_deref(), Some("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        assert_eq!(guid(&octets[..15]), None);
    }

    #[test]
    fn who_is_disabled_or_expired_is_not_enabled() {
        let now = Timestamp::from_seconds(1_780_300_800);
        let ticks = |seconds: u64| ((seconds + FILETIME_EPOCH) * 10_000_000).to_string();
        let (past, future) = (ticks(now.seconds()), ticks(now.seconds() + 1));
        for (control, expires, enabled) in [
            (Some("512"), Some("0"), true),
            (Some("512"), Some("9223372036854775807"), true),
            (Some("512"), None, true),
            (Some("512"), Some(future.as_str()), true),
            (Some("512"), Some(past.as_str()), false),
            (Some("512"), Some("-1"), false),
            (Some("514"), Some("0"), false),
            (Some("-2147483646"), Some("0"), false),
            (Some("x"), None, false),
            (None, Some("0"), false),
        ] {
            let values: Vec<(&str, Vec<&str>)> =
                [("useraccountcontrol", control), ("accountExpires", expires)]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, vec![value?])))
                    .collect();
            let borrowed: Vec<(&str, &[&str])> =
                values.iter().map(|(name, own)| (*name, own.as_slice())).collect();
            assert_eq!(is_enabled(&entry(&borrowed), now), enabled, "{control:?} {expires:?}");
        }
    }

    #[test]
    fn what_can_be_no_name_is_none() {
        let now = Timestamp::from_seconds(1_780_300_800);
        let named = |name: &str| {
            let own = entry(&[("samaccountname", &[name]), ("cn", &["a\nCNF:6f1f2c3a"])]);
            account(&own, "CORP", Vec::new(), now)
        };
        for name in ["", "a\\b", "a\nb", "a@b:c", "x\u{85}"] {
            assert_eq!(named(name), None, "{name:?}");
        }
        let found = named("NPS01$").unwrap();
        assert_eq!((found.name.as_str(), found.cn), ("CORP\\NPS01$", None));
    }

    #[test]
    fn the_class_is_the_kind() {
        for (classes, expected) in [
            (&["top", "person", "organizationalPerson", "user"][..], AccountKind::User),
            (&["top", "user", "computer"], AccountKind::Computer),
            (&["user", "computer", "msDS-GroupManagedServiceAccount"], AccountKind::Service),
        ] {
            assert_eq!(kind(&entry(&[("objectClass", classes)])), expected);
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_not(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(text) = sid(&octets) {
                prop_assert_eq!(text.split('-').count(), 3 + usize::from(octets[1]));
            }
            prop_assert_eq!(guid(&octets).is_some(), octets.len() == 16);
        }
    }
}
