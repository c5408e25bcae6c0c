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
    let root = authority(&folder);
    let good = issued(&folder, "good", key);
    let revoked = issued(&folder, "revoked", key);
    openssl_ca(&folder, &["-revoke", "revoked.pem", "-crl_reason", "superseded"]);
    let crl_der = gencrl(&folder);
    let crl_pem = crl_to_pem(&crl_der);
    let good = vec![good];
    Corpus { name: "openssl".into(), root, crl_pem, crl_der, good, revoked }
}

/// Makes the root and what `openssl ca` keeps beside it.
fn authority(folder: &Path) -> PathBuf {
    write(&folder.join("ca.cnf"), CONFIGURATION);
    write(&folder.join("index.txt"), "");
    // Random enough, short enough: pkilint wants 64 bits.
    write(&folder.join("serial"), "51A7C04DB2E9F3088E61D2750C9AB4F1");
    write(&folder.join("crlnumber"), "01");
    let ca_key = applicant::key(folder, "ca", "rsa2048");
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

fn issued(folder: &Path, name: &str, key: &Path) -> Issued {
    let csr = applicant::request(folder, name, key, "/CN=server.contoso.com", "");
    let certificate = folder.join(format!("{name}.pem"));
    let (csr, out) = (csr.display().to_string(), certificate.display().to_string());
    openssl_ca(folder, &["-in", &csr, "-out", &out, "-extensions", "client", "-notext"]);
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
        let root = authority(&folder);
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
