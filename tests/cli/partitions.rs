//! CRLs of parts, as an operator turns them on, raises their number and restores them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::program::{Service, chancery, csr, fails, init, lists, openssl, place, succeeds};

const TEMPLATE: &str = "VPNServerAuthentication";

/// A certificate with its serial number and the CRL that it names.
pub struct Issued {
    pub serial: String,
    pub crl: String,
    pub file: String,
}

/// Enrols until there is one whose CRL's name ends so.
pub fn issued(service: &Service, home: &Path, csr: &Path, ending: &str) -> Issued {
    for _ in 0..200 {
        let answer = service.enroll(TEMPLATE, "", csr);
        let serial = answer["serial_number"].as_str().unwrap().to_owned();
        let file = format!("{serial}.pem");
        std::fs::write(home.join(&file), answer["certificate"].as_str().unwrap()).unwrap();
        let shown =
            openssl(home, &["x509", "-in", &file, "-noout", "-ext", "crlDistributionPoints"]);
        let crl = shown.split("URI:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        if crl.ends_with(ending) {
            return Issued { serial, crl, file };
        }
    }
    panic!("none of 200 certificates names a CRL with {ending}");
}

/// Fetches a CRL, and lets OpenSSL verify its signature and show it.
fn shown(service: &Service, home: &Path, url: &str, name: &str) -> String {
    let der = home.join(format!("{name}.crl"));
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "--noproxy", "*", "-o"]).arg(&der).arg(url);
    assert!(curl.status().unwrap().success(), "{url}");
    let pem = format!("{name}.crl.pem");
    openssl(home, &["crl", "-inform", "DER", "-in", der.to_str().unwrap(), "-out", &pem]);
    let chain = service.data.join("chain.pem");
    openssl(home, &["crl", "-in", &pem, "-CAfile", chain.to_str().unwrap(), "-noout", "-text"])
}

/// What OpenSSL says of a certificate by one CRL.
fn verified(service: &Service, home: &Path, issued: &Issued, name: &str) -> String {
    let root = service.data.join("ca.pem");
    let output = Command::new("openssl")
        .args(["verify", "-crl_check", "-CAfile"])
        .arg(root)
        .args(["-CRLfile", &format!("{name}.crl.pem"), &format!("./{}", issued.file)])
        .current_dir(home)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub fn revoke(service: &Service, issued: &Issued) -> u64 {
    let path = format!("/v1/certificates/{}/revoke", issued.serial);
    let answer = service.post(&path, 200, r#"{"reason":"superseded"}"#);
    answer["crl_number"].as_u64().unwrap()
}

#[test]
fn a_revocation_waits_for_its_partition_and_the_number_only_rises() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let before = Service::start(&data, &[]);
    let whole = issued(&before, home, &made, "contoso-vpn-ca.crl");
    before.stop();

    let service = Service::start(&data, &["--crl-partitions", "2"]);
    let one = issued(&service, home, &made, "-p1.crl");
    let other = issued(&service, home, &made, "-p2.crl");
    let number = revoke(&service, &one);
    let text = shown(&service, home, &one.crl, "p1");
    assert!(lists(&text, &one.serial) && text.contains("Issuing Distribution Point: critical"));
    let (status, listed) = service.call("/v1/ca/crls?limit=100", &[]);
    assert_eq!(status, 200, "{listed}");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let crls = listed["crls"].as_array().unwrap();
    let told = crls.iter().find(|own| own["crl_number"] == number).unwrap();
    assert_eq!(told["partition"], 1, "{told}");
    let (_, status) = service.call(&format!("/v1/certificates/{}/status", one.serial), &[]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    // The complete CRL is made beside it and may have drawn its number before.
    assert!(status["first_listed"]["crl_number"].as_u64().unwrap() <= number, "{status}");
    assert_eq!(status["crl"]["crl_number"], number, "{status}");
    let text = shown(&service, home, &other.crl, "p2");
    assert!(!lists(&text, &one.serial), "{text}");
    for (issued, name, expected) in [
        (&one, "p1", "certificate revoked"),
        (&other, "p2", ": OK"),
        (&one, "p2", "different CRL scope"),
    ] {
        let said = verified(&service, home, issued, name);
        assert!(said.contains(expected), "{said}");
    }
    // The complete one follows, and is what certificates of before name.
    let follows = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        lists(&shown(&service, home, &service.crl, "whole"), &one.serial)
    });
    assert!(follows, "the complete CRL follows the partition");
    revoke(&service, &whole);
    assert!(lists(&shown(&service, home, &service.crl, "whole"), &whole.serial));
    let (_, metrics) = service.call("/metrics", &[]);
    let line = "crl_published_number{key=\"0\",partition=\"2\",kind=\"complete\"} ";
    assert!(metrics.contains(line), "{metrics}");
    let (_, described) = service.call("/v1/ca", &[]);
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    let publications = described["publications"].as_array().unwrap();
    let parts: Vec<_> = publications.iter().map(|own| own["partition"].as_u64()).collect();
    assert_eq!(parts, [None, Some(1), Some(2)], "{described}");
    assert_eq!(publications[2]["crl_urls"][0], other.crl, "{described}");
    service.stop();

    let text = data.to_str().unwrap();
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    let fewer = ["--data", text, "--crl-partitions", "1"];
    let told = fails(&[&["serve"][..], &fewer, &ports].concat());
    assert!(told.contains("there are 2 partitions on record"), "{told}");
    let told = fails(&[&["check"][..], &fewer].concat());
    assert!(told.contains("may only be raised"), "{told}");
    // Without the setting they are as they were; a greater number adds some.
    for more in [&[][..], &["--crl-partitions", "3"]] {
        let service = Service::start(&data, more);
        let again = issued(&service, home, &made, "-p1.crl");
        revoke(&service, &again);
        let text = shown(&service, home, &again.crl, "p1");
        assert!(lists(&text, &again.serial) && lists(&text, &one.serial), "{text}");
        service.stop();
    }
    let service = Service::start(&data, &[]);
    let third = issued(&service, home, &made, "-p3.crl");
    assert!(!lists(&shown(&service, home, &third.crl, "p3"), &one.serial));
    service.stop();
}

