//! The judges that read files: each must accept every good certificate and refuse the revoked one.

use crate::corpus::{Corpus, Issued, corpora};
use crate::engines::engine::go_judges;
use crate::machine::{Said, program, run};
use rustls::pki_types::{CertificateDer, UnixTime};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use webpki::{ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, KeyUsage};

/// Asks one judge about every certificate of every authority.
fn every(judge: impl Fn(&Corpus, &Issued) -> Said, revoked: &str) {
    let mut faults = Vec::new();
    for corpus in corpora() {
        for issued in &corpus.good {
            let said = judge(corpus, issued);
            if !said.ok {
                faults.push(format!("{}: {}: {}", corpus.name, issued.label, said.text));
            }
        }
        judge(corpus, &corpus.revoked).expect_refusal(&corpus.name, revoked);
    }
    assert!(faults.is_empty(), "{} refused:\n{}", faults.len(), faults.join("\n"));
}

fn has(issued: &Issued, purpose: &str) -> bool {
    issued.purposes.iter().any(|held| held == purpose)
}

const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
const MAIL: &str = "1.3.6.1.5.5.7.3.4";

#[test]
fn openssl_accepts_them_strictly() {
    let judge = |corpus: &Corpus, issued: &Issued| {
        let mut purposes = vec!["any"];
        for (identifier, name) in
            [(CLIENT, "sslclient"), (SERVER, "sslserver"), (MAIL, "smimesign")]
        {
            if has(issued, identifier) {
                purposes.push(name);
            }
        }
        let mut all = Said { ok: true, text: String::new() };
        for purpose in purposes {
            let mut openssl = program("openssl");
            openssl.args([
                "verify",
                "-x509_strict",
                "-crl_check_all",
                "-purpose",
                purpose,
                "-CAfile",
            ]);
            openssl.arg(&corpus.root).arg("-CRLfile").arg(&corpus.crl_pem).arg(&issued.certificate);
            let said = run(&mut openssl);
            all = Said { ok: all.ok && said.ok, text: all.text + &said.text };
        }
        all
    };
    every(judge, "certificate revoked");
}

#[test]
fn openssl_accepts_the_crl() {
    for corpus in corpora() {
        let mut openssl = program("openssl");
        openssl.args(["crl", "-inform", "DER", "-noout", "-CAfile"]).arg(&corpus.root);
        let said = run(openssl.arg("-in").arg(&corpus.crl_der)).expect_ok(&corpus.name);
        assert!(said.contains("verify OK"), "{}: {said}", corpus.name);
    }
}

#[test]
fn gnutls_accepts_them() {
    let judge = |corpus: &Corpus, issued: &Issued| {
        let mut certtool = program("certtool");
        certtool.args(["--verify", "--verify-profile", "low", "--load-ca-certificate"]);
        certtool.arg(&corpus.root).arg("--load-crl").arg(&corpus.crl_pem);
        run(certtool.arg("--infile").arg(&issued.certificate))
    };
    every(judge, "revoked");
}

#[test]
fn gnutls_accepts_the_crl() {
    for corpus in corpora() {
        let mut certtool = program("certtool");
        certtool.args(["--verify-crl", "--load-ca-certificate"]).arg(&corpus.root);
        let said = run(certtool.arg("--infile").arg(&corpus.crl_pem)).expect_ok(&corpus.name);
        assert!(said.contains("Verified."), "{}: {said}", corpus.name);
    }
}

#[test]
fn strongswan_accepts_them() {
    let judge = |corpus: &Corpus, issued: &Issued| {
        let mut pki = program("pki");
        pki.args(["--verify", "--cacert"]).arg(&corpus.root).arg("--crl").arg(&corpus.crl_der);
        let said = run(pki.arg("--in").arg(&issued.certificate));
        // It ends with success also where it could not tell, so what it says counts.
        let ok = said.ok
            && said.text.contains("certificate trusted, lifetimes valid, certificate not revoked");
        Said { ok, ..said }
    };
    every(judge, "revoked");
}

#[test]
fn java_pkix_accepts_them() {
    for corpus in corpora() {
        let mut java = program("java");
        java.arg(here("Judge.java")).arg(&corpus.root).arg(&corpus.crl_der);
        for issued in &corpus.good {
            java.arg("good").arg(&issued.certificate);
        }
        java.arg("revoked").arg(&corpus.revoked.certificate);
        run(&mut java).expect_ok(&format!("{}: Java PKIX", corpus.name));
    }
}

#[test]
fn go_accepts_them() {
    let judge = |corpus: &Corpus, issued: &Issued| {
        go_judges(&issued.certificate, &corpus.root, &corpus.crl_pem)
    };
    every(judge, "revoked");
}

#[test]
fn webpki_accepts_them() {
    let judge = |corpus: &Corpus, issued: &Issued| match webpki_verdict(corpus, issued) {
        Ok(()) => Said { ok: true, text: String::new() },
        Err(error) => Said { ok: false, text: format!("{error:?}") },
    };
    every(judge, "CertRevoked");
}

/// webpki judges end entities only: a certificate of a subordinate CA is left to the others.
fn webpki_verdict(corpus: &Corpus, issued: &Issued) -> Result<(), webpki::Error> {
    if issued.is_authority() {
        return Ok(());
    }
    let usage = match issued.purposes.first() {
        Some(purpose) => KeyUsage::required(Box::leak(oid_octets(purpose).into_boxed_slice())),
        None => KeyUsage::client_auth(),
    };
    webpki_judges(&issued.certificate, &corpus.root, &[], &[&corpus.crl_der], usage)
}

