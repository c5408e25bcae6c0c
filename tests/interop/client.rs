//! The enrolment client for people: `chancery request`, and whether others can read what it writes.

use crate::authority::Authority;
use crate::machine::{folder, program, run, write};

#[test]
fn the_client_writes_pem_and_a_pkcs12_that_openssl_reads() {
    let place = folder("client");
    let authority = Authority::init(&place, "rsa2048");
    let out = place.join("out");
    std::fs::create_dir(&out).expect("a folder");
    let to = out.display().to_string();
    let names = ["--template", "VPNServerAuthentication", "--subject", "CN=vpn.contoso.com"];
    let dns = ["--dns", "vpn.contoso.com", "--dns", "vpn", "--file-name", "vpn", "--out", &to];
    authority.request(&[&names[..], &dns[..]].concat()).expect_ok("chancery request");
    let mut found: Vec<String> = std::fs::read_dir(&out)
        .expect("out")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let key = found.iter().find(|name| name.contains("key")).expect("a key file");
    let certificate = found.iter().find(|name| *name == "vpn.pem" || *name == "vpn.crt");
    let certificate =
        out.join(certificate.unwrap_or_else(|| panic!("no certificate in {found:?}")));
    let public = |arguments: &[&str], file: &std::path::Path| {
        run(program("openssl").args(arguments).arg("-in").arg(file)).expect_ok("openssl")
    };
    assert_eq!(
        public(&["pkey", "-pubout"], &out.join(key)),
        public(&["x509", "-noout", "-pubkey"], &certificate),
        "the certificate is not for the key beside it"
    );

    let (pfx, password) = (place.join("vpn.pfx"), place.join("password"));
    write(&password, "correct horse\n");
    let [pfx_path, password_path] = [&pfx, &password].map(|path| path.display().to_string());
    let to = ["--pkcs12", &pfx_path, "--pkcs12-password-file", &password_path];
    authority
        .request(&[&names[..], &dns[..4], &to[..]].concat())
        .expect_ok("chancery request --pkcs12");
    let read = ["pkcs12", "-passin", "pass:correct horse", "-nodes", "-info"];
    let bag = public(&read, &pfx);
    assert_eq!(bag.matches("BEGIN PRIVATE KEY").count(), 1, "{bag}");
    assert_eq!(bag.matches("BEGIN CERTIFICATE").count(), 2, "leaf and root: {bag}");
    let mut wrong = program("openssl");
    run(wrong.args(["pkcs12", "-passin", "pass:wrong", "-nodes", "-in"]).arg(&pfx))
        .expect_refusal("a wrong password", "mac verify");
}
