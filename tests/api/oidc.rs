//! Tokens of a real OpenID Connect provider (npm: oidc-provider, installed by tests/install), and
//! tokens that no honest provider makes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use chancery::directory::TokenIssuers;
use chancery::directory::oidc::fetch::Discovery;
use chancery::directory::oidc::keys::{KeyStore, Pace};
use chancery::directory::oidc::mapping::{Attributes, GroupForm, Mapping, Source};
use chancery::directory::oidc::providers::Providers;
use chancery::directory::oidc::{ALGORITHMS, Provider, Settings};
use chancery::pki::account::AccountKind;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::certificate_requests as csr;
use super::fixture::{Answered, Ca, Surroundings};

pub const AUDIENCE: &str = "urn:chancery";
const SKEW: u64 = 60;
const LIFE: u64 = 600;
const REFETCH: u64 = 30;

/// A provider program; it ends when this is dropped.
pub struct Issuer {
    child: Child,
    port: u16,
    root: Vec<u8>,
    agent: Agent,
    _folder: tempfile::TempDir,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Issuer {
    pub fn start() -> Self {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/oidc/node_modules");
        assert!(
            modules.join("oidc-provider").is_dir(),
            "{} is not there: run tests/install",
            modules.display()
        );
        let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
        std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        std::fs::write(&certificate, certified.cert.pem()).unwrap();
        let port = std::net::TcpListener::bind("localhost:0").unwrap().local_addr().unwrap().port();
        let hers = json!({
            "preferred_username": "anna", "cn": "anna", "upn": "anna@corp.contoso.com",
            "dn": "CN=anna,OU=Cloud,DC=corp,DC=contoso,DC=com",
            "onprem_sid": "S-1-5-21-1004336348-1177238915-682003330-1999",
            "realm_access": {"roles": ["b6a1", "0000"]},
        });
        let mut lacking = hers.clone();
        lacking.as_object_mut().unwrap().remove("upn");
        let mut nameless = hers.clone();
        nameless.as_object_mut().unwrap().remove("preferred_username");
        let mut strange = hers.clone();
        strange["preferred_username"] = json!("CORP\\administrator");
        let rsa = || {
            let size = rcgen::RsaKeySize::_2048;
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap().serialize_pem()
        };
        let second = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let setup = json!({
            "keys": {"first": rsa(), "second": second, "stranger": rsa()},
            "modules": modules, "port": port, "key": key, "certificate": certificate,
            "clients": {"anna": hers, "lacking": lacking, "nameless": nameless, "strange": strange},
        });
        let mut child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs the provider");
        child.stdin.take().unwrap().write_all(setup.to_string().as_bytes()).unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line == "listening"));
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let root = certified.cert.der().to_vec();
        let agent = trusting(&root);
        Self { child, port, root, agent, _folder: folder }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// An access token by client credentials (RFC 6749 §4.4) for a resource (RFC 8707).
    pub fn token(&self, client: &str, audience: &str) -> String {
        let form = format!("grant_type=client_credentials&resource={audience}&scope=enrol");
        let mut answer = self
            .agent
            .post(format!("{}/token", self.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {}", basic(client)))
            .send(form)
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["access_token"].as_str().expect(&text).to_owned()
    }

    fn forge(&self, header: &Value, claims: &Value, by: &str) -> String {
        self.test("forge", &json!({"header": header, "claims": claims, "by": by}))
    }

    /// What would be a good token, had the provider's key signed it.
    pub fn forged(&self, name: &str) -> String {
        let now = now_seconds();
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "first"});
        let claims = json!({
            "iss": self.url(), "aud": AUDIENCE, "sub": name, "preferred_username": name,
            "exp": now + 3600, "iat": now,
        });
        self.forge(&header, &claims, "stranger")
    }

    /// From now on it signs with the first of these and publishes them all.
    fn keys(&self, kids: &[&str]) {
        self.test("keys", &json!(kids));
    }

    fn test(&self, what: &str, body: &Value) -> String {
        let url = format!("{}/test/{what}", self.url());
        self.agent.post(url).send(body.to_string()).unwrap().body_mut().read_to_string().unwrap()
    }

