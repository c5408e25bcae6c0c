//! The OCSP responder, asked by clients that others wrote: good, revoked, held, released, never
//! issued; and over HTTP by curl, as caches and proxies see it.

use crate::applicant;
use crate::authority::Authority;
use crate::judges::here;
use crate::machine::{self, Said, program, run};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A CA with a responder, and certificates of each standing.
struct Corpus {
    name: &'static str,
    folder: PathBuf,
    authority: Authority,
    good: PathBuf,
    revoked: PathBuf,
    held: PathBuf,
    released: PathBuf,
}

impl Corpus {
    /// `ocsp_key` is the responder's kind of key.
    fn make(name: &'static str, kind: &str, ocsp_key: &str) -> Self {
        let folder = machine::folder(name);
        let responder = ["--ocsp", "true", "--ocsp-key", ocsp_key];
        let authority = Authority::init_with(&folder, kind, &responder);
        let key = applicant::key(&folder, "server", "p256");
        let csr = applicant::request(
            &folder,
            "server",
            &key,
            "/CN=vpn.contoso.com",
            "DNS:vpn.contoso.com",
        );
        let issue = |label: &str| {
            let answer = authority.enrol("VPNServerAuthentication", &csr, None);
            let certificate = folder.join(format!("{label}.pem"));
            machine::write(&certificate, answer["certificate"].as_str().expect("a certificate"));
            (certificate, answer["serial_number"].as_str().expect("a serial number").to_owned())
        };
        let (good, _) = issue("good");
        let (revoked, compromised) = issue("revoked");
        let (held, serial) = issue("held");
        authority.revoke(&serial, "certificateHold");
        let (released, serial) = issue("released");
        authority.revoke(&serial, "certificateHold");
        // Last: nothing more is issued over this key.
        authority.revoke(&compromised, "keyCompromise");
        let (status, answer) =
            authority.call("POST", &format!("/v1/certificates/{serial}/release"), None);
        assert_eq!(status, 200, "{answer:#}");
        Self { name, folder, authority, good, revoked, held, released }
    }

    fn url(&self) -> String {
        format!("{}/ocsp", self.authority.publication())
    }

    /// `openssl ocsp` about a certificate, with a POST.
    fn openssl(&self, certificate: &Path, more: &[&str]) -> Said {
        let mut openssl = program("openssl");
        openssl.args(["ocsp", "-issuer"]).arg(self.authority.root()).arg("-CAfile");
        openssl.arg(self.authority.root()).args(["-url", &self.url()]).args(more);
        run(openssl.arg("-cert").arg(certificate))
    }

    /// OpenSSL's request about a certificate, in DER.
    fn request(&self, certificate: &Path, more: &[&str]) -> PathBuf {
        let out = self.folder.join("request.der");
        let mut openssl = program("openssl");
        openssl.args(["ocsp", "-no_nonce", "-issuer"]).arg(self.authority.root());
        openssl.args(more).arg("-cert").arg(certificate).arg("-reqout").arg(&out);
        run(&mut openssl).expect_ok("a request");
        out
    }

    fn curl(&self, more: &[&str]) -> Reply {
        let body = self.folder.join("body");
        // Left alone where there is none.
        let _ = fs::remove_file(&body);
        let mut curl = program("curl");
        curl.args(["-sS", "--max-time", "30", "-D", "-", "-o"]).arg(&body).args(more);
        let head = run(&mut curl).expect_ok("curl");
        let status = head.split_whitespace().nth(1).and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {head}"));
        Reply { status, head, body: fs::read(&body).unwrap_or_default() }
    }
}

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(left, _)| left.eq_ignore_ascii_case(name))
        });
        line.and_then(|line| Some(line.split_once(':')?.1.trim())).unwrap_or_default()
    }
}

/// One with elliptic keys, one with RSA ones throughout, and the usual mixture: an RSA CA whose
/// responder has a P-256 key.
fn corpora() -> Vec<Corpus> {
    vec![
        Corpus::make("ocsp-p256", "p256", "p256"),
        Corpus::make("ocsp-rsa", "rsa2048", "rsa2048"),
        Corpus::make("ocsp-mixed", "rsa3072", "p256"),
    ]
}

#[test]
fn every_client_is_told_how_a_certificate_stands() {
    for corpus in corpora() {
        openssl_is_told(&corpus);
        gnutls_is_told(&corpus);
        java_is_told(&corpus);
        strongswan_is_told(&corpus);
        pkilint_finds_nothing(&corpus);
        assert!(corpus.authority.stop(), "{}: SIGTERM did not end it cleanly", corpus.name);
    }
}

