//! Every route against everybody. A route without a row here fails the test.

use axum::http::{Method, StatusCode};
use chancery::ca::possession::RolesByCertificate;
use chancery::http::{Access, ROUTES, Route};
use serde_json::{Value, json};

use super::domain::{Domain, OFFICES, PASSWORD};
use super::fixture::{Ca, Surroundings};
use super::oidc;

/// Who may come: `e` everybody; and of those with a credential, by the roles that count with it,
/// `r` a plain requester and an enrolment agent, `m` a certificate manager, `a` an auditor, `A` an
/// administrator. Credentials that reach less far than their account, whatever its roles: `t` a
/// one-time token, `b` a token bound to a template, `c` a client certificate, `s` one whose names
/// came from the request. [`people`] has everybody.
const TABLE: &[(&str, &str)] = &[
    ("GET /healthz", "etbrmaAcs"),
    ("GET /readyz", "etbrmaAcs"),
    ("GET /openapi.yaml", "etbrmaAcs"),
    ("GET /metrics", "aA"),
    ("POST /v1/requests", "tbrmaAc"),
    ("GET /v1/requests", "brmaAc"),
    ("GET /v1/requests/{request_id}", "brmaAcs"),
    ("POST /v1/requests/{request_id}/approve", "mA"),
    ("POST /v1/requests/{request_id}/deny", "mA"),
    // Only their own; what a stranger gets is in the script `approval`.
    ("POST /v1/requests/{request_id}/withdraw", "brmaAc"),
    ("GET /v1/certificates", "brmaAc"),
    ("GET /v1/certificates/{serial_number}", "brmaAcs"),
    ("GET /v1/certificates/{serial_number}/status", "brmaAcs"),
    // Nobody by a token: `client_certificates` has the holders.
    ("POST /v1/certificates/{serial_number}/renew", "cs"),
    ("DELETE /v1/certificates/{serial_number}/retirement", "mA"),
    // And who has Revoke on its template: `template_permissions.txt`.
    ("POST /v1/certificates/{serial_number}/revoke", "mA"),
    ("POST /v1/certificates/{serial_number}/release", "mA"),
    ("GET /v1/templates", "brmaAc"),
    ("POST /v1/templates", "A"),
    ("POST /v1/templates/import", "A"),
    ("GET /v1/templates/export", "brmaAc"),
    ("GET /v1/templates/{name}/export", "brmaAc"),
    ("GET /v1/templates/{name}", "brmaAc"),
    // Nothing of this name, for everybody alike; who has Write is in the attacks (ESC4).
    ("PUT /v1/templates/{name}", "rmaAc"),
    ("DELETE /v1/templates/{name}", "A"),
    ("POST /v1/templates/{name}/duplicate", "A"),
    ("GET /v1/ca", "brmaAc"),
    ("GET /v1/ca/templates", "brmaAc"),
    ("PUT /v1/ca/templates/{name}", "A"),
    ("DELETE /v1/ca/templates/{name}", "A"),
    ("GET /v1/ca/crls", "brmaAc"),
    ("POST /v1/ca/crls", "mA"),
    ("GET /v1/ca/parent-crls", "brmaAc"),
    ("POST /v1/ca/parent-crls", "A"),
    ("GET /v1/ca/roles", "aA"),
    ("PUT /v1/ca/roles", "A"),
    ("GET /v1/ca/notifications", "aA"),
    ("GET /v1/accounts", "maA"),
    ("POST /v1/accounts", "A"),
    // Everybody their own; another's account is in the next test.
    ("GET /v1/accounts/{name}", "brmaAc"),
    ("PUT /v1/accounts/{name}", "A"),
    ("PATCH /v1/accounts/{name}", "A"),
    ("DELETE /v1/accounts/{name}", "A"),
    ("POST /v1/accounts/{name}/revoke-certificates", "mA"),
    ("GET /v1/tokens", "aA"),
    ("POST /v1/tokens", "mA"),
    ("GET /v1/tokens/{id}", "aA"),
    ("DELETE /v1/tokens/{id}", "A"),
    ("GET /v1/audit", "aA"),
    ("POST /v1/doctor", "ma"),
];

