use proptest::prelude::*;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn given(config: Option<&Path>, flags: &[(&'static str, &[&str])]) -> Given {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let flags = flags.iter().map(|(key, values)| (*key, owned(values))).collect();
    Given { config: config.map(Path::to_owned), flags }
}

#[test]
fn flags_cover_the_environment_and_that_the_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    let file = "api_listen = \"127.0.0.1:1\"\npublish_listen = \"127.0.0.1:2\"\ncrl_period = \"3d\"\n\
                base_url = [\"http://a/\", \"http://b\"]\nprocessors = 3\n";
    std::fs::write(&path, file).unwrap();
    let environment = environment(&[
        ("CHANCERY_PUBLISH_LISTEN", "127.0.0.1:20"),
        ("CHANCERY_CRL_PERIOD", "4d"),
        ("CHANCERY_TLS_NAME", "one.example, 10.0.0.1"),
        ("CHANCERY_SERVICE_HOST", "10.1.1.1"),
        ("HOME", "/"),
    ]);
    let flags: [(&str, &[&str]); 1] = [("crl_period", &["5d"])];
    let settings = gather(&given(Some(&path), &flags), environment).unwrap().settings;
    assert_eq!(settings.api_listen.port(), 1);
    assert_eq!(settings.publish_listen.port(), 20);
    assert_eq!(settings.crl_period_seconds, 5 * 86_400);
    assert_eq!(settings.base_urls, ["http://a", "http://b"]);
    assert_eq!(settings.tls_names, ["one.example", "10.0.0.1"]);
    assert_eq!(settings.processors, Some(3));
    assert_eq!(settings.token_life_seconds, Settings::default().token_life_seconds);
}

#[test]
fn the_data_directorys_file_is_read_and_cannot_move_it() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().to_str().unwrap();
    std::fs::write(home.path().join("chancery.toml"), "processors = 2\n").unwrap();
    let gathered = gather(&given(None, &[]), environment(&[("CHANCERY_DATA", data)])).unwrap();
    assert_eq!(gathered.settings.processors, Some(2));
    assert_eq!(gathered.file, Some(home.path().join("chancery.toml")));
    std::fs::write(home.path().join("chancery.toml"), "data = \"elsewhere\"\n").unwrap();
    let flags: [(&str, &[&str]); 1] = [("data", &[data])];
    let mistakes = gather(&given(None, &flags), environment(&[])).unwrap_err();
    assert!(mistakes.to_string().contains("chancery.toml:1: data"), "{mistakes}");
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    let file = "# comment\napi_listen = \"nowhere\"\n\nbase_urls = [\"http://x\"]\n\
                processors = 0\ncrl_period = 7\n[log]\nlevel = \"info\"\n";
    std::fs::write(&path, file).unwrap();
    let environment = environment(&[("CHANCERY_LOG_FORMAT", "xml"), ("CHANCERY_NONSENSE", "1")]);
    let flags: [(&str, &[&str]); 1] = [("base_url", &["https://x"])];
    let mistakes = gather(&given(Some(&path), &flags), environment).unwrap_err();
    let text = mistakes.to_string();
    for expected in [
        "c.toml:2: \"nowhere\" is not an IP address",
        "c.toml:4: no such setting \"base_urls\"; \"base_url\" is one",
        "c.toml:5: \"0\" is not a number from 1 to 256",
        "c.toml:6: \"7\" is not a time",
        "c.toml:7: no such setting \"log\"",
        "CHANCERY_LOG_FORMAT: \"xml\" is not text or json",
        "CHANCERY_NONSENSE: no such setting",
        "--base-url: \"https://x\" is not http://",
    ] {
        assert!(text.contains(expected), "{expected}\n in\n{text}");
    }
    assert_eq!(mistakes.count(), 8, "{text}");
}

#[test]
fn a_covered_mistake_is_still_told() {
    let environment = environment(&[("CHANCERY_CRL_PERIOD", "soon")]);
    let flags: [(&str, &[&str]); 1] = [("crl_period", &["5d"])];
    let mistakes = gather(&given(None, &flags), environment).unwrap_err();
    assert!(mistakes.to_string().starts_with("CHANCERY_CRL_PERIOD:"), "{mistakes}");
}

