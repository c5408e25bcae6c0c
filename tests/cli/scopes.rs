//! A CA that was renewed with a new key and parts its CRL, with deltas besides: what each CRL says,
//! key by key and partition by partition, to OpenSSL; and that every one of them is served on, as it
//! was, when the register cannot be read any more.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::partitions::{Issued, issued, revoke};
use super::program::{Service, csr, init, lists, openssl, place, succeeds};

/// The complete lists, their deltas and their partitions, of the old key and of the new one.
const LISTS: [[&str; 4]; 2] = [
    ["contoso-vpn-ca", "contoso-vpn-ca-delta", "contoso-vpn-ca-p1", "contoso-vpn-ca-p2"],
    ["contoso-vpn-ca-1", "contoso-vpn-ca-1-delta", "contoso-vpn-ca-1-p1", "contoso-vpn-ca-1-p2"],
];
const DELTAS: [&str; 2] = ["--crl-delta-period", "1d"];

/// Of one key: in the first partition a good and a revoked one, in the second a good one.
struct OfKey {
    good: Issued,
    revoked: Issued,
    other: Issued,
}

impl OfKey {
    fn issue(service: &Service, home: &Path, key: usize) -> Self {
        let made = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
        let [_, _, first, second] = LISTS[key].map(|name| format!("/{name}.crl"));
        let of = |part: &str| issued(service, home, &made, part);
        Self { good: of(&first), revoked: of(&first), other: of(&second) }
    }
}

/// What is set up: two keys, two partitions each, one of each key revoked since, and what is served.
struct Scopes {
    home: tempfile::TempDir,
    data: PathBuf,
    service: Option<Service>,
    /// Old, new.
    keys: [OfKey; 2],
}