fn openssl_is_told(corpus: &Corpus) {
    for more in [&["-no_nonce"][..], &[], &["-no_nonce", "-sha256"], &["-sha256"]] {
        let told = |certificate: &Path, word: &str| {
            let said = corpus.openssl(certificate, more).expect_ok(&format!("{more:?}"));
            assert!(said.contains("Response verify OK"), "{more:?}: {said}");
            assert!(!said.contains("no nonce in response"), "{more:?}: {said}");
            assert!(said.contains(&format!("{}: {word}", certificate.display())), "{said}");
            said
        };
        told(&corpus.good, "good");
        told(&corpus.released, "good");
        let said = told(&corpus.revoked, "revoked");
        assert!(said.contains("Reason: keyCompromise"), "{said}");
        let said = told(&corpus.held, "revoked");
        assert!(said.contains("Reason: certificateHold"), "{said}");
    }
    // Several at once, one of them never issued.
    let mut openssl = program("openssl");
    openssl.args(["ocsp", "-url", &corpus.url(), "-issuer"]).arg(corpus.authority.root());
    openssl.arg("-CAfile").arg(corpus.authority.root()).arg("-cert").arg(&corpus.good);
    openssl.arg("-cert").arg(&corpus.held).args(["-serial", "0x4d00"]);
    let said = run(&mut openssl).expect_ok("three at once");
    for line in ["good.pem: good", "held.pem: revoked", "0x4d00: unknown"] {
        assert!(said.contains(line), "{said}");
    }
    // Never issued, and another CA's: unsigned.
    let mut openssl = program("openssl");
    openssl.args(["ocsp", "-url", &corpus.url(), "-issuer"]).arg(corpus.authority.root());
    let said = run(openssl.args(["-serial", "0x4d00"]));
    assert!(said.text.contains("unauthorized (6)"), "{}", said.text);
    let other = other_root(&corpus.folder);
    let mut openssl = program("openssl");
    openssl.args(["ocsp", "-url", &corpus.url(), "-issuer"]).arg(&other);
    let said = run(openssl.arg("-cert").arg(&corpus.good).arg("-no_cert_verify"));
    assert!(said.text.contains("unauthorized (6)"), "{}", said.text);

    // Who keeps an answer too long is told so: it ends, and so does its signer's certificate.
    let kept = corpus.folder.join("kept.der");
    let kept = kept.to_str().expect("UTF-8");
    corpus.openssl(&corpus.good, &["-no_nonce", "-respout", kept]).expect_ok("an answer");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now");
    for (days, wanted) in [(1, "Status times invalid"), (15, "certificate has expired")] {
        let later = (now.as_secs() + days * 86_400).to_string();
        let mut openssl = program("openssl");
        openssl.args(["ocsp", "-respin", kept, "-no_nonce", "-attime", &later, "-issuer"]);
        openssl.arg(corpus.authority.root()).arg("-CAfile").arg(corpus.authority.root());
        let said = run(openssl.arg("-cert").arg(&corpus.good));
        // The times of an answer are compared with the clock, whatever -attime says.
        if days == 15 {
            assert!(said.text.contains(wanted), "after {days} days: {}", said.text);
        }
    }
}

fn gnutls_is_told(corpus: &Corpus) {
    let signer = corpus.folder.join("data/ocsp.pem");
    for (certificate, wanted) in [
        (&corpus.good, "Certificate Status: good"),
        (&corpus.released, "Certificate Status: good"),
        (&corpus.revoked, "Certificate Status: revoked"),
        (&corpus.held, "Certificate Status: revoked"),
    ] {
        for nonce in [&["--nonce"][..], &[]] {
            let mut ocsptool = program("ocsptool");
            ocsptool.arg(format!("--ask={}", corpus.url())).args(nonce);
            ocsptool.arg("--load-cert").arg(certificate).arg("--load-issuer");
            ocsptool.arg(corpus.authority.root()).arg("--load-signer").arg(&signer);
            let said = run(&mut ocsptool);
            assert!(said.text.contains(wanted), "{}: {}", corpus.name, said.text);
            assert!(said.text.contains("Verifying OCSP Response: Success"), "{}", said.text);
        }
    }
}

fn java_is_told(corpus: &Corpus) {
    let mut java = program("java");
    java.arg(here("JudgeOcsp.java")).arg(corpus.authority.root());
    for (verdict, certificate) in [
        ("good", &corpus.good),
        ("good", &corpus.released),
        ("revoked", &corpus.revoked),
        ("revoked", &corpus.held),
    ] {
        java.arg(verdict).arg(certificate);
    }
    run(&mut java).expect_ok(&format!("{}: Java PKIX by OCSP", corpus.name));
}

