//! The enrolment client, as an outsider uses it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::program::{Service, init, openssl, place};

#[test]
fn key_certificate_and_chain_fit_together() {
    let (home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let out = home.path().join("out");
    let names = ["--dns", "vpn.contoso.com", "--dns", "vpn", "--ip", "10.0.0.1"];
    for (kind, file) in [("rsa2048", "a"), ("p256", "b"), ("p384", "c")] {
        let mut more = vec!["--template", "VPNServerAuthentication", "--key-algorithm", kind];
        more.extend(["--subject", "CN=vpn.contoso.com,O=Contoso,C=DE", "--file-name", file]);
        more.extend(names);
        let asked = service.request(&out, &more).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        let key = std::fs::metadata(out.join(format!("{file}.key"))).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        let public = openssl(&out, &["pkey", "-in", &format!("{file}.key"), "-pubout"]);
        let certified =
            openssl(&out, &["x509", "-in", &format!("{file}.pem"), "-noout", "-pubkey"]);
        assert_eq!(public, certified);
        let chain = format!("{file}-chain.pem");
        openssl(&out, &["verify", "-x509_strict", "-CAfile", &chain, &format!("{file}.pem")]);
        // Nobody's key is overwritten.
        let again = service.request(&out, &more).output().unwrap();
        assert_eq!(again.status.code(), Some(1));
    }
    service.stop();
}

#[test]
fn pkcs12_has_it_all_in_the_encryption_old_windows_reads() {
    let (home, data) = place();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let service = Service::start(&data, &[]);
    let password = home.path().join("password");
    std::fs::write(&password, "geheim\n").unwrap();
    let bundle = home.path().join("vpn.p12");
    let asked = service
        .request(
            home.path(),
            &["--template", "VPNServerAuthentication", "--dns", "vpn.contoso.com"],
        )
        .arg("--pkcs12")
        .arg(&bundle)
        .arg("--pkcs12-password-file")
        .arg(&password)
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let read = ["pkcs12", "-legacy", "-in", "vpn.p12", "-passin", "pass:geheim", "-nodes"];
    let all = openssl(home.path(), &read);
    assert_eq!(all.matches("BEGIN CERTIFICATE").count(), 2, "{all}");
    assert_eq!(all.matches("BEGIN PRIVATE KEY").count(), 1);
    assert!(!home.path().join("vpn.contoso.com.key").exists());
    read_by_java_and_gnutls(home.path(), "vpn.p12");
    service.stop();
}

/// Others read it too: one key with its chain, and the key opens with the password.
fn read_by_java_and_gnutls(home: &Path, file: &str) {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(home).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error} (tests/install)"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        said
    };
    let store = ["-storetype", "PKCS12", "-keystore", file, "-storepass", "geheim"];
    let listed = run("keytool", &[&["-list", "-v"][..], &store].concat());
    for expected in ["contains 1 entry", "PrivateKeyEntry", "Certificate chain length: 2"] {
        assert!(listed.contains(expected), "{expected}: {listed}");
    }
    // Java signs with it, so the key inside fits the password and the certificate.
    let alias = listed.lines().find_map(|line| line.strip_prefix("Alias name: ")).unwrap();
    run("keytool", &[&["-certreq", "-alias", alias.trim()][..], &store].concat());
    let arguments = ["--p12-info", "--inder", "--password", "geheim", "--infile", file];
    let shown = run("certtool", &arguments);
    assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 2, "{shown}");
    assert_eq!(shown.matches("PRIVATE KEY-----").count(), 2, "begin and end of one: {shown}");
}