impl Scopes {
    fn new() -> Self {
        let (home, data) = place();
        init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
        let more = [&["--crl-partitions", "2"], &DELTAS[..]].concat();
        let service = Service::start(&data, &more);
        let old = OfKey::issue(&service, home.path(), 0);
        service.stop();
        std::fs::copy(data.join("ca.pem"), home.path().join("old.pem")).unwrap();
        let text = data.to_str().unwrap();
        succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
        std::fs::copy(data.join("ca.pem"), home.path().join("new.pem")).unwrap();

        let service = Service::start(&data, &DELTAS);
        let new = OfKey::issue(&service, home.path(), 1);
        revoke(&service, &old.revoked);
        revoke(&service, &new.revoked);
        let made = Self { home, data, service: Some(service), keys: [old, new] };
        made.complete_lists_follow();
        made
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    /// A revocation waits for its partition; the complete lists, which have everybody, and their
    /// deltas follow.
    fn complete_lists_follow(&self) {
        for name in LISTS.iter().flat_map(|[whole, delta, ..]| [whole, delta]) {
            let follows = (0..600).any(|_| {
                self.fetch(name);
                let show = ["crl", "-in", &format!("{name}.crl.pem"), "-noout", "-text"];
                let text = openssl(self.home(), &show);
                let all = self.keys.iter().all(|key| lists(&text, &key.revoked.serial));
                std::thread::sleep(Duration::from_millis(if all { 0 } else { 100 }));
                all
            });
            assert!(follows, "{name} does not list both");
        }
    }

    /// What is served under this name, which is kept as PEM as well.
    fn fetch(&self, name: &str) -> Vec<u8> {
        let service = self.service.as_ref().unwrap();
        let url = format!("{}/{name}.crl", service.crl.rsplit_once('/').unwrap().0);
        let mut curl = Command::new("curl");
        let fetched = curl.args(["-sSf", "--noproxy", "*", &url]).output().unwrap();
        assert!(fetched.status.success(), "{url}: {}", String::from_utf8_lossy(&fetched.stderr));
        std::fs::write(self.home().join("fetched"), &fetched.stdout).unwrap();
        let convert = ["crl", "-inform", "DER", "-in", "fetched", "-out"];
        openssl(self.home(), &[&convert[..], &[&format!("{name}.crl.pem")]].concat());
        fetched.stdout
    }

    fn fetch_all(&self) -> Vec<Vec<u8>> {
        LISTS.iter().flatten().map(|name| self.fetch(name)).collect()
    }

    /// What OpenSSL says of a certificate by these CRLs, trusting either root.
    fn verified(&self, issued: &Issued, crls: &[&str], more: &[&str]) -> String {
        let read = |name: &str| std::fs::read_to_string(self.home().join(name)).unwrap();
        std::fs::write(self.home().join("roots.pem"), read("old.pem") + &read("new.pem")).unwrap();
        let mut verify = Command::new("openssl");
        verify.args(["verify", "-x509_strict", "-crl_check", "-CAfile", "roots.pem"]).args(more);
        for name in crls {
            verify.args(["-CRLfile", &format!("{name}.crl.pem")]);
        }
        verify.arg(format!("./{}", issued.file)).current_dir(self.home());
        let output = verify.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text + &String::from_utf8_lossy(&output.stderr)
    }

    fn says(&self, issued: &Issued, crls: &[&str], more: &[&str], expected: &str) {
        let said = self.verified(issued, crls, more);
        assert!(said.contains(expected), "{} by {crls:?} {more:?}: {said}", issued.file);
    }

    /// Every certificate by the CRLs that speak of it, and by those that do not.
    fn each_list_speaks_for_its_own(&self) {
        for (number, (key, [whole, delta, first, second])) in
            self.keys.iter().zip(LISTS).enumerate()
        {
            let [.., foreign_first, foreign_second] = LISTS[1 - number];
            let [foreign_whole, ..] = LISTS[1 - number];
            // Without deltas, and by an engine that takes them and has one.
            let plain = (vec![], vec![]);
            for (delta, more) in [plain, (vec![delta], vec!["-extended_crl", "-use_deltas"])] {
                let with = |crls: &[&'static str]| [crls, &delta].concat();
                let everything =
                    with(&[foreign_whole, whole, foreign_first, foreign_second, second, first]);
                for crls in [with(&[first]), with(&[whole]), everything] {
                    self.says(&key.good, &crls, &more, ": OK");
                    self.says(&key.revoked, &crls, &more, "certificate revoked");
                }
                self.says(&key.other, &with(&[second]), &more, ": OK");
                self.says(&key.other, &with(&[whole]), &more, ": OK");
                // By the other partition of its key, and by those of the other key.
                for (one, other) in
                    [(&key.good, second), (&key.revoked, second), (&key.other, first)]
                {
                    self.says(one, &with(&[other]), &more, "different CRL scope");
                    for foreign in [foreign_first, foreign_second] {
                        self.says(one, &with(&[foreign]), &more, "verification failed");
                    }
                }
            }
        }
    }
}

#[test]
fn each_scope_speaks_for_its_own_certificates_alone() {
    let scopes = Scopes::new();
    scopes.fetch_all();
    for [whole, delta, first, second] in LISTS {
        let text = |name: &str| {
            let pem = format!("{name}.crl.pem");
            openssl(scopes.home(), &["crl", "-in", &pem, "-noout", "-text"])
        };
        assert!(text(whole).contains("Freshest CRL") && !text(whole).contains("Issuing Dist"));
        assert!(text(delta).contains("Delta CRL Indicator: critical"), "{}", text(delta));
        for part in [first, second] {
            let text = text(part);
            assert!(text.contains("Issuing Distribution Point: critical"), "{text}");
            assert!(text.contains(&format!("/{part}.crl")), "{text}");
            assert!(!text.contains("Freshest CRL"), "{text}");
        }
    }
    scopes.each_list_speaks_for_its_own();
    scopes.service.unwrap().stop();
}

/// The register is gone, and every key's and every partition's CRL is served on, byte for byte.
#[test]
fn every_scope_is_served_on_without_the_register() {
    let mut scopes = Scopes::new();
    let before = scopes.fetch_all();
    let service = scopes.service.take().unwrap();
    let (api, crl) = (service.api.replace("https://localhost", "127.0.0.1"), service.crl.clone());
    let publication = crl.replace("http://", "").split('/').next().unwrap().to_owned();
    service.stop();
    // Octet 3 is in the file's title; what is derived goes too, so that the damage is met at once.
    let mut octets = std::fs::read(scopes.data.join("ledger")).unwrap();
    octets[3] ^= 0x40;
    std::fs::write(scopes.data.join("ledger"), octets).unwrap();
    std::fs::remove_dir_all(scopes.data.join("index")).unwrap();

    let more = ["--api-listen", &api, "--publish-listen", &publication];
    let mut service = Service::start(&scopes.data, &[&more[..], &DELTAS].concat());
    assert!(service.said.contains("Only the stored CRL"), "{}", service.said);
    service.crl = crl;
    scopes.service = Some(service);
    let names = LISTS.iter().flatten();
    for ((name, before), after) in names.zip(before).zip(scopes.fetch_all()) {
        assert!(before == after, "{name} is another than before");
    }
    scopes.each_list_speaks_for_its_own();
    scopes.service.unwrap().stop();
}