    fn issuers(&self, source: Source) -> Arc<dyn TokenIssuers> {
        let discovery =
            Discovery::new(&self.url(), std::slice::from_ref(&self.root), Duration::from_secs(5));
        let pace =
            Pace { least_seconds: REFETCH, life_seconds: LIFE, patience: Duration::from_secs(10) };
        let settings = Settings {
            issuer: self.url(),
            audiences: vec![AUDIENCE.to_owned()],
            clients: Vec::new(),
            algorithms: ALGORITHMS.to_vec(),
            clock_skew_seconds: SKEW,
            mapping: Mapping {
                realm: "CLOUD".to_owned(),
                name: "preferred_username".to_owned(),
                source,
            },
        };
        let keys = KeyStore::new(Box::new(discovery), pace);
        Arc::new(Providers(vec![Provider::new(settings, keys)]))
    }
}

fn basic(client: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{client}:secret"))
}

fn trusting(root: &[u8]) -> Agent {
    let roots = vec![Certificate::from_der(root).to_owned()];
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build();
    Agent::new_with_config(Agent::config_builder().tls_config(tls).build())
}

/// What the token's claims become.
pub fn from_token() -> Source {
    let claim = |name: &str| Some(name.to_owned());
    Source::Token(Box::new(Attributes {
        kind: AccountKind::User,
        cn: claim("cn"),
        display_name: None,
        distinguished_name: claim("dn"),
        user_principal_name: claim("upn"),
        mail: None,
        dns_host_name: None,
        object_sid: claim("onprem_sid"),
        object_guid: None,
        groups: claim("realm_access.roles"),
        group_names: Some([("b6a1".to_owned(), "VPN Users".to_owned())].into()),
        group_form: GroupForm::Plain,
    }))
}

fn now_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub async fn ca(issuer: &Issuer, source: Source) -> Ca {
    Ca::founded_among(surroundings(issuer, source)).await
}

/// A CA founded now that takes this issuer's tokens.
pub fn surroundings(issuer: &Issuer, source: Source) -> Surroundings {
    let (founded, issuers) = (now_seconds() * 1000, Some(issuer.issuers(source)));
    Surroundings { founded, issuers, ..Surroundings::default() }
}

async fn enrol(ca: &Ca, token: &str) -> Answered {
    let headers = [("content-type", "application/pkcs10")];
    let path = "/v1/requests?template=VPNUserAuthentication";
    ca.send(Method::POST, path, Some(token.to_owned()), &headers, csr::named("anna")).await
}

async fn look(ca: &Ca, token: &str) -> Answered {
    ca.send(Method::GET, "/v1/ca", Some(token.to_owned()), &[], "").await
}

#[tokio::test]
async fn a_token_enrols_with_what_it_says_of_its_holder() {
    let issuer = Issuer::start();
    let ca = ca(&issuer, from_token()).await;
    let enrolled = enrol(&ca, &issuer.token("anna", AUDIENCE)).await;
    assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.text());
    let serial = enrolled.json()["serial_number"].as_str().unwrap().to_owned();
    let path = format!("/v1/certificates/{serial}");
    let read = ca.send(Method::GET, &path, ca.token("administrator"), &[], "").await.json();
    assert_eq!(read["account"], "CLOUD\\anna");
    assert_eq!(read["subject"], "CN=anna,OU=Cloud,DC=corp,DC=contoso,DC=com");
    let names = read["names"].to_string();
    assert!(names.contains("anna@corp.contoso.com"), "{names}");

    // A claim that a name needs is a denial that names the attribute, never a guess.
    let denied = enrol(&ca, &issuer.token("lacking", AUDIENCE)).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN, "{}", denied.text());
    assert!(denied.text().contains("user_principal_name"), "{}", denied.text());
    for client in ["nameless", "strange"] {
        let refused = enrol(&ca, &issuer.token(client, AUDIENCE)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{client}: {}", refused.text());
    }
}

