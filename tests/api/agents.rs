//! Authorised signatures and enrolment agents, honest and not (ESC3): requests are made and
//! signed by OpenSSL, as anybody can.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use chancery::pki::certificate::Certificate;
use chancery::pki::cms::{Signature, UnsignedRequest};
use chancery::pki::time::Timestamp;
use chancery::signing::{CaKey as _, FileKey};

use super::fixture::{Answered, Ca};

/// The purpose Certificate Request Agent.
const AGENT: &str = "1.3.6.1.4.1.311.20.2.1";
const TEMPLATE: &str = "VPNUserAuthentication";

/// A CA with an agent who has the role and the certificate, and a folder for OpenSSL.
struct World {
    ca: Ca,
    folder: tempfile::TempDir,
}

impl World {
    /// One whose VPN user template demands the signatures of so many agents.
    async fn demanding(signatures: u32) -> Self {
        let world = Self { ca: Ca::founded().await, folder: tempfile::tempdir().unwrap() };
        world.put(Method::PUT, "/v1/ca/templates/EnrollmentAgent", "").await;
        world
            .change(TEMPLATE, |template| {
                template["ra_signatures"] = json!(signatures);
                template["ra_application_policies"] = json!([AGENT]);
            })
            .await;
        world.person("agent", &["enrollment_agent"]).await;
        world.certify("agent", "EnrollmentAgent", "agent").await;
        world.csr("wanted", "P-256");
        world
    }

    async fn put(&self, method: Method, path: &str, body: &str) -> Answered {
        let headers = [("content-type", "application/json")];
        let token = self.ca.token("administrator");
        let answered = self.ca.send(method, path, token, &headers, body.to_owned()).await;
        assert!(answered.status.is_success(), "{path}: {}", answered.text());
        answered
    }

    async fn change(&self, cn: &str, change: impl FnOnce(&mut Value)) {
        let path = format!("/v1/templates/{cn}");
        let shown = self.ca.send(Method::GET, &path, self.ca.token("administrator"), &[], "").await;
        let mut template = shown.json();
        change(&mut template);
        self.put(Method::PUT, &path, &template.to_string()).await;
    }

