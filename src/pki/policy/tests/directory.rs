//! Names out of the directory.

use super::*;

#[test]
fn every_missing_attribute_is_named_with_its_hresult() {
    let all = changed("VPNUserAuthentication", |file| {
        file.name_flags = ["UPN", "EMAIL", "DNS", "DIRECTORY_GUID", "DOMAIN_DNS"]
            .map(|name| format!("SUBJECT_ALT_REQUIRE_{name}"))
            .into_iter()
            .chain(["SUBJECT_REQUIRE_DIRECTORY_PATH".into()])
            .collect();
    });
    let common = |flag: &str| {
        changed("VPNUserAuthentication", |file| file.name_flags = vec![flag.to_owned()])
    };
    let (cn, host_cn) =
        (common("SUBJECT_REQUIRE_COMMON_NAME"), common("SUBJECT_REQUIRE_DNS_AS_CN"));
    let mail = changed("VPNUserAuthentication", |file| {
        file.name_flags.push("SUBJECT_REQUIRE_EMAIL".into());
    });
    let full = Account { dns_host_name: Some("pc7.contoso.com".into()), ..user() };
    assert!(member(&all, &named("", &[]), &full).is_ok());
    let machine = Account { kind: AccountKind::Computer, ..full.clone() };
    let rows: [(&Template, Account, &str, u32); 12] = [
        (
            &all,
            Account { user_principal_name: None, ..full.clone() },
            "user_principal_name",
            0x8009_480D,
        ),
        (
            &all,
            Account { user_principal_name: Some("alice".into()), ..full.clone() },
            "user_principal_name",
            0x8009_480D,
        ),
        (&all, Account { object_guid: None, ..full.clone() }, "object_guid", 0x8009_480E),
        (
            &all,
            Account { object_guid: Some("6f96".into()), ..full.clone() },
            "object_guid",
            0x8009_480E,
        ),
        (&all, Account { dns_host_name: None, ..full.clone() }, "dns_host_name", 0x8009_480F),
        (
            &all,
            Account { dns_host_name: Some("pc7".into()), ..full.clone() },
            "dns_host_name",
            0x8009_480F,
        ),
        (&all, Account { mail: None, ..full.clone() }, "mail", 0x8009_4812),
        (&mail, Account { mail: Some(" ".into()), ..full.clone() }, "mail", 0x8009_4812),
        (
            &all,
            Account { distinguished_name: None, ..full.clone() },
            "distinguished_name",
            0x8009_4001,
        ),
        (&cn, Account { cn: None, ..full.clone() }, "cn", 0x8009_4001),
        (&cn, Account { dns_host_name: None, ..machine.clone() }, "dns_host_name", 0x8009_480F),
        (&host_cn, Account { dns_host_name: None, ..full.clone() }, "dns_host_name", 0x8009_480F),
    ];
    for (template, account, attribute, hresult) in rows {
        let denial = member(template, &named("", &[]), &account).unwrap_err();
        assert_eq!(denial.rule.hresult(), Some(hresult), "{denial}");
        assert!(denial.detail.contains(&format!("takes {attribute} from")), "{denial}");
    }
    let broken = Account { object_sid: Some("S-1-5-21-x".into()), ..full.clone() };
    let denial = member(&all, &named("", &[]), &broken).unwrap_err();
    assert_eq!(denial.rule, Rule::DirectorySidRequired);
    let nobody = Account { object_sid: None, ..full };
    let profile = member(&all, &named("", &[]), &nobody).unwrap();
    assert_eq!(extension(&profile, oid::CA_SECURITY), None);
}

#[test]
fn common_name_means_cn_for_a_user_and_dns_host_name_for_a_computer() {
    let template = changed("VPNUserAuthentication", |file| {
        file.name_flags = vec!["SUBJECT_REQUIRE_COMMON_NAME".into()];
    });
    let profile = member(&template, &named("", &[]), &user()).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=Alice Adams");
    let profile = member(&template, &named("", &[]), &computer("pc7", &["VPN Users"])).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=pc7.contoso.com");
}
