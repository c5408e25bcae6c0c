//! A CA in a temporary folder with people in its directory, and a way to send it calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use chancery::ca::accounts::from_row;
use chancery::ca::establish::{self, ADMINISTRATOR};
use chancery::ca::possession::RolesByCertificate;
use chancery::ca::publish::{PublicationPoint, Publisher, Publishers, Schedule};
use chancery::ca::{Authority, Parts};
use chancery::directory::several::{Branch, Several};
use chancery::directory::{BuiltIn, DirectoryError, TokenIssuers};
use chancery::http::api::{Api, router};
use chancery::http::peer::Peer;
use chancery::pki::issuer::Issuer;
use chancery::pki::name::DistinguishedName;
use chancery::pki::template::TemplateArc;
use chancery::pki::time::Timestamp;
use chancery::signing::{FileKey, KeyKind};
use chancery::storage::act::{Act, Entry};
use chancery::storage::publication::PublicationDirectory;
use chancery::storage::{Options, Register, Urgency, open};

/// A running CA.
pub struct Ca {
    pub router: Router,
    pub api: Arc<Api>,
    clock: Arc<AtomicU64>,
    register: Arc<dyn Register>,
    publisher: Arc<Publisher>,
    publishing: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
    tokens: Vec<(&'static str, String)>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn rule(&self) -> String {
        self.json()["rule"].as_str().unwrap_or_default().to_owned()
    }
}

/// 2026-06-01T08:00:00Z.
const FOUNDED: u64 = 1_780_300_800_000;
const DAY: u64 = 86_400;

/// name, kind, groups, roles.
const PEOPLE: [(&str, &str, &[&str], &[&str]); 8] = [
    ("manager", "user", &[], &["certificate_manager"]),
    ("auditor", "user", &[], &["auditor"]),
    ("anna", "user", &["VPN Users"], &[]),
    ("bert", "user", &[], &[]),
    ("gone", "user", &["VPN Users"], &["administrator"]),
    ("vpn1", "computer", &["VPN Servers"], &[]),
    ("clerk", "user", &[], &["enrollment_agent"]),
    ("nps1", "computer", &["NPS Servers"], &[]),
];

/// What a CA is founded among.
pub struct Surroundings {
    /// When, in milliseconds.
    pub founded: u64,
    /// How its register is opened.
    pub change: Box<dyn FnOnce(&mut Options)>,
    /// Whose tokens it takes besides its own.
    pub issuers: Option<Arc<dyn TokenIssuers>>,
    /// The directory beside the built-in one; a name without realm is its, where a password comes
    /// with it.
    pub beside: Option<Branch>,
    /// Whether client certificates carry roles.
    pub roles_by_certificate: RolesByCertificate,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            founded: FOUNDED,
            change: Box::new(|_| {}),
            issuers: None,
            beside: None,
            roles_by_certificate: RolesByCertificate::default(),
        }
    }
}

impl Ca {
    /// A new CA with everybody in its directory.
    pub async fn founded() -> Self {
        Self::founded_among(Surroundings::default()).await
    }

    /// The same, with the register opened otherwise.
    pub async fn founded_with(change: impl FnOnce(&mut Options) + 'static) -> Self {
        let change = Box::new(change);
        Self::founded_among(Surroundings { change, ..Surroundings::default() }).await
    }

