//! What is put before the judges: one authority's certificates and CRL, as files.

use crate::authority::Authority;
use crate::{applicant, control, machine};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One certificate that was issued.
pub struct Issued {
    /// The template and the kind of key, for messages.
    pub label: String,
    /// PEM.
    pub certificate: PathBuf,
    /// Its purposes, as dotted object identifiers.
    pub purposes: Vec<String>,
    /// The requester asked for an address or a single label as a DNS name.
    pub odd_names: bool,
}

impl Issued {
    /// Without its folder.
    pub fn file_name(&self) -> String {
        self.certificate
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// Whether it is a certificate of a CA.
    pub fn is_authority(&self) -> bool {
        self.label.starts_with("SubCA")
    }
}

/// Everything one authority made.
pub struct Corpus {
    /// Which authority.
    pub name: String,
    /// The root, PEM.
    pub root: PathBuf,
    /// The newest CRL.
    pub crl_pem: PathBuf,
    pub crl_der: PathBuf,
    /// Certificates every judge must accept.
    pub good: Vec<Issued>,
    /// One that every judge must refuse, as revoked.
    pub revoked: Issued,
}

/// One corpus for each kind of CA key, and one made with openssl: what refuses that one is at
/// fault itself. Made once, whichever test comes first.
pub fn corpora() -> &'static [Corpus] {
    static CORPORA: LazyLock<Vec<Corpus>> = LazyLock::new(|| {
        let keys = machine::folder("applicants");
        let keys = [applicant::key(&keys, "rsa", "rsa2048"), applicant::key(&keys, "ec", "p256")];
        let mut made = vec![control::corpus(&keys[0])];
        for kind in ["rsa2048", "rsa3072", "p256", "p384"] {
            made.push(by_chancery(kind, &keys));
        }
        made
    });
    &CORPORA
}

/// Every template that a CSR alone can enrol, with an RSA and, where it takes one, an EC key.
fn by_chancery(kind: &str, keys: &[PathBuf; 2]) -> Corpus {
    let folder = machine::folder(&format!("corpus-{kind}"));
    let authority = Authority::init(&folder, kind);
    let mut good = Vec::new();
    for (number, template) in templates().iter().enumerate() {
        let name = template["cn"].as_str().expect("cn");
        authority.publish_template(name);
        let account = subject(&authority, template, number);
        for (key, key_kind) in keys.iter().zip(["RSA", "EC"]) {
            if !takes(template, key_kind) {
                continue;
            }
            let label = format!("{name}-{key_kind}");
            let csr = applicant::request(&folder, &label, key, &subject_of(name), names_of(name));
            let issued = authority.enrol(name, &csr, account.as_deref());
            good.push(filed(&folder, label, template, &issued));
        }
    }
    assert!(good.len() >= 15, "{kind}: only {} certificates", good.len());
    let (odd, revoked) = vpn_servers(&authority, &folder, &keys[0]);
    good.push(odd);
    let crl_der = authority.fetch_crl(&folder);
    let corpus = Corpus {
        name: format!("chancery {kind}"),
        root: authority.root(),
        crl_pem: control::crl_to_pem(&crl_der),
        crl_der,
        good,
        revoked,
    };
    assert!(authority.stop(), "{kind}: SIGTERM did not end the service cleanly");
    corpus
}

/// A VPN server whose requester wants an address and a single label as DNS names, and a revoked one.
fn vpn_servers(authority: &Authority, folder: &Path, key: &Path) -> (Issued, Issued) {
    let name = "VPNServerAuthentication";
    let template = templates().into_iter().find(|template| template["cn"] == name).expect(name);
    let subject = "/CN=vpn.contoso.com";
    let names = "DNS:vpn.contoso.com,DNS:vpn,DNS:192.0.2.7";
    let csr = applicant::request(folder, "odd", key, subject, names);
    let mut odd = filed(folder, "odd-names".into(), &template, &authority.enrol(name, &csr, None));
    odd.odd_names = true;
    let csr = applicant::request(folder, "revoked", key, subject, "DNS:vpn.contoso.com");
    let answer = authority.enrol(name, &csr, None);
    let revoked = filed(folder, "revoked".into(), &template, &answer);
    authority.revoke(answer["serial_number"].as_str().expect("a serial number"), "superseded");
    (odd, revoked)
}

