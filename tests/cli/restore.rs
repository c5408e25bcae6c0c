//! A restore cannot un-revoke.

use super::program::{Service, crl_number, csr, fails, init, lists, place, succeeds};

#[test]
fn what_was_revoked_after_the_copy_stays_revoked() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let service = Service::start(&data, &[]);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let serials: Vec<String> = (0..3)
        .map(|_| service.enroll("VPNServerAuthentication", "", &made))
        .map(|answer| answer["serial_number"].as_str().unwrap().to_owned())
        .collect();
    let revoke = |serial: &str| {
        let path = format!("/v1/certificates/{serial}/revoke");
        service.post(&path, 200, r#"{"reason":"superseded"}"#);
    };
    service.fetch_crl(&home.join("oldest.pem"));
    revoke(&serials[0]);
    let copy = home.join("copy");
    let (text, copy_text) = (data.to_str().unwrap(), copy.to_str().unwrap());
    succeeds(&["backup", "--data", text, "--to", copy_text]);
    assert!(fails(&["backup", "--data", text, "--to", copy_text]).contains("not empty"));
    revoke(&serials[1]);
    let newest = service.fetch_crl(&home.join("newest.pem"));
    let url = service.crl.clone();

    let new = home.join("new");
    let new_text = new.to_str().unwrap();
    let restore = ["restore", "--data", new_text, "--from", copy_text];
    // Never without a word about the CRL.
    let output = super::program::chancery(&restore).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let oldest = home.join("oldest.pem");
    let told = fails(&[&restore[..], &["--crl", oldest.to_str().unwrap()]].concat());
    assert!(told.contains("give the newest CRL"), "{told}");
    assert!(!new.join("ledger").exists() && !new.join("restoring").exists());
    // From the publication point itself.
    let said = succeeds(&[&restore[..], &["--crl", &url]].concat());
    assert!(said.contains("1 of them the copy did not know"), "{said}");
    service.stop();

    let again = fails(&[&restore[..], &["--crl", &url]].concat());
    assert!(again.contains("there already"), "{again}");
    succeeds(&["token", "--data", new_text]);
    let service = Service::start(&new, &[]);
    let crl = service.fetch_crl(&home.join("restored.pem"));
    assert!(lists(&crl, &serials[0]) && lists(&crl, &serials[1]), "{crl}");
    assert!(!lists(&crl, &serials[2]), "{crl}");
    assert!(crl_number(&crl) > crl_number(&newest), "{newest}\n{crl}");
    service.stop();
}

#[test]
fn a_restore_that_was_cut_off_does_not_start() {
    let (_home, data) = place();
    std::fs::create_dir_all(data.join("restoring")).unwrap();
    let text = data.to_str().unwrap();
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    let told = fails(&[&["serve", "--data", text][..], &ports].concat());
    assert!(told.contains("a restore did not finish"), "{told}");
}

/// What only a delta told is learnt from it, and a CRL that names deltas is not enough.
#[test]
fn what_only_a_delta_told_stays_revoked() {
    let (home, data) = place();
    let home = home.path();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let deltas = ["--crl-delta-period", "1d"];
    let service = Service::start(&data, &deltas);
    let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let serials: Vec<String> = (0..2)
        .map(|_| service.enroll("VPNServerAuthentication", "", &made))
        .map(|answer| answer["serial_number"].as_str().unwrap().to_owned())
        .collect();
    let revoke = |serial: &str| {
        let path = format!("/v1/certificates/{serial}/revoke");
        service.post(&path, 200, r#"{"reason":"superseded"}"#);
    };
    revoke(&serials[0]);
    let copy = home.join("copy");
    let (text, copy_text) = (data.to_str().unwrap(), copy.to_str().unwrap());
    succeeds(&["backup", "--data", text, "--to", copy_text]);
    // The base of that moment names both the deltas and the one that is revoked already.
    let base = home.join("base.pem");
    let listed = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        lists(&service.fetch_crl(&base), &serials[0])
    });
    assert!(listed, "the base follows the delta");
    revoke(&serials[1]);
    let delta = service.crl.replace(".crl", "-delta.crl");

    let new = home.join("new");
    let new_text = new.to_str().unwrap();
    let base = base.to_str().unwrap();
    let restore = ["restore", "--data", new_text, "--from", copy_text, "--crl", base];
    let told = fails(&restore);
    assert!(told.contains("--delta-crl"), "{told}");
    let told = fails(&[&restore[..], &["--delta-crl", base]].concat());
    assert!(told.contains("not a delta"), "{told}");
    let said = succeeds(&[&restore[..], &["--delta-crl", &delta]].concat());
    assert!(said.contains("1 of them the copy did not know"), "{said}");
    service.stop();
    succeeds(&["token", "--data", new_text]);
    let service = Service::start(&new, &deltas);
    let crl = service.fetch_crl(&home.join("restored.pem"));
    assert!(serials.iter().all(|serial| lists(&crl, serial)), "{crl}");
    service.stop();
}
