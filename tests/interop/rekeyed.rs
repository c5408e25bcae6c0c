//! A root of ours that was renewed with a new key, before the judges: what was issued under either
//! key, by whoever trusts either root, each with the CRLs of both keys. The revoked one of the old
//! key was revoked after the renewal: the old key goes on signing its CRL. Both lists name
//! everybody: GnuTLS keeps one CRL of an issuer's name whoever signed it, and Java takes the other
//! key's if that verifies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::authority::Authority;
use crate::machine::{self, Said, program, run, write};
use crate::{applicant, control, judges};

const SLUG: &str = "contoso-vpn-ca-p256";

struct Made {
    old: Generation,
    new: Generation,
    new_with_old: PathBuf,
    old_with_new: PathBuf,
    /// The CRLs of both keys, PEM.
    crls: PathBuf,
    /// What was said while the service ran, of the good one and of the revoked one on every way:
    /// strongSwan keeps the newer of two CRLs of one name and fetches the other, and so does Java.
    strongswan: Vec<[Said; 2]>,
    java: Vec<Said>,
}

/// What belongs to one of the keys.
struct Generation {
    root: PathBuf,
    crl: PathBuf,
    good: PathBuf,
    revoked: PathBuf,
}

/// How somebody comes from a certificate to what he trusts.
struct Way<'a> {
    name: &'static str,
    leaf: &'a Generation,
    root: &'a Path,
    between: Option<&'a Path>,
}

fn made() -> &'static Made {
    static MADE: LazyLock<Made> = LazyLock::new(make);
    &MADE
}

impl Made {
    fn ways(&self) -> [Way<'_>; 4] {
        let (old, new) = (&self.old, &self.new);
        let (new_with_old, old_with_new) = (&self.new_with_old, &self.old_with_new);
        [
            Way { name: "old under old", leaf: old, root: &old.root, between: None },
            Way { name: "new under new", leaf: new, root: &new.root, between: None },
            Way { name: "new under old", leaf: new, root: &old.root, between: Some(new_with_old) },
            Way { name: "old under new", leaf: old, root: &new.root, between: Some(old_with_new) },
        ]
    }
}