fn filed(folder: &Path, label: String, template: &Value, answer: &Value) -> Issued {
    let certificate = folder.join(format!("{label}.pem"));
    machine::write(&certificate, answer["certificate"].as_str().expect("a certificate"));
    let purposes = template["extended_key_usage"].as_array().into_iter().flatten();
    let dotted = |purpose: &Value| {
        let words = purpose.as_str().unwrap_or_default();
        words.rsplit('(').next().unwrap_or(words).trim_end_matches(')').to_owned()
    };
    Issued { label, certificate, purposes: purposes.map(dotted).collect(), odd_names: false }
}

/// The shipped templates, without those that need another certificate's signature.
fn templates() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("templates/") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "json") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let template: Value = serde_json::from_str(&text).expect("a template is JSON");
            if template["ra_signatures"] == 0 {
                found.push(template);
            }
        }
    }
    found.sort_by_key(|template| template["cn"].to_string());
    found
}

fn has(template: &Value, flags: &str, flag: &str) -> bool {
    template[flags].as_array().is_some_and(|set| set.iter().any(|word| word == flag))
}

fn takes(template: &Value, algorithm: &str) -> bool {
    let taken = template["key_algorithms"].as_array().expect("key_algorithms");
    taken.iter().any(|key| {
        let word = key["algorithm"].as_str().unwrap_or_default();
        word.starts_with(algorithm) && (algorithm == "RSA" || word.ends_with("256"))
    })
}

fn subject_of(template: &str) -> String {
    match template {
        "SubCA" => "/DC=com/DC=contoso/CN=Contoso Issuing CA".to_owned(),
        _ => format!("/CN={}.contoso.com", template.to_lowercase()),
    }
}

/// A certificate of a CA has no alternative names; a server's name stands in one.
fn names_of(template: &str) -> &'static str {
    if template == "SubCA" { "" } else { "DNS:server.contoso.com" }
}

/// The groups that may enrol.
fn enrollers(template: &Value) -> Vec<&Value> {
    let permissions = template["permissions"].as_array().expect("permissions");
    let enroll = |own: &&Value| {
        own["allow"].as_array().is_some_and(|allow| allow.contains(&json!("Enroll")))
    };
    permissions.iter().filter(enroll).map(|own| &own["group"]).collect()
}

/// The account whose names the certificate takes; `None` where they come from the request.
fn subject(authority: &Authority, template: &Value, number: usize) -> Option<String> {
    if has(template, "name_flags", "ENROLLEE_SUPPLIES_SUBJECT") {
        return None;
    }
    let machine = has(template, "general_flags", "MACHINE_TYPE");
    let (name, kind) = if machine {
        (format!("HOST{number}$"), "computer")
    } else {
        (format!("user{number}"), "user")
    };
    let common = if machine { format!("HOST{number}") } else { format!("User Number {number}") };
    let mut account = json!({
        "name": name, "kind": kind, "cn": common, "display_name": common,
        "distinguished_name": format!("CN={common},OU=Staff,DC=corp,DC=contoso,DC=com"),
        "user_principal_name": format!("{}@corp.contoso.com", name.trim_end_matches('$')),
        "mail": format!("user{number}@contoso.com"),
        "object_sid": format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1200 + number),
        "object_guid": format!("6b6f1a0e-6b5c-4d8a-9c1e-0000000000{number:02}"),
        "groups": enrollers(template),
    });
    if machine {
        account["dns_host_name"] = json!(format!("host{number}.corp.contoso.com"));
    }
    authority.create_account(&account);
    Some(name)
}