#[test]
fn a_restore_learns_from_partitions_and_lists_what_it_cannot_place_in_all_of_them() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let parted = ["--crl-partitions", "2"];
    let service = Service::start(&data, &parted);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let known = issued(&service, home, &made, "-p1.crl");
    let copy = home.join("copy");
    let (text, copy_text) = (data.to_str().unwrap(), copy.to_str().unwrap());
    succeeds(&["backup", "--data", text, "--to", copy_text]);
    // The copy knows nothing of these.
    let placed = issued(&service, home, &made, "-p2.crl");
    let unplaced = issued(&service, home, &made, "-p1.crl");
    for one in [&known, &placed, &unplaced] {
        revoke(&service, one);
    }
    let (one, two) = (known.crl.clone(), placed.crl.clone());
    let whole = service.crl.clone();
    let follows = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        let text = shown(&service, home, &whole, "whole");
        [&known, &placed, &unplaced].iter().all(|own| lists(&text, &own.serial))
    });
    assert!(follows, "the complete CRL follows");

    let new = home.join("new");
    let new_text = new.to_str().unwrap();
    let restore = ["restore", "--data", new_text, "--from", copy_text, "--crl", &whole];
    let told = fails(&restore);
    assert!(told.contains("--partition-crl"), "{told}");
    let told = fails(&[&restore[..], &["--partition-crl", &two]].concat());
    assert!(told.contains("partition 1"), "{told}");
    let told = fails(&[&restore[..], &["--partition-crl", &whole]].concat());
    assert!(told.contains("of no partition of this CA"), "{told}");
    let refused = ["restore", "--data", new_text, "--from", copy_text, "--crl", &two];
    assert!(fails(&refused).contains("not the whole list"));
    let without = ["--partition-crl", &two, "--without-partition-crls"];
    let said = succeeds(&[&restore[..], &without].concat());
    assert!(said.contains("; 3 of them the copy did not know"), "{said}");
    service.stop();

    succeeds(&["token", "--data", new_text]);
    let service = Service::start(&new, &parted);
    let at = |url: &str| {
        let name = url.rsplit('/').next().unwrap();
        format!("{}/{name}", service.crl.rsplit_once('/').unwrap().0)
    };
    let first = shown(&service, home, &at(&one), "p1");
    let second = shown(&service, home, &at(&two), "p2");
    // One's reservation is in the copy; one was told by its partition; of one nobody told which.
    assert!(lists(&first, &known.serial) && !lists(&second, &known.serial));
    assert!(lists(&second, &placed.serial) && !lists(&first, &placed.serial));
    assert!(lists(&first, &unplaced.serial) && lists(&second, &unplaced.serial));
    service.stop();
}