fn make() -> Made {
    let folder = machine::folder("rekeyed");
    let key = applicant::key(&folder, "vpn", "rsa2048");
    let enrol = |authority: &Authority, name: &str| {
        let csr =
            applicant::request(&folder, name, &key, "/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
        let answer = authority.enrol("VPNServerAuthentication", &csr, None);
        let path = folder.join(format!("{name}.pem"));
        write(&path, answer["certificate"].as_str().expect("a certificate"));
        (path, answer["serial_number"].as_str().expect("a serial number").to_owned())
    };
    let authority = Authority::init(&folder, "p256");
    let ((old_good, _), (old_revoked, old_serial)) =
        (enrol(&authority, "old-good"), enrol(&authority, "old-revoked"));
    let old_root = folder.join("old-root.pem");
    fs::copy(authority.root(), &old_root).expect("the old root");

    let more = ["--new-key", "--key-algorithm", "p384", "--validity", "15y"];
    let authority = authority.renewed(&folder, &more);
    let ((new_good, _), (new_revoked, new_serial)) =
        (enrol(&authority, "new-good"), enrol(&authority, "new-revoked"));
    authority.revoke(&old_serial, "keyCompromise");
    authority.revoke(&new_serial, "superseded");
    let new_root = folder.join("new-root.pem");
    fs::copy(authority.root(), &new_root).expect("the new root");
    let published = |path: String, name: &str| {
        let file = folder.join(name);
        authority.fetch_published(&path, &file);
        file
    };
    let lists_both = |crl: &Path| {
        let mut openssl = program("openssl");
        openssl.args(["crl", "-inform", "DER", "-noout", "-text", "-in"]).arg(crl);
        let text = run(&mut openssl).expect_ok("openssl crl").to_lowercase();
        [&old_serial, &new_serial].iter().all(|own| text.contains(own.trim_start_matches("00")))
    };
    let crls = || {
        [format!("/crl/{SLUG}.crl"), format!("/crl/{SLUG}-1.crl")]
            .into_iter()
            .zip(["old.crl", "new.crl"])
            .map(|(path, name)| published(path, name))
            .collect::<Vec<_>>()
    };
    // The one that a certificate does not name follows by itself.
    let mut found = crls();
    for _ in 0..30 {
        if found.iter().all(|crl| lists_both(crl)) {
            break;
        }
        machine::next_second();
        found = crls();
    }
    assert!(found.iter().all(|crl| lists_both(crl)), "a CRL lists not everybody");
    let (old_crl, new_crl) = (found[0].clone(), found[1].clone());
    let cross = |which: &str, name: &str| {
        let der = published(format!("/aia/{SLUG}-{which}.crt"), name);
        let pem = der.with_extension("pem");
        let mut openssl = program("openssl");
        openssl.args(["x509", "-inform", "DER", "-in"]).arg(der).arg("-out").arg(&pem);
        run(&mut openssl).expect_ok("openssl x509");
        pem
    };
    let new_with_old = cross("1-with-0", "new-with-old.der");
    let old_with_new = cross("0-with-1", "old-with-new.der");
    let read = |file: &Path| fs::read_to_string(file).expect("PEM");
    let crls = folder.join("crls.pem");
    write(&crls, [&old_crl, &new_crl].map(|crl| read(&control::crl_to_pem(crl))).concat());
    let mut made = Made {
        old: Generation { root: old_root, crl: old_crl, good: old_good, revoked: old_revoked },
        new: Generation { root: new_root, crl: new_crl, good: new_good, revoked: new_revoked },
        new_with_old,
        old_with_new,
        crls,
        strongswan: Vec::new(),
        java: Vec::new(),
    };
    let strongswan = |way: &Way<'_>| {
        [&way.leaf.good, &way.leaf.revoked].map(|leaf| ask_strongswan(&made, way, leaf))
    };
    let (strongswan, java) = (
        made.ways().iter().map(strongswan).collect(),
        made.ways().iter().map(|way| ask_java(&made, way)).collect(),
    );
    (made.strongswan, made.java) = (strongswan, java);
    assert!(authority.stop(), "SIGTERM did not end the service cleanly");
    made
}

fn ask_strongswan(made: &Made, way: &Way<'_>, leaf: &Path) -> Said {
    let mut pki = program("pki");
    pki.args(["--verify", "--cacert"]).arg(way.root);
    if let Some(between) = way.between {
        pki.arg("--cacert").arg(between);
    }
    pki.arg("--crl").arg(&made.old.crl).arg("--crl").arg(&made.new.crl);
    let said = run(pki.arg("--in").arg(leaf));
    let ok = said.ok && said.text.contains("certificate not revoked");
    Said { ok, ..said }
}

fn ask_java(made: &Made, way: &Way<'_>) -> Said {
    let read = |file: &Path| fs::read_to_string(file).expect("PEM");
    let authorities = way.leaf.good.with_extension("authorities.pem");
    write(&authorities, read(way.root) + &way.between.map(read).unwrap_or_default());
    let mut java = program("java");
    java.arg(judges::here("Judge.java")).arg(&authorities).arg(&made.crls);
    java.arg("good").arg(&way.leaf.good).arg("revoked").arg(&way.leaf.revoked);
    run(&mut java)
}

