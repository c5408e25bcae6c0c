//! Accounts of an Active Directory domain, with nothing but their passwords: Samba as the domain,
//! curl as the client, OpenSSL and Samba's own tools as the judges.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::domain::{Domain, account, group, replace};
use super::program::{Service, chancery, csr, init, openssl, place};

pub const PASSWORD: &str = "Geheim-äöü:1\"§";

pub fn people() -> String {
    let principal = |name: &str| format!("{name}@corp.contoso.com");
    let user = |name: &str| {
        account("user", name, name, PASSWORD, &[("userPrincipalName", &principal(name))])
    };
    let upn = "Jürgen.Groß@corp.contoso.com";
    [
        account("user", "svc-ca", "svc-ca", super::domain::BIND_PASSWORD, &[]),
        user("anna"),
        user("bert"),
        user("dora"),
        user("late"),
        account("user", "Jürgen Groß", "jürgen", PASSWORD, &[("userPrincipalName", upn)]),
        account(
            "computer",
            "NPS01",
            "NPS01$",
            PASSWORD,
            &[("dNSHostName", "nps01.corp.contoso.com")],
        ),
        group("VPN Inner", &["anna", "Jürgen Groß", "dora", "late"]),
        group("VPN Users", &["VPN Inner"]),
        group("NPS Servers", &["NPS01"]),
    ]
    .concat()
}

/// A CA beside the domain.
pub struct World {
    pub service: Service,
    pub home: tempfile::TempDir,
}

impl World {
    pub fn new(section: &str) -> Self {
        let (home, data) = place();
        init(&data, &[]);
        std::fs::write(data.join("chancery.toml"), section).unwrap();
        let checked = chancery(&["check", "--data", data.to_str().unwrap()]).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        Self::of(Service::start(&data, &[]), home)
    }

    /// Of a service that runs.
    pub fn of(service: Service, home: tempfile::TempDir) -> Self {
        for name in ["one", "two"] {
            csr(home.path(), name, "");
        }
        Self { service, home }
    }

