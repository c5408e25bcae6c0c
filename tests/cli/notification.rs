//! Notifications from the running program: signed, acted upon, repeated after kill -9 under the
//! same identifier, not repeated after a restore, and in nobody's way.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::program::{Service, csr, fails, init, place, succeeds};
use super::receiver::{Manner, Receiver};

/// A CA whose user template waits for approval, with a receiver in its settings.
struct Scene {
    home: tempfile::TempDir,
    data: PathBuf,
    config: PathBuf,
    receiver: Receiver,
}

impl Scene {
    fn new(tls: bool) -> Self {
        let (home, data) = place();
        init(&data, &[]);
        let root = home.path().join("receiver.pem");
        let receiver = Receiver::start(tls.then_some(root.as_path()));
        let config = home.path().join("chancery.toml");
        let secret = receiver.secret_file(home.path());
        let mut text = format!(
            "api_url = \"https://ca.contoso.com\"\n[[notification]]\nname = \"tickets\"\nurl = \"{}\"\nsecret_file = \"{}\"\n\
             events = [\"request.pending\", \"crl.published\", \"self_check.changed\"]\ntimeout = \"1s\"\n",
            receiver.url,
            secret.display()
        );
        if tls {
            text += &format!("root_file = \"{}\"\n", root.display());
        }
        std::fs::write(&config, text).unwrap();
        Self { home, data, config, receiver }
    }

    fn start(&self) -> Service {
        Service::start(&self.data, &["--config", self.config.to_str().unwrap()])
    }

    fn home(&self) -> &Path {
        self.home.path()
    }
}

fn let_users_wait(service: &Service) {
    let alice = r#"{"name":"alice","kind":"user","cn":"Alice",
      "distinguished_name":"CN=Alice,DC=corp,DC=contoso,DC=com","groups":["VPN Users"],
      "user_principal_name":"alice@corp.contoso.com","object_sid":"S-1-5-21-1-2-3-1104"}"#;
    service.post("/v1/accounts", 201, alice);
    let (_, text) = service.call("/v1/templates/VPNUserAuthentication", &[]);
    let mut template: serde_json::Value = serde_json::from_str(&text).unwrap();
    template["enrollment_flags"].as_array_mut().unwrap().push("PEND_ALL_REQUESTS".into());
    let json = ["-X", "PUT", "-H", "Content-Type: application/json", "-d"];
    let body = template.to_string();
    let more = [&json[..], &[&body]].concat();
    let (status, said) = service.call("/v1/templates/VPNUserAuthentication", &more);
    assert_eq!(status, 200, "{said}");
}