/// On every way the judge accepts the good certificate and refuses the revoked one for that
/// reason.
fn on_every_way(judge_name: &str, revoked: &str, judge: impl Fn(&Way<'_>, &Path) -> Said) {
    for way in made().ways() {
        let told = format!("{judge_name}, {}", way.name);
        judge(&way, &way.leaf.good).expect_ok(&told);
        judge(&way, &way.leaf.revoked).expect_refusal(&told, revoked);
    }
}

#[test]
fn openssl_accepts_either_key_under_either_root() {
    on_every_way("openssl", "certificate revoked", |way, certificate| {
        let mut openssl = program("openssl");
        openssl.args(["verify", "-x509_strict", "-crl_check_all", "-purpose", "sslserver"]);
        openssl.arg("-CAfile").arg(way.root).arg("-CRLfile").arg(&made().crls);
        if let Some(between) = way.between {
            openssl.arg("-untrusted").arg(between);
        }
        run(openssl.arg(certificate))
    });
}

#[test]
fn without_the_cross_certificate_the_other_root_says_nothing() {
    for way in made().ways().iter().filter(|way| way.between.is_some()) {
        let mut openssl = program("openssl");
        openssl.args(["verify", "-CAfile"]).arg(way.root).arg(&way.leaf.good);
        run(&mut openssl).expect_refusal(way.name, "unable to get local issuer certificate");
    }
}

#[test]
fn gnutls_accepts_either_key_under_either_root() {
    on_every_way("certtool", "revoked", |way, certificate| {
        let path = certificate.with_extension("path.pem");
        let read = |file: &Path| fs::read_to_string(file).expect("PEM");
        write(&path, read(certificate) + &way.between.map(read).unwrap_or_default());
        let mut certtool = program("certtool");
        certtool.args(["--verify", "--verify-profile", "low", "--load-ca-certificate"]);
        certtool.arg(way.root).arg("--load-crl").arg(&made().crls);
        run(certtool.arg("--infile").arg(&path))
    });
}

#[test]
fn strongswan_accepts_either_key_under_either_root() {
    for (way, [good, revoked]) in made().ways().iter().zip(&made().strongswan) {
        assert!(good.ok, "pki, {}: {}", way.name, good.text);
        assert!(
            !revoked.ok && revoked.text.contains("revoked"),
            "pki, {}: {}",
            way.name,
            revoked.text
        );
    }
    assert_eq!(made().strongswan.len(), 4);
}

#[test]
fn java_pkix_accepts_either_key_under_either_root() {
    for (way, said) in made().ways().iter().zip(&made().java) {
        assert!(said.ok, "Java PKIX, {}: {}", way.name, said.text);
    }
    assert_eq!(made().java.len(), 4);
}

/// webpki takes the first CRL with the issuer's name, whichever key signed it: it is given the
/// one of the leaf's key, and looks at no other level.
#[test]
fn webpki_accepts_either_key_under_either_root() {
    on_every_way("webpki", "CertRevoked", |way, certificate| {
        let between: Vec<&Path> = way.between.into_iter().collect();
        let usage = webpki::KeyUsage::server_auth();
        let crls = [way.leaf.crl.as_path()];
        let verdict = judges::webpki_judges_leaf(certificate, way.root, &between, &crls, usage);
        match verdict {
            Ok(()) => Said { ok: true, text: String::new() },
            Err(error) => Said { ok: false, text: format!("{error:?}") },
        }
    });
}

#[test]
fn pkilint_finds_nothing() {
    let made = made();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin/python");
    assert!(python.exists(), "pkilint is not on this machine: run tests/install");
    let mut lint = Command::new(&python);
    lint.arg(judges::here("lint.py"));
    for file in [&made.new.root, &made.new_with_old, &made.old_with_new, &made.new.good] {
        lint.arg("certificate").arg(file);
    }
    for crl in [&made.old.crl, &made.new.crl] {
        lint.arg("crl").arg(control::crl_to_pem(crl));
    }
    let said = run(&mut lint).expect_ok("pkilint");
    assert!(said.contains("new-with-old.pem"), "{said}");
    for severity in ["WARNING", "ERROR", "FATAL"] {
        assert!(!said.contains(severity), "{said}");
    }
}