/// What a row is called with: things that are there to be read, and not there to be changed, so
/// that no call stands in another's way.
fn path(route: &str, method: &Method, who: &str) -> String {
    let name = match (route, method.as_str()) {
        (route, "GET") if route.starts_with("/v1/accounts/") => who,
        (route, "GET") if route.starts_with("/v1/templates/") => "User",
        _ => "nothing-of-this-name",
    };
    route
        .replace("{name}", name)
        .replace("{id}", "0")
        .replace("{request_id}", "999999")
        .replace("{serial_number}", "0abc")
}

/// What somebody shows.
enum Shown {
    Token(String),
    Password(String),
    Certificate { der: Vec<u8>, serial: String },
}

/// Somebody with a credential.
struct Person {
    /// For what is told.
    what: String,
    /// The letters of the table that let him in.
    letters: String,
    /// His account, as in a path.
    account: String,
    shown: Shown,
}

impl Person {
    fn new(what: &str, letters: &str, account: &str, shown: Shown) -> Self {
        let account = account.replace('\\', "%5C");
        let what = format!("{account} ({letters}) by {what}");
        Self { what, letters: letters.to_owned(), account, shown }
    }

    async fn call(&self, ca: &Ca, route: &Route) -> StatusCode {
        let method = route.method.clone();
        let body = if method == Method::GET || method == Method::DELETE { "" } else { "{}" };
        let headers = [("content-type", "application/json")];
        let path = path(route.path, &method, &self.account);
        match &self.shown {
            Shown::Token(token) => {
                ca.send(method, &path, Some(token.clone()), &headers, body).await.status
            }
            Shown::Password(login) => {
                ca.send_by_password(method, &path, login, &headers, body).await.status
            }
            Shown::Certificate { der, serial } => {
                let path = match route.path.strip_suffix("/renew") {
                    Some(_) => format!("/v1/certificates/{serial}/renew"),
                    None => path,
                };
                ca.send_holding(method, &path, der, &headers, body).await.status
            }
        }
    }

    /// One cell of the table for each route.
    async fn tries_everything(&self, ca: &Ca) {
        for route in ROUTES {
            let row = format!("{} {}", route.method, route.path);
            let status = self.call(ca, route).await;
            let who = &self.what;
            if allowed(&row).chars().any(|letter| letter == 'e' || self.letters.contains(letter)) {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!refused.contains(&status), "{row} as {who}: {status}");
                let ready = !status.is_server_error() || route.path == "/readyz";
                assert!(ready, "{row} as {who}: {status}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{row} as {who}");
            }
        }
    }
}

/// The letters of a row.
fn allowed(row: &str) -> &'static str {
    let found = TABLE.iter().find(|(own, _)| *own == row).map(|(_, allowed)| *allowed);
    found.unwrap_or_else(|| panic!("{row} has no row in the table"))
}