fn strongswan_is_told(corpus: &Corpus) {
    let verdict = |certificate: &Path| {
        let mut pki = program("pki");
        pki.args(["--verify", "--online", "--debug", "2", "--cacert"]);
        pki.arg(corpus.authority.root()).arg("--in").arg(certificate);
        let said = run(&mut pki).text;
        assert!(said.contains("ocsp response correctly signed"), "{}: {said}", corpus.name);
        assert!(!said.contains("fetching crl"), "{}: {said}", corpus.name);
        said
    };
    for certificate in [&corpus.good, &corpus.released] {
        let said = verdict(certificate);
        assert!(said.contains("certificate not revoked"), "{}: {said}", corpus.name);
    }
    for certificate in [&corpus.revoked, &corpus.held] {
        let said = verdict(certificate);
        assert!(said.contains("was revoked"), "{}: {said}", corpus.name);
    }
}

fn pkilint_finds_nothing(corpus: &Corpus) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin/python");
    assert!(python.exists(), "pkilint is not on this machine: run tests/install");
    let mut lint = Command::new(&python);
    lint.arg(here("lint.py"));
    for (number, certificate) in
        [&corpus.good, &corpus.revoked, &corpus.held, &corpus.released].into_iter().enumerate()
    {
        for (kind, more) in
            [("sha1", &["-no_nonce"][..]), ("sha256", &["-no_nonce", "-sha256"]), ("nonce", &[])]
        {
            let answer = corpus.folder.join(format!("{number}-{kind}.ors"));
            let answer = answer.to_str().expect("UTF-8");
            corpus.openssl(certificate, &[more, &["-respout", answer]].concat()).expect_ok("asked");
            lint.args(["ocsp", answer]);
        }
    }
    lint.arg("certificate").arg(corpus.folder.join("data/ocsp.pem"));
    let said = run(&mut lint).expect_ok("pkilint");
    let found: Value = serde_json::from_str(said.trim()).unwrap_or_else(|_| panic!("{said}"));
    let files = found.as_object().expect("an object");
    assert_eq!(files.len(), 13, "{said}");
    for (file, findings) in files {
        for finding in findings.as_array().expect("findings") {
            // A responder is named after its machine, and this one's name may have no dot.
            let named =
                file.ends_with("ocsp.pem") && finding["code"] == "pkix.invalid_domain_name_syntax";
            assert!(named || finding["severity"] == "INFO", "{file}: {finding}");
        }
    }
}

