//! Every level of the chain: a CA under a root, made by OpenSSL or kept offline by this program,
//! serves that root's CRL, and relying parties that check all of it are content.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::openssl_root::Root;
use super::program::{Service, chancery, csr, fails, init, openssl, place, succeeds};
use super::receiver::Receiver;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A publication address that certificates can name before anybody listens there.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A CA below a root, with the address that it will publish on.
struct Below {
    home: tempfile::TempDir,
    data: PathBuf,
    port: u16,
}

impl Below {
    fn new() -> Self {
        let (home, data) = place();
        init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com", "--subordinate"]);
        Self { home, data, port: free_port() }
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn text(&self) -> &str {
        self.data.to_str().unwrap()
    }

    fn start(&self, more: &[&str]) -> Service {
        let listen = format!("127.0.0.1:{}", self.port);
        Service::start(&self.data, &[&["--publish-listen", &listen][..], more].concat())
    }

    fn install_certificate(&self, certificate: &Path, chain: &[&str]) {
        let install = ["install-certificate", certificate.to_str().unwrap(), "--data", self.text()];
        succeeds(&[&install[..], chain].concat());
    }

    fn install_crl(&self, crl: &Path) -> String {
        succeeds(&["install-crl", crl.to_str().unwrap(), "--data", self.text()])
    }

    /// What is served at a path; nothing where it is not 200.
    fn fetch(&self, path: &str) -> Option<Vec<u8>> {
        let url = format!("{}{path}", self.base());
        let fetched = Command::new("curl").args(["-sSf", "--noproxy", "*", &url]).output().unwrap();
        fetched.status.success().then_some(fetched.stdout)
    }

    /// A directory such as OpenSSL takes as `-CApath`: every certificate above and the CRL of every
    /// level, by their hashes.
    fn trust(&self, service: &Service, root_crl: &str) -> PathBuf {
        let trust = self.home().join(format!("trust-{}", root_crl.replace(['/', '%'], "")));
        std::fs::create_dir(&trust).unwrap();
        let chain = std::fs::read_to_string(self.data.join("chain.pem")).unwrap();
        for (number, one) in chain.split_inclusive("-----END CERTIFICATE-----\n").enumerate() {
            std::fs::write(trust.join(format!("ca{number}.pem")), one).unwrap();
        }
        service.fetch_crl(&trust.join("own.pem"));
        let root_crl = self.fetch(root_crl).expect("the root's CRL");
        std::fs::write(trust.join("root.der"), root_crl).unwrap();
        openssl(&trust, &["crl", "-inform", "DER", "-in", "root.der", "-out", "root-crl.pem"]);
        openssl(&trust, &["rehash", "."]);
        trust
    }

    /// What OpenSSL says of `vpn.pem` with CRLs of every level; well if it is empty.
    fn verify(&self, trust: &Path) -> String {
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-crl_check_all", "-CApath"])
            .arg(trust)
            .arg("vpn.pem")
            .current_dir(self.home())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { String::new() } else { told }
    }

    fn enrol(&self, service: &Service) {
        let made = csr(self.home(), "vpn.contoso.com", "DNS:vpn.contoso.com");
        let answer = service.enroll("VPNServerAuthentication", "", &made);
        let text = answer["certificate"].as_str().unwrap();
        std::fs::write(self.home().join("vpn.pem"), text).unwrap();
    }
}

fn ready(service: &Service) -> (u16, String) {
    service.call("/readyz", &[])
}

fn parent(service: &Service) -> serde_json::Value {
    let (status, text) = service.call("/v1/ca/parent-crls", &[]);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["parent_crls"][0].clone()
}

#[test]
fn a_root_of_openssl_has_its_crl_served_below() {
    let below = Below::new();
    let root = Root::new(below.home());
    let named = format!("{}/CertEnroll/Contoso%20Root%20CA.crl", below.base());
    let certificate = root.certify(&below.data.join("ca.csr"), &named);
    let root_pem = root.certificate();
    below.install_certificate(&certificate, &["--chain", root_pem.to_str().unwrap()]);
    let first = root.crl(HOUR, 30 * DAY);
    let told = fails(&["install-crl", first.to_str().unwrap(), "--data", "/nonexistent/place"]);
    assert!(told.contains("has no CA"), "{told}");

    // The certificate says that the root's CRL is here, and it is not.
    let service = below.start(&[]);
    below.enrol(&service);
    let (status, told) = ready(&service);
    assert!(status == 503 && told.contains("no CRL of CN=Contoso Root CA"), "{status} {told}");
    assert_eq!(below.fetch("/CertEnroll/Contoso%20Root%20CA.crl"), None);
    let said = below.install_crl(&first);
    assert!(said.contains("number 16") && said.contains(&named), "{said}");
    assert_eq!(ready(&service).0, 200, "{}", ready(&service).1);
    let served = below.fetch("/CertEnroll/Contoso%20Root%20CA.crl").unwrap();
    assert_eq!(below.fetch("/crl/contoso-root-ca.crl").as_ref(), Some(&served));
    let der = below.home().join("first.der");
    let convert = ["crl", "-in", first.to_str().unwrap(), "-outform", "DER", "-out"];
    openssl(below.home(), &[&convert[..], &[der.to_str().unwrap()]].concat());
    assert_eq!(served, std::fs::read(&der).unwrap());
    let root_der = below.fetch("/aia/contoso-root-ca.crt").unwrap();
    std::fs::write(below.home().join("root.crt"), root_der).unwrap();
    openssl(below.home(), &["x509", "-inform", "DER", "-in", "root.crt", "-noout"]);
    assert_eq!(below.verify(&below.trust(&service, "/crl/contoso-root-ca.crl")), "");

    // Handed over again it changes nothing; by the API the next; an older one by neither.
    assert!(below.install_crl(&first).contains("is served already"));
    let second = root.crl(HOUR / 2, 30 * DAY);
    let file = format!("@{}", second.display());
    let pem = ["-H", "Content-Type: application/x-pem-file", "--data-binary", &file];
    let (status, text) = service.call("/v1/ca/parent-crls", &pem);
    assert!(status == 201 && text.contains("\"crl_number\":\"17\""), "{status} {text}");
    assert_eq!(parent(&service)["standing"], "good");
    let told = fails(&["install-crl", first.to_str().unwrap(), "--data", below.text()]);
    assert!(told.contains("crl-10.pem: ") && told.contains("a newer one"), "{told}");
    let file = format!("@{}", der.display());
    let older = ["-H", "Content-Type: application/pkix-crl", "--data-binary", &file];
    let (status, text) = service.call("/v1/ca/parent-crls", &older);
    assert!(status == 409 && text.contains("parent-crl-older"), "{status} {text}");
    let own = data_file(&below, "own.der", &below.fetch("/crl/contoso-vpn-ca.crl").unwrap());
    let told = fails(&["install-crl", own.to_str().unwrap(), "--data", below.text()]);
    assert!(told.contains("does not stand above"), "{told}");
    let (_, audit) = service.call("/v1/audit?limit=1000", &[]);
    assert_eq!(audit.matches("parent_crl_installed").count(), 2, "{audit}");
    assert!(audit.contains("<operator>"), "{audit}");
    service.stop();

    // A new start, and a copy of the data directory, serve it on.
    let copy = below.home().join("copy");
    succeeds(&["backup", "--data", below.text(), "--to", copy.to_str().unwrap()]);
    assert!(copy.join("parent-contoso-root-ca.crl").exists());
    let service = below.start(&[]);
    assert_eq!(parent(&service)["crl_number"], "17");

    // The root revokes this CA: taken, told, and seen by whoever checks all levels.
    root.revoke();
    let said = below.install_crl(&root.crl(HOUR / 4, 30 * DAY));
    assert!(said.contains("Warning: it lists") && said.contains("CN=Contoso VPN CA"), "{said}");
    let told = below.verify(&below.trust(&service, "/CertEnroll/Contoso%20Root%20CA.crl"));
    assert!(told.contains("error 23 at 1 depth"), "{told}");
    service.stop();
}

fn data_file(below: &Below, name: &str, octets: &[u8]) -> PathBuf {
    let path = below.home().join(name);
    std::fs::write(&path, octets).unwrap();
    path
}

#[test]
fn a_lapsing_crl_of_the_root_is_told_everywhere() {
    let below = Below::new();
    let root = Root::new(below.home());
    let named = format!("{}/crl/contoso-root-ca.crl", below.base());
    let certificate = root.certify(&below.data.join("ca.csr"), &named);
    let root_pem = root.certificate();
    below.install_certificate(&certificate, &["--chain", root_pem.to_str().unwrap()]);
    let left = Duration::from_secs(10);
    let made = Instant::now();
    below.install_crl(&root.crl(10 * DAY, left));
    let receiver = Receiver::start(None);
    let config = below.home().join("chancery.toml");
    let secret = receiver.secret_file(below.home());
    let section = format!(
        "[[notification]]\nname = \"pki\"\nurl = \"{}\"\nsecret_file = \"{}\"\n\
         events = [\"crl.expiring\", \"self_check.changed\"]\nparent_crl_before = [\"1d\"]\n",
        receiver.url,
        secret.display()
    );
    std::fs::write(&config, section).unwrap();
    let more = ["--config", config.to_str().unwrap(), "--self-check", "10s"];
    let service = below.start(&more);
    let told = receiver.waits_for("crl.expiring", 0);
    let data = &told.body["data"];
    assert_eq!(data["issuer"], "CN=Contoso Root CA", "{data}");
    assert_eq!((&data["crl_number"], &data["before_seconds"]), (&16.into(), &86_400.into()));
    assert_eq!(data["crl_urls"][0], named.as_str());

    std::thread::sleep((left + Duration::from_secs(2)).saturating_sub(made.elapsed()));
    let (status, told) = ready(&service);
    assert!(status == 503 && told.contains("the CRL of CN=Contoso Root CA ended"), "{told}");
    assert_eq!(parent(&service)["standing"], "ended");
    let (_, metrics) = service.call("/metrics", &[]);
    let line = "chancery_parent_crl_next_update_seconds{parent=\"contoso-root-ca\"} -";
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.contains("chancery_healthy{condition=\"parent_crls\"} 0"), "{metrics}");
    // The service's look at itself finds it at the address that its certificate names.
    let expired = |one: &super::receiver::Came| {
        one.body["type"] == "self_check.changed"
            && one.body["data"]["faults"].to_string().contains("crl-expired")
    };
    receiver.waits_until(0, expired);
    let chain = below.data.join("chain.pem");
    let doctor = ["doctor", "--json", "--part", "ca", chain.to_str().unwrap()];
    let output = chancery(&doctor).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(4) && told.contains("crl-expired"), "{told}");

    // The next one ends all that.
    below.install_crl(&root.crl(HOUR, 30 * DAY));
    assert_eq!(parent(&service)["standing"], "good");
    let well = |one: &super::receiver::Came| {
        one.body["type"] == "self_check.changed"
            && one.body["data"]["faults"].as_array().is_some_and(Vec::is_empty)
    };
    let before = receiver.taken().len();
    receiver.waits_until(before.saturating_sub(1), well);
    assert_eq!(ready(&service).0, 200, "{}", ready(&service).1);
    service.stop();
}

