//! The control: the same things made by openssl alone, so that a judge that is set up wrongly is
//! told from a certificate of ours that is wrong.

use crate::applicant;
use crate::corpus::{Corpus, Issued};
use crate::machine::{self, program, run, write};
use std::path::{Path, PathBuf};

const CONFIGURATION: &str = "
[ca]
default_ca = lab
[lab]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
unique_subject = no
default_md = sha256
policy = any
default_days = 30
default_crl_days = 7
certificate = ca.pem
private_key = ca.key
crl_extensions = crl
[any]
commonName = optional
domainComponent = optional
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
[subordinate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://127.0.0.1:9/ca.crl
[server]
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:vpn.contoso.com
[client]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:server.contoso.com
crlDistributionPoints = URI:http://127.0.0.1:9/ca.crl
";

/// A root, a good and a revoked certificate, and a CRL.
pub fn corpus(key: &Path) -> Corpus {
    let folder = machine::folder("control");
    let root = authority(&folder, "rsa2048");
    let good = issued(&folder, "good", "client", key);
    let revoked = issued(&folder, "revoked", "client", key);
    openssl_ca(&folder, &["-revoke", "revoked.pem", "-crl_reason", "superseded"]);
    let crl_der = gencrl(&folder);
    let crl_pem = crl_to_pem(&crl_der);
    let good = vec![good];
    Corpus { name: "openssl".into(), root, crl_pem, crl_der, good, revoked }
}

/// Makes the root and what `openssl ca` keeps beside it.
fn authority(folder: &Path, kind: &str) -> PathBuf {
    write(&folder.join("ca.cnf"), CONFIGURATION);
    write(&folder.join("index.txt"), "");
    // Random enough, short enough: pkilint wants 64 bits.
    write(&folder.join("serial"), "51A7C04DB2E9F3088E61D2750C9AB4F1");
    write(&folder.join("crlnumber"), "01");
    let ca_key = applicant::key(folder, "ca", kind);
    let root = folder.join("ca.pem");
    let mut req = program("openssl");
    req.args(["req", "-x509", "-days", "100", "-config", "ca.cnf", "-extensions", "authority"]);
    req.args(["-subj", "/DC=com/DC=contoso/CN=Control CA", "-key"]).arg(&ca_key).arg("-out");
    run(req.arg(&root).current_dir(folder)).expect_ok("openssl req");
    root
}

fn gencrl(folder: &Path) -> PathBuf {
    openssl_ca(folder, &["-gencrl", "-out", "crl-made.pem"]);
    let crl_der = folder.join("ca.crl");
    let mut convert = program("openssl");
    convert.args(["crl", "-in", "crl-made.pem", "-outform", "DER", "-out", "ca.crl"]);
    run(convert.current_dir(folder)).expect_ok("openssl crl");
    crl_der
}

fn issued(folder: &Path, name: &str, purpose: &str, key: &Path) -> Issued {
    let csr = applicant::request(folder, name, key, "/CN=server.contoso.com", "");
    let certificate = folder.join(format!("{name}.pem"));
    let (csr, out) = (csr.display().to_string(), certificate.display().to_string());
    openssl_ca(folder, &["-in", &csr, "-out", &out, "-extensions", purpose, "-notext"]);
    let purposes = vec!["1.3.6.1.5.5.7.3.2".to_owned()];
    Issued { label: name.to_owned(), certificate, purposes, odd_names: false }
}

/// A root made by OpenSSL, as the parent of a CA of ours.
pub struct Parent {
    folder: PathBuf,
    /// PEM.
    pub root: PathBuf,
}

impl Parent {
    pub fn new() -> Self {
        let folder = machine::folder("parent");
        let root = authority(&folder, "rsa2048");
        Self { folder, root }
    }

    /// Signs the request of a CA; PEM.
    pub fn sign(&self, csr: &Path) -> PathBuf {
        let certificate = self.folder.join("sub.pem");
        let (csr, out) = (csr.display().to_string(), certificate.display().to_string());
        let arguments = ["-in", &csr, "-out", &out, "-extensions", "subordinate", "-notext"];
        openssl_ca(&self.folder, &arguments);
        certificate
    }

    /// Its CRL, DER.
    pub fn crl(&self) -> PathBuf {
        gencrl(&self.folder)
    }
}

/// A CA that is OpenSSL's before it becomes one of ours.
pub struct Former {
    pub key: PathBuf,
    /// PEM.
    pub root: PathBuf,
    /// PEM: a server's certificate that it revoked.
    pub revoked: PathBuf,
    /// DER: its last CRL, which says so.
    pub crl: PathBuf,
}

impl Former {
    /// With a key of this kind, and a certificate for `key`.
    pub fn new(kind: &str, key: &Path) -> Self {
        let folder = machine::folder(&format!("former-{kind}"));
        let root = of_before(&folder, authority(&folder, kind));
        let revoked = issued(&folder, "revoked", "server", key).certificate;
        openssl_ca(&folder, &["-revoke", "revoked.pem", "-crl_reason", "superseded"]);
        Self { key: folder.join("ca.key"), crl: gencrl(&folder), root, revoked }
    }
}

/// The root again, since a year that is over: no CRL begins before its CA, and engines that are given
/// several of one moment take the first.
fn of_before(folder: &Path, root: PathBuf) -> PathBuf {
    let mut req = program("openssl");
    req.args(["req", "-new", "-config", "ca.cnf", "-key", "ca.key", "-out", "ca.csr"]);
    req.args(["-subj", "/DC=com/DC=contoso/CN=Control CA"]).current_dir(folder);
    run(&mut req).expect_ok("openssl req");
    let form = ["-selfsign", "-preserveDN", "-extensions", "authority", "-notext"];
    let times = ["-startdate", "20250101000000Z", "-enddate", "20350101000000Z"];
    let files = ["-in", "ca.csr", "-out", "ca.pem"];
    openssl_ca(folder, &[&form[..], &times, &files].concat());
    root
}

fn openssl_ca(folder: &Path, arguments: &[&str]) {
    let mut ca = program("openssl");
    ca.args(["ca", "-batch", "-config", "ca.cnf"]).args(arguments).current_dir(folder);
    run(&mut ca).expect_ok("openssl ca");
}

/// The same CRL as PEM, beside it.
pub fn crl_to_pem(der: &Path) -> PathBuf {
    let pem = der.with_extension("crl.pem");
    let mut openssl = program("openssl");
    openssl.args(["crl", "-inform", "DER", "-in"]).arg(der).arg("-out").arg(&pem);
    run(&mut openssl).expect_ok("openssl crl");
    pem
}