    async fn person(&self, name: &str, roles: &[&str]) {
        let account = json!({
            "name": name, "kind": "user", "cn": name, "groups": [], "roles": roles,
            "distinguished_name": format!("CN={name},CN=Users,DC=corp,DC=contoso,DC=com"),
            "user_principal_name": format!("{name}@corp.contoso.com"),
        });
        self.put(Method::POST, "/v1/accounts", &account.to_string()).await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn openssl(&self, arguments: &str) {
        openssl(self.folder.path(), arguments);
    }

    /// `<name>.key` and `<name>.csr`.
    fn csr(&self, name: &str, curve: &str) {
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes -keyout {name}.key \
             -subj /CN={name} -outform DER -out {name}.csr"
        ));
    }

    /// A certificate for an account, made by an administrator: `<file>.key` and `<file>.pem`.
    async fn certify(&self, file: &str, template: &str, account: &str) -> String {
        self.csr(file, "P-256");
        let path = format!("/v1/requests?template={template}&on_behalf_of={account}");
        let headers = [("content-type", "application/pkcs10"), ("accept", "application/json")];
        let token = self.ca.token("administrator");
        let csr = self.read(&format!("{file}.csr"));
        let made = self.ca.send(Method::POST, &path, token, &headers, csr).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let made = made.json();
        std::fs::write(self.path(&format!("{file}.pem")), made["certificate"].as_str().unwrap())
            .unwrap();
        made["serial_number"].as_str().unwrap().to_owned()
    }

    /// `wanted.csr`, signed by each of these.
    fn signed(&self, signers: &[&str]) -> Vec<u8> {
        let each: Vec<String> =
            signers.iter().map(|own| format!("-signer {own}.pem -inkey {own}.key")).collect();
        self.openssl(&format!(
            "cms -sign -binary -nodetach -md sha256 -in wanted.csr -outform DER -out signed.der {}",
            each.join(" ")
        ));
        self.read("signed.der")
    }

    /// `wanted.csr` with RequesterName, signed by the agent.
    fn naming(&self, name: &str) -> Vec<u8> {
        self.written(Some(name), 1)
    }

    /// `wanted.csr`, signed by the agent so many times with our own writer.
    fn written(&self, requester_name: Option<&str>, times: usize) -> Vec<u8> {
        let key = FileKey::load(&self.path("agent.key"), None).unwrap();
        let pem = String::from_utf8(self.read("agent.pem")).unwrap();
        let own = chancery::pki::bundle::certificates_from_pem(&pem).unwrap().remove(0);
        let request = self.read("wanted.csr");
        let signing_time = Timestamp::from_millis(1_780_300_800_000);
        let unsigned = UnsignedRequest { request: &request, requester_name, signing_time };
        let octets = key.sign(&unsigned.to_be_signed(key.algorithm()).unwrap()).unwrap();
        let certificate = Certificate::from_der(&own).unwrap();
        let signature = Signature { certificate, algorithm: key.algorithm(), octets };
        unsigned.assemble(&vec![signature; times]).unwrap()
    }

    /// Submits a message as `who`, perhaps for another.
    async fn submit(&self, who: &str, other: Option<&str>, message: Vec<u8>) -> Answered {
        let token = self.ca.token_for(who, 10_000).await;
        let other = other.map(|name| format!("&on_behalf_of={name}")).unwrap_or_default();
        let path = format!("/v1/requests?template={TEMPLATE}{other}");
        let headers = [("content-type", "application/pkcs7-mime"), ("accept", "application/json")];
        self.ca.send(Method::POST, &path, Some(token), &headers, message).await
    }

    /// Submits; it must be refused under this rule.
    async fn refused(&self, who: &str, other: Option<&str>, message: Vec<u8>, rule: &str) {
        let before = self.ca.on_record().1;
        let answered = self.submit(who, other, message).await;
        assert_eq!(answered.rule(), rule, "{}", answered.text());
        let expected = if rule.starts_with("cms-") || rule.starts_with("on-behalf") {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(answered.status, expected);
        assert_eq!(self.ca.on_record().1, before, "nothing is issued");
    }

    async fn revoke(&self, serial: &str, reason: &str) {
        let path = format!("/v1/certificates/{serial}/revoke");
        self.put(Method::POST, &path, &json!({"reason": reason}).to_string()).await;
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}\n{told}");
}