/// The copy is from before there were partitions, and whoever restores it does not know of them: what
/// was issued since names their CRLs all the same.
#[test]
fn a_restore_learns_that_there_are_partitions() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let (text, copy) = (data.to_str().unwrap(), home.join("copy"));
    let copy = copy.to_str().unwrap();
    succeeds(&["backup", "--data", text, "--to", copy]);
    let service = Service::start(&data, &["--crl-partitions", "2"]);
    let one = issued(&service, home, &made, "-p2.crl");
    let held = issued(&service, home, &made, "-p2.crl");
    let held_at = format!("/v1/certificates/{}", held.serial);
    service.post(&format!("{held_at}/revoke"), 200, r#"{"reason":"certificateHold"}"#);
    shown(&service, home, &service.crl, "early");
    shown(&service, home, &one.crl, "early-p2");
    let early = home.join("early.crl");
    let early_part = home.join("early-p2.crl");
    service.post(&format!("{held_at}/release"), 200, "");
    revoke(&service, &one);
    let (status, _) = service.call("/v1/ca/crls", &["-X", "POST"]);
    assert_eq!(status, 201);

    let new = home.join("new");
    let new_text = new.to_str().unwrap();
    // The complete list from two places, of which one is late: the newer one counts.
    let crls = ["--crl", early.to_str().unwrap(), "--crl", &service.crl];
    let restore = ["restore", "--data", new_text, "--from", copy, "--partition-crl", &one.crl];
    // Where there is a second partition there is a first.
    let told = fails(&[&restore[..], &crls].concat());
    assert!(told.contains("partition 1 as well, contoso-vpn-ca-p1.crl,"), "{told}");
    // What is given is not passed over in silence.
    for more in [&[][..], &["--delta-crl", &service.crl]] {
        let without = [&restore[..], &["--without-crl"], more].concat();
        assert_eq!(chancery(&without).output().unwrap().status.code(), Some(2), "{without:?}");
    }
    let first = one.crl.replace("-p2.crl", "-p1.crl");
    let parts = ["--partition-crl", &first, "--partition-crl", early_part.to_str().unwrap()];
    let said = succeeds(&[&restore[..], &crls, &parts].concat());
    let newest = service.fetch_crl(&home.join("newest.pem"));
    assert!(lists(&newest, &one.serial), "{newest}");
    assert!(said.contains("1 serial numbers"), "{said}");
    service.stop();
    succeeds(&["token", "--data", new_text]);
    let service = Service::start(&new, &[]);
    let at = format!("{}/contoso-vpn-ca-p2.crl", service.crl.rsplit_once('/').unwrap().0);
    let listed = shown(&service, home, &at, "p2");
    assert!(lists(&listed, &one.serial), "{listed}");
    assert!(!lists(&listed, &held.serial), "released, as the newer of the two says: {listed}");
    assert!(listed.contains(&one.crl), "found where the certificate says: {listed}");
    let said = verified(&service, home, &one, "p2");
    assert!(said.contains("certificate revoked"), "{said}");
    issued(&service, home, &made, "-p1.crl");
    service.stop();
}

#[test]
fn certificates_name_the_delta_where_that_is_wanted() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let text = data.to_str().unwrap();
    let mut check = chancery(&["check", "--data", text, "--crl-delta-in-certificates", "true"]);
    let told = check.output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("crl_delta_period is off"), "{told}");
    let more = ["--crl-delta-period", "1d", "--crl-delta-in-certificates", "true"];
    let service = Service::start(&data, &more);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let one = issued(&service, home, &made, "contoso-vpn-ca.crl");
    let shown = openssl(home, &["x509", "-in", &one.file, "-noout", "-ext", "freshestCRL"]);
    assert!(shown.contains(&one.crl.replace(".crl", "-delta.crl")), "{shown}");
    service.stop();
}