    /// The same, among others.
    pub async fn founded_among(surroundings: Surroundings) -> Self {
        let Surroundings { founded, change, issuers, beside, roles_by_certificate } = surroundings;
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("data"));
        change(&mut options);
        let register = open(options).unwrap();
        let register: Arc<dyn Register> = register;
        let clock = Arc::new(AtomicU64::new(founded));
        let now = Timestamp::from_millis(founded);
        let authority = authority(&register, beside, now);
        let authority = authority.with_roles_by_certificate(roles_by_certificate);
        let authority = Arc::new(match issuers {
            Some(issuers) => authority.trusting(issuers),
            None => authority,
        });
        let slug = authority.slug().to_owned();
        let directory = folder.path().join("publish");
        std::fs::create_dir(&directory).unwrap();
        let store = Arc::new(PublicationDirectory::open(&directory, &slug).unwrap());
        let schedule = Schedule::default();
        let (point, taken_up) =
            PublicationPoint::open(authority.issuer(), &slug, &*store, schedule);
        taken_up.unwrap();
        let publisher = Arc::new(Publisher::new(&authority, store, Arc::new(point), schedule));
        let told = {
            let clock = Arc::clone(&clock);
            move || Timestamp::from_millis(clock.fetch_add(1, Ordering::Relaxed))
        };
        let publishing = {
            let (publisher, told) = (Arc::clone(&publisher), told.clone());
            std::thread::spawn(move || publisher.run(&told))
        };
        let token = authority.create_operator_token(ADMINISTRATOR, 365 * DAY, "test", now).unwrap();
        let tokens = vec![("administrator", token.secret.to_string())];
        let publishers = Arc::new(Publishers::new(Arc::clone(&publisher)));
        let api = Api::new(authority, publishers, Arc::new(told), 2);
        let api = Arc::new(api.unwrap());
        let mut ca = Self {
            router: router(Arc::clone(&api)),
            api,
            clock,
            register,
            publisher,
            publishing: Some(publishing),
            _folder: folder,
            tokens,
        };
        ca.populate().await;
        ca
    }

    async fn populate(&mut self) {
        for (number, (name, kind, groups, roles)) in PEOPLE.into_iter().enumerate() {
            let dns = (kind == "computer").then(|| format!("{name}.corp.contoso.com"));
            let account = json!({
                "name": name, "kind": kind, "cn": name, "groups": groups, "roles": roles,
                "distinguished_name": format!("CN={name},CN=Users,DC=corp,DC=contoso,DC=com"),
                "user_principal_name": format!("{name}@corp.contoso.com"),
                "dns_host_name": dns,
                "object_sid": format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1100 + number),
                "object_guid": format!("6f1f2c3a-0000-4000-8000-0000000000{number:02}"),
            });
            let made = self.post("administrator", "/v1/accounts", &account).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
            let token = self.token_for(name, 300 * DAY).await;
            self.tokens.push((name, token));
        }
    }

    /// A new token for an account.
    pub async fn token_for(&self, account: &str, seconds: u64) -> String {
        let wanted = json!({"account": account, "expires_in_seconds": seconds});
        let made = self.post("administrator", "/v1/tokens", &wanted).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// Changes the door's settings; before anything else is sent.
    pub fn adjust(&mut self, change: impl FnOnce(&mut Api)) {
        self.router = Router::new();
        change(Arc::get_mut(&mut self.api).expect("nobody else holds it"));
        self.router = router(Arc::clone(&self.api));
    }

    /// Moves the clock on.
    pub fn wait_seconds(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// The token of one of the people, or the token itself; `None` for nobody.
    pub fn token(&self, who: &str) -> Option<String> {
        if who == "nobody" {
            return None;
        }
        if who.starts_with("chancery_") {
            return Some(who.to_owned());
        }
        let found = self.tokens.iter().find(|(name, _)| *name == who);
        Some(found.unwrap_or_else(|| panic!("nobody is called {who}")).1.clone())
    }

    /// How many requests and certificates are on record.
    pub fn on_record(&self) -> (usize, usize) {
        let page = chancery::ca::Page { after: None, limit: 1000 };
        let requests = self.register.requests(&Default::default(), page).unwrap();
        let certificates = self.register.certificates(&Default::default(), page).unwrap();
        (requests.rows.len(), certificates.rows.len())
    }

    /// POSTs JSON.
    pub async fn post(&self, who: &str, path: &str, body: &Value) -> Answered {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, path, self.token(who), &headers, body.to_string()).await
    }

    /// Sends a call to the router, without a network between.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<String>,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.dispatch(request.body(body.into()).unwrap()).await
    }

    /// Sends a call with `name:password` (RFC 7617).
    pub async fn send_by_password(
        &self,
        method: Method,
        path: &str,
        login: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answered {
        let login = format!("Basic {}", STANDARD.encode(login));
        let headers = [headers, &[("authorization", login.as_str())]].concat();
        self.send(method, path, None, &headers, body).await
    }

    /// Sends a call on a connection that proved to hold a certificate (DER).
    pub async fn send_holding(
        &self,
        method: Method,
        path: &str,
        certificate: &[u8],
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answered {
        let peer = Peer::default().holding(Some(bytes::Bytes::copy_from_slice(certificate)));
        let mut request = Request::builder().method(method).uri(path).extension(peer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.dispatch(request.body(body.into()).unwrap()).await
    }

    /// A certificate (DER) for `account`, and its serial number.
    pub async fn certify(
        &self,
        template: &str,
        account: Option<&str>,
        csr: &str,
    ) -> (Vec<u8>, String) {
        let wanted = json!({
            "template": template, "on_behalf_of": account,
            "csr": super::certificate_requests::base64(csr),
        });
        let made = self.post("administrator", "/v1/requests", &wanted).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let made = made.json();
        let pem = made["certificate"].as_str().unwrap();
        let der = chancery::pki::bundle::certificates_from_pem(pem).unwrap().remove(0);
        (der, made["serial_number"].as_str().unwrap().to_owned())
    }

    async fn dispatch(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered { status: parts.status, headers: parts.headers, body }
    }
}

impl Drop for Ca {
    fn drop(&mut self) {
        self.publisher.stop();
        if let Some(publishing) = self.publishing.take() {
            publishing.join().unwrap();
        }
    }
}

fn authority(register: &Arc<dyn Register>, beside: Option<Branch>, now: Timestamp) -> Authority {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let name =
        DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com").unwrap();
    let commit = |acts: Vec<Act>| {
        let entry = |act| Entry { at: now.millis(), actor: None, act };
        let entries = acts.into_iter().map(entry).collect();
        register.commit(entries, Urgency::Ordinary).unwrap();
    };
    let intended = establish::intend_root(&name, &key, [7; 20], now, 20 * 365 * DAY).unwrap();
    commit(vec![Act::AuthorityIntended(intended.clone())]);
    let certificate = establish::sign_root(&intended, &key).unwrap();
    let arc = TemplateArc::from_random([9; 16]);
    let base = "http://pki.corp.contoso.com";
    let established = establish::established(
        &name,
        certificate.clone(),
        Vec::new(),
        arc.to_string(),
        vec![base.to_owned()],
        1,
    );
    let slug = established.slug.clone();
    commit(establish::first_acts(established, now));
    let crl_urls = vec![format!("{base}/crl/{slug}.crl")];
    let certificate_urls = vec![format!("{base}/aia/{slug}.crt")];
    let issuer =
        Issuer::new(&certificate, &Vec::<Vec<u8>>::new(), crl_urls, certificate_urls).unwrap();
    let rows = Arc::clone(register);
    let lookup = move |name: &str| {
        let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
        Ok(row.map(|row| from_row(row).account))
    };
    Authority::new(Parts {
        register: Arc::clone(register),
        key: Arc::new(key),
        directory: Arc::new(Several {
            built_in: Box::new(BuiltIn(lookup)),
            default_realm: beside.as_ref().map(|own| own.realm.clone()),
            branches: beside.into_iter().collect(),
        }),
        issuer,
        slug,
        template_arc: arc,
        random: Arc::new(|octets: &mut [u8]| {
            aws_lc_rs::rand::fill(octets).map_err(|_| chancery::ca::RandomFailed)
        }),
    })
    .unwrap()
}