#[test]
fn a_denial_is_told_and_leaves_nothing_in_the_way() {
    let (home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let more = ["--template", "User", "--file-name", "user"];
    let asked = service.request(home.path(), &more).output().unwrap();
    assert_eq!(asked.status.code(), Some(1));
    let told = String::from_utf8(asked.stderr).unwrap();
    assert!(told.contains("template User exists but is not published on this CA"), "{told}");
    assert!(!home.path().join("user.key").exists());
    // A service of another CA is not believed.
    let stranger = tempfile::tempdir().unwrap();
    let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=X", "-keyout", "k"];
    openssl(stranger.path(), &[&make[..], &["-out", "x.pem"]].concat());
    let mut asked = service.request(home.path(), &more);
    let root = stranger.path().join("x.pem");
    let asked = asked.arg("--ca-file").arg(root).output().unwrap();
    assert!(!asked.status.success());
    service.stop();
}

#[test]
fn a_pending_request_is_fetched_after_its_approval() {
    let (home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let (status, body) = service.call("/v1/templates/VPNServerAuthentication", &[]);
    assert_eq!(status, 200, "{body}");
    let shown: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut template = shown.get("template").cloned().unwrap_or(shown);
    template["enrollment_flags"].as_array_mut().unwrap().push("PEND_ALL_REQUESTS".into());
    let more = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &template.to_string()];
    let (status, body) = service.call("/v1/templates/VPNServerAuthentication", &more);
    assert_eq!(status, 200, "{body}");

    let names = ["--template", "VPNServerAuthentication", "--dns", "vpn.contoso.com"];
    let asked = service.request(home.path(), &names).output().unwrap();
    assert!(asked.status.success());
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(said.contains("waits for a certificate manager"), "{said}");
    let id = said.split_whitespace().skip_while(|word| *word != "Request").nth(1).unwrap();
    let (refused, _) = service.call(&format!("/v1/requests/{id}/approve"), &["-X", "POST"]);
    assert_eq!(refused, 403, "nobody approves what he submitted");
    service.approve_by_another(id);
    let fetch = ["--request-id", id, "--file-name", "vpn.contoso.com"];
    let fetched = service.request(home.path(), &fetch).output().unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let public = openssl(home.path(), &["pkey", "-in", "vpn.contoso.com.key", "-pubout"]);
    let certified = ["x509", "-in", "vpn.contoso.com.pem", "-noout", "-pubkey"];
    assert_eq!(public, openssl(home.path(), &certified));
    service.stop();
}

#[test]
fn an_agent_signs_and_openssl_believes_it() {
    let (home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    for (name, roles) in [("agent", "[\"enrollment_agent\"]"), ("anna", "[]")] {
        let account = format!(
            r#"{{"name":"{name}","kind":"user","cn":"{name}","groups":["VPN Users"],"roles":{roles},
               "user_principal_name":"{name}@contoso.com","distinguished_name":"CN={name},DC=contoso,DC=com"}}"#
        );
        service.post("/v1/accounts", 201, &account);
    }
    let (status, body) = service.call("/v1/ca/templates/EnrollmentAgent", &["-X", "PUT"]);
    assert!(status < 300, "{body}");
    let (_, body) = service.call("/v1/templates/VPNUserAuthentication", &[]);
    let mut template: serde_json::Value = serde_json::from_str(&body).unwrap();
    template["ra_signatures"] = 1.into();
    template["ra_application_policies"] = vec!["1.3.6.1.4.1.311.20.2.1"].into();
    let more = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &template.to_string()];
    let (status, body) = service.call("/v1/templates/VPNUserAuthentication", &more);
    assert_eq!(status, 200, "{body}");

    let run = |more: &[&str]| service.request(home.path(), more).output().unwrap();
    let agent = ["--template", "EnrollmentAgent", "--on-behalf-of", "agent"];
    let asked = run(&agent);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));

    let anna = ["--template", "VPNUserAuthentication", "--on-behalf-of", "anna"];
    let unsigned = run(&anna);
    let told = String::from_utf8_lossy(&unsigned.stderr).into_owned();
    assert!(told.contains("signature-policy-required"), "{told}");
    let key = |name: &str| home.path().join(format!("{name}.key")).display().to_string();
    let certificate = home.path().join("agent.pem").display().to_string();
    let (own, wrong) = (key("agent"), home.path().join("wrong.key"));
    openssl(home.path(), &["genrsa", "-out", "wrong.key", "2048"]);
    let wrong = wrong.display().to_string();
    let signed =
        |with: &str| run(&[&anna[..], &["--sign-with", &certificate, "--sign-key", with]].concat());
    let refused = signed(&wrong);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("is not the key of the certificate"), "{told}");
    assert!(!home.path().join("anna.key").exists(), "nothing is left in the way");
    let asked = signed(&own);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));

    let said = String::from_utf8(asked.stdout).unwrap();
    let id = said.split_whitespace().skip_while(|word| *word != "Request").nth(1).unwrap();
    let (_, body) = service.call(&format!("/v1/requests/{}", id.trim_end_matches(':')), &[]);
    let shown: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(shown["signers"][0]["account"], "agent", "{body}");
    std::fs::write(home.path().join("request.cms"), shown["csr"].as_str().unwrap()).unwrap();
    let root = data.join("ca.pem").display().to_string();
    let verify = ["cms", "-verify", "-binary", "-inform", "PEM", "-in", "request.cms"];
    let trust = ["-CAfile", &root, "-purpose", "any", "-out", "inside.der"];
    openssl(home.path(), &[&verify[..], &trust].concat());
    let inside = ["req", "-inform", "DER", "-in", "inside.der", "-noout", "-pubkey", "-verify"];
    let certified = ["x509", "-in", "anna.pem", "-noout", "-pubkey"];
    assert_eq!(openssl(home.path(), &inside), openssl(home.path(), &certified));
    let printed = ["asn1parse", "-in", "request.cms"];
    assert!(openssl(home.path(), &printed).contains("1.3.6.1.4.1.311.13.2.1"), "RequesterName");
    service.stop();
}
