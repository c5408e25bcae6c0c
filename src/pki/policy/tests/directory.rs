//! Names out of the directory.

use super::*;

#[test]
fn every_missing_attribute_is_named_with_its_hresult() {
    let all = changed("VPNUserAuthentication", |file| {
        file.name_flags = ["UPN", "SPN", "EMAIL", "DNS", "DIRECTORY_GUID", "DOMAIN_DNS"]
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
    let (spn, domain) =
        (common("SUBJECT_ALT_REQUIRE_SPN"), common("SUBJECT_ALT_REQUIRE_DOMAIN_DNS"));
    let mail = changed("VPNUserAuthentication", |file| {
        file.name_flags.push("SUBJECT_REQUIRE_EMAIL".into());
    });
    let full = Account { dns_host_name: Some("pc7.contoso.com".into()), ..user() };
    assert!(member(&all, &named("", &[]), &full).is_ok());
    let machine = Account { kind: AccountKind::Computer, ..full.clone() };
    let service = Account { kind: AccountKind::Service, ..full.clone() };
    let rows: [(&Template, Account, &str, u32); 14] = [
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
            &domain,
            Account { dns_host_name: Some("pc7".into()), distinguished_name: None, ..full.clone() },
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
        (&host_cn, Account { dns_host_name: None, ..service }, "dns_host_name", 0x8009_480F),
        (&host_cn, Account { dns_host_name: None, ..machine }, "dns_host_name", 0x8009_480F),
        (
            &spn,
            Account { user_principal_name: None, ..full.clone() },
            "user_principal_name",
            0x8009_480D,
        ),
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

/// [MS-WCCE] 3.2.2.6.2.1.4.5.9, flag by flag.
#[test]
fn flags_have_the_precedence_of_ad_cs() {
    let flagged = |flags: &[&str]| {
        changed("VPNUserAuthentication", |file| {
            file.name_flags = flags.iter().map(ToString::to_string).collect();
        })
    };
    let names = |flags: &[&str], account: &Account| {
        let profile = member(&flagged(flags), &named("", &[]), account).unwrap();
        let san = extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME);
        let san = san.map(|san| alternative_name::decode(&san.value).unwrap()).unwrap_or_default();
        (profile.subject.to_string(), san.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let pc = computer("pc7", &["VPN Users"]);
    let [path, cn, host, mail] = ["DIRECTORY_PATH", "COMMON_NAME", "DNS_AS_CN", "EMAIL"]
        .map(|own| format!("SUBJECT_REQUIRE_{own}"));
    // The path before either common name, and mail after whatever there is.
    let subject = |flags: &[&str], account: &Account| names(flags, account).0;
    let alice = user();
    assert_eq!(
        subject(&[&path, &cn, &host, &mail], &alice),
        "E=alice@contoso.com,CN=Alice Adams,OU=Staff,DC=contoso,DC=com"
    );
    assert_eq!(subject(&[&cn, &host], &alice), "CN=Alice Adams");
    assert_eq!(subject(&[&host], &alice), "CN=Alice Adams");
    assert_eq!(subject(&[&cn, &host], &pc), "CN=pc7.contoso.com");
    assert_eq!(subject(&[&cn], &pc), "CN=pc7.contoso.com");
    assert_eq!(subject(&[&mail], &alice), "E=alice@contoso.com");
    // The SPN flag means the UPN, once ([MS-CRTD] §2.28).
    let [upn, spn, domain, dns] =
        ["UPN", "SPN", "DOMAIN_DNS", "DNS"].map(|own| format!("SUBJECT_ALT_REQUIRE_{own}"));
    let served = Account { service_principal_names: vec!["HTTP/vpn.contoso.com".into()], ..alice };
    for flags in [vec![upn.as_str()], vec![&spn], vec![&upn, &spn]] {
        assert_eq!(names(&flags, &served).1, ["upn:alice@contoso.com"]);
    }
    // The domain is the one the account lies in, even where its host is named elsewhere.
    let disjoint = Account { dns_host_name: Some("pc7.lab.fabrikam.com".into()), ..pc.clone() };
    assert_eq!(
        names(&[&domain, &dns], &disjoint).1,
        ["dns:pc7.lab.fabrikam.com", "dns:contoso.com"]
    );
    let elsewhere = Account { distinguished_name: None, ..disjoint };
    assert_eq!(names(&[&domain], &elsewhere).1, ["dns:lab.fabrikam.com"]);
}

#[test]
fn the_sid_stands_where_the_template_says() {
    let with = |form: &str, flags: &[&str]| {
        changed("VPNUserAuthentication", |file| {
            file.security_identifier = form.into();
            file.enrollment_flags.extend(flags.iter().map(ToString::to_string));
        })
    };
    let issued = |template: &Template, account: &Account| {
        member(template, &named("", &[]), account).unwrap()
    };
    let golden = include_str!("../../../../tests/fixtures/ad_cs_extensions.txt");
    let line = |name: &str| {
        golden.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap()
    };
    let both = issued(&with("both", &[]), &user());
    assert_eq!(hex(&both, oid::SUBJECT_ALTERNATIVE_NAME), line("SAN upn+uri"));
    assert_eq!(hex(&both, oid::CA_SECURITY), line("ext 25.2"));
    let uri = issued(&with("uri", &[]), &user());
    assert_eq!(hex(&uri, oid::SUBJECT_ALTERNATIVE_NAME), line("SAN upn+uri"));
    assert_eq!(extension(&uri, oid::CA_SECURITY), None);
    // The flag forbids the extension, not the URI.
    let anonymous = with("both", &["NO_SECURITY_EXTENSION"]);
    assert_eq!(issued(&anonymous, &user()).extensions, uri.extensions);
    let nobody = Account { object_sid: None, ..user() };
    let without = issued(&with("both", &[]), &nobody);
    assert_eq!(extension(&without, oid::CA_SECURITY), None);
    for form in ["extension", "uri", "both"] {
        let required = changed("VPNUserAuthentication", |file| {
            file.security_identifier = form.into();
            file.object_sid = "required".into();
        });
        assert!(member(&required, &named("", &[]), &user()).is_ok());
        let denial = member(&required, &named("", &[]), &nobody).unwrap_err();
        assert_eq!(denial.rule.hresult(), Some(0x8009_4821));
        assert!(denial.detail.contains("object_sid"), "{denial}");
    }
}
