//! Names out of the request, and nothing else out of it.

use super::*;

#[test]
fn names_outside_the_rules_are_refused_by_name() {
    let server = computer("vpn01", &["VPN Servers"]);
    let upn = AlternativeName::user_principal_name("administrator@contoso.com").unwrap();
    let mail = AlternativeName::email("ceo@vpn.contoso.com").unwrap();
    let uri = |text: &str| AlternativeName::uri(text).unwrap();
    let address = |text: &str| AlternativeName::Ip(text.parse::<IpAddr>().unwrap());
    let allowed = named(
        "CN=VPN.contoso.com,O=Contoso",
        &[dns("eu.vpn.contoso.com"), dns("vpn"), address("2001:db8::7"), dns("2001:db8::7")],
    );
    let profile = member(&vpn_server(), &allowed, &server).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=VPN.contoso.com,O=Contoso");
    for name in [
        dns("dc1.contoso.com"),
        dns("evilvpn.contoso.com"),
        dns("*.vpn.contoso.com"),
        dns("132.64.86.3"),
        dns("vpn_1.vpn.contoso.com"),
        address("132.64.86.3"),
        address("::1"),
        upn,
        mail,
        uri("https://vpn.contoso.com/"),
        uri("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"),
        AlternativeName::DirectoryGuid([7; 16]),
        AlternativeName::DirectoryName(DistinguishedName::with_common_name("vpn").unwrap()),
        AlternativeName::RegisteredId(oid::COMMON_NAME),
        AlternativeName::Other { oid: oid::OBJECT_SID, value: vec![4, 1, b'S'] },
    ] {
        let request = named("CN=vpn.contoso.com", &[dns("vpn"), name.clone()]);
        let denial = member(&vpn_server(), &request, &server).unwrap_err();
        assert_eq!(denial.rule, Rule::NameNotAllowed);
        assert!(denial.detail.contains(&name.to_string()), "{denial}");
    }
    let several = named("CN=dc1,O=Fabrikam", &[dns("vpn"), dns("dc1"), address("::1")]);
    let denial = member(&vpn_server(), &several, &server).unwrap_err();
    assert_eq!(denial.rule, Rule::SubjectNotAllowed);
    assert!(
        denial.detail.ends_with("names: 2.5.4.10=Fabrikam, CN=dc1, dns:dc1, ip:::1"),
        "{denial}"
    );
    let many: Vec<_> = (0..300).map(|number| dns(&format!("host{number}"))).collect();
    let denial = member(&vpn_server(), &named("", &many), &server).unwrap_err();
    assert!(denial.detail.ends_with("and 284 more"), "{denial}");
    for subject in [
        "CN=dc1.contoso.com",
        "CN=vpn.contoso.com+CN=administrator",
        "CN=vpn.contoso.com,O=Fabrikam",
        "CN=vpn.contoso.com,DC=contoso,DC=com",
        "CN=*.vpn.contoso.com",
        "CN=VPN Server",
        "E=ceo@contoso.com",
    ] {
        let denial = member(&vpn_server(), &named(subject, &[]), &server).unwrap_err();
        assert_eq!(denial.rule, Rule::SubjectNotAllowed, "{subject}");
    }
    assert_eq!(rule(member(&vpn_server(), &named("", &[]), &server)), Rule::SubjectNotAllowed);
}

#[test]
fn a_manager_names_freely_but_neither_a_sid_nor_a_wildcard() {
    let template = template("WebServer");
    let manager =
        |request: &CertificateRequest| enrol(&template, request, &user(), Standing::Manager);
    let free = named(
        "CN=Anything,O=Else",
        &[dns("localhost"), AlternativeName::Ip("127.0.0.1".parse().unwrap())],
    );
    assert!(manager(&free).is_ok());
    let only_alternative = manager(&named("", &[dns("localhost")])).unwrap();
    assert!(extension(&only_alternative, oid::SUBJECT_ALTERNATIVE_NAME).unwrap().critical);
    for name in [
        dns("*.contoso.com"),
        AlternativeName::uri("TAG:microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500").unwrap(),
        AlternativeName::Other { oid: oid::OBJECT_SID, value: vec![4, 1, b'S'] },
    ] {
        assert_eq!(rule(manager(&named("CN=a", &[name]))), Rule::NameNotAllowed);
    }
    assert_eq!(rule(manager(&named("CN=*.contoso.com", &[]))), Rule::SubjectNotAllowed);
    assert_eq!(rule(manager(&named("", &[]))), Rule::SubjectNotAllowed);
    let wildcards = changed("VPNServerAuthentication", |file| {
        file.requested_names = Some(RequestedNamesFile {
            dns_suffixes: vec!["contoso.com".into()],
            wildcards: true,
            ..RequestedNamesFile::default()
        });
    });
    let server = computer("vpn01", &["VPN Servers"]);
    let request = named("CN=*.contoso.com", &[dns("*.contoso.com")]);
    assert!(member(&wildcards, &request, &server).is_ok());
}

fn greedy_extensions() -> Vec<Extension> {
    vec![
        extension::extended_key_usage(&[oid::ANY_PURPOSE, oid::REQUEST_AGENT]),
        extension::key_usage(KeyUsage::AUTHORITY),
        extension::authority_basic_constraints(None),
        extension::application_policies(&[oid::CLIENT_AUTHENTICATION, oid::REQUEST_AGENT]),
        extension::security_identifier("S-1-5-21-1-2-3-500"),
        extension::certificate_policies(&[oid::ANY_PURPOSE]),
        extension::crl_distribution_points(&["http://evil.example.org/none.crl"]),
        extension::authority_key_identifier(&[7; 20]),
        extension::ocsp_no_check(),
        extension::ca_version(7, 7),
    ]
}

#[test]
fn what_a_request_asks_for_beside_names_changes_nothing() {
    let server = computer("vpn01", &["VPN Servers"]);
    let manager = Standing::Manager;
    for (template, account, subject, standing) in [
        (template("User"), user(), "", Standing::Member),
        (template("VPNUserAuthentication"), user(), "", Standing::Member),
        (vpn_server(), server, "CN=vpn", Standing::Member),
        // ESC15 (CVE-2024-49019): version 1, names and policies from the request.
        (template("WebServer"), user(), "CN=www", manager),
    ] {
        let plain = csr(rsa_key(), subject, &[]);
        let greedy = csr(rsa_key(), subject, &greedy_extensions());
        let wanted = enrol(&template, &plain, &account, standing).unwrap();
        let got = enrol(&template, &greedy, &account, standing).unwrap();
        assert_eq!(got, wanted, "{}", template.cn());
    }
}

#[test]
fn a_request_for_another_template_is_a_conflict() {
    let template = template("VPNUserAuthentication");
    let own = template.oid(&arc());
    let hinted = |hint: Extension| member(&template, &csr(rsa_key(), "", &[hint]), &user());
    for hint in [
        extension::template_name("vpnuserauthentication"),
        extension::template_name(&own.to_string()),
        extension::template_information(&own, 3, 7),
    ] {
        assert!(hinted(hint).is_ok());
    }
    for hint in [
        extension::template_name("User"),
        extension::template_name(""),
        extension::template_information(&oid::COMMON_NAME, 100, 1),
    ] {
        assert_eq!(rule(hinted(hint)), Rule::TemplateConflict);
    }
}