/// An account with a role: the letter of the table, the name.
type Holder = (&'static str, String);

/// Built-in accounts and those of the domain, each role once.
async fn holders(ca: &Ca) -> Vec<Holder> {
    let mut holders: Vec<Holder> = Vec::new();
    for (letter, name) in
        [("r", "anna"), ("r", "clerk"), ("m", "manager"), ("a", "auditor"), ("A", "administrator")]
    {
        // What the names of a VPN user's certificate are made of.
        let attributes = json!({
            "distinguished_name": format!("CN={name},CN=Users,DC=corp,DC=contoso,DC=com"),
            "user_principal_name": format!("{name}@contoso.com"),
            "object_sid": "S-1-5-21-1004336348-1177238915-682003330-1900",
            "groups": ["VPN Users"],
        });
        let headers = [("content-type", "application/merge-patch+json")];
        let (path, by) = (format!("/v1/accounts/{name}"), ca.token("administrator"));
        let patched = ca.send(Method::PATCH, &path, by, &headers, attributes.to_string()).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
        holders.push((letter, name.to_owned()));
    }
    let mut assignments = Vec::new();
    for (name, group, role) in OFFICES {
        let letter = match role {
            "administrator" => "A",
            "auditor" => "a",
            "certificate_manager" => "m",
            _ => "r",
        };
        if !role.is_empty() {
            assignments.push(json!({"role": role, "group": group}));
        }
        holders.push((letter, format!("CORP\\{name}")));
    }
    assign(ca, json!(assignments)).await;
    holders
}

async fn assign(ca: &Ca, assignments: Value) {
    let (by, headers) = (ca.token("administrator"), [("content-type", "application/json")]);
    let body = json!({ "assignments": assignments }).to_string();
    let put = ca.send(Method::PUT, "/v1/ca/roles", by, &headers, body).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
}

async fn token(ca: &Ca, wanted: Value) -> Shown {
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    Shown::Token(made.json()["token"].as_str().unwrap().to_owned())
}

async fn certificate(ca: &Ca, account: &str) -> Shown {
    let (der, serial) = ca.certify("VPNUserAuthentication", Some(account), "p256").await;
    Shown::Certificate { der, serial }
}

/// Every role by every credential that its account can have.
async fn people(ca: &Ca, holders: &[Holder]) -> Vec<Person> {
    let mut people = Vec::new();
    for (letter, name) in holders {
        let wanted = json!({"account": name, "expires_in_seconds": 100_000});
        people.push(Person::new("token", letter, name, token(ca, wanted.clone()).await));
        let mut bound = wanted;
        bound["template"] = json!("VPNUserAuthentication");
        // Neither carries roles.
        let shown = token(ca, bound.clone()).await;
        people.push(Person::new("token for a template", "b", name, shown));
        bound["single_use"] = json!(true);
        people.push(Person::new("one-time token", "t", name, token(ca, bound).await));
        // Nor does a certificate here.
        people.push(Person::new("certificate", "c", name, certificate(ca, name).await));
        if name.starts_with("CORP\\") {
            let login = format!("{name}:{PASSWORD}");
            people.push(Person::new("password", letter, name, Shown::Password(login)));
        }
    }
    // Its account on record is the administrator, who enrolled it; that gives it nothing.
    let csr = "p256 CN=vpn1.contoso.com";
    let (der, serial) = ca.certify("VPNServerAuthentication", None, csr).await;
    let shown = Shown::Certificate { der, serial };
    people.push(Person::new("certificate of a server", "s", "vpn1", shown));
    people
}

#[tokio::test]
async fn every_route_against_everybody() {
    for route in ROUTES {
        let row = format!("{} {}", route.method, route.path);
        assert_eq!(allowed(&row).contains('e'), matches!(route.access, Access::Open(_)), "{row}");
    }
    assert_eq!(TABLE.len(), ROUTES.len(), "a row of the table has no route");
    let beside = Some(Domain::branch());
    let ca = Ca::founded_among(Surroundings { beside, ..Surroundings::default() }).await;
    let holders = holders(&ca).await;
    for person in people(&ca, &holders).await {
        person.tries_everything(&ca).await;
    }
    let nobody = strangers(&ca).await;
    for route in ROUTES {
        let row = format!("{} {}", route.method, route.path);
        // So that nobody is kept out for having failed too often.
        ca.wait_seconds(60);
        for stranger in &nobody {
            let status = stranger.call(&ca, route).await;
            let let_in = status != StatusCode::UNAUTHORIZED;
            assert_eq!(let_in, allowed(&row).contains('e'), "{row} as {}: {status}", stranger.what);
        }
    }
}

/// Where the settings give certificates the roles of their accounts.
#[tokio::test]
async fn every_route_against_certificates_that_carry_roles() {
    let surroundings = Surroundings {
        beside: Some(Domain::branch()),
        roles_by_certificate: RolesByCertificate::Given,
        ..Surroundings::default()
    };
    let ca = Ca::founded_among(surroundings).await;
    for (letter, name) in holders(&ca).await {
        let shown = certificate(&ca, &name).await;
        let letters = format!("{letter}c");
        Person::new("certificate", &letters, &name, shown).tries_everything(&ca).await;
    }
}

/// The holder of a provider's token, in each role that the document of roles can give.
#[tokio::test]
async fn every_route_against_a_providers_tokens() {
    let issuer = oidc::Issuer::start();
    let ca = oidc::ca(&issuer, oidc::from_token()).await;
    let token = || Shown::Token(issuer.token("anna", oidc::AUDIENCE));
    for (letter, role) in [
        ("r", ""),
        ("r", "enrollment_agent"),
        ("m", "certificate_manager"),
        ("a", "auditor"),
        ("A", "administrator"),
    ] {
        for holder in [json!({"account": "CLOUD\\anna"}), json!({"group": "VPN Users"})] {
            let mut assignment = holder;
            assignment["role"] = json!(role);
            let own = json!({"role": "administrator", "account": "administrator"});
            let all = if role.is_empty() { json!([own]) } else { json!([own, assignment]) };
            assign(&ca, all).await;
            let person = Person::new("a provider's token", letter, "CLOUD\\anna", token());
            person.tries_everything(&ca).await;
        }
    }
    let another = issuer.token("anna", "urn:another-service");
    for (what, token) in [
        ("a token by another key than the provider's", issuer.forged("anna")),
        ("a provider's token for another service", another),
    ] {
        let stranger = Person::new(what, "", "CLOUD\\anna", Shown::Token(token));
        for route in ROUTES {
            let row = format!("{} {}", route.method, route.path);
            let let_in = stranger.call(&ca, route).await != StatusCode::UNAUTHORIZED;
            assert_eq!(let_in, allowed(&row).contains('e'), "{row} by {what}");
        }
    }
}

/// Who is nobody here, though some of them were administrators once.
async fn strangers(ca: &Ca) -> Vec<Person> {
    let administrators = json!({"account": "administrator", "expires_in_seconds": 1000});
    let disabled = ca.token("gone").unwrap();
    let held = certificate(ca, "gone").await;
    let headers = [("content-type", "application/merge-patch+json")];
    let patch = r#"{"enabled":false}"#;
    let path = "/v1/accounts/gone";
    let changed = ca.send(Method::PATCH, path, ca.token("administrator"), &headers, patch).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());

    let made = ca.post("administrator", "/v1/tokens", &administrators).await;
    let revoked = made.json()["token"].as_str().unwrap().to_owned();
    let path = made.headers["location"].to_str().unwrap().to_owned();
    let gone = ca.send(Method::DELETE, &path, ca.token("administrator"), &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());

    let Shown::Certificate { der, serial } = certificate(ca, "CORP\\adam").await else { panic!() };
    let path = format!("/v1/certificates/{serial}/revoke");
    let reason = json!({"reason": "keyCompromise"});
    let done = ca.post("administrator", &path, &reason).await;
    assert!(done.status.is_success(), "{}", done.text());

    let expired = ca.token_for("administrator", 60).await;
    ca.wait_seconds(61);
    let login = |name: &str, password: &str| Shown::Password(format!("{name}:{password}"));
    let who = |what: &str, shown| Person::new(what, "", "anna", shown);
    vec![
        who("nothing", Shown::Token(String::new())),
        who("the token of a disabled account", Shown::Token(disabled)),
        who("a revoked token", Shown::Token(revoked)),
        who("an expired token", Shown::Token(expired)),
        who("an invented token", Shown::Token(format!("chancery_{}", "A".repeat(43)))),
        who("a revoked certificate", Shown::Certificate { der, serial: serial.clone() }),
        who("the certificate of a disabled account", held),
        who("a wrong password", login("CORP\\adam", "wrong")),
        who("no password", login("CORP\\adam", "")),
        who("the password of a disabled account", login("CORP\\dora", PASSWORD)),
        who("the password of nobody", login("CORP\\nobody", PASSWORD)),
        who("a password in no domain", login("OTHER\\adam", PASSWORD)),
        who("a password of a built-in account", login("administrator", PASSWORD)),
    ]
}

#[tokio::test]
async fn a_requester_sees_only_what_is_his() {
    let ca = Ca::founded().await;
    let of_another = [
        ("/v1/accounts/bert", StatusCode::FORBIDDEN),
        ("/v1/requests?account=bert", StatusCode::FORBIDDEN),
        ("/v1/certificates?account=bert", StatusCode::FORBIDDEN),
    ];
    for (path, status) in of_another {
        let answered = ca.send(Method::GET, path, ca.token("anna"), &[], "").await;
        assert_eq!(answered.status, status, "{path}");
        let answered = ca.send(Method::GET, path, ca.token("auditor"), &[], "").await;
        assert_eq!(answered.status, StatusCode::OK, "{path}");
    }
}
