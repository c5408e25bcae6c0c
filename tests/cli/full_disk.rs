//! A disk that is really full: ext4 on a loop device, filled to its last block while the service
//! runs. Needs root, a loop device, `mkfs.ext4` and `mount`; without them it fails and says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::program::{Service, crl_number, csr, init, lists, openssl, place};

/// A mounted file system; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(home: &Path, octets: u64) -> Self {
        let (image, at) = (home.join("image"), home.join("mount"));
        std::fs::create_dir(&at).unwrap();
        std::fs::File::create(&image).unwrap().set_len(octets).unwrap();
        // No blocks for root alone: the service runs as root here and must meet the end too.
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), "-m".as_ref(), "0".as_ref(), &image]);
        run("mount", &["-o".as_ref(), "loop".as_ref(), &image, &at]);
        Self(at)
    }

    fn free(&self) -> u64 {
        let output = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&self.0).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.split_whitespace().map(|number| number.parse::<u64>().unwrap()).product()
    }

    /// Leaves no more than `octets` free.
    fn fill(&self, octets: u64) {
        let mut filler =
            std::fs::File::options().append(true).create(true).open(self.filler()).unwrap();
        let piece = vec![0xa5; 1 << 20];
        while self.free() > octets {
            let length = (self.free() - octets).min(piece.len() as u64);
            match filler.write_all(&piece[..usize::try_from(length).unwrap()]) {
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                other => other.unwrap(),
            }
        }
        filler.sync_all().unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // After a failure it may still be in use.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn run(program: &str, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed (as root, on a loop device?): {said}");
}

