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
        denial.detail.ends_with(
            "names: O=Fabrikam (not in subject_attributes), CN=dc1 (neither in dns_names nor \
             within dns_suffixes), dns:dc1 (neither in dns_names nor within dns_suffixes), \
             ip:::1 (not within addresses)"
        ),
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

fn ruled(change: impl FnOnce(&mut RequestedNamesFile)) -> Template {
    changed("VPNServerAuthentication", |file| {
        let mut rules = RequestedNamesFile {
            dns_suffixes: vec!["vpn.contoso.com".into()],
            ..Default::default()
        };
        change(&mut rules);
        file.requested_names = Some(rules);
    })
}

#[test]
fn count_length_and_place_of_names_are_limited() {
    let server = computer("vpn01", &["VPN Servers"]);
    let (one, two) = (dns("vpn.contoso.com"), dns("eu.vpn.contoso.com"));
    let few = ruled(|rules| rules.maximum_count = Some(2));
    assert!(
        member(&few, &named("CN=vpn.contoso.com", std::slice::from_ref(&one)), &server).is_ok()
    );
    let denial = member(&few, &named("CN=vpn.contoso.com", &[one.clone(), two.clone()]), &server)
        .unwrap_err();
    assert!(denial.detail.contains("(maximum_count), and there are 3"), "{denial}");
    let short = ruled(|rules| rules.maximum_length = Some(15));
    assert!(member(&short, &named("", std::slice::from_ref(&one)), &server).is_ok());
    let denial = member(&short, &named("", &[one.clone(), two.clone()]), &server).unwrap_err();
    assert!(
        denial
            .detail
            .ends_with("dns:eu.vpn.contoso.com (longer than 15 characters (maximum_length))")
    );
    let both = ruled(|rules| rules.common_name_in_alternative_names = true);
    assert!(
        member(&both, &named("CN=VPN.contoso.com", &[two.clone(), one.clone()]), &server).is_ok()
    );
    for names in [vec![], vec![two.clone()]] {
        let denial = member(&both, &named("CN=vpn.contoso.com", &names), &server).unwrap_err();
        assert_eq!(denial.rule, Rule::SubjectNotAllowed);
        assert!(denial.detail.contains("not among the alternative names"), "{denial}");
    }
    // Which of two common names counts, nobody knows, in one relative name or in two.
    for subject in
        ["CN=vpn.contoso.com,CN=eu.vpn.contoso.com", "CN=vpn.contoso.com+CN=eu.vpn.contoso.com"]
    {
        let denial = member(&vpn_server(), &named(subject, &[]), &server).unwrap_err();
        assert!(denial.detail.contains("a second common name"), "{denial}");
    }
    let any_unit = ruled(|rules| rules.subject_attributes = vec!["OU=*".into()]);
    assert!(member(&any_unit, &named("CN=vpn.contoso.com,OU=Berlin", &[]), &server).is_ok());
    let other = member(&any_unit, &named("CN=vpn.contoso.com,O=Berlin", &[]), &server);
    assert_eq!(rule(other), Rule::SubjectNotAllowed);
}

#[test]
fn a_security_identifier_is_seen_through_escapes() {
    let server = computer("vpn01", &["VPN Servers"]);
    for uri in [
        "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500",
        "TAG:Microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500",
        "tag:microsoft.com,2022-09-14%3asid:S-1-5-21-1-2-3-500",
        "tag:microsoft%2ecom,2022-09-14:%73id:S-1-5-21-1-2-3-500",
        "tag:microsoft.com,2022-09-14:%2573id:S-1-5-21-1-2-3-500",
    ] {
        let request = named("CN=vpn.contoso.com", &[AlternativeName::uri(uri).unwrap()]);
        let template = ruled(|rules| rules.uris = vec!["tag:microsoft.com,2022-09-14:".into()]);
        let denial = member(&template, &request, &server).unwrap_err();
        assert!(denial.detail.contains("a security identifier never"), "{denial}");
        let manager = enrol(&template, &request, &server, Standing::Manager);
        assert_eq!(rule(manager), Rule::NameNotAllowed, "{uri}");
    }
}

