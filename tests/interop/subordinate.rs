//! A CA of ours under a root made by OpenSSL: the whole chain before the judges, each with the
//! root's CRL and ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::authority::Authority;
use crate::engines::engine::go_judges;
use crate::machine::{self, Said, program, run, write};
use crate::{applicant, control, judges};

struct Chain {
    root: PathBuf,
    subordinate: PathBuf,
    /// Root, then subordinate.
    both: PathBuf,
    root_crl: PathBuf,
    crl: PathBuf,
    /// The two CRLs, PEM.
    crls: PathBuf,
    good: PathBuf,
    revoked: PathBuf,
}

fn chain() -> &'static Chain {
    static CHAIN: LazyLock<Chain> = LazyLock::new(made);
    &CHAIN
}

fn made() -> Chain {
    let folder = machine::folder("subordinate");
    let parent = control::Parent::new();
    let authority = Authority::subordinate(&folder, |csr| (parent.sign(csr), parent.root.clone()));
    let key = applicant::key(&folder, "vpn", "rsa2048");
    let enrol = |name: &str| {
        let csr =
            applicant::request(&folder, name, &key, "/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
        let answer = authority.enrol("VPNServerAuthentication", &csr, None);
        let path = folder.join(format!("{name}.pem"));
        write(&path, answer["certificate"].as_str().expect("a certificate"));
        (path, answer["serial_number"].as_str().expect("a serial number").to_owned())
    };
    let ((good, _), (revoked, serial)) = (enrol("good"), enrol("revoked"));
    authority.revoke(&serial, "keyCompromise");
    let crl = authority.fetch_crl(&folder);
    let (root, root_crl) = (parent.root.clone(), parent.crl());
    let subordinate = root.with_file_name("sub.pem");
    let joined = |name: &str, files: [&Path; 2]| {
        let path = folder.join(name);
        write(&path, files.map(|file| fs::read_to_string(file).expect("PEM")).concat());
        path
    };
    let both = joined("both.pem", [&root, &subordinate]);
    let pem = [control::crl_to_pem(&root_crl), control::crl_to_pem(&crl)];
    let crls = joined("crls.pem", [&pem[0], &pem[1]]);
    assert!(authority.stop(), "SIGTERM did not end the service cleanly");
    Chain { root, subordinate, both, root_crl, crl, crls, good, revoked }
}

impl Chain {
    /// A file with a certificate and that of its CA.
    fn path_of(&self, certificate: &Path) -> PathBuf {
        let path = certificate.with_extension("path.pem");
        let read = |file: &Path| fs::read_to_string(file).expect("PEM");
        write(&path, read(certificate) + &read(&self.subordinate));
        path
    }
}

/// The judge accepts the good certificate and refuses the revoked one for that reason.
fn judged(name: &str, revoked: &str, judge: impl Fn(&Path) -> Said) {
    judge(&chain().good).expect_ok(name);
    judge(&chain().revoked).expect_refusal(name, revoked);
}

#[test]
fn openssl_accepts_the_chain_strictly() {
    let chain = chain();
    judged("openssl", "certificate revoked", |certificate| {
        let mut openssl = program("openssl");
        openssl.args(["verify", "-x509_strict", "-crl_check_all", "-purpose", "sslserver"]);
        openssl.arg("-CAfile").arg(&chain.root).arg("-untrusted").arg(&chain.subordinate);
        run(openssl.arg("-CRLfile").arg(&chain.crls).arg(certificate))
    });
}

#[test]
fn gnutls_accepts_the_chain() {
    let chain = chain();
    judged("certtool", "revoked", |certificate| {
        let path = chain.path_of(certificate);
        let mut certtool = program("certtool");
        certtool.args(["--verify", "--verify-profile", "low", "--load-ca-certificate"]);
        certtool.arg(&chain.root).arg("--load-crl").arg(&chain.crls);
        run(certtool.arg("--infile").arg(&path))
    });
}

#[test]
fn strongswan_accepts_the_chain() {
    let chain = chain();
    judged("pki", "revoked", |certificate| {
        let mut pki = program("pki");
        pki.arg("--verify")
            .arg("--cacert")
            .arg(&chain.root)
            .arg("--cacert")
            .arg(&chain.subordinate);
        pki.arg("--crl").arg(&chain.root_crl).arg("--crl").arg(&chain.crl);
        let said = run(pki.arg("--in").arg(certificate));
        let ok = said.ok && said.text.contains("certificate not revoked");
        Said { ok, ..said }
    });
}

#[test]
fn java_pkix_accepts_the_chain() {
    let chain = chain();
    let mut java = program("java");
    java.arg(judges::here("Judge.java")).arg(&chain.both).arg(&chain.crls);
    java.arg("good").arg(&chain.good).arg("revoked").arg(&chain.revoked);
    run(&mut java).expect_ok("Java PKIX");
}

#[test]
fn go_accepts_the_chain() {
    let chain = chain();
    judged("Go", "revoked", |certificate| {
        go_judges(&chain.path_of(certificate), &chain.root, &chain.crls)
    });
}

#[test]
fn webpki_accepts_the_chain() {
    let chain = chain();
    judged("webpki", "CertRevoked", |certificate| {
        let verdict = judges::webpki_judges(
            certificate,
            &chain.root,
            &[&chain.subordinate],
            &[&chain.root_crl, &chain.crl],
            // A CA of OpenSSL's has no purposes, which leaves them open (RFC 5280 §4.2.1.12).
            webpki::KeyUsage::server_auth(),
        );
        match verdict {
            Ok(()) => Said { ok: true, text: String::new() },
            Err(error) => Said { ok: false, text: format!("{error:?}") },
        }
    });
}

#[test]
fn pkilint_finds_nothing_in_what_we_made() {
    let chain = chain();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin/python");
    let mut lint = Command::new(&python);
    lint.arg(judges::here("lint.py")).arg("certificate").arg(&chain.good);
    lint.arg("crl").arg(control::crl_to_pem(&chain.crl));
    let said = run(&mut lint).expect_ok("pkilint");
    assert!(said.contains("good.pem"), "{said}");
    for severity in ["WARNING", "ERROR", "FATAL"] {
        assert!(!said.contains(severity), "{said}");
    }
}
