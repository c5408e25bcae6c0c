//! What each engine makes of OCSP answers: of those of the CA's own responder, and of those that
//! somebody signs who has no more than a server's certificate of this CA. Only a certificate for
//! OCSP signing may answer in a CA's place (RFC 6960 §4.2.2.2); an engine that does not look lets
//! whoever sits on the way, and holds any certificate, hide a revocation.

use crate::applicant;
use crate::authority::Authority;
use crate::engines::engine::{self, Engine};
use crate::engines::responder::Impostor;
use crate::engines::{Does, each_cell_holds, world};
use crate::judges::webpki_judges_without_crls;
use crate::machine::{self, Said, program, run, write};
use std::path::{Path, PathBuf};
use webpki::KeyUsage;

/// The engine; then what it does with the responder's answers, and with those of an impostor.
const TABLE: &[(Engine, [Does; 2])] = &[
    (Engine::OpenSsl, [Does::Supports, Does::Refuses]),
    (Engine::GnuTls, [Does::Supports, Does::Refuses]),
    (Engine::Nss, [Does::Supports, Does::Refuses]),
    (Engine::StrongSwan, [Does::Supports, Does::Refuses]),
    (Engine::Java, [Does::Supports, Does::Refuses]),
    (Engine::BouncyCastle, [Does::Supports, Does::Refuses]),
    (Engine::Go, [Does::LooksAtNone, Does::LooksAtNone]),
    (Engine::GoOcsp, [Does::Supports, Does::BelievesAnybody]),
    (Engine::Webpki, [Does::LooksAtNone, Does::LooksAtNone]),
];

#[test]
fn each_engine_does_with_each_answer_what_the_table_says_with_rsa() {
    the_table_holds("rsa3072", "rsa2048");
}

#[test]
fn each_engine_does_with_each_answer_what_the_table_says_with_p256() {
    the_table_holds("p256", "p256");
}

/// Six certificates of one server, and who is asked about them.
struct Asked {
    folder: PathBuf,
    root: PathBuf,
    url: String,
    /// In the order of `World::standings`.
    standings: [PathBuf; 6],
}