    pub fn curl(&self, login: &str, path: &str, more: &[&str]) -> (u16, Value) {
        let output = Command::new("curl")
            .args(["-sS", "-w", "\n%{http_code}", "--noproxy", "*", "--cacert"])
            .arg(self.service.data.join("ca.pem"))
            .args(["-u", login])
            .arg(format!("{}{path}", self.service.api))
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    pub fn enrol(&self, login: &str, template: &str, query: &str) -> (u16, Value) {
        let path = format!("/v1/requests?template={template}{query}");
        let file = format!("@{}", self.home.path().join("one.csr").display());
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        self.curl(login, &path, &body)
    }

    pub fn as_user(&self, login: &str) -> (u16, Value) {
        self.enrol(login, "VPNUserAuthentication", "")
    }

    /// What OpenSSL reads in an answer's certificate.
    pub fn certificate(&self, answer: &Value, more: &[&str]) -> String {
        let pem = answer["certificate"].as_str().unwrap();
        std::fs::write(self.home.path().join("answer.pem"), pem).unwrap();
        openssl(self.home.path(), &[&["x509", "-in", "answer.pem", "-noout"][..], more].concat())
    }

    /// Whose certificate it is, on record.
    pub fn account(&self, answer: &Value) -> String {
        let path = format!("/v1/certificates/{}", answer["serial_number"].as_str().unwrap());
        let (status, text) = self.service.call(&path, &[]);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["account"].as_str().unwrap().to_owned()
    }

    pub fn administrator_enrols(&self) -> u16 {
        // A built-in account, for itself: nothing of it concerns a domain.
        let path = "/v1/requests?template=VPNUserAuthentication&on_behalf_of=builtin";
        let file = format!("@{}", self.home.path().join("two.csr").display());
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        self.service.call(path, &body).0
    }
}

pub fn login(name: &str) -> String {
    format!("{name}:{PASSWORD}")
}

/// The SID extension ([MS-WCCE] §2.2.2.7.7.4) holds it as text.
fn sid_in(world: &World, answer: &Value) -> String {
    let text = world.certificate(answer, &["-text"]);
    let start = text.find("S-1-5-21-").unwrap_or_else(|| panic!("no SID: {text}"));
    text[start..].chars().take_while(|it| it.is_ascii_digit() || "S-".contains(*it)).collect()
}

#[test]
fn a_domain_user_with_nothing_but_his_password_enrols() {
    let domain = Domain::start(&people());
    let world = World::new(&domain.section(&[domain.url()], &domain.root()));

    // Through a nested group, by each of his names; what is certified is what Samba holds.
    for name in ["CORP\\anna", "corp\\ANNA", "anna", "anna@corp.contoso.com"] {
        let (status, answer) = world.as_user(&login(name));
        assert_eq!(status, 201, "{name}: {answer}");
        assert_eq!(world.account(&answer), "CORP\\anna", "{name}");
        let text = world.certificate(&answer, &["-subject", "-nameopt", "RFC2253"]);
        assert_eq!(text.trim(), "subject=CN=anna,CN=Users,DC=corp,DC=contoso,DC=com");
        let text = world.certificate(&answer, &["-ext", "subjectAltName"]);
        let principal = domain.attribute("anna", "userPrincipalName");
        assert!(text.contains(&format!("UPN:{principal}")) || text.contains(&principal), "{text}");
        assert_eq!(sid_in(&world, &answer), domain.attribute("anna", "objectSid"));
    }
    for name in ["CORP\\jürgen", "Jürgen.Groß@corp.contoso.com", "jürgen@corp.contoso.com"] {
        let (status, answer) = world.as_user(&login(name));
        assert_eq!(status, 201, "{name}: {answer}");
        assert_eq!(world.account(&answer), "CORP\\jürgen");
    }

    // Not a member; unknown; wrong; nothing; injected: the last ones look alike.
    let (status, answer) = world.as_user(&login("CORP\\bert"));
    assert_eq!((status, &answer["rule"]), (403, &Value::from("enrollment-not-permitted")));
    let (_, unlike) = world.as_user("CORP\\anna:wrong");
    for wrong in [
        "CORP\\anna:wrong".to_owned(),
        "CORP\\anna:".to_owned(),
        "CORP\\Administrator:".to_owned(),
        login("CORP\\nobody"),
        login("OTHER\\anna"),
        login("anna@other.contoso.com"),
        login("CORP\\*"),
        login("CORP\\anna)(cn=*"),
        login("CORP\\an*)(|(cn=*"),
        login("CORP\\\\61nna"),
        login("*@corp.contoso.com"),
        login("CORP\\VPN Users"),
        login("administrator"),
    ] {
        let (status, answer) = world.as_user(&wrong);
        assert_eq!((status, &answer["detail"]), (401, &unlike["detail"]), "{wrong}");
    }

    // Disabled and expired: refused right after.
    assert_eq!(world.as_user(&login("dora")).0, 201);
    domain.modify(&replace("dora", "userAccountControl", "514"));
    let (status, answer) = world.as_user(&login("dora"));
    assert_eq!((status, &answer["detail"]), (401, &unlike["detail"]));
    let on_behalf = |name: &str, template: &str| {
        let path = format!("/v1/requests?template={template}&on_behalf_of={name}");
        let file = format!("@{}", world.home.path().join("two.csr").display());
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        let (status, text) = world.service.call(&path, &body);
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, answer) = on_behalf("CORP%5Cdora", "VPNUserAuthentication");
    assert_eq!(status, 403, "{answer}");
    assert_eq!(on_behalf("CORP%5Clate", "VPNUserAuthentication").0, 201);
    domain.modify(&replace("late", "accountExpires", "132000000000000000"));
    assert_eq!(on_behalf("CORP%5Clate", "VPNUserAuthentication").0, 403);
    assert_eq!(world.as_user(&login("late")).0, 401);

    // A computer, by its own password and by a manager, with `$` and without.
    let (status, answer) = world.enrol(&login("CORP\\NPS01$"), "NPSServerAuthentication", "");
    assert_eq!(status, 201, "{answer}");
    assert_eq!(world.account(&answer), "CORP\\NPS01$");
    let text = world.certificate(&answer, &["-ext", "subjectAltName"]);
    assert!(text.contains("DNS:nps01.corp.contoso.com"), "{text}");
    for name in ["CORP%5CNPS01", "corp%5Cnps01$"] {
        let (status, answer) = on_behalf(name, "NPSServerAuthentication");
        assert_eq!(status, 201, "{answer}");
        assert_eq!(world.account(&answer), "CORP\\NPS01$");
    }

    // A name needs an attribute that the directory does not have.
    let (status, text) = world.service.call("/v1/templates/VPNUserAuthentication", &[]);
    assert_eq!(status, 200);
    let mut template: Value = serde_json::from_str(&text).unwrap();
    let flags = template["name_flags"].as_array_mut().expect(&text);
    flags.push("SUBJECT_ALT_REQUIRE_EMAIL".into());
    let json = template.to_string();
    let put = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &json];
    let (status, text) = world.service.call("/v1/templates/VPNUserAuthentication", &put);
    assert_eq!(status, 200, "{text}");
    let (status, answer) = world.as_user(&login("anna"));
    assert_eq!(status, 403, "{answer}");
    assert_eq!(answer["hresult"], "0x80094812", "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("mail"), "{answer}");
    domain.modify(&replace("anna", "mail", "anna@contoso.com"));
    let (status, answer) = world.as_user(&login("anna"));
    assert_eq!(status, 201, "{answer}");
    let text = world.certificate(&answer, &["-ext", "subjectAltName"]);
    assert!(text.contains("email:anna@contoso.com"), "{text}");
}

#[test]
fn a_domain_that_is_down_keeps_nobody_else_waiting() {
    let mut domain = Domain::start(&people());
    // The first server is none: the second one answers, by StartTLS.
    let servers = ["ldaps://127.0.0.1:9".to_owned(), domain.plain_url()];
    let world = World::new(&domain.section(&servers, &domain.root()));
    let builtin = r#"{"name":"builtin","kind":"user","cn":"Built In","groups":["VPN Users"],
        "distinguished_name":"CN=Built In,DC=corp,DC=contoso,DC=com",
        "user_principal_name":"builtin@contoso.com",
        "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1105"}"#;
    world.service.post("/v1/accounts", 201, builtin);
    let (status, answer) = world.as_user(&login("CORP\\anna"));
    assert_eq!(status, 201, "{answer}");

