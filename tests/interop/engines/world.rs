//! What the engines judge: certificates of each standing, two bases, and the delta between them.

use crate::authority::Authority;
use crate::machine::{self, program, run};
use crate::{applicant, control};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A CRL in both forms.
pub struct Crl {
    pub der: PathBuf,
    pub pem: PathBuf,
}

/// A running service, and what it has published.
pub struct World {
    /// Runs until it is stopped; engines that fetch ask it.
    pub authority: Option<Authority>,
    pub folder: PathBuf,
    /// PEM.
    pub root: PathBuf,
    /// PEM: good; revoked before `older_base`; since then revoked, held, released; and revoked
    /// before the first base, so that only bases list it.
    pub standings: [PathBuf; 6],
    pub older_base: Crl,
    pub newest_base: Crl,
    pub delta: Crl,
}

impl World {
    /// A CA with deltas, of these kinds of keys. It was OpenSSL's before: what that revoked stands in
    /// every base and in no delta, which is made against the first base.
    pub fn make(ca: &str, keys: &str) -> Self {
        let folder = machine::folder(&format!("engines-{ca}"));
        machine::write(&folder.join("chancery.toml"), "crl_delta_period = \"1d\"\n");
        let key = applicant::key(&folder, "server", keys);
        let former = control::Former::new(ca, &key);
        let authority = Authority::adopt(&folder, &former, &["--config", "chancery.toml"]);
        let names = ("/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
        let csr = applicant::request(&folder, "server", &key, names.0, names.1);
        let issue = |label: &str| {
            let answer = authority.enrol("VPNServerAuthentication", &csr, None);
            let certificate = folder.join(format!("{label}.pem"));
            machine::write(&certificate, answer["certificate"].as_str().expect("a certificate"));
            (certificate, answer["serial_number"].as_str().expect("a serial number").to_lowercase())
        };
        let labels = ["good", "before", "revoked", "held", "released"];
        let issued = labels.map(issue);
        let serial = |number: usize| issued[number].1.as_str();

        authority.revoke(serial(1), "superseded");
        authority.revoke(serial(4), "certificateHold");
        let older_base = base(&authority, &folder, "older", &[serial(1), serial(4)], &[]);
        machine::next_second(); // some engines take the first of two CRLs of one second
        authority.revoke(serial(2), "superseded");
        authority.revoke(serial(3), "certificateHold");
        authority.release(serial(4));
        let delta = delta(&authority, &folder);
        let listed = [serial(1), serial(2), serial(3)];
        let newest_base = base(&authority, &folder, "newest", &listed, &[serial(4)]);
        let root = authority.root();
        let [good, before, revoked, held, released] = issued.map(|(certificate, _)| certificate);
        let standings = [good, before, revoked, held, released, former.revoked];
        Self { authority: Some(authority), folder, root, standings, older_base, newest_base, delta }
    }
}

/// Gives certificates that are good the standings of `World::standings`, all at one time.
pub fn stand(authority: &Authority, serials: [&str; 6]) {
    let reasons =
        ["superseded", "superseded", "certificateHold", "certificateHold", "keyCompromise"];
    for (serial, reason) in serials.iter().skip(1).zip(reasons) {
        authority.revoke(serial, reason);
    }
    authority.release(serials[4]);
}

/// The base, as soon as it lists and lacks these: it follows the delta by itself.
fn base(authority: &Authority, folder: &Path, name: &str, lists: &[&str], lacks: &[&str]) -> Crl {
    let start = Instant::now();
    let der = folder.join(format!("{name}.crl"));
    loop {
        std::fs::rename(authority.fetch_crl(folder), &der).expect("renamed");
        let text = text(&der);
        // Without zeros in front, of which OpenSSL leaves a whole octet out, and half a one not.
        let bare = |serial: &str| serial.trim_start_matches('0').to_owned();
        let serials: Vec<String> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("serial number: "))
            .map(bare)
            .collect();
        let listed = |serial: &&str| serials.contains(&bare(serial));
        if lists.iter().all(listed) && !lacks.iter().any(listed) {
            return Crl { pem: control::crl_to_pem(&der), der };
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the base does not follow:\n{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn delta(authority: &Authority, folder: &Path) -> Crl {
    let der = folder.join("delta.crl");
    authority.fetch_delta(&der);
    let text = text(&der);
    assert!(text.contains("x509v3 delta crl indicator: critical"), "no delta:\n{text}");
    Crl { pem: control::crl_to_pem(&der), der }
}

/// What is in it, in small letters.
pub fn text(der: &Path) -> String {
    let mut openssl = program("openssl");
    openssl.args(["crl", "-inform", "DER", "-noout", "-text", "-in"]).arg(der);
    run(&mut openssl).expect_ok("openssl crl").to_lowercase()
}