fn the_table_holds(ca: &str, keys: &str) {
    let folder = machine::folder(&format!("engines-answers-{ca}"));
    let more = ["--ocsp", "true", "--ocsp-key", ca];
    let authority = Authority::init_with(&folder, ca, &more);
    let key = applicant::key(&folder, "server", keys);
    let names = ("/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
    let csr = applicant::request(&folder, "server", &key, names.0, names.1);
    let issued = [0, 1, 2, 3, 4, 5].map(|number| {
        let answer = authority.enrol("VPNServerAuthentication", &csr, None);
        let certificate = folder.join(format!("{number}.pem"));
        write(&certificate, answer["certificate"].as_str().expect("a certificate"));
        (certificate, answer["serial_number"].as_str().expect("a serial number").to_owned())
    });
    let serials = issued.each_ref().map(|(_, serial)| serial.as_str());
    world::stand(&authority, serials);
    let address = authority.publication().to_owned();
    let standings = issued.each_ref().map(|(certificate, _)| certificate.clone());
    let root = authority.root();
    let asked = Asked { folder, root, url: format!("{address}/ocsp"), standings };

    let by_responder: Vec<_> = TABLE.iter().map(|(engine, _)| asked.by(*engine)).collect();
    assert!(authority.stop(), "SIGTERM did not end it cleanly");
    let signer = (asked.standings[0].as_path(), key.as_path());
    let impostor = Impostor::start(&asked.folder, &address, &asked.root, signer, &serials);
    let judged = TABLE.iter().zip(by_responder).map(|((engine, cells), by_responder)| {
        let before = impostor.answered();
        let by_impostor = asked.by(*engine);
        // Else it would be refused by who finds nobody there.
        let has_asked = impostor.answered() > before;
        assert_eq!(has_asked, cells[1] != Does::LooksAtNone, "{engine:?}");
        (*engine, *cells, vec![by_responder, by_impostor])
    });
    each_cell_holds(["the responder's answers", "an impostor's answers"], judged);
}

impl Asked {
    /// Whether the engine accepts each certificate by what is answered at the address now.
    fn by(&self, engine: Engine) -> Vec<Said> {
        match engine {
            Engine::Java => return self.java("SUN"),
            Engine::BouncyCastle => return self.java("BC"),
            // What it is given counts for nothing.
            Engine::Go => return self.go("verify", std::slice::from_ref(&self.root)),
            Engine::GoOcsp => return self.go("answer", &self.answers()),
            Engine::Nss => {
                let database = engine::nss_database(&self.folder, &self.root);
                let judge = |certificate| engine::nss(&database, "ocsp", certificate);
                return self.standings.iter().map(|certificate| judge(certificate)).collect();
            }
            _ => {}
        }
        let judge = |certificate: &PathBuf| match engine {
            Engine::OpenSsl => self.openssl(certificate, &[]),
            Engine::GnuTls => self.gnutls(certificate),
            Engine::StrongSwan => self.strongswan(certificate),
            Engine::Webpki => by_webpki(certificate, &self.root),
            other => unreachable!("{other:?} is not in the table"),
        };
        self.standings.iter().map(judge).collect()
    }

    fn openssl(&self, certificate: &Path, more: &[&str]) -> Said {
        let mut openssl = program("openssl");
        openssl.args(["ocsp", "-url", &self.url, "-issuer"]).arg(&self.root).arg("-CAfile");
        let said = run(openssl.arg(&self.root).args(more).arg("-cert").arg(certificate));
        told(said, &["Response verify OK", &format!("{}: good", certificate.display())])
    }

    fn gnutls(&self, certificate: &Path) -> Said {
        let mut ocsptool = program("ocsptool");
        ocsptool.arg(format!("--ask={}", self.url)).arg("--load-issuer").arg(&self.root);
        ocsptool.arg("--load-trust").arg(&self.root).arg("--load-cert").arg(certificate);
        let success = ["Verifying OCSP Response: Success", "Certificate Status: good"];
        told(run(&mut ocsptool), &success)
    }

    fn strongswan(&self, certificate: &Path) -> Said {
        let mut pki = program("pki");
        pki.args(["--verify", "--online", "--cacert"]).arg(&self.root);
        let success = "certificate trusted, lifetimes valid, certificate not revoked";
        told(run(pki.arg("--in").arg(certificate)), &[success])
    }

    fn java(&self, provider: &str) -> Vec<Said> {
        let mut java = engine::java(provider);
        java.arg(&self.root).args(&self.standings).args(["--", "ocsp"]);
        engine::verdicts(&run(&mut java).expect_ok(provider), 1).remove(0)
    }

    /// The answers about each, in files. Asking is the caller's in Go: OpenSSL does it.
    fn answers(&self) -> [PathBuf; 6] {
        self.standings.each_ref().map(|certificate| {
            let answer = certificate.with_extension("answer");
            let path = answer.display().to_string();
            let said = self.openssl(certificate, &["-no_nonce", "-noverify", "-respout", &path]);
            assert!(answer.exists(), "{}", said.text);
            answer
        })
    }

    fn go(&self, how: &str, files: &[PathBuf]) -> Vec<Said> {
        let mut go = program(&engine::GO.display().to_string());
        go.arg(how).arg(&self.root).args(&self.standings).arg("--").args(files);
        engine::verdicts(&run(&mut go).expect_ok("Go"), 1).remove(0)
    }
}

/// webpki knows no OCSP.
fn by_webpki(certificate: &Path, root: &Path) -> Said {
    match webpki_judges_without_crls(certificate, root, KeyUsage::server_auth()) {
        Ok(()) => Said { ok: true, text: String::new() },
        Err(error) => Said { ok: false, text: format!("{error:?}") },
    }
}

/// Programs end with success also where a certificate is revoked, so what they say counts.
fn told(said: Said, success: &[&str]) -> Said {
    Said { ok: success.iter().all(|line| said.text.contains(line)), ..said }
}