/// The paths of a GET, as clients and proxies write them.
#[test]
fn a_get_is_understood_and_kept_by_caches_as_the_profile_says() {
    let corpus = Corpus::make("ocsp-http", "p256", "p256");
    let url = corpus.url();
    let request = corpus.request(&corpus.good, &[]);
    let mut encode = program("openssl");
    let text = run(encode.args(["base64", "-A", "-in"]).arg(&request)).expect_ok("base64");
    let text = text.trim();
    let percent = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let first = corpus.curl(&[&format!("{url}/{percent}")]);
    assert_eq!(first.status, 200, "{}", first.head);
    assert_eq!(first.header("content-type"), "application/ocsp-response");
    assert_eq!(first.header("content-length"), first.body.len().to_string());
    assert_eq!(first.header("cache-control"), "max-age=300, public, no-transform, must-revalidate");
    for header in ["date", "last-modified", "expires"] {
        assert!(first.header(header).ends_with(" GMT"), "{header}: {}", first.head);
    }
    for path in [
        format!("/{text}"),
        format!("//{percent}"),
        format!("/{}", percent.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")),
        format!("/{}", text.trim_end_matches('=')),
        format!("/{}", text.replace('+', "%20")),
    ] {
        let reply = corpus.curl(&["--path-as-is", &format!("{url}{path}")]);
        assert_eq!(reply.body, first.body, "{path}");
    }
    let posted = format!("@{}", request.display());
    let post = ["-H", "Content-Type: application/ocsp-request", "--data-binary", &posted, &url];
    assert_eq!(corpus.curl(&post).body, first.body);
    assert_eq!(corpus.curl(&post).header("etag"), first.header("etag"));

    // Conditions.
    let tag = format!("If-None-Match: {}", first.header("etag"));
    let reply = corpus.curl(&["-H", &tag, &format!("{url}/{percent}")]);
    assert_eq!((reply.status, reply.body.len()), (304, 0), "{}", reply.head);
    assert_eq!(reply.header("etag"), first.header("etag"));
    let reply = corpus.curl(&["-H", "If-None-Match: \"other\"", &format!("{url}/{percent}")]);
    assert_eq!(reply.status, 200);
    let reply = corpus.curl(&["-I", &format!("{url}/{percent}")]);
    assert_eq!((reply.status, reply.header("etag")), (200, first.header("etag")));

    // Whatever is wrong is said in OCSP (RFC 6960 §A.2), and never kept.
    fs::write(corpus.folder.join("long"), vec![0x30; 9000]).expect("a file");
    let long = format!("@{}", corpus.folder.join("long").display());
    for arguments in [
        vec![format!("{url}/MA**")],
        vec![format!("{url}/")],
        vec![url.clone()],
        vec!["--data-binary".into(), "nonsense".into(), url.clone()],
        vec!["--data-binary".into(), long, url.clone()],
    ] {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let reply = corpus.curl(&words);
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (200, &[0x30, 3, 10, 1, 1][..]),
            "{words:?}"
        );
        assert_eq!(reply.header("content-type"), "application/ocsp-response");
        assert!(reply.header("cache-control").contains("no-store"), "{}", reply.head);
    }
    let reply = corpus.curl(&["-X", "PUT", &url]);
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, POST"));
    assert_eq!(corpus.curl(&[&format!("{url}x")]).status, 404);

    // The revoke call returns when the answer says so; the entity tag is another one.
    let serial = serial_of(&corpus.good);
    corpus.authority.revoke(&serial, "superseded");
    let reply = corpus.curl(&["-H", &tag, &format!("{url}/{percent}")]);
    assert_eq!(reply.status, 200, "{}", reply.head);
    assert_ne!(reply.body, first.body);
    let said = corpus.openssl(&corpus.good, &["-no_nonce"]).expect_ok("after the revocation");
    assert!(said.contains("good.pem: revoked") && said.contains("superseded"), "{said}");

    let (status, ready) = corpus.authority.call("GET", "/readyz", None);
    assert_eq!(status, 200, "{ready:#}");
    let (_, metrics) = corpus.authority.call("GET", "/metrics", None);
    let metrics = metrics.as_str().expect("text").to_owned();
    for line in ["chancery_healthy{condition=\"ocsp\"} 1", "chancery_ocsp_answers{kind=\"stored\"}"]
    {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    // A template may leave the URL out.
    let (status, mut template) =
        corpus.authority.call("GET", "/v1/templates/VPNServerAuthentication", None);
    assert_eq!(status, 200);
    template["ocsp_url"] = json!("omitted");
    let (status, answer) =
        corpus.authority.call("PUT", "/v1/templates/VPNServerAuthentication", Some(&template));
    assert!((200..300).contains(&status), "{answer:#}");
    let key = applicant::key(&corpus.folder, "another", "p256");
    let name = ("/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
    let csr = applicant::request(&corpus.folder, "another", &key, name.0, name.1);
    let issued = corpus.authority.enrol("VPNServerAuthentication", &csr, None);
    let without = corpus.folder.join("without.pem");
    machine::write(&without, issued["certificate"].as_str().expect("a certificate"));
    let information = |certificate: &Path| {
        let mut show = program("openssl");
        show.args(["x509", "-noout", "-ext", "authorityInfoAccess", "-in"]).arg(certificate);
        run(&mut show).expect_ok("x509")
    };
    assert!(information(&corpus.good).contains(&format!("OCSP - URI:{url}")));
    let said = information(&without);
    assert!(said.contains("CA Issuers") && !said.contains("OCSP"), "{said}");
    assert!(corpus.authority.stop(), "SIGTERM did not end it cleanly");
}

/// A root of the same name as nobody here.
fn other_root(folder: &Path) -> PathBuf {
    let root = folder.join("other.pem");
    let mut openssl = program("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    openssl
        .args(["-subj", "/CN=Another CA", "-days", "30", "-keyout"])
        .arg(folder.join("other.key"));
    run(openssl.arg("-out").arg(&root)).expect_ok("another root");
    root
}

fn serial_of(certificate: &Path) -> String {
    let mut show = program("openssl");
    show.args(["x509", "-noout", "-serial", "-in"]).arg(certificate);
    let said = run(&mut show).expect_ok("x509");
    said.trim().rsplit('=').next().unwrap_or_default().to_lowercase()
}
