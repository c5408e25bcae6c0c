//! Two tiers, both of this program: a root that is kept offline, and an issuing CA whose service has
//! the root's CRL carried over to it and serves it.

use crate::authority::{Authority, BINARY};
use crate::machine::{program, run, tcp_port};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root that no service runs for.
pub struct OfflineRoot {
    folder: PathBuf,
}

/// Where the issuing CA serves the root's CRL.
const CRL: &str = "/crl/contoso-root-ca.crl";

impl OfflineRoot {
    /// The root, and an issuing CA below it on free ports, which has no CRL of the root yet.
    pub fn above(folder: &Path, kind: &str) -> (Self, Authority) {
        let [api, publish] = [tcp_port(), tcp_port()].map(|port| format!("127.0.0.1:{port}"));
        Self::above_at(folder, kind, &api, &publish, None)
    }

    /// The same on given addresses, in the network namespace of a process.
    pub fn above_at(
        folder: &Path,
        kind: &str,
        api: &str,
        publish: &str,
        inside: Option<u32>,
    ) -> (Self, Authority) {
        let root = Self { folder: folder.to_owned() };
        let mut init = root.command("init");
        init.args(["--name", "CN=Contoso Root CA,DC=contoso,DC=com", "--validity", "20y"]);
        init.args(["--key-algorithm", kind, "--base-url", &format!("http://{publish}")]);
        run(&mut init).expect_ok("chancery init");
        let sign = |csr: &Path| (root.sign(csr), root.certificate());
        let issuing = Authority::subordinate_at(folder, kind, api, publish, inside, sign);
        (root, issuing)
    }

    /// PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("root-data/ca.pem")
    }

    /// The certificate of the CA below, PEM.
    pub fn issued(&self) -> PathBuf {
        self.folder.join("issuing.pem")
    }

    fn sign(&self, csr: &Path) -> PathBuf {
        let mut sign = self.command("sign-subordinate");
        sign.arg(csr).arg("--out").arg(self.issued());
        run(&mut sign).expect_ok("chancery sign-subordinate");
        self.issued()
    }

    /// Revokes the CA below; its next CRL will say so.
    pub fn revokes(&self) {
        let mut revoke = self.command("revoke");
        revoke.arg("--certificate").arg(self.issued()).args(["--reason", "cACompromise"]);
        run(&mut revoke).expect_ok("chancery revoke");
    }

    /// Makes the next CRL, carries it over to the issuing CA, and fetches it from there; DER.
    pub fn publishes(&self, issuing: &Authority, validity: &str) -> PathBuf {
        let [made, served] = ["root.crl", "served.crl"].map(|name| self.folder.join(name));
        let mut publish = self.command("publish-crl");
        publish.args(["--validity", validity, "--out"]).arg(&made);
        run(&mut publish).expect_ok("chancery publish-crl");
        issuing.install_crl(&made);
        issuing.fetch_published(CRL, &served);
        let [made, fetched] = [&made, &served].map(|path| std::fs::read(path).expect("a CRL"));
        assert!(made == fetched, "what is served is not what was carried over");
        served
    }

    fn command(&self, name: &str) -> Command {
        let mut command = program(BINARY);
        command.arg(name).arg("--data").arg(self.folder.join("root-data"));
        command
    }
}