    domain.halt();
    let (status, answer) = world.as_user(&login("CORP\\anna"));
    assert_eq!((status, &answer["rule"]), (503, &Value::from("directory-unavailable")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("CORP"), "{answer}");
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(world.as_user(&login("CORP\\anna")).0, 503);
        assert_eq!(world.administrator_enrols(), 201);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    // It comes back by itself.
    domain.run();
    let began = Instant::now();
    while world.as_user(&login("CORP\\anna")).0 != 201 {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_domain_whose_certificate_is_not_trusted_is_not_asked() {
    let domain = Domain::start(&people());
    for (url, reason) in [(domain.url(), "UnknownIssuer"), (domain.plain_url(), "UnknownIssuer")] {
        let world = World::new(&domain.section(&[url], &domain.other_root()));
        let (status, answer) = world.as_user(&login("CORP\\anna"));
        assert_eq!((status, &answer["rule"]), (503, &Value::from("directory-unavailable")));
        assert!(answer["detail"].as_str().unwrap().contains(reason), "{answer}");
    }
    // The right root, and a host that the certificate does not name.
    let stranger = "ldaps://localhost".to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = port.local_addr().unwrap().port();
    let address = domain.url().trim_start_matches("ldaps://").to_owned();
    std::thread::spawn(move || forward(&port, &format!("{address}:636")));
    let world = World::new(&domain.section(&[format!("{stranger}:{at}")], &domain.root()));
    let (status, answer) = world.as_user(&login("CORP\\anna"));
    assert_eq!(status, 503, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("not valid for name"), "{answer}");
}

/// Carries what comes on `listener` to `to`.
fn forward(listener: &std::net::TcpListener, to: &str) {
    for stream in listener.incoming().map_while(Result::ok) {
        let Ok(other) = std::net::TcpStream::connect(to) else { continue };
        for (mut from, mut into) in
            [(stream.try_clone().unwrap(), other.try_clone().unwrap()), (other, stream)]
        {
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        }
    }
}

/// The rate is printed: `cargo test --test cli a_thousand -- --nocapture`.
#[test]
fn a_thousand_enrolments_by_a_hundred_accounts() {
    const ACCOUNTS: usize = 100;
    const EACH: usize = 10;
    const CLIENTS: usize = 8;
    let names: Vec<String> = (0..ACCOUNTS).map(|number| format!("user{number:03}")).collect();
    let mut objects = account("user", "svc-ca", "svc-ca", super::domain::BIND_PASSWORD, &[]);
    for name in &names {
        let principal = format!("{name}@corp.contoso.com");
        objects += &account("user", name, name, PASSWORD, &[("userPrincipalName", &principal)]);
    }
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    objects += &group("VPN Users", &members);
    let domain = Domain::start(&objects);
    let world = World::new(&domain.section(&[domain.url()], &domain.root()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (world, names) = (&world, &names);
            scope.spawn(move || load(world, names, client, CLIENTS, ACCOUNTS * EACH));
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let (status, page) = world.service.call("/v1/certificates?limit=1000", &[]);
    assert_eq!(status, 200, "{page}");
    let count = page.matches("CORP\\\\user").count();
    println!(
        "{} enrolments by {ACCOUNTS} accounts in {seconds:.2} s: {:.0}/s",
        ACCOUNTS * EACH,
        (ACCOUNTS * EACH) as f64 / seconds
    );
    assert!(count >= ACCOUNTS * EACH, "{count}");
}

/// Every `clients`th of so many enrolments, over one connection of curl for each account's turn.
fn load(world: &World, names: &[String], client: usize, clients: usize, count: usize) {
    let data: &Path = &world.service.data;
    let mine: Vec<&String> = (0..count)
        .skip(client)
        .step_by(clients)
        .map(|number| &names[number % names.len()])
        .collect();
    let csr = format!("@{}", world.home.path().join("one.csr").display());
    let url = format!("{}/v1/requests?template=VPNUserAuthentication", world.service.api);
    // One curl makes them all, one after the other on one connection.
    let mut command = Command::new("curl");
    for (number, name) in mine.iter().enumerate() {
        if number > 0 {
            command.arg("--next");
        }
        command
            .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}\n", "--noproxy", "*", "--cacert"])
            .arg(data.join("ca.pem"))
            .args(["-u", &format!("CORP\\{name}:{PASSWORD}")])
            .args(["-H", "Content-Type: application/pkcs10", "--data-binary", &csr, &url]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let issued = text.lines().filter(|line| *line == "201").count();
    assert_eq!(issued, mine.len(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