/// A text in each string type that a name may hold, and in some that it may not.
fn in_every_string_type(text: &str) -> Vec<Vec<u8>> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let four: Vec<u8> = text.chars().flat_map(|one| u32::from(one).to_be_bytes()).collect();
    let latin: Vec<u8> = text.chars().map(|one| u32::from(one) as u8).collect();
    let mut encoded: Vec<Vec<u8>> =
        [0x0c, 0x13, 0x16, 0x12].map(|tag| element(tag, &[text.as_bytes()])).into();
    encoded.extend([element(0x14, &[&latin]), element(0x1e, &[&wide]), element(0x1c, &[&four])]);
    encoded
}

/// The subject of one common name as those octets, if a request with it reads at all.
fn with_common_name(value: &[u8], names: &[AlternativeName]) -> Option<CertificateRequest> {
    let attribute = sequence(&[&identifier(&oid::COMMON_NAME), value]);
    let subject = sequence(&[&element(0x31, &[&attribute])]);
    parse_csr(ec_key(), &subject, &[extension::subject_alternative_name(names)])
}

fn hostile_name() -> impl Strategy<Value = String> {
    let start = "[a-zA-Zаｖ0-9.*_:-]{0,8}";
    let middle =
        prop::sample::select(vec!["", ".", "\0", "\0.", "。", "%2e", "@", "\u{202e}", " "]);
    let end = prop::sample::select(vec![
        "vpn.contoso.com",
        "VPN.Contoso.COM",
        "vpn.contoso.com.",
        "vpn.contoso.com\0.evil.org",
        "vpn.contoso.com.evil.org",
        "vpn.contosо.com",
        "xn--vpn-contoso.com",
        "132.64.86.2",
        "::ffff:132.64.86.2",
        "132.64.86.3",
        "evil.org",
    ]);
    (start, middle, end).prop_map(|(start, middle, end)| format!("{start}{middle}{end}"))
}

/// What a person, and the plainest of programs, would call within the rules of `vpn_server`.
fn plainly_within(name: &str) -> bool {
    let lower = name.to_lowercase();
    let host = lower == "vpn" || lower == "vpn.contoso.com" || lower.ends_with(".vpn.contoso.com");
    host && lower.chars().all(|one| one.is_alphanumeric() || ".-".contains(one))
        || name == "132.64.86.2"
        || name
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|six| six.segments()[..2] == [0x2001, 0xdb8])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever common name a member asks for, in whatever string type: none outside gets in.
    #[test]
    fn no_common_name_escapes_the_rules(name in hostile_name()) {
        let server = computer("vpn01", &["VPN Servers"]);
        for value in in_every_string_type(&name) {
            let Some(request) = with_common_name(&value, &[dns("vpn")]) else { continue };
            let Ok(profile) = member(&vpn_server(), &request, &server) else { continue };
            for common in profile.subject.common_names() {
                prop_assert!(plainly_within(&common), "{:?}", common);
            }
        }
    }

    /// Whatever octets stand where a dNSName, a mail address, a URI or a UPN does.
    #[test]
    fn no_alternative_name_escapes_the_rules(name in hostile_name(), tag in 0_u8..9) {
        let server = computer("vpn01", &["VPN Servers"]);
        let upn = sequence(&[
            &identifier(&oid::USER_PRINCIPAL_NAME),
            &element(constructed(0), &[&element(0x0c, &[name.as_bytes()])]),
        ]);
        let one = match tag {
            0 => element(constructed(0), &[&upn[2..]]),
            tag => element(0x80 | tag, &[name.as_bytes()]),
        };
        let names = sequence(&[&one]);
        let asked = Extension::noncritical(oid::SUBJECT_ALTERNATIVE_NAME, names);
        let subject = DistinguishedName::with_common_name("vpn").unwrap();
        let Some(request) = parse_csr(ec_key(), subject.as_der(), &[asked]) else { return Ok(()) };
        let Ok(profile) = member(&vpn_server(), &request, &server) else { return Ok(()) };
        let san = extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME).unwrap();
        for issued in alternative_name::decode(&san.value).unwrap() {
            match issued {
                AlternativeName::Dns(dns) => prop_assert!(plainly_within(&dns), "{:?}", dns),
                AlternativeName::Ip(address) => {
                    prop_assert!(plainly_within(&address.to_string()), "{}", address);
                }
                other => prop_assert!(false, "{}", other),
            }
        }
    }
}