#[tokio::test]
async fn what_proves_nothing_is_refused() {
    let issuer = Issuer::start();
    let ca = ca(&issuer, from_token()).await;
    let good = issuer.token("anna", AUDIENCE);
    assert_eq!(look(&ca, &good).await.status, StatusCode::OK);
    let now = now_seconds();
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "first"});
    let claims = json!({
        "iss": issuer.url(), "aud": AUDIENCE, "sub": "anna", "preferred_username": "anna",
        "exp": now + 3600, "iat": now,
    });
    let with = |value: &Value, changes: Value| {
        let mut changed = value.clone();
        for (name, value) in changes.as_object().unwrap() {
            changed[name] = value.clone();
        }
        changed
    };
    let without = |name: &str| {
        let mut changed = claims.clone();
        changed.as_object_mut().unwrap().remove(name);
        changed
    };
    // What is forged well is taken: else the refusals below would show nothing.
    for claims in [
        claims.clone(),
        with(&claims, json!({"nbf": now + SKEW / 2, "iat": now + SKEW / 2})),
        with(&claims, json!({"exp": now - SKEW / 2})),
        with(&claims, json!({"aud": ["urn:other", AUDIENCE]})),
    ] {
        let taken = look(&ca, &issuer.forge(&header, &claims, "first")).await;
        assert_eq!(taken.status, StatusCode::OK, "{claims}: {}", taken.text());
    }
    let hs256 = with(&header, json!({"alg": "HS256"}));
    let none = with(&header, json!({"alg": "none"}));
    let bad = [
        ("wrong audience", header.clone(), with(&claims, json!({"aud": "urn:other"})), "first"),
        ("no audience", header.clone(), without("aud"), "first"),
        ("wrong issuer", header.clone(), with(&claims, json!({"iss": "https://evil"})), "first"),
        ("two issuers", header.clone(), with(&claims, json!({"iss": [issuer.url()]})), "first"),
        ("slash", header.clone(), with(&claims, json!({"iss": issuer.url() + "/"})), "first"),
        ("no issuer", header.clone(), without("iss"), "first"),
        ("expired", header.clone(), with(&claims, json!({"exp": now - 2 * SKEW})), "first"),
        ("no end", header.clone(), without("exp"), "first"),
        ("text as end", header.clone(), with(&claims, json!({"exp": "4000000000"})), "first"),
        ("not yet", header.clone(), with(&claims, json!({"nbf": now + 3 * SKEW})), "first"),
        ("made later", header.clone(), with(&claims, json!({"iat": now + 3 * SKEW})), "first"),
        ("alg none", none.clone(), claims.clone(), "nobody"),
        ("signature cut off", header.clone(), claims.clone(), "nobody"),
        ("public key as secret", hs256, claims.clone(), "public:first"),
        ("public key as secret, RS256", header.clone(), claims.clone(), "public:first"),
        ("another's key", header.clone(), claims.clone(), "stranger"),
        ("unknown kid", with(&header, json!({"kid": "stranger"})), claims.clone(), "stranger"),
        ("kid of another kind", with(&header, json!({"alg": "ES256"})), claims.clone(), "second"),
        ("logout token", with(&header, json!({"typ": "logout+jwt"})), claims.clone(), "first"),
        ("critical", with(&header, json!({"crit": ["exp"]})), claims.clone(), "first"),
        ("own key", with(&header, json!({"jku": "https://evil/jwks"})), claims.clone(), "stranger"),
    ];
    for (why, header, claims, by) in bad {
        let refused = look(&ca, &issuer.forge(&header, &claims, by)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{why}: {}", refused.text());
        assert_eq!(refused.rule(), "unauthenticated", "{why}");
    }
    let other = issuer.token("anna", "urn:another-service");
    assert_eq!(look(&ca, &other).await.status, StatusCode::UNAUTHORIZED);
    // A token the provider made, when its day is over.
    ca.wait_seconds(86_400 + 2 * SKEW);
    assert_eq!(look(&ca, &good).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_turn_over_and_serve_while_the_provider_is_down() {
    let mut issuer = Issuer::start();
    let ca = ca(&issuer, from_token()).await;
    let first = issuer.token("anna", AUDIENCE);
    assert_eq!(look(&ca, &first).await.status, StatusCode::OK);
    issuer.keys(&["second", "first"]);
    let second = issuer.token("anna", AUDIENCE);
    // Not asked for again at once, whatever tokens say.
    assert_eq!(look(&ca, &second).await.status, StatusCode::UNAUTHORIZED);
    ca.wait_seconds(REFETCH);
    assert_eq!(look(&ca, &second).await.status, StatusCode::OK);
    assert_eq!(look(&ca, &first).await.status, StatusCode::OK);

    // Once the first key is gone and ours are old, they are fetched beside and its tokens refused.
    issuer.keys(&["second"]);
    ca.wait_seconds(LIFE);
    let mut status = look(&ca, &first).await.status;
    for _ in 0..100 {
        if status == StatusCode::UNAUTHORIZED {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        status = look(&ca, &first).await.status;
    }
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(look(&ca, &second).await.status, StatusCode::OK);

    issuer.child.kill().unwrap();
    issuer.child.wait().unwrap();
    for _ in 0..5 {
        ca.wait_seconds(LIFE);
        assert_eq!(look(&ca, &second).await.status, StatusCode::OK, "keys that are known serve on");
    }
}

#[tokio::test]
async fn without_keys_it_is_503_and_others_go_on() {
    let mut issuer = Issuer::start();
    let token = issuer.token("anna", AUDIENCE);
    issuer.child.kill().unwrap();
    issuer.child.wait().unwrap();
    let ca = ca(&issuer, from_token()).await;
    let refused = look(&ca, &token).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
    assert_eq!(refused.rule(), "directory-unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(look(&ca, &ca.token("anna").unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_pending_request_is_decided_on_what_it_was_asked_with() {
    let issuer = Issuer::start();
    let ca = ca(&issuer, from_token()).await;
    let path = "/v1/templates/VPNUserAuthentication";
    let mut template = ca.send(Method::GET, path, ca.token("administrator"), &[], "").await.json();
    template["enrollment_flags"].as_array_mut().unwrap().push(json!("PEND_ALL_REQUESTS"));
    let json_type = [("content-type", "application/json")];
    let administrator = ca.token("administrator");
    let put = ca.send(Method::PUT, path, administrator, &json_type, template.to_string()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    let pending = enrol(&ca, &issuer.token("anna", AUDIENCE)).await;
    assert_eq!(pending.status, StatusCode::ACCEPTED, "{}", pending.text());
    let approve = format!("{}/approve", pending.headers["location"].to_str().unwrap());
    let approved = ca.post("manager", &approve, &json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
    assert_eq!(approved.json()["disposition"], "issued");

    // What nobody can look up cannot be asked for by another, and has no token of ours.
    let wanted = json!({"account": "CLOUD\\anna", "expires_in_seconds": 60});
    let refused = ca.post("administrator", "/v1/tokens", &wanted).await;
    assert_eq!(
        (refused.status, refused.rule()),
        (StatusCode::BAD_REQUEST, "account-unknown".into())
    );
    assert!(refused.text().contains("known by their tokens alone"), "{}", refused.text());
}

#[tokio::test]
async fn a_token_may_only_name_an_account_of_another_directory() {
    let issuer = Issuer::start();
    let ca = ca(&issuer, Source::Directory(None)).await;
    let enrolled = enrol(&ca, &issuer.token("anna", AUDIENCE)).await;
    assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.text());
    let path = format!("/v1/certificates/{}", enrolled.json()["serial_number"].as_str().unwrap());
    let read = ca.send(Method::GET, &path, ca.token("administrator"), &[], "").await.json();
    // The directory's names, not the token's.
    assert_eq!(read["account"], "anna");
    assert_eq!(read["subject"], "CN=anna,CN=Users,DC=corp,DC=contoso,DC=com");
    let strange = look(&ca, &issuer.token("strange", AUDIENCE)).await;
    assert_eq!(strange.status, StatusCode::UNAUTHORIZED, "{}", strange.text());
}