#[test]
fn settings_that_contradict_each_other_are_told() {
    let flags: [(&str, &[&str]); 2] =
        [("api_listen", &["127.0.0.1:8080"]), ("publish_listen", &["127.0.0.1:8080"])];
    assert_eq!(gather(&given(None, &flags), []).unwrap_err().count(), 1);
    let flags: [(&str, &[&str]); 2] = [("crl_period", &["1d"]), ("crl_overlap", &["2d"])];
    let mistakes = gather(&given(None, &flags), []).unwrap_err();
    assert!(mistakes.to_string().contains("crl_overlap is longer than crl_period"), "{mistakes}");
    let flags: [(&str, &[&str]); 2] = [("crl_period", &["2d"]), ("crl_overlap", &["1d"])];
    let settings = gather(&given(None, &flags), []).unwrap().settings;
    assert_eq!(settings.crl_overlap_seconds, Some(86_400));
}

#[test]
fn a_named_file_must_be_there() {
    let missing = given(Some(Path::new("no/such/file.toml")), &[]);
    assert!(gather(&missing, []).unwrap_err().to_string().contains("no/such/file.toml"));
}

#[test]
fn a_domain_is_a_section_without_secrets() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    let good = "[[directory]]\nkind = \"ldap\"\nrealm = \"CORP\"\nbase = \"DC=corp,DC=contoso,DC=com\"\n\
                servers = [\"ldaps://dc1.corp.contoso.com\", \"ldaps://dc2.corp.contoso.com:3269\"]\n\
                bind_name = \"svc@corp.contoso.com\"\nbind_password_file = \"/run/bind\"\ndefault_realm = true\n";
    std::fs::write(&path, good).unwrap();
    let settings = gather(&given(Some(&path), &[]), []).unwrap().settings;
    let directory::DirectorySection::Ldap(own) = &settings.directories[0] else { panic!() };
    assert_eq!((own.servers.len(), own.domain.dns_name.as_str()), (2, "corp.contoso.com"));
    assert_eq!(own.upn_suffixes, ["corp.contoso.com"]);

    let bad = format!(
        "{good}[[directory]]\nkind = \"ldap\"\nrealm = \"LAB\"\nbase = \"OU=x,DC=lab\"\n\
         servers = [\"ldap://dc.lab\", \"ldaps://\", \"ldaps://dc.lab:0\", \"https://dc.lab\"]\n\
         bind_password = \"secret\"\nbind_password_variable = \"CHANCERY_BIND\"\nport = 636\n\
         waiting = \"many\"\n\
         [[directory]]\nkind = \"ldap\"\nrealm = \"LAB\"\nbase = \"DC=lab\"\nservers = \"ldap://dc.lab\"\n\
         start_tls = true\nbind_name = \"svc\"\nbind_password_variable = \"BIND\"\ndefault_realm = true\n"
    );
    std::fs::write(&path, bad).unwrap();
    let mistakes = gather(&given(Some(&path), &[]), []).unwrap_err();
    let text = mistakes.to_string();
    for expected in [
        "c.toml:12: \"OU=x,DC=lab\" is no domain's name",
        "c.toml:13: ldap://dc.lab: without TLS; ldaps://, or start_tls = true",
        "c.toml:13: \"ldaps://\" is not of the form",
        "c.toml:13: \"ldaps://dc.lab:0\" is not of the form",
        "c.toml:13: \"https://dc.lab\" is not of the form",
        "bind_name is missing",
        "c.toml:14: a password does not belong here",
        "c.toml:15: variables that begin with CHANCERY_",
        "c.toml:16: no such setting \"port\" in this directory",
        "c.toml:17: waiting must be a number from 0 to 1024",
        "another directory has default_realm = true",
    ] {
        assert!(text.contains(expected), "{expected}\n in\n{text}");
    }
    assert_eq!(mistakes.count(), 11, "{text}");
    assert!(!text.contains("secret"), "{text}");

    let elsewhere = "[[directory]]\nkind = \"oidc\"\nrealm = \"ENTRA\"\nissuer = \"https://login\"\n\
                     audience = \"x\"\naccount_from = \"CORP\"\n";
    std::fs::write(&path, elsewhere).unwrap();
    let mistakes = gather(&given(Some(&path), &[]), []).unwrap_err().to_string();
    assert!(
        mistakes.contains("no directory of kind \"ldap\" has the realm \"CORP\""),
        "{mistakes}"
    );
    std::fs::write(&path, format!("{elsewhere}{good}")).unwrap();
    assert!(gather(&given(Some(&path), &[]), []).is_ok());
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in "([a-z_]{1,12}|[=\\[\\]\"\n.#,0-9 ]){0,40}") {
        let mut mistakes = Vec::new();
        let _ = file::read(Path::new("x"), &text, &mut mistakes);
    }

    #[test]
    fn any_endpoint_is_read_or_refused(
        lines in prop::collection::vec(
            "(name|url|secret_file|secret_variable|events|templates|crl_before|timeout|allow_http) = \
             (\"(https?://)?[a-z0-9:@/.\\[\\]]{0,12}\"|[0-9]{1,22}|true|\\[(\"[a-z.0-9]{0,9}\",?){0,3}\\])",
            0..8,
        ),
    ) {
        let mut mistakes = Vec::new();
        let text = format!("[[notification]]\n{}\n", lines.join("\n"));
        let read = file::read(Path::new("x"), &text, &mut mistakes);
        prop_assert!(read.notifications.len() <= usize::from(mistakes.is_empty()));
        for own in read.notifications {
            let local = ["http://localhost", "http://127.", "http://[::1]"];
            let allowed = text.contains("allow_http = true");
            let local = local.iter().any(|start| own.url.starts_with(start));
            prop_assert!(own.url.starts_with("https://") || allowed || local, "{}", own.url);
            prop_assert!(!own.secrets.is_empty() && !own.wishes.kinds.is_empty());
        }
    }
}