#[tokio::test]
async fn an_agent_enrols_for_a_member_and_both_are_on_record() {
    let world = World::demanding(1).await;
    let message = world.signed(&["agent"]);
    let made = world.submit("agent", Some("anna"), message).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let location = made.headers["location"].to_str().unwrap().to_owned();
    let auditor = world.ca.token("auditor");
    let shown = world.ca.send(Method::GET, &location, auditor, &[], "").await.json();
    assert_eq!((&shown["requester"], &shown["account"]), (&json!("agent"), &json!("anna")));
    assert_eq!(shown["signers"][0]["account"], "agent");
    assert!(shown["csr"].as_str().unwrap().starts_with("-----BEGIN CMS-----"));
    // The names are the directory's: anna's, whatever the request says.
    std::fs::write(world.path("anna.pem"), shown["certificate"].as_str().unwrap()).unwrap();
    let certificate =
        chancery::pki::bundle::certificates_from_pem(shown["certificate"].as_str().unwrap());
    let certificate = Certificate::from_der(&certificate.unwrap()[0]).unwrap();
    assert!(certificate.names().contains(&"anna@corp.contoso.com".to_owned()));
    let audit = world.ca.send(Method::GET, "/v1/audit", world.ca.token("auditor"), &[], "").await;
    assert!(audit.text().contains(r#""signers":[{"#), "the signer is in the audit trail");
    // The name in the signed part is enough, and base64 in JSON, and PEM.
    let named = world.submit("agent", None, world.naming("anna")).await;
    assert_eq!(named.status, StatusCode::CREATED, "{}", named.text());
    let pem = {
        world.openssl("cms -cmsout -inform DER -in signed.der -outform PEM -out signed.pem");
        String::from_utf8(world.read("signed.pem")).unwrap()
    };
    let token = Some(world.ca.token_for("agent", 1000).await);
    let body = json!({"template": TEMPLATE, "csr": pem, "on_behalf_of": "anna"}).to_string();
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let made = world.ca.send(Method::POST, "/v1/requests", token, &headers, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn an_agent_gets_nothing_beyond_its_right() {
    let world = World::demanding(1).await;
    let plain = world.read("wanted.csr");
    world.refused("agent", Some("anna"), plain, "signature-policy-required").await;
    // bert may not enrol for himself either.
    let signed = world.signed(&["agent"]);
    world.refused("agent", Some("bert"), signed.clone(), "enrollment-not-permitted").await;
    world.refused("agent", None, world.naming("bert"), "enrollment-not-permitted").await;
    world.refused("agent", Some("anna"), world.naming("bert"), "on-behalf-of-mismatch").await;
    // A name that nobody has signed does not count, one in the PKCS #10 neither.
    world.refused("agent", None, signed.clone(), "enrollment-not-permitted").await;
    // The signature is no pass for whoever carries it.
    world.refused("bert", Some("anna"), signed.clone(), "role-required").await;
    world.refused("anna", None, world.naming("bert"), "role-required").await;
    // A template that does not let agents.
    world
        .change(TEMPLATE, |template| {
            template["ra_signatures"] = json!(0);
            template["ra_application_policies"] = json!([]);
        })
        .await;
    world.refused("agent", Some("anna"), signed.clone(), "enrollment-not-permitted").await;
    world
        .change(TEMPLATE, |template| {
            let flags = template["enrollment_flags"].as_array_mut().unwrap();
            flags.push(json!("ALLOW_ENROLL_ON_BEHALF_OF"));
        })
        .await;
    let made = world.submit("agent", Some("anna"), signed).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn an_agents_certificate_without_the_role_is_worth_nothing() {
    let world = World::demanding(1).await;
    world.certify("bert", "EnrollmentAgent", "bert").await;
    let message = world.signed(&["bert"]);
    world.refused("bert", Some("anna"), message.clone(), "role-required").await;
    // Nor does it help anna, whose own request he signs.
    world.refused("anna", None, message.clone(), "agent-restricted").await;
    // Nor another agent, who would have to sign himself.
    world.refused("agent", Some("anna"), message, "agent-restricted").await;
    let made = world.submit("anna", None, world.signed(&["agent"])).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn only_certificates_of_this_ca_in_force_and_for_the_purpose_sign() {
    let world = World::demanding(1).await;
    // Of another CA, and of one that calls itself by our name.
    for issuer in ["/CN=Elsewhere", "/DC=com/DC=contoso/DC=corp/CN=Contoso VPN CA"] {
        let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10"];
        let made = Command::new("openssl")
            .args(arguments)
            .args(["-keyout", "forged.key", "-out", "forged.pem", "-subj", issuer])
            .args(["-addext", &format!("extendedKeyUsage={AGENT}")])
            .args(["-addext", "keyUsage=digitalSignature"])
            .current_dir(world.folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let message = world.signed(&["forged"]);
        world.refused("agent", Some("anna"), message, "signature-rejected").await;
        // Not even beside a good one.
        let message = world.signed(&["agent", "forged"]);
        world.refused("agent", Some("anna"), message, "signature-rejected").await;
    }
    // Of the agent, but for another purpose.
    world.put(Method::PUT, "/v1/ca/templates/UserSignature", "").await;
    let mail = json!({"mail": "agent@contoso.com", "groups": ["Domain Users"]}).to_string();
    let headers = [("content-type", "application/merge-patch+json")];
    let token = world.ca.token("administrator");
    let changed = world.ca.send(Method::PATCH, "/v1/accounts/agent", token, &headers, mail).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    world.certify("other", "UserSignature", "agent").await;
    let message = world.signed(&["other"]);
    world.refused("agent", Some("anna"), message, "signature-rejected").await;
    // Held, released, revoked.
    let serial = world.certify("second", "EnrollmentAgent", "agent").await;
    let message = world.signed(&["second"]);
    world.revoke(&serial, "certificateHold").await;
    world.refused("agent", Some("anna"), message.clone(), "signature-rejected").await;
    world.put(Method::POST, &format!("/v1/certificates/{serial}/release"), "{}").await;
    let made = world.submit("agent", Some("anna"), message.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    world.revoke(&serial, "keyCompromise").await;
    world.refused("agent", Some("anna"), message, "signature-rejected").await;
}

#[tokio::test]
async fn an_agents_certificate_expires() {
    let world = World::demanding(1).await;
    let copy = json!({"cn": "BriefAgent", "display_name": "Brief Agent"}).to_string();
    world.put(Method::POST, "/v1/templates/EnrollmentAgent/duplicate", &copy).await;
    world
        .change("BriefAgent", |template| {
            template["validity_period"] = json!("2 days");
            template["renewal_period"] = json!("1 day");
        })
        .await;
    world.put(Method::PUT, "/v1/ca/templates/BriefAgent", "").await;
    world.certify("brief", "BriefAgent", "agent").await;
    let message = world.signed(&["brief"]);
    let made = world.submit("agent", Some("anna"), message.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    world.ca.wait_seconds(3 * 86_400);
    world.refused("agent", Some("anna"), message, "signature-rejected").await;
}

#[tokio::test]
async fn two_signatures_are_two_peoples() {
    let world = World::demanding(2).await;
    world.person("second", &["enrollment_agent"]).await;
    world.certify("again", "EnrollmentAgent", "agent").await;
    world.certify("second", "EnrollmentAgent", "second").await;
    let with_two_certificates = world.signed(&["agent", "again"]);
    for message in [world.signed(&["agent"]), world.written(None, 2), with_two_certificates] {
        world.refused("anna", None, message, "authorized-signatures-required").await;
    }
    let made = world.submit("anna", None, world.signed(&["agent", "second"])).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn a_message_that_was_touched_is_none() {
    let world = World::demanding(1).await;
    let message = world.signed(&["agent"]);
    let csr = world.read("wanted.csr");
    let at = message.windows(csr.len()).position(|own| own == csr).unwrap();
    // Another request in the place of the one that was signed.
    let other = loop {
        world.csr("wantee", "P-256");
        let other = world.read("wantee.csr");
        // The signatures of ECDSA differ in length.
        if other.len() == csr.len() {
            break other;
        }
    };
    let mut touched = message.clone();
    touched[at..at + csr.len()].copy_from_slice(&other);
    world.refused("agent", Some("anna"), touched, "cms-message-digest-mismatch").await;
    // The last octet of the signature.
    let mut touched = message.clone();
    *touched.last_mut().unwrap() ^= 1;
    world.refused("agent", Some("anna"), touched, "cms-bad-signature").await;
    world.openssl("cms -sign -binary -md sha256 -in wanted.csr -outform DER -out detached.der -signer agent.pem -inkey agent.key");
    world.refused("agent", Some("anna"), world.read("detached.der"), "cms-detached").await;
    world.openssl("cms -sign -binary -nodetach -md sha256 -in signed.der -outform DER -out nested.der -signer agent.pem -inkey agent.key");
    world.refused("agent", Some("anna"), world.read("nested.der"), "cms-nested").await;
}

/// ContentInfo in ContentInfo, as deep as the body may be long.
#[tokio::test]
async fn a_bomb_is_refused_at_once() {
    let world = World::demanding(1).await;
    let mut bomb = Vec::new();
    while bomb.len() < 240 * 1024 {
        bomb.extend([0x30, 0x80, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 2, 0xa0, 0x80]);
    }
    world.refused("agent", Some("anna"), bomb, "cms-not-der").await;
    let mut nested = vec![0x05, 0];
    while nested.len() < 200 * 1024 {
        let length = |octets: usize| {
            let octets = u32::try_from(octets).unwrap().to_be_bytes();
            let skip = octets.iter().take_while(|own| **own == 0).count();
            match u32::from_be_bytes(octets) {
                small @ 0..0x80 => vec![u8::try_from(small).unwrap()],
                _ => [&[0x84 - u8::try_from(skip).unwrap()], &octets[skip..]].concat(),
            }
        };
        let oid = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 2];
        let inner = [&[0xa0][..], &length(nested.len()), &nested].concat();
        nested = [&[0x30][..], &length(oid.len() + inner.len()), &oid, &inner].concat();
    }
    world.refused("agent", Some("anna"), nested, "cms-not-signed-data").await;
}

#[tokio::test]
async fn an_approval_looks_at_the_signers_again() {
    let world = World::demanding(1).await;
    world
        .change(TEMPLATE, |template| {
            template["enrollment_flags"].as_array_mut().unwrap().push(json!("PEND_ALL_REQUESTS"));
        })
        .await;
    let serial = world.certify("second", "EnrollmentAgent", "agent").await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let answered = world.submit("agent", Some("anna"), world.signed(&["second"])).await;
        assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.text());
        waiting.push(answered.json()["request_id"].as_u64().unwrap());
    }
    let approve = |id: u64| format!("/v1/requests/{id}/approve");
    let issued = world.ca.post("manager", &approve(waiting[0]), &json!({})).await;
    assert_eq!(issued.status, StatusCode::OK, "{}", issued.text());
    world.revoke(&serial, "superseded").await;
    let refused = world.ca.post("manager", &approve(waiting[1]), &json!({})).await;
    assert_eq!(refused.rule(), "signature-rejected", "{}", refused.text());
}

/// Each assignment's limits bind together, several assignments add up.
#[tokio::test]
async fn an_agents_limits_bind() {
    let world = World::demanding(1).await;
    world.change_account("agent", &json!({"roles": []})).await;
    let agent = |templates: Value, subject_groups: Value| {
        let mut assigned = json!({"role": "enrollment_agent", "account": "AGENT"});
        for (field, list) in [("templates", templates), ("subject_groups", subject_groups)] {
            if !list.is_null() {
                assigned[field] = list;
            }
        }
        assigned
    };
    let message = world.signed(&["agent"]);
    world.refused("agent", Some("anna"), message.clone(), "role-required").await;
    let outside = [
        agent(json!(["User"]), json!(["VPN Users"])),
        agent(json!([TEMPLATE]), json!(["VPN Servers"])),
    ];
    for assigned in &outside {
        world.assign(&[assigned]).await;
        world.refused("agent", Some("anna"), message.clone(), "agent-restricted").await;
        // Nor is its signature worth more than that under her own request.
        world.refused("anna", None, message.clone(), "agent-restricted").await;
    }
    // The template of the one and the group of the other do not make a third.
    world.assign(&[&outside[0], &outside[1]]).await;
    world.refused("agent", Some("anna"), message.clone(), "agent-restricted").await;
    let inside = agent(json!([TEMPLATE]), json!(["vpn users"]));
    world.assign(&[&outside[0], &inside]).await;
    let made = world.submit("agent", Some("anna"), message.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    world.assign(&[&agent(Value::Null, Value::Null)]).await;
    let made = world.submit("agent", Some("anna"), message).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

impl World {
    async fn change_account(&self, name: &str, change: &Value) {
        let headers = [("content-type", "application/merge-patch+json")];
        let path = format!("/v1/accounts/{name}");
        let token = self.ca.token("administrator");
        let changed = self.ca.send(Method::PATCH, &path, token, &headers, change.to_string()).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    }

    async fn assign(&self, assignments: &[&Value]) {
        let document = json!({"assignments": assignments});
        self.put(Method::PUT, "/v1/ca/roles", &document.to_string()).await;
    }
}