/// The root's own web server has the CRL, and we serve what it has.
#[test]
fn the_crl_of_a_root_that_is_published_elsewhere_is_fetched() {
    let below = Below::new();
    let root = Root::new(below.home());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let named = format!("http://{}/root.crl", listener.local_addr().unwrap());
    let certificate = root.certify(&below.data.join("ca.csr"), &named);
    let root_pem = root.certificate();
    below.install_certificate(&certificate, &["--chain", root_pem.to_str().unwrap()]);
    let der = |number: usize| {
        let crl = root.crl(HOUR - Duration::from_secs(60) * number as u32, 30 * DAY);
        let out = below.home().join(format!("{number}.der"));
        let convert = ["crl", "-in", crl.to_str().unwrap(), "-outform", "DER", "-out"];
        openssl(below.home(), &[&convert[..], &[out.to_str().unwrap()]].concat());
        std::fs::read(out).unwrap()
    };
    let offered = std::sync::Arc::new(std::sync::Mutex::new(b"no CRL".to_vec()));
    let offering = std::sync::Arc::clone(&offered);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            use std::io::{Read as _, Write as _};
            let _ = stream.read(&mut [0; 2048]);
            let body = offering.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    // What is no CRL does no harm, and that of a CA elsewhere is no trouble of ours.
    let fetching = ["--parent-crl-fetch", "60s"];
    let service = below.start(&fetching);
    assert_eq!(parent(&service)["standing"], "missing");
    assert_eq!(ready(&service).0, 200, "{}", ready(&service).1);
    service.stop();
    let first = der(1);
    *offered.lock().unwrap() = first.clone();
    let service = below.start(&fetching);
    let begun = Instant::now();
    while below.fetch("/crl/contoso-root-ca.crl").as_ref() != Some(&first) {
        assert!(begun.elapsed() < Duration::from_secs(20), "not fetched");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(below.fetch("/root.crl"), Some(first));
    let (_, audit) = service.call("/v1/audit?limit=1000", &[]);
    assert_eq!(audit.matches("parent_crl_installed").count(), 1, "{audit}");
    assert!(!audit.contains("<operator>"), "{audit}");
    service.stop();
}

#[test]
fn an_offline_root_needs_no_service() {
    let below = Below::new();
    let data = below.home().join("root-data");
    let root = data.to_str().unwrap();
    let more = ["--name", "CN=Contoso Root CA", "--base-url", &below.base(), "--validity", "20y"];
    init(&data, &more);
    let crl = below.home().join("root.crl");
    let publish = |more: &[&str]| {
        let publish = ["publish-crl", "--data", root, "--out", crl.to_str().unwrap()];
        succeeds(&[&publish[..], more].concat())
    };
    let said = publish(&["--validity", "26w"]);
    assert!(said.contains("0 entries") && said.contains("install-crl"), "{said}");
    let text = |what: &str| {
        let show = ["crl", "-inform", "DER", "-in", crl.to_str().unwrap(), "-CAfile"];
        let root = data.join("ca.pem");
        let root = root.to_str().unwrap();
        openssl(below.home(), &[&show[..], &[root, "-noout", what]].concat())
    };
    let first = text("-crlnumber");
    let days = |what: &str| {
        let line = text(what);
        let date = line.trim().split_once('=').unwrap().1.to_owned();
        let output = Command::new("date").args(["-d", &date, "+%s"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap() / 86_400
    };
    assert_eq!(days("-nextupdate") - days("-lastupdate"), 26 * 7);

    let sub = below.home().join("sub.pem");
    let request = below.data.join("ca.csr");
    let sign = ["sign-subordinate", request.to_str().unwrap(), "--data", root, "--out"];
    let sign = [&sign[..], &[sub.to_str().unwrap()]].concat();
    let said = succeeds(&sign);
    assert!(said.contains("/crl/contoso-root-ca.crl"), "{said}");
    let told = fails(&sign);
    assert!(told.contains("is not overwritten"), "{told}");
    below.install_certificate(&sub, &[]);
    below.install_crl(&crl);
    let service = below.start(&["--self-check", "10s"]);
    below.enrol(&service);
    assert_eq!(ready(&service).0, 200, "{}", ready(&service).1);
    assert_eq!(below.verify(&below.trust(&service, "/crl/contoso-root-ca.crl")), "");

    // The root revokes the CA below, on record with who did it, and its next CRL says so.
    let serial = openssl(below.home(), &["x509", "-in", "sub.pem", "-noout", "-serial"]);
    let serial = serial.trim().split_once('=').unwrap().1.to_lowercase();
    let revoke = ["revoke", &serial, "--data", root, "--reason", "cACompromise"];
    let said = succeeds(&revoke);
    assert!(said.contains("cACompromise") && said.contains("publish-crl"), "{said}");
    let told = fails(&revoke);
    assert!(told.contains("was revoked on"), "{told}");
    let unknown = fails(&["revoke", "4d00", "--data", root]);
    assert!(unknown.contains("there is no certificate"), "{unknown}");
    let said = publish(&["--validity", "26w"]);
    assert!(said.contains("1 entries"), "{said}");
    let number = |text: &str| {
        let hex = text.trim().split_once("=0x").unwrap().1.to_owned();
        u64::from_str_radix(&hex, 16).unwrap()
    };
    assert!(number(&text("-crlnumber")) > number(&first));
    let ledger = succeeds(&["export", "--data", root]);
    let acts: Vec<&str> =
        ledger.lines().filter(|line| line.contains("certificate_revoked")).collect();
    assert!(acts.len() == 1 && acts[0].contains("<operator>"), "{acts:?}");
    assert_eq!(ledger.matches("crl_intended").count(), 2, "{ledger}");
    assert!(below.install_crl(&crl).contains("lists CN=Contoso VPN CA"));
    let trust = below.home().join("trust-crlcontoso-root-ca.crl");
    std::fs::remove_dir_all(trust).unwrap();
    let told = below.verify(&below.trust(&service, "/crl/contoso-root-ca.crl"));
    assert!(told.contains("error 23 at 1 depth"), "{told}");
    let chain = below.data.join("chain.pem");
    let doctor = ["doctor", "--part", "ca", chain.to_str().unwrap()];
    let output = chancery(&doctor).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(4) && told.contains("cACompromise"), "{told}");
    // A service that has the directory is asked over its API instead.
    let told = fails(&["publish-crl", "--data", below.text()]);
    assert!(told.contains("in use by another"), "{told}");
    service.stop();
}