/// Judges a certificate under a root by CRLs in DER; all certificates are PEM.
pub fn webpki_judges(
    certificate: &Path,
    root: &Path,
    between: &[&Path],
    crls: &[&Path],
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    let depth = webpki::RevocationCheckDepth::Chain;
    webpki_judges_to(certificate, root, between, crls, usage, depth)
}

/// The same, and only the certificate itself by the CRLs.
pub fn webpki_judges_leaf(
    certificate: &Path,
    root: &Path,
    between: &[&Path],
    crls: &[&Path],
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    let depth = webpki::RevocationCheckDepth::EndEntity;
    webpki_judges_to(certificate, root, between, crls, usage, depth)
}

fn webpki_judges_to(
    certificate: &Path,
    root: &Path,
    between: &[&Path],
    crls: &[&Path],
    usage: KeyUsage,
    depth: webpki::RevocationCheckDepth,
) -> Result<(), webpki::Error> {
    let mut read = Vec::new();
    for crl in crls {
        let crl = fs::read(crl).expect("the CRL");
        read.push(CertRevocationList::Owned(webpki::OwnedCertRevocationList::from_der(&crl)?));
    }
    let crls: Vec<_> = read.iter().collect();
    let revocation = webpki::RevocationOptionsBuilder::new(&crls)
        .expect("a CRL at least")
        .with_depth(depth)
        .with_status_policy(webpki::UnknownStatusPolicy::Deny)
        .with_expiration_policy(webpki::ExpirationPolicy::Enforce)
        .build();
    by_webpki(certificate, root, between, usage, Some(revocation))
}

/// The same for whoever has no CRL.
pub fn webpki_judges_without_crls(
    certificate: &Path,
    root: &Path,
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    by_webpki(certificate, root, &[], usage, None)
}

fn by_webpki(
    certificate: &Path,
    root: &Path,
    between: &[&Path],
    usage: KeyUsage,
    revocation: Option<webpki::RevocationOptions<'_>>,
) -> Result<(), webpki::Error> {
    let root = CertificateDer::from(to_der(root));
    let anchor = webpki::anchor_from_trusted_cert(&root)?;
    let certificate = CertificateDer::from(to_der(certificate));
    let end_entity = EndEntityCert::try_from(&certificate)?;
    let between: Vec<_> = between.iter().map(|path| CertificateDer::from(to_der(path))).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    end_entity
        .verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &[anchor],
            &between,
            UnixTime::since_unix_epoch(now),
            usage,
            revocation,
            None,
        )
        .map(|_| ())
}

/// The content octets of an OBJECT IDENTIFIER (X.690 §8.19).
fn oid_octets(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("an arc")).collect();
    let mut octets = vec![u8::try_from(arcs[0] * 40 + arcs[1]).expect("one octet")];
    for arc in &arcs[2..] {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        octets.extend(groups.iter().rev());
    }
    octets
}

fn to_der(pem: &Path) -> Vec<u8> {
    let der = pem.with_extension("der");
    let mut openssl = program("openssl");
    openssl.args(["x509", "-outform", "DER", "-in"]).arg(pem).arg("-out").arg(&der);
    run(&mut openssl).expect_ok("openssl x509");
    fs::read(&der).expect("DER")
}

pub fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// The only findings of pkilint that are accepted, and only in a certificate whose requester asked
/// for an IP address and a single label as DNS names (Windows IKE clients look for them there).
const ODD_NAMES_ONLY: &[(&str, &str)] = &[
    ("pkix.invalid_domain_name_syntax", "Invalid domain name syntax: \"vpn\""),
    ("pkix.invalid_domain_name_syntax", "Invalid domain name syntax: \"192.0.2.7\""),
];

#[test]
fn pkilint_finds_nothing() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin/python");
    assert!(python.exists(), "pkilint is not on this machine: run tests/install");
    let mut faults = Vec::new();
    for corpus in corpora() {
        let mut lint = Command::new(&python);
        lint.arg(here("lint.py")).arg("certificate").arg(&corpus.root);
        for issued in corpus.good.iter().chain([&corpus.revoked]) {
            lint.arg("certificate").arg(&issued.certificate);
        }
        lint.arg("crl").arg(&corpus.crl_pem);
        let said = run(&mut lint).expect_ok(&format!("{}: pkilint", corpus.name));
        let start = said.find('{').unwrap_or_else(|| panic!("no report: {said}"));
        let found: Value = serde_json::Deserializer::from_str(&said[start..])
            .into_iter()
            .next()
            .and_then(Result::ok)
            .unwrap_or_else(|| panic!("no report: {said}"));
        let files = found.as_object().expect("an object");
        assert_eq!(files.len(), corpus.good.len() + 3, "{}: files judged", corpus.name);
        for (file, findings) in files {
            let odd =
                corpus.good.iter().any(|one| one.odd_names && file.ends_with(&one.file_name()));
            for finding in findings.as_array().expect("findings") {
                let text = |key: &str| finding[key].as_str().unwrap_or_default();
                let excused = ODD_NAMES_ONLY.contains(&(text("code"), text("message")));
                let accepted = text("severity") == "INFO" || odd && excused;
                if !accepted {
                    faults.push(format!("{file}: {finding}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} findings:\n{}", faults.len(), faults.join("\n"));
}