/// Asks until the answer has `status`: the service looks at free space once a second.
fn until(status: u16, mut ask: impl FnMut() -> (u16, String)) -> String {
    let mut last = (0, String::new());
    for _ in 0..100 {
        last = ask();
        if last.0 == status {
            return last.1;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{status} never came, but {}: {}", last.0, last.1)
}

/// The copies for another web server stand on a disk of their own, and that is full: told, tried
/// again, and in nobody's way.
#[test]
fn a_full_publication_directory_holds_nobody_up() {
    let (home, data) = place();
    let mounted = Mounted::new(home.path(), 8 << 20);
    let www = mounted.0.join("www");
    std::fs::create_dir(&www).unwrap();
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let service = Service::start(&data, &["--publication-directory", www.to_str().unwrap()]);
    let crl = www.join("crl/contoso-vpn-ca.crl");
    let is_current = || {
        let served = service.fetch_crl(&home.path().join("now.crl"));
        let copied = std::fs::read(&crl).unwrap_or_default();
        (copied == std::fs::read(home.path().join("now.der")).unwrap(), served)
    };
    until(1, || (u16::from(is_current().0), String::new()));
    assert!(www.join("aia/contoso-vpn-ca.crt").exists());

    let told = until(1, || {
        // Again and again: what was replaced is given back only after a while.
        mounted.fill(0);
        service.post("/v1/ca/crls", 201, "");
        let (status, text) = service.call("/readyz", &[]);
        assert_eq!(status, 200, "{text}");
        (u16::from(text.contains("not in the publication directory")), text)
    });
    assert!(told.contains("crl/contoso-vpn-ca.crl: No space left"), "{told}");
    let (_, metrics) = service.call("/metrics", &[]);
    assert!(metrics.contains("chancery_publication_directory_whole 0"), "{metrics}");
    // One of before stands there whole.
    openssl(home.path(), &["crl", "-inform", "DER", "-in", crl.to_str().unwrap(), "-noout"]);
    assert!(!is_current().0);

    mounted.empty();
    for _ in 0..10 {
        // It rests longer after each failure.
        std::thread::sleep(std::time::Duration::from_secs(1));
        if is_current().0 {
            break;
        }
    }
    until(1, || (u16::from(is_current().0), service.call("/readyz", &[]).1));
    let (_, metrics) = service.call("/metrics", &[]);
    assert!(metrics.contains("chancery_publication_directory_whole 1"), "{metrics}");
    service.stop();
}

#[test]
fn a_full_disk_stops_issuing_and_neither_revoking_nor_crls() {
    let (home, _) = place();
    let mounted = Mounted::new(home.path(), 160 << 20);
    let data = mounted.0.join("data");
    init(&data, &[]);
    std::fs::write(data.join("chancery.toml"), "crl_period = \"60s\"\n").unwrap();
    let settings = ["--minimum-free", "16MiB"];
    let service = Service::start(&data, &settings);
    let made = csr(home.path(), "vpn.contoso.com", "DNS:vpn.contoso.com");
    let file = format!("@{}", made.display());
    let enrol = || {
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        service.call("/v1/requests?template=VPNServerAuthentication", &body)
    };
    let serial = |answer: &str| {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        answer["serial_number"].as_str().unwrap().to_owned()
    };
    let revoke = |serial: &str| {
        let path = format!("/v1/certificates/{serial}/revoke");
        let answer = service.post(&path, 200, r#"{"reason":"superseded"}"#);
        answer["crl_number"].clone()
    };
    let issued: Vec<String> = (0..4).map(|_| serial(&until(201, enrol))).collect();

    // Little is left: new issues are refused before the disk itself refuses anything.
    mounted.fill(8 << 20);
    let refused = until(503, enrol);
    assert!(refused.contains("disk-full"), "{refused}");
    revoke(&issued[0]);

    // Nothing at all is left.
    mounted.fill(0);
    let (status, refused) = enrol();
    assert_eq!(status, 503, "{refused}");
    assert!(refused.contains("disk-full"), "{refused}");
    let (ready, why) = service.call("/readyz", &[]);
    assert_eq!(ready, 503, "{why}");
    let account = ["-H", "Content-Type: application/json", "-d", r#"{"name":"bob","kind":"user"}"#];
    assert_eq!(service.call("/v1/accounts", &account).0, 503);
    let first = revoke(&issued[1]);
    let second = revoke(&issued[2]);
    assert!(second.as_u64() > first.as_u64(), "{first} {second}");
    let crl = service.fetch_crl(&home.path().join("full.crl"));
    assert!(issued[..3].iter().all(|serial| lists(&crl, serial)), "{crl}");
    // Renewed without a revocation, too.
    let renewed = service.post("/v1/ca/crls", 201, "");
    let renewed = renewed["crl_number"].as_u64().unwrap();
    assert!(renewed > second.as_u64().unwrap());
    // And by the schedule, with nobody asking.
    let begun = Instant::now();
    let by_itself = loop {
        let crl = service.fetch_crl(&home.path().join("scheduled.crl"));
        if crl_number(&crl) > renewed {
            break crl;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no CRL by the schedule: {crl}");
        std::thread::sleep(Duration::from_secs(1));
    };
    assert!(issued[..3].iter().all(|serial| lists(&by_itself, serial)), "{by_itself}");
    let (status, refused) = enrol();
    assert_eq!(status, 503, "the disk was not full any more: {refused}");

    // Space again: issuing goes on by itself, and the reserve is set aside again.
    mounted.empty();
    let last = serial(&until(201, enrol));
    service.stop();

    let service = Service::start(&data, &settings);
    for (serial, status) in issued.iter().zip(["revoked", "revoked", "revoked", "good"]) {
        let (code, found) = service.call(&format!("/v1/certificates/{serial}"), &[]);
        assert_eq!(code, 200, "{found}");
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["status"], status, "{serial}");
    }
    assert_eq!(service.call(&format!("/v1/certificates/{last}"), &[]).0, 200);
    assert!(data.join("reserve").exists());
    let crl = service.fetch_crl(&home.path().join("after.crl"));
    assert!(issued[..3].iter().all(|serial| lists(&crl, serial)));
    assert!(!lists(&crl, &issued[3]) && !lists(&crl, &last));
    service.stop();
}
