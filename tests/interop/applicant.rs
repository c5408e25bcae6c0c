//! Who asks for certificates: keys and requests made with openssl, as an outsider makes them.

use crate::machine::{program, run};
use std::path::{Path, PathBuf};

/// A key in `folder`; `kind` is `rsa2048`, `rsa3072`, `p256` or `p384`.
pub fn key(folder: &Path, name: &str, kind: &str) -> PathBuf {
    let path = folder.join(format!("{name}.key"));
    let mut openssl = program("openssl");
    openssl.args(["genpkey", "-quiet", "-out"]).arg(&path).arg("-algorithm");
    match kind.strip_prefix("rsa") {
        Some(bits) => openssl.args(["RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")]),
        None => openssl.args(["EC", "-pkeyopt", &format!("ec_paramgen_curve:P-{}", &kind[1..])]),
    };
    run(&mut openssl).expect_ok("openssl genpkey");
    path
}

/// A request for `key` with a subject in OpenSSL's form and alternative names.
pub fn request(
    folder: &Path,
    name: &str,
    key: &Path,
    subject: &str,
    alternatives: &str,
) -> PathBuf {
    let path = folder.join(format!("{name}.csr"));
    let mut openssl = program("openssl");
    openssl.args(["req", "-new", "-subj", subject, "-key"]).arg(key).arg("-out").arg(&path);
    if !alternatives.is_empty() {
        openssl.args(["-addext", &format!("subjectAltName={alternatives}")]);
    }
    run(&mut openssl).expect_ok("openssl req");
    path
}