/// The look at itself goes to every partition, and tells one trouble once.
#[test]
fn the_service_looks_at_the_crl_of_every_partition() {
    let (_home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let address = service.crl["http://".len()..].split('/').next().unwrap().to_owned();
    let base = format!("http://{address}");
    service.stop();
    // Nobody serves its CRLs there, and then in two of three places.
    let parted = ["--crl-partitions", "3", "--base-url", "http://127.0.0.1:1"];
    tells_one_trouble(&Service::start(&data, &parted), "crl-unreachable");
    let more = ["--base-url", "http://127.0.0.1:2", "--base-url", &base];
    let listen = ["--publish-listen", &address];
    let service = Service::start(&data, &[&parted[..], &more, &listen].concat());
    tells_one_trouble(&service, "crl-location-dead");
    service.stop();
}

fn tells_one_trouble(service: &Service, rule: &str) {
    let mut notices = Vec::new();
    let found = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let (_, ready) = service.call("/readyz", &[]);
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        notices = ready["notices"].as_array().cloned().unwrap_or_default();
        notices.iter().any(|told| told.to_string().contains("-p1.crl"))
    });
    assert!(found, "{notices:?}");
    let of_parts = notices.iter().map(ToString::to_string).filter(|told| told.contains("-p1.crl"));
    let of_parts: Vec<String> = of_parts.filter(|told| told.contains(rule)).collect();
    assert_eq!(of_parts.len(), 1, "{notices:?}");
    assert!(of_parts[0].contains("So it is with 2 other partitions."), "{of_parts:?}");
}

/// A new key has as many partitions as the one before it, which goes on signing its own.
#[test]
fn each_key_has_partitions_of_its_own() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let service = Service::start(&data, &["--crl-partitions", "2"]);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let old = issued(&service, home, &made, "contoso-vpn-ca-p1.crl");
    service.stop();
    let text = data.to_str().unwrap();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    let told = fails(&["check", "--data", text, "--crl-partitions", "129"]);
    assert!(told.contains("a number from 0 to 128"), "{told}");

    let service = Service::start(&data, &[]);
    let new = issued(&service, home, &made, "contoso-vpn-ca-1-p1.crl");
    revoke(&service, &old);
    revoke(&service, &new);
    let at = |name: &str| format!("{}/{name}.crl", service.crl.rsplit_once('/').unwrap().0);
    let (first, second) = ("contoso-vpn-ca-p1", "contoso-vpn-ca-1-p1");
    let [first, second] = [first, second].map(|name| shown(&service, home, &at(name), name));
    assert!(lists(&first, &old.serial) && !lists(&first, &new.serial), "{first}");
    assert!(lists(&second, &new.serial) && !lists(&second, &old.serial), "{second}");
    service.stop();
}

/// A CA below that is certified while nobody serves this one: what is said of its CRL is what its
/// certificate says.
#[test]
fn a_ca_below_is_told_the_crl_that_its_certificate_names() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--base-url", "http://pki.contoso.com"]);
    Service::start(&data, &["--crl-partitions", "2"]).stop();
    let below = home.join("below");
    init(&below, &["--name", "CN=Contoso Issuing CA", "--subordinate"]);
    let (request, signed) = (below.join("ca.csr"), home.join("signed.pem"));
    let sign = ["sign-subordinate", request.to_str().unwrap(), "--data", text, "--out"];
    let said = succeeds(&[&sign[..], &[signed.to_str().unwrap()]].concat());
    let shown = ["x509", "-in", "signed.pem", "-noout", "-ext", "crlDistributionPoints"];
    let shown = openssl(home, &shown);
    let named = shown.split("URI:").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(named.contains("-p"), "{named}");
    assert!(said.contains(&format!("the CRL of this CA is at {named}\n")), "{named}: {said}");
}
