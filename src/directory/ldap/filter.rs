//! Search filters (RFC 4515). Whatever somebody writes for a name is one assertion value in
//! them, never syntax.

use ldap3::ldap_escape;

/// Users, computers and managed service accounts ([MS-SAMR] §2.2.1.9: SAM_USER_OBJECT,
/// SAM_MACHINE_ACCOUNT); neither groups nor the accounts of domain trusts.
const ACCOUNTS: &str = "(|(sAMAccountType=805306368)(sAMAccountType=805306369))";

/// The account of that `sAMAccountName`.
pub fn by_name(name: &str) -> String {
    format!("(&{ACCOUNTS}(sAMAccountName={}))", ldap_escape(name))
}

/// The account of that `userPrincipalName`.
pub fn by_principal(name: &str) -> String {
    format!("(&{ACCOUNTS}(userPrincipalName={}))", ldap_escape(name))
}

/// The groups of these SIDs, in their binary form.
pub fn groups(sids: &[Vec<u8>]) -> String {
    let one = |sid: &Vec<u8>| {
        let octets: String = sid.iter().map(|octet| format!("\\{octet:02x}")).collect();
        format!("(objectSid={octets})")
    };
    format!("(&(objectClass=group)(|{}))", sids.iter().map(one).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::parse_filter;
    use proptest::prelude::*;

    /// What a server sees of a filter: the encoding, with the value taken out.
    fn encoded(filter: &str) -> String {
        format!("{:?}", parse_filter(filter).unwrap())
    }

    proptest! {
        /// RFC 4515 §3: the filter with any name is the filter with a harmless one, but for the
        /// octets of the value.
        #[test]
        fn no_name_is_syntax(name in "[*()\\\\&|!=~<>\u{0}:a-zäß ]{1,24}") {
            for filter in [by_name, by_principal] {
                let harmless = format!("{:?}", b"harmless".to_vec());
                let expected = encoded(&filter("harmless"));
                prop_assert!(expected.contains(&harmless));
                let octets = format!("{:?}", name.as_bytes().to_vec());
                prop_assert_eq!(encoded(&filter(&name)), expected.replace(&harmless, &octets));
            }
        }
    }

    #[test]
    fn groups_are_sought_by_their_octets() {
        let filter = groups(&[vec![1, 2, 0x2a], vec![0x28, 0xff]]);
        assert_eq!(filter, "(&(objectClass=group)(|(objectSid=\\01\\02\\2a)(objectSid=\\28\\ff)))");
        assert!(parse_filter(filter).is_ok());
    }
}
