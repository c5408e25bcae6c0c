//! Domain controllers that hang: connections are taken and nobody says a word. Whoever needs them
//! is told so in time, and nobody else notices.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::active_directory::{World, login, people};
use super::domain::{BASE, Domain, Manners, Silent};
use super::program::{Service, csr, init, openssl, place};

/// What the settings say, and what everybody else must stay below: far apart, for the machine may
/// be busy.
const TIMEOUT: Duration = Duration::from_secs(8);
const SOON: Duration = Duration::from_secs(4);

/// A section for whoever listens there, which is nobody's controller.
fn section(home: &Path, url: &str) -> String {
    let root = ["req", "-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root"];
    openssl(home, &[&root[..], &["-newkey", "rsa:2048", "-nodes"]].concat());
    std::fs::write(home.join("bind.password"), "x\n").unwrap();
    let (root, password) = (home.join("root.pem"), home.join("bind.password"));
    format!(
        "[[directory]]\nkind = \"ldap\"\nrealm = \"CORP\"\nbase = \"{BASE}\"\n\
         servers = [\"{url}\"]\nstart_tls = true\nroot_file = {root:?}\n\
         bind_name = \"svc-ca@corp.contoso.com\"\nbind_password_file = {password:?}\n\
         default_realm = true\ntimeout = \"{}s\"\nretry = \"60s\"\n",
        TIMEOUT.as_secs()
    )
}

/// The built-in account that nothing of a domain concerns.
const BUILT_IN: &str = r#"{"name":"builtin","kind":"user","cn":"Built In","groups":["VPN Users"],
    "distinguished_name":"CN=Built In,DC=corp,DC=contoso,DC=com",
    "user_principal_name":"builtin@contoso.com",
    "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1105"}"#;

#[test]
fn whoever_logs_on_to_a_silent_controller_is_told_in_time() {
    for manners in [Manners::Mute, Manners::MuteAfterStartTls] {
        let silent = Silent::at("127.0.0.1:0", manners);
        let scheme = if manners == Manners::Mute { "ldaps" } else { "ldap" };
        let (home, _) = place();
        let world = World::new(&section(home.path(), &format!("{scheme}://{}", silent.address())));
        world.service.post("/v1/accounts", 201, BUILT_IN);
        std::thread::scope(|scope| {
            let logins: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let began = Instant::now();
                        let (status, answer) = world.as_user(&login("CORP\\anna"));
                        (status, answer, began.elapsed())
                    })
                })
                .collect();
            until("nobody connects", || silent.connections() >= 4);
            let began = Instant::now();
            assert_eq!(world.administrator_enrols(), 201);
            assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
            for one in logins {
                let (status, answer, took) = one.join().unwrap();
                assert_eq!((status, &answer["rule"]), (503, &json!("directory-unavailable")));
                let detail = answer["detail"].as_str().unwrap();
                assert!(detail.contains("CORP: ldap"), "{detail}");
                assert!(detail.contains("no answer within 8 s"), "{detail}");
                assert!(took >= TIMEOUT - Duration::from_secs(1), "{took:?}: it gave up early");
                assert!(took < TIMEOUT + SOON, "{took:?}");
            }
        });
        // From now on it is known to be down: nobody waits.
        let began = Instant::now();
        assert_eq!(world.as_user(&login("CORP\\anna")).0, 503);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