#[test]
fn directories_are_sections_and_their_mistakes_have_lines() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    let good = "processors = 2\n\n[[directory]]\nkind = \"oidc\"\nrealm = \"ENTRA\"\n\
                issuer = \"https://login/v2.0\"\naudience = \"api://chancery\"\n\
                algorithms = [\"RS256\", \"EdDSA\"]\nupn_claim = \"upn\"\nkeys_life = \"2h\"\n\
                groups = { \"0f1e\" = \"VPN Users\" }\n";
    std::fs::write(&path, good).unwrap();
    let settings = gather(&given(Some(&path), &[]), []).unwrap().settings;
    let directory::DirectorySection::Oidc(own) = &settings.directories[0] else { panic!() };
    assert_eq!(own.settings.audiences, ["api://chancery"]);
    assert_eq!(own.settings.algorithms.len(), 2);
    assert_eq!(own.pace.life_seconds, 7200);

    let bad = format!(
        "{good}\n[[directory]]\nkind = \"oidc\"\nrealm = \"a\\\\b\"\nissuer = \"http://login\"\n\
         algorithms = [\"HS256\", \"none\"]\nupn = \"upn\"\nclock_skew = 7\n\
         [[directory]]\nkind = \"nis\"\n\
         [[directory]]\nkind = \"oidc\"\nrealm = \"entra\"\nissuer = \"https://x\"\naudience = \"y\"\n"
    );
    std::fs::write(&path, bad).unwrap();
    let mistakes = gather(&given(Some(&path), &[]), []).unwrap_err();
    let text = mistakes.to_string();
    for expected in [
        "c.toml:15: \"a\\\\b\" is no realm",
        "c.toml:16: issuer must be an https:// URL",
        "c.toml:17: \"HS256\" is not RS256",
        "c.toml:17: \"none\" is not RS256",
        "c.toml:18: no such setting \"upn\" in this directory",
        "c.toml:19: clock_skew must be a time",
        "audience is missing",
        "c.toml:21: \"nis\" is no kind of directory",
        "another directory has this issuer or realm",
    ] {
        assert!(text.contains(expected), "{expected}\n in\n{text}");
    }
    assert_eq!(mistakes.count(), 9, "{text}");
}
