//! A CA under another, made by OpenSSL; and deliberate roots.

use super::program::{Service, chancery, csr, fails, init, openssl, place, succeeds};

const LONG: &str = "CN=Contoso VPN CA,OU=One,OU=Two,DC=corp,DC=contoso,DC=com";

#[test]
fn a_deliberate_root_keeps_its_whole_name() {
    let (home, data) = place();
    let text = data.to_str().unwrap();
    let base = ["--base-url", "http://pki.contoso.com", "--base-url", "http://pki2.contoso.com/"];
    let said = init(&data, &[&["--name", LONG][..], &base].concat());
    assert!(said.contains(LONG), "{said}");
    let root = data.join("ca.pem");
    let root = root.to_str().unwrap();
    let subject = openssl(home.path(), &["x509", "-in", root, "-noout", "-subject"]);
    let whole = "DC = com, DC = contoso, DC = corp, OU = Two, OU = One, CN = Contoso VPN CA";
    assert!(subject.contains(whole), "{subject}");
    openssl(home.path(), &["verify", "-x509_strict", "-check_ss_sig", "-CAfile", root, root]);
    let told = fails(&["init", "--data", text]);
    assert!(told.contains("has a CA already") && told.contains("Contoso VPN CA"), "{told}");

    let service = Service::start(&data, &[]);
    assert!(!service.said.contains("loopback"), "{}", service.said);
    assert!(service.said.contains("http://pki2.contoso.com/crl/contoso-vpn-ca.crl"));
    let made = csr(home.path(), "vpn.contoso.com", "DNS:vpn.contoso.com");
    let answer = service.enroll("VPNServerAuthentication", "", &made);
    let alt = answer["alt_security_identities"].as_str().unwrap();
    let issuer = "X509:<I>DC=com,DC=contoso,DC=corp,OU=Two,OU=One,CN=Contoso VPN CA<SR>";
    assert!(alt.starts_with(issuer), "{alt}");
    std::fs::write(home.path().join("vpn.pem"), answer["certificate"].as_str().unwrap()).unwrap();
    let shown = openssl(home.path(), &["x509", "-in", "vpn.pem", "-noout", "-text"]);
    for url in ["http://pki.contoso.com/crl/contoso-vpn-ca.crl", "http://pki2.contoso.com/aia/"] {
        assert!(shown.contains(url), "{shown}");
    }
    service.stop();
}

#[test]
fn a_passphrase_seals_the_key_and_is_needed_again() {
    let (home, data) = place();
    let text = data.to_str().unwrap();
    let file = home.path().join("passphrase");
    std::fs::write(&file, "correct horse\n").unwrap();
    let by_file = ["--key-passphrase-file", file.to_str().unwrap()];
    let said = init(&data, &by_file);
    assert!(said.contains("encrypted"), "{said}");
    let key = std::fs::read_to_string(data.join("ca.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let key = data.join("ca.key");
    let arguments = ["pkey", "-in", key.to_str().unwrap(), "-passin", "pass:correct horse"];
    openssl(home.path(), &[&arguments[..], &["-noout"]].concat());
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    let told = fails(&[&["serve", "--data", text][..], &ports].concat());
    assert!(told.contains("passphrase is needed"), "{told}");
    let mut command = chancery(&[]);
    command.env("CHANCERY_KEY_PASSPHRASE", "correct horse");
    Service::start_command(command, &data, &[]).stop();
    Service::start(&data, &by_file).stop();
}

#[test]
fn a_subordinate_serves_only_with_its_parents_certificate() {
    let (home, data) = place();
    let text = data.to_str().unwrap();
    let path = home.path();
    let said = init(&data, &["--name", "CN=Issuing CA,DC=contoso,DC=com", "--subordinate"]);
    assert!(said.contains("ca.csr"), "{said}");
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    let told = fails(&[&["serve", "--data", text][..], &ports].concat());
    assert!(told.contains("install-certificate"), "{told}");

    let root =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/CN=Root"];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl(path, &[&root[..], &usage, &["-keyout", "root.key", "-out", "root.pem"]].concat());
    let request = data.join("ca.csr");
    let sign = ["x509", "-req", "-in", request.to_str().unwrap(), "-CA", "root.pem", "-CAkey"];
    let sign = [&sign[..], &["root.key", "-days", "800", "-out"]].concat();
    let signed = [&sign[..], &["sub.pem", "-copy_extensions", "copyall"]].concat();
    openssl(path, &signed);
    // Signed as an end entity: no CA.
    openssl(path, &[&sign[..], &["leaf.pem"]].concat());

    let at = |name: &str| path.join(name).to_str().unwrap().to_owned();
    let install = |certificate: &str, chain: &[&str]| {
        let certificate = at(certificate);
        let chain: Vec<String> = chain.iter().map(|name| at(name)).collect();
        let mut arguments = vec![
            "install-certificate".to_owned(),
            certificate,
            "--data".to_owned(),
            text.to_owned(),
        ];
        if let [chain] = chain.as_slice() {
            arguments.extend(["--chain".to_owned(), chain.clone()]);
        }
        arguments
    };
    let refused =
        |arguments: Vec<String>| fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let told = refused(install("root.pem", &[]));
    assert!(told.contains("not for this CA's key"), "{told}");
    let told = refused(install("sub.pem", &[]));
    assert!(told.contains("CN=Root is missing"), "{told}");
    let told = refused(install("leaf.pem", &["root.pem"]));
    assert!(told.contains("CA certificate"), "{told}");
    let good = install("sub.pem", &["root.pem"]);
    succeeds(&good.iter().map(String::as_str).collect::<Vec<_>>());

    assert_eq!(std::fs::read(data.join("ca.pem")).unwrap(), std::fs::read(at("root.pem")).unwrap());
    let service = Service::start(&data, &[]);
    let made = csr(path, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let answer = service.enroll("VPNServerAuthentication", "", &made);
    std::fs::write(at("vpn.pem"), answer["certificate"].as_str().unwrap()).unwrap();
    std::fs::write(at("chain.pem"), answer["chain"].as_str().unwrap()).unwrap();
    let verify = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem"];
    openssl(path, &[&verify[..], &["vpn.pem"]].concat());
    service.stop();
}