/// Asks for a certificate that waits; gives the request's number.
fn ask(service: &Service, csr: &Path) -> u64 {
    let path = "/v1/requests?template=VPNUserAuthentication&on_behalf_of=alice";
    let file = format!("@{}", csr.display());
    let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
    let (status, text) = service.call(path, &body);
    assert_eq!(status, 202, "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    answer["request_id"].as_u64().unwrap()
}

fn figures(service: &Service) -> serde_json::Value {
    let (status, text) = service.call("/v1/ca/notifications", &[]);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["endpoints"][0].clone()
}

/// Waits until what was delivered is on record.
fn settled(service: &Service, count: usize) {
    let begun = Instant::now();
    loop {
        let (_, text) = service.call("/v1/audit?limit=1000", &[]);
        let audit: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entries = audit["entries"].as_array().unwrap();
        let delivered = entries.iter().filter_map(|entry| {
            entry["act"]["notifications_settled"]["delivered"].as_array().map(Vec::len)
        });
        let delivered: usize = delivered.sum();
        if delivered >= count {
            return assert_eq!(delivered, count, "{text}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{delivered} of {count}: {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_manager_approves_out_of_a_notification_over_https() {
    let scene = Scene::new(true);
    let service = scene.start();
    let_users_wait(&service);
    let csr = csr(scene.home(), "alice", "");
    let id = ask(&service, &csr);
    let told = scene.receiver.waits_for("request.pending", 0);
    let data = &told.body["data"];
    assert_eq!(data["request_id"], id);
    assert_eq!(data["template"], "VPNUserAuthentication");
    assert_eq!((&data["account"], &data["requester"]), (&"alice".into(), &"administrator".into()));
    let url = data["url"].as_str().unwrap();
    assert_eq!(url, format!("https://ca.contoso.com/v1/requests/{id}"));
    assert_eq!(data["approve_url"], format!("{url}/approve"));
    assert_eq!(told.id, format!("act_{}", told.body["ledger"]["hash"].as_str().unwrap()));
    // The place in the chain is that of the audit.
    let from = told.body["ledger"]["sequence"].as_u64().unwrap();
    let (_, audit) = service.call(&format!("/v1/audit?from={from}&limit=1"), &[]);
    assert!(audit.contains(told.body["ledger"]["hash"].as_str().unwrap()), "{audit}");

    let wanted = url.rsplit('/').next().unwrap();
    service.approve_by_another(wanted);
    let (_, text) = service.call(&format!("/v1/requests/{id}"), &[]);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["disposition"], "issued", "{text}");
    let serial = answer["serial_number"].as_str().unwrap();
    let path = format!("/v1/certificates/{serial}/revoke");
    let revoked = service.post(&path, 200, r#"{"reason":"superseded"}"#);
    let number = &revoked["crl_number"];
    let crl = scene.receiver.waits_until(0, |one| one.body["data"]["crl_number"] == *number);
    assert_eq!(
        (&crl.body["type"], &crl.body["data"]["entries"]),
        (&"crl.published".into(), &1.into())
    );
    let state = figures(&service);
    assert_eq!((&state["name"], &state["failed"]), (&"tickets".into(), &0.into()), "{state}");
    let (_, metrics) = service.call("/metrics", &[]);
    let line = "chancery_notifications_delivered_total{endpoint=\"tickets\"} ";
    assert!(metrics.contains(line), "{metrics}");
    service.stop();
    let log = std::fs::read_to_string(scene.data.with_extension("log")).unwrap();
    assert!(!log.contains("MfKQ9r8G"), "the secret is in the log");
}

#[test]
fn what_a_receiver_missed_comes_after_kill_9_under_the_same_identifier() {
    let scene = Scene::new(false);
    let service = scene.start();
    let_users_wait(&service);
    let csr = csr(scene.home(), "alice", "");
    // It is down: nothing is slower for that, and nothing is lost.
    scene.receiver.behaves(Manner::Hangs);
    let begun = Instant::now();
    let first = ask(&service, &csr);
    let second = ask(&service, &csr);
    let (status, _) = service.call("/v1/ca/crls", &["-X", "POST"]);
    assert_eq!(status, 201);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    scene.receiver.behaves(Manner::Fails);
    std::thread::sleep(Duration::from_millis(4500));
    let state = figures(&service);
    assert!(state["failed"].as_u64().unwrap() > 0 && state["failing_since"].is_string(), "{state}");
    assert!(state["waiting"].as_u64().unwrap() >= 3, "{state}");
    drop(service); // SIGKILL

    // The next process is killed by the receiver in the middle of its first delivery.
    let service = scene.start();
    let before = scene.receiver.taken().len();
    scene.receiver.behaves(Manner::Kills(service.process()));
    let half = scene.receiver.waits_until(before, |_| true);
    drop(service);
    scene.receiver.behaves(Manner::Takes);
    let before = scene.receiver.taken().len();
    let service = scene.start();
    let again = scene.receiver.waits_until(before, |one| one.id == half.id);
    // (The CRL's URLs follow the port, which is another one each time.)
    assert_eq!(again.body["ledger"], half.body["ledger"]);
    assert_eq!(again.body["timestamp"], half.body["timestamp"]);
    for id in [first, second] {
        scene.receiver.waits_until(before, |one| one.body["data"]["request_id"] == id);
    }
    let state = figures(&service);
    assert!(state["failing_since"].is_null(), "{state}");
    service.stop();

    // All is on record: the next start has nothing to say but what is new.
    let before = scene.receiver.taken().len();
    let service = scene.start();
    let third = ask(&service, &csr);
    scene.receiver.waits_for("request.pending", before);
    let new = scene.receiver.taken().split_off(before);
    let kinds = new.iter().map(|one| &one.body["data"]["request_id"]);
    assert_eq!(kinds.filter(|id| id.is_u64()).collect::<Vec<_>>(), [&third]);
    service.stop();
}

#[test]
fn what_the_service_finds_at_itself_is_told_when_it_changes() {
    let scene = Scene::new(false);
    scene.start().stop();
    let before = scene.receiver.taken().len();
    // Nobody serves its CRL there.
    let config = scene.config.to_str().unwrap();
    let more = ["--config", config, "--base-url", "http://127.0.0.1:1"];
    let service = Service::start(&scene.data, &more);
    let told = scene.receiver.waits_for("self_check.changed", before);
    let data = &told.body["data"];
    let found = [&data["faults"], &data["warnings"]].map(|list| list.as_array().unwrap().len());
    assert!(found.iter().sum::<usize>() > 0, "{told:?}");
    assert!(data.to_string().contains("127.0.0.1:1/"), "{told:?}");
    service.stop();
    // The same again is nothing new.
    let before = scene.receiver.taken().len();
    let service = Service::start(&scene.data, &more);
    let (status, _) = service.call("/v1/ca/crls", &["-X", "POST"]);
    assert_eq!(status, 201);
    scene.receiver.waits_for("crl.published", before);
    std::thread::sleep(Duration::from_secs(1));
    let after = scene.receiver.taken().split_off(before);
    assert!(after.iter().all(|one| one.body["type"] != "self_check.changed"), "{after:?}");
    service.stop();
}

#[test]
fn a_restored_copy_does_not_tell_everything_again() {
    let scene = Scene::new(false);
    let service = scene.start();
    let_users_wait(&service);
    let csr = csr(scene.home(), "alice", "");
    for _ in 0..3 {
        let id = ask(&service, &csr);
        scene.receiver.waits_until(0, |one| one.body["data"]["request_id"] == id);
    }
    settled(&service, scene.receiver.taken().len());
    let copy = scene.home().join("copy");
    succeeds(&["backup", "--data", scene.data.to_str().unwrap(), "--to", copy.to_str().unwrap()]);
    // What happens after the copy was made is told, and then lost.
    let before = scene.receiver.taken().len();
    ask(&service, &csr);
    let lost = scene.receiver.waits_for("request.pending", before);
    let crl = service.fetch_crl(&scene.home().join("crl.pem"));
    assert!(crl.contains("CRL Number"));
    service.stop();
    let kept = scene.home().join("crl.pem");
    let new = scene.home().join("restored");
    let (copy, new_text) = (copy.to_str().unwrap(), new.to_str().unwrap());
    succeeds(&["restore", "--data", new_text, "--from", copy, "--crl", kept.to_str().unwrap()]);

    let told = scene.receiver.taken();
    succeeds(&["token", "--data", new_text]);
    let service = Service::start(&new, &["--config", scene.config.to_str().unwrap()]);
    let asked = ask(&service, &csr);
    scene.receiver.waits_for("request.pending", told.len());
    let after = scene.receiver.taken().split_off(told.len());
    let known: Vec<&str> = told.iter().map(|one| one.id.as_str()).collect();
    assert!(after.iter().all(|one| !known.contains(&one.id.as_str())), "{after:?}");
    let requests = after.iter().filter(|one| one.body["type"] == "request.pending");
    let numbers: Vec<_> = requests.map(|one| one.body["data"]["request_id"].as_u64()).collect();
    assert_eq!(numbers, [Some(asked)]);
    assert_eq!(lost.body["data"]["request_id"], asked, "the number came again, the identifier not");
    service.stop();
}

#[test]
fn check_tells_what_is_wrong_with_an_endpoint() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, data) = place();
    let config = home.path().join("chancery.toml");
    let text = "[[notification]]\nname = \"a b\"\nurl = \"http://tickets.contoso.com/\"\n\
                secret = \"whsec_x\"\nevents = [\"request.gone\"]\ncertificate_before = \"soon\"\n\
                timeout = \"1h\"\ncolour = \"red\"\n\
                [[notification]]\nname = \"b\"\nurl = \"https://user:pass@host/\"\n\
                secret_variable = \"CHANCERY_X\"\n";
    std::fs::write(&config, text).unwrap();
    let check = ["check", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let told = fails(&check);
    for expected in [
        "chancery.toml:2: \"a b\" is not letters",
        "chancery.toml:3: url is http://",
        "chancery.toml:4: a secret does not belong here",
        "chancery.toml:1: secret_file is missing",
        "chancery.toml:5: \"request.gone\" is not one of request.pending, crl.published",
        "chancery.toml:6: \"soon\" is not a time",
        "chancery.toml:7: timeout must be from 1s to 60s",
        "chancery.toml:8: no such setting \"colour\" in this notification",
        "chancery.toml:11: a password does not belong in url",
        "chancery.toml:12: variables that begin with CHANCERY_",
        "chancery.toml:9: events is missing",
    ] {
        assert!(told.contains(expected), "{expected}\n in\n{told}");
    }
    assert!(!told.contains("pass@"), "{told}");

    let secret = home.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let good = format!(
        "[[notification]]\nname = \"b\"\nurl = \"https://tickets.contoso.com/x\"\n\
         secret_file = [\"{}\"]\nevents = [\"crl.expiring\"]\n",
        secret.display()
    );
    std::fs::write(&config, good).unwrap();
    let mode = |mode| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode));
    mode(0o644).unwrap();
    assert!(fails(&check).contains("can be read by everybody"));
    mode(0o600).unwrap();
    assert!(succeeds(&check).contains("no mistakes"));
    std::fs::write(&secret, "hunter2\n").unwrap();
    let told = fails(&check);
    assert!(told.contains("secret holds not whsec_") && !told.contains("hunter2"), "{told}");
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    let serve = ["serve", "--config", check[2], "--data", check[4]];
    assert!(fails(&[&serve[..], &ports].concat()).contains("secret holds not whsec_"));
}
