//! What each engine makes of a partition's CRL: of the one that a certificate names, and of another
//! partition's, which a misconfigured or malicious server may hand it. An engine that does not look
//! at the issuing distribution point takes whoever is not on that for good (RFC 5280 §6.3.3 b 2 i).

use crate::authority::Authority;
use crate::engines::engine::Engine;
use crate::engines::world::{self, Crl, World, text};
use crate::engines::{Does, each_cell_holds};
use crate::judges::here;
use crate::machine::{self, program, run};
use crate::{applicant, control};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The engine; then what it does with the partition that the certificates name, and with another.
const TABLE: &[(Engine, [Does; 2])] = &[
    (Engine::OpenSsl, [Does::Supports, Does::Refuses]),
    (Engine::OpenSslExtended, [Does::Supports, Does::Refuses]),
    (Engine::GnuTls, [Does::Supports, Does::TakesItForIts]),
    (Engine::Nss, [Does::Refuses, Does::Refuses]),
    (Engine::StrongSwan, [Does::Supports, Does::TakesItForIts]),
    (Engine::Java, [Does::Supports, Does::Refuses]),
    (Engine::BouncyCastle, [Does::Supports, Does::Refuses]),
    (Engine::Go, [Does::LooksAtNone, Does::LooksAtNone]),
    (Engine::GoLists, [Does::Supports, Does::TakesItForIts]),
    (Engine::Webpki, [Does::Supports, Does::Refuses]),
];

/// Certificates of partition 1, and the CRLs of both.
struct Parted {
    world: World,
    other: Crl,
}

#[test]
fn each_engine_does_with_each_partition_what_the_table_says_with_rsa() {
    the_table_holds("rsa3072", "rsa2048");
}

#[test]
fn each_engine_does_with_each_partition_what_the_table_says_with_p256() {
    the_table_holds("p256", "p256");
}

fn the_table_holds(ca: &str, keys: &str) {
    let Parted { mut world, other } = parted(ca, keys);
    pkilint_finds_nothing(&[&world.newest_base.pem, &other.pem], &world.standings[0]);
    // From here on nobody can fetch: each has what it is given.
    assert!(world.authority.take().is_some_and(Authority::stop), "SIGTERM did not end it cleanly");
    let crls: [&[&Crl]; 2] = [&[&world.newest_base], &[&other]];
    let judged = |(engine, cells): &(Engine, _)| (*engine, *cells, engine.judge(&world, &crls));
    each_cell_holds(["its own partition", "another partition"], TABLE.iter().map(judged));
}

/// A CA with two partitions, six certificates of the first, and both CRLs.
fn parted(ca: &str, keys: &str) -> Parted {
    let folder = machine::folder(&format!("engines-partitions-{ca}"));
    machine::write(&folder.join("chancery.toml"), "crl_partitions = 2\n");
    let authority = Authority::init_with(&folder, ca, &["--config", "chancery.toml"]);
    let key = applicant::key(&folder, "server", keys);
    let names = ("/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
    let csr = applicant::request(&folder, "server", &key, names.0, names.1);
    let mut issued: Vec<(PathBuf, String)> = Vec::new();
    for attempt in 0.. {
        // Serial numbers are random: half of them fall into the first.
        assert!(attempt < 200, "of {attempt} certificates {} are of partition 1", issued.len());
        let answer = authority.enrol("VPNServerAuthentication", &csr, None);
        let certificate = folder.join(format!("{attempt}.pem"));
        machine::write(&certificate, answer["certificate"].as_str().expect("a certificate"));
        let serial = answer["serial_number"].as_str().expect("a serial number").to_lowercase();
        if points_of(&certificate).contains("-p1.crl") {
            issued.push((certificate, serial));
        }
        if issued.len() == 6 {
            break;
        }
    }
    let issued: [_; 6] = issued.try_into().expect("six");
    // Each call answers once the partition's CRL tells it.
    world::stand(&authority, issued.each_ref().map(|(_, serial)| serial.as_str()));
    let point = points_of(&issued[0].0);
    let url = point.lines().find_map(|line| line.trim().strip_prefix("uri:")).expect("a URL");
    let own = crl(&authority, &folder, url);
    let other = crl(&authority, &folder, &url.replace("-p1.crl", "-p2.crl"));
    let told = text(&own.der);
    assert!(told.contains("issuing distribution point: critical"), "{told}");
    assert!(told.contains(url), "not the place that the certificate names, {url}:\n{told}");
    let root = authority.root();
    let standings = issued.map(|(certificate, _)| certificate);
    let [older_base, delta] =
        [&other, &other].map(|crl| Crl { der: crl.der.clone(), pem: crl.pem.clone() });
    let authority = Some(authority);
    let world = World { authority, folder, root, standings, older_base, newest_base: own, delta };
    Parted { world, other }
}

fn crl(authority: &Authority, folder: &Path, url: &str) -> Crl {
    let path = url.strip_prefix(authority.publication()).expect("our publication address");
    let der = folder.join(path.rsplit('/').next().unwrap_or_default());
    authority.fetch_published(path, &der);
    Crl { pem: control::crl_to_pem(&der), der }
}

fn pkilint_finds_nothing(crls: &[&Path], certificate: &Path) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin/python");
    assert!(python.exists(), "pkilint is not on this machine: run tests/install");
    let mut lint = Command::new(&python);
    lint.arg(here("lint.py")).arg("certificate").arg(certificate);
    for crl in crls {
        lint.arg("crl").arg(crl);
    }
    let said = run(&mut lint).expect_ok("pkilint");
    let found: Value = serde_json::from_str(said.trim()).unwrap_or_else(|_| panic!("{said}"));
    let files = found.as_object().expect("an object");
    assert_eq!(files.len(), crls.len() + 1, "{said}");
    for (file, findings) in files {
        for finding in findings.as_array().expect("findings") {
            assert_eq!(finding["severity"], "INFO", "{file}: {finding}");
        }
    }
}

/// What OpenSSL says of its distribution points, in small letters.
fn points_of(certificate: &Path) -> String {
    let mut openssl = program("openssl");
    openssl.args(["x509", "-noout", "-ext", "crlDistributionPoints", "-in"]).arg(certificate);
    run(&mut openssl).expect_ok("openssl x509").to_lowercase()
}