/// A name server that hangs: the system looks for the controller's address for as long as its own
/// settings say, and nobody waits that long for it.
#[test]
fn nobody_waits_for_a_name_server_that_hangs() {
    let server = std::net::UdpSocket::bind("127.66.0.1:53").unwrap();
    let (home, data) = place();
    let resolver = home.path().join("resolv.conf");
    std::fs::write(&resolver, "nameserver 127.66.0.1\noptions timeout:20 attempts:3\n").unwrap();
    init(&data, &[]);
    std::fs::write(
        data.join("chancery.toml"),
        section(home.path(), "ldaps://dc1.corp.contoso.com"),
    )
    .unwrap();
    // In a mount namespace of its own (unshare(1)) the program has this resolv.conf.
    let mut command = Command::new("unshare");
    let mount = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    command.args(["--mount", "sh", "-c", mount]).arg(&resolver);
    command.arg(env!("CARGO_BIN_EXE_chancery"));
    let world = World::of(Service::start_command(command, &data, &[]), home);
    world.service.post("/v1/accounts", 201, BUILT_IN);
    std::thread::scope(|scope| {
        let login = scope.spawn(|| {
            let began = Instant::now();
            (world.as_user(&login("CORP\\anna")), began.elapsed())
        });
        let mut question = [0; 512];
        server.set_read_timeout(Some(TIMEOUT / 2)).unwrap();
        server.recv_from(&mut question).expect("the name is asked for");
        let began = Instant::now();
        assert_eq!(world.administrator_enrols(), 201);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        let ((status, answer), took) = login.join().unwrap();
        assert_eq!((status, &answer["rule"]), (503, &json!("directory-unavailable")), "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains("no answer within 8 s"), "{answer}");
        assert!(took < TIMEOUT + SOON, "{took:?}");
    });
}

/// More calls than any lane has threads, each of which needs the domain by another way than a
/// password: none of them keeps a call waiting that does not.
#[test]
fn a_silent_controller_fills_no_lane() {
    let mut domain = Domain::start(&people());
    let settings = format!(
        "{}timeout = \"{}s\"\n",
        domain.section(&[domain.url()], &domain.root()),
        TIMEOUT.as_secs()
    );
    let world = World::new(&settings);
    let service = &world.service;
    service.post("/v1/accounts", 201, BUILT_IN);
    service.post(
        "/v1/accounts",
        201,
        r#"{"name":"mara","kind":"user","roles":["certificate_manager"]}"#,
    );
    let token = |account: &str| {
        let wanted = json!({"account": account, "expires_in_seconds": 3600}).to_string();
        service.post("/v1/tokens", 201, &wanted)["token"].as_str().unwrap().to_owned()
    };
    let (anna, manager) = (token("CORP\\anna"), token("mara"));

    // Her certificate, and one to be revoked meanwhile.
    csr(world.home.path(), "hers", "");
    let enrol = |name: &str, subject: &str| {
        let path = format!("/v1/requests?template=VPNUserAuthentication&on_behalf_of={subject}");
        let file = format!("@{}", world.home.path().join(format!("{name}.csr")).display());
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        let (status, text) = service.call(&path, &body);
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, answer) = enrol("hers", "CORP%5Canna");
    assert_eq!(status, 201, "{answer}");
    let certificate = world.home.path().join("hers.pem");
    std::fs::write(&certificate, answer["certificate"].as_str().unwrap()).unwrap();
    let key = world.home.path().join("hers.key");
    let (_, built_in) = enrol("two", "builtin");
    let serial = built_in["serial_number"].as_str().unwrap();

    // Requests that wait for a manager.
    let (_, text) = service.call("/v1/templates/VPNUserAuthentication", &[]);
    let mut template: Value = serde_json::from_str(&text).unwrap();
    let flags = template["enrollment_flags"].as_array_mut().unwrap();
    flags.push("PEND_ALL_REQUESTS".into());
    let (plain, pending) = (text.clone(), template.to_string());
    let put = |body: &str| {
        let put = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", body];
        let (status, text) = service.call("/v1/templates/VPNUserAuthentication", &put);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let changed = put(&pending);
    let waiting: Vec<String> = (0..10)
        .map(|_| {
            let (status, answer) = enrol("one", "CORP%5Canna");
            assert_eq!(status, 202, "{answer}");
            answer["request_id"].to_string()
        })
        .collect();
    let mut template: Value = serde_json::from_str(&plain).unwrap();
    template["minor_revision"] = changed["minor_revision"].clone();
    put(&template.to_string());

    let silent = domain.hang();
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    let (hers, managers) = (bearer(&anna), bearer(&manager));
    let csr = format!("@{}", world.home.path().join("one.csr").display());
    let pkcs10 = "Content-Type: application/pkcs10";
    let template = "/v1/requests?template=VPNUserAuthentication";
    let for_her = format!("{template}&on_behalf_of=CORP%5Canna");
    let mut calls: Vec<Vec<String>> = Vec::new();
    let mut call = |path: &str, more: &[&str]| {
        let url = format!("{}{path}", service.api);
        let more = more.iter().map(|word| (*word).to_owned());
        calls.push(std::iter::once(url).chain(more).collect());
    };
    // Interleaved, so that some of each kind are among those that wait.
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let mine = ["--cert", certificate, "--key", key];
    for id in &waiting {
        call(&format!("/v1/requests/{id}/approve"), &["-X", "POST", "-H", &managers]);
        call("/v1/certificates", &["-H", &hers]);
        call("/v1/certificates", &mine);
        call(&for_her, &["-H", &managers, "-H", pkcs10, "--data-binary", &csr]);
    }
    std::thread::scope(|scope| {
        let asked: Vec<_> =
            calls.iter().map(|call| scope.spawn(|| curl(&service.data, call))).collect();
        until("the sessions are not in use", || silent.connections() >= 8);
        std::thread::sleep(Duration::from_secs(1));
        let revoke = format!("/v1/certificates/{serial}/revoke");
        let json = "Content-Type: application/json";
        let superseded = ["-H", json, "-d", r#"{"reason":"superseded"}"#];
        let others: [(&str, &dyn Fn() -> u16, u16); 5] = [
            ("enrolments", &|| world.administrator_enrols(), 201),
            ("reads", &|| service.call("/v1/certificates", &[]).0, 200),
            ("acts", &|| service.call("/v1/ca/templates/User", &["-X", "PUT"]).0, 200),
            ("revocation", &|| service.call(&revoke, &superseded).0, 200),
            ("look-ups", &|| service.call("/v1/accounts/builtin", &[]).0, 200),
        ];
        for (what, other, expected) in others {
            let began = Instant::now();
            assert_eq!(other(), expected, "{what}");
            assert!(began.elapsed() < SOON, "{what} took {:?}", began.elapsed());
        }
        for one in asked {
            let (status, text, took) = one.join().unwrap();
            assert_eq!(status, 503, "{text}");
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(answer["rule"], "directory-unavailable", "{text}");
            // Waiting for a session and waiting for an answer.
            assert!(took < TIMEOUT * 2 + SOON, "{took:?}: {text}");
        }
    });
}

fn curl(data: &Path, arguments: &[String]) -> (u16, String, Duration) {
    let began = Instant::now();
    let output = Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}", "--noproxy", "*", "--cacert"])
        .arg(data.join("ca.pem"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned(), began.elapsed())
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < TIMEOUT / 2, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
