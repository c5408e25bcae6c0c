//! The attacks on AD CS that are known as ESC1 to ESC17, made as they are made there: by somebody
//! with a low account and a request of his own making. Each has the certificate that came of it
//! compared with one asked for honestly, or the refusal named. (ESC3 is in the tests of agents,
//! ESC4 in `template_rights`, ESC7 in the tests of roles; what lies outside a CA is told in `templates/README.md`.)

mod crafted;
mod template_rights;

use axum::http::{Method, StatusCode};
use rcgen::{Attribute, SanType};
use serde_json::{Value, json};
use x509_cert::Certificate;
use x509_cert::der::asn1::BmpString;
use x509_cert::der::{DecodePem as _, Encode as _};

use self::crafted::{Crafted, oid, oids, policies, resubjected, sid_extension, upn};
use crate::certificate_requests::{sequence, tlv};
use crate::fixture::{Answered, Ca};

const SID_EXTENSION: &str = "1.3.6.1.4.1.311.25.2";
const ADMINISTRATOR_SID: &str = "S-1-5-21-1004336348-1177238915-682003330-500";

async fn enrol(ca: &Ca, who: &str, template: &str, request: Vec<u8>) -> Answered {
    let path = format!("/v1/requests?template={template}");
    let headers = [("content-type", "application/pkcs10")];
    ca.send(Method::POST, &path, ca.token(who), &headers, request).await
}

/// The certificate in an answer.
fn certificate(answered: &Answered) -> Certificate {
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.text());
    let body = answered.json();
    Certificate::from_pem(body["certificate"].as_str().unwrap()).unwrap()
}

/// Every extension of a certificate but the one that names its key.
fn extensions(certificate: &Certificate) -> Vec<(String, bool, Vec<u8>)> {
    let all = certificate.tbs_certificate().extensions().unwrap();
    let own = |one: &&x509_cert::ext::Extension| one.extn_id.to_string() != "2.5.29.14";
    let plain = |one: &x509_cert::ext::Extension| {
        (one.extn_id.to_string(), one.critical, one.extn_value.as_bytes().to_vec())
    };
    all.iter().filter(own).map(plain).collect()
}

fn value_of(certificate: &Certificate, dotted: &str) -> Option<Vec<u8>> {
    extensions(certificate).into_iter().find(|(id, ..)| id == dotted).map(|(.., value)| value)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A template of its own with other values under some keys, published.
async fn template(ca: &Ca, original: &str, cn: &str, changes: &Value) -> Answered {
    let duplicate = format!("/v1/templates/{original}/duplicate");
    let made = ca.post("administrator", &duplicate, &json!({"cn": cn})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let mut file = made.json();
    for (key, value) in changes.as_object().unwrap() {
        file[key] = value.clone();
    }
    let path = format!("/v1/templates/{cn}");
    let headers = [("content-type", "application/json")];
    let administrator = || ca.token("administrator");
    let put = ca.send(Method::PUT, &path, administrator(), &headers, file.to_string()).await;
    if put.status == StatusCode::OK {
        let path = format!("/v1/ca/templates/{cn}");
        let published = ca.send(Method::PUT, &path, administrator(), &[], "").await;
        assert!(published.status.is_success(), "{}", published.text());
    }
    put
}

/// The tutorial's VPN server template with an administrator's rules.
async fn vpn_servers(ca: &Ca) {
    let rules = json!({"requested_names": {"dns_suffixes": ["vpn.contoso.com"]}});
    let made = template(ca, "VPNServerAuthentication", "Gateways", &rules).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let warnings = made.json()["warnings"].to_string();
    assert!(warnings.contains("ESC1 is held off"), "{warnings}");
}

/// ESC1: names of one's own choosing, where the directory decides and where rules do.
#[tokio::test]
async fn esc1_the_administrators_name_in_the_request() {
    let ca = Ca::founded().await;
    vpn_servers(&ca).await;
    let wanted = "administrator@corp.contoso.com";
    let claim = || Crafted::named("Administrator").with("2.5.29.17", upn(wanted));
    let hers = certificate(&enrol(&ca, "anna", "VPNUserAuthentication", claim().der()).await);
    let san = value_of(&hers, "2.5.29.17").unwrap();
    assert!(contains(&san, b"anna@corp.contoso.com") && !contains(&san, wanted.as_bytes()));
    assert!(!hers.tbs_certificate().subject().to_string().contains("Administrator"));
    let refused = enrol(&ca, "vpn1", "Gateways", claim().der()).await;
    assert_eq!(
        (refused.status, refused.rule().as_str()),
        (StatusCode::FORBIDDEN, "subject-not-allowed")
    );
    // Both names are told, each with the rule it broke.
    assert!(
        refused.text().contains("CN=Administrator (neither in dns_names"),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains(&format!("upn:{wanted} (not a name with one of the upn_suffixes)"))
    );
    // A template that would let it through is not taken, and never accepted.
    for changes in [
        json!({"requested_names": {"any": true}}),
        json!({"requested_names": {"upn_suffixes": ["corp.contoso.com"]}}),
        json!({"requested_names": {"any": true},
               "accepted_dangers": [{"danger": "ESC1", "reason": "we trust them"}]}),
    ] {
        let cn = format!("Free{}", changes.to_string().len());
        let made = template(&ca, "VPNServerAuthentication", &cn, &changes).await;
        assert_eq!(
            (made.status, made.rule().as_str()),
            (StatusCode::BAD_REQUEST, "template-invalid")
        );
    }
}

/// ESC1, ESC16: the administrator's SID in the request, as extension and as URI.
#[tokio::test]
async fn esc16_the_administrators_sid_in_the_request() {
    let ca = Ca::founded().await;
    vpn_servers(&ca).await;
    let claim =
        |name: &str| Crafted::named(name).with(SID_EXTENSION, sid_extension(ADMINISTRATOR_SID));
    let hers = certificate(&enrol(&ca, "anna", "VPNUserAuthentication", claim("x").der()).await);
    let sid = value_of(&hers, SID_EXTENSION).unwrap();
    assert!(contains(&sid, b"-1102") && !contains(&sid, b"-500"));
    // AD CS takes the extension where the names are supplied; here it is nobody's.
    let request = claim("gw.vpn.contoso.com").der();
    let gateway = certificate(&enrol(&ca, "vpn1", "Gateways", request).await);
    assert_eq!(value_of(&gateway, SID_EXTENSION), None);
    let uri = format!("tag:microsoft.com,2022-09-14:sid:{ADMINISTRATOR_SID}");
    for text in [uri.clone(), uri.to_uppercase(), uri.replace("sid:", "%73id:")] {
        let names = vec![SanType::URI(text.as_str().try_into().unwrap())];
        let named = Crafted { names, ..Crafted::named("gw.vpn.contoso.com") };
        let refused = enrol(&ca, "vpn1", "Gateways", named.der()).await;
        assert_eq!(refused.rule(), "name-not-allowed", "{text}");
        // Nor for a manager, who may name nearly what he likes.
        let names = vec![SanType::URI(text.as_str().try_into().unwrap())];
        let named = Crafted { names, ..Crafted::named("gw.vpn.contoso.com") };
        let refused = enrol(&ca, "manager", "VPNServerAuthentication", named.der()).await;
        assert_eq!(refused.rule(), "name-not-allowed", "{text}");
    }
}

/// ESC2, ESC13, ESC15 (CVE-2024-49019) and what else an extension could ask for: purposes, policies,
/// key usages, a CA of one's own, other CRLs. The certificate is the one without them.
#[tokio::test]
async fn esc15_purposes_and_policies_in_the_request() {
    let ca = Ca::founded().await;
    vpn_servers(&ca).await;
    let agent = "1.3.6.1.4.1.311.20.2.1";
    let greedy = |crafted: Crafted| {
        crafted
            .with("2.5.29.37", oids(&["2.5.29.37.0", agent, "1.3.6.1.5.5.7.3.2"]))
            .with("1.3.6.1.4.1.311.21.10", policies(&[agent, "1.3.6.1.5.5.7.3.2"]))
            .with("2.5.29.32", policies(&["1.3.6.1.4.1.311.21.8.1.2.3.1.402", "2.5.29.32.0"]))
            .with("2.5.29.15", vec![0x03, 0x02, 0x01, 0x86])
            .with("2.5.29.19", vec![0x30, 0x03, 0x01, 0x01, 0xff])
            .with("2.5.29.31", sequence(&[]))
            .with("1.3.6.1.5.5.7.48.1.5", vec![0x05, 0x00])
    };
    let path = "/v1/ca/templates/WebServer";
    let published = ca.send(Method::PUT, path, ca.token("administrator"), &[], "").await;
    assert!(published.status.is_success(), "{}", published.text());
    for (who, template, name) in [
        ("anna", "VPNUserAuthentication", "x"),
        ("vpn1", "Gateways", "gw.vpn.contoso.com"),
        // Version 1 with supplied names, the place of CVE-2024-49019.
        ("manager", "WebServer", "www.contoso.com"),
    ] {
        let plain = certificate(&enrol(&ca, who, template, Crafted::named(name).der()).await);
        let got = enrol(&ca, who, template, greedy(Crafted::named(name)).der()).await;
        assert_eq!(extensions(&certificate(&got)), extensions(&plain), "{template}");
    }
    // Low accounts do not get to such a template at all.
    let refused = enrol(&ca, "anna", "WebServer", Crafted::named("www.contoso.com").der()).await;
    assert_eq!(refused.rule(), "enrollment-not-permitted");
    // A template's name or OID in the request is a hint; another template's is a conflict.
    let user = tlv(0x1e, &"User".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    let other = sequence(&[oid("1.3.6.1.4.1.311.21.8.1.2.3.1.1"), vec![2, 1, 100]].concat());
    for (id, value) in [("1.3.6.1.4.1.311.20.2", user), ("1.3.6.1.4.1.311.21.7", other)] {
        let request = Crafted::named("gw.vpn.contoso.com").with(id, value).der();
        assert_eq!(
            enrol(&ca, "vpn1", "Gateways", request).await.rule(),
            "template-conflict",
            "{id}"
        );
    }
}

/// ESC6: alternative names as a request attribute, as `certreq -attrib "SAN:…"` sends them.
#[tokio::test]
async fn esc6_names_in_a_request_attribute() {
    let ca = Ca::founded().await;
    vpn_servers(&ca).await;
    let text = |text: &str| BmpString::from_utf8(text).unwrap().to_der().unwrap();
    let pair = |name: &str, value: &str| Attribute {
        oid: &[1, 3, 6, 1, 4, 1, 311, 13, 2, 1],
        values: tlv(0x31, &sequence(&[text(name), text(value)].concat())),
    };
    for (who, template, name) in
        [("anna", "VPNUserAuthentication", "x"), ("vpn1", "Gateways", "gw.vpn.contoso.com")]
    {
        let plain = certificate(&enrol(&ca, who, template, Crafted::named(name).der()).await);
        for (key, value) in [
            ("SAN", "upn=administrator@corp.contoso.com&dns=dc1.corp.contoso.com"),
            ("ExpirationDate", "Tue, 01 Jan 2097 00:00:00 GMT"),
            ("CertificateUsage", "1.3.6.1.4.1.311.20.2.1"),
            ("requestername", "CORP\\Administrator"),
        ] {
            let attributes = vec![pair(key, value)];
            let request = Crafted { attributes, ..Crafted::named(name) }.der();
            let got = certificate(&enrol(&ca, who, template, request).await);
            assert_eq!(extensions(&got), extensions(&plain), "{template} {key}");
            let (new, old) = (got.tbs_certificate(), plain.tbs_certificate());
            assert_eq!(new.subject(), old.subject());
            let seconds = |one: &x509_cert::TbsCertificate| {
                let validity = one.validity();
                validity.not_after.to_unix_duration() - validity.not_before.to_unix_duration()
            };
            assert_eq!(seconds(new), seconds(old));
        }
    }
}

/// ESC9: without a SID the old, weak mapping counts. Refused, or accepted by name and told.
#[tokio::test]
async fn esc9_a_template_without_security_identifier() {
    let ca = Ca::founded().await;
    let flag = json!({"enrollment_flags": ["NO_SECURITY_EXTENSION"]});
    let refused = template(&ca, "VPNUserAuthentication", "Silent", &flag).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text().contains("ESC9") && refused.text().contains("accepted_dangers"));
    let reason = "accounts of the old forest have no SID";
    let accepted = json!({
        "enrollment_flags": ["NO_SECURITY_EXTENSION"],
        "accepted_dangers": [{"danger": "ESC9", "reason": reason}],
    });
    let taken = template(&ca, "VPNUserAuthentication", "Quiet", &accepted).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let hers = certificate(&enrol(&ca, "anna", "Quiet", Crafted::named("x").der()).await);
    assert_eq!(value_of(&hers, SID_EXTENSION), None);
    // Told with the template, in the list, in the ledger; to who reads everything, for the CA; and to
    // anybody no more than that there is something to be read.
    let get = |path: &'static str| ca.send(Method::GET, path, ca.token("auditor"), &[], "");
    for path in ["/v1/templates/Quiet", "/v1/templates"] {
        let warned = get(path).await.text();
        assert!(
            warned.contains("accepted by an administrator") && warned.contains(reason),
            "{path}"
        );
    }
    assert!(get("/v1/audit?limit=500").await.text().contains(reason));
    let ready = ca.send(Method::GET, "/readyz", None, &[], "").await.text();
    assert!(ready.contains("dangers that were accepted"), "{ready}");
    assert!(!ready.contains("Quiet") && !ready.contains("ESC9"), "{ready}");
    let told = "the template Quiet opens ESC9";
    assert!(get("/v1/ca").await.text().contains(told));
    let hers = ca.send(Method::GET, "/v1/ca", ca.token("anna"), &[], "").await.text();
    assert!(!hers.contains("Quiet"), "{hers}");
    // The SID as a URI is strong, and no danger.
    let uri = json!({
        "enrollment_flags": ["NO_SECURITY_EXTENSION"],
        "security_identifier": "uri",
    });
    let made = template(&ca, "VPNUserAuthentication", "Uri", &uri).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let hers = certificate(&enrol(&ca, "anna", "Uri", Crafted::named("x").der()).await);
    let san = value_of(&hers, "2.5.29.17").unwrap();
    let sid = b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-1004336348-1177238915-682003330-1102";
    assert!(contains(&san, sid));
    assert_eq!(value_of(&hers, SID_EXTENSION), None);
}

/// ESC14: the mapping that the answer offers is the strong one, issuer and serial number.
#[tokio::test]
async fn esc14_only_the_strong_mapping_is_offered() {
    let ca = Ca::founded().await;
    let issued = enrol(&ca, "anna", "VPNUserAuthentication", Crafted::named("x").der()).await;
    let body = issued.json();
    let (mapping, serial) = (&body["alt_security_identities"], &body["serial_number"]);
    let octets: Vec<String> = serial
        .as_str()
        .unwrap()
        .as_bytes()
        .chunks(2)
        .rev()
        .map(|pair| String::from_utf8(pair.to_vec()).unwrap())
        .collect();
    let issuer = "DC=com,DC=contoso,DC=corp,CN=Contoso VPN CA";
    assert_eq!(*mapping, format!("X509:<I>{issuer}<SR>{}", octets.concat()));
    for weak in ["<S>CN=", "<RFC822>"] {
        assert!(!issued.text().contains(weak), "{weak}");
    }
}

/// ESC17: a server's name that is not one's own, smuggled by its encoding.
#[tokio::test]
async fn esc17_names_smuggled_by_encoding() {
    let ca = Ca::founded().await;
    vpn_servers(&ca).await;
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let common = |tag: u8, octets: &[u8]| {
        let attribute = sequence(&[oid("2.5.4.3"), tlv(tag, octets)].concat());
        sequence(&tlv(0x31, &attribute))
    };
    let subjects = [
        common(0x0c, b"dc1.corp.contoso.com\0.vpn.contoso.com"),
        common(0x1e, &wide("dc1.corp.contoso.com\0.vpn.contoso.com")),
        common(0x14, b"dc1.corp.contoso.com\xa0.vpn.contoso.com"),
        common(0x0c, "ｄｃ1.vpn.contoso.com".as_bytes()),
        common(0x0c, "dc1.vpn.contosо.com".as_bytes()),
        common(0x1e, &wide("dc1.corp.contoso.com。vpn.contoso.com")),
        common(0x0c, b"gw.vpn.contoso.com."),
        common(0x0c, b"gw%2evpn.contoso.com"),
        common(0x1c, &[0, 0, 0, b'x']),
        [common(0x0c, b"gw.vpn.contoso.com"), common(0x0c, b"dc1.vpn.contoso.com")]
            .map(|name| name[2..].to_vec())
            .concat(),
    ];
    for (number, subject) in subjects.into_iter().enumerate() {
        // The last is the content of one Name with two common names.
        let subject = if subject[0] == 0x30 { subject } else { sequence(&subject) };
        let refused = enrol(&ca, "vpn1", "Gateways", resubjected(&subject)).await;
        assert!(refused.status.is_client_error(), "{number}: {}", refused.text());
        let known = ["subject-not-allowed", "bad-name"];
        assert!(known.contains(&refused.rule().as_str()), "{number}: {}", refused.text());
    }
    // Octets that no constructor would write, in each kind of alternative name.
    for (tag, octets) in [
        (0x82, &b"dc1.corp.contoso.com\0.vpn.contoso.com"[..]),
        (0x82, b"gw.vpn.contoso.com."),
        (0x82, b"*.vpn.contoso.com"),
        (0x82, b"*"),
        (0x82, b"gw_1.vpn.contoso.com"),
        (0x82, b"xn--gw-.vpn.contoso.com"),
        (0x82, "dc1.vpn.contosо.com".as_bytes()),
        (0x82, b"10.1.2.3"),
        (0x82, b"::ffff:10.1.2.3"),
        (0x82, b"0x0a010203"),
        (0x81, b"root@vpn.contoso.com"),
        (0x86, b"https://gw.vpn.contoso.com@dc1.corp.contoso.com/"),
        (0x87, &[10, 1, 2, 3]),
        (0x87, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3]),
        (0x87, &[10, 1, 2, 3, 255, 255, 255, 0]),
        (0x88, &[0x2a, 0x03]),
        (0xa3, &[0x30, 0x00]),
    ] {
        let san = sequence(&tlv(tag, octets));
        let request = Crafted::named("gw.vpn.contoso.com").with("2.5.29.17", san).der();
        let refused = enrol(&ca, "vpn1", "Gateways", request).await;
        let shown = String::from_utf8_lossy(octets).into_owned();
        assert!(refused.status.is_client_error(), "{tag:x} {shown:?}: {}", refused.text());
        let known = ["name-not-allowed", "bad-alternative-name"];
        assert!(known.contains(&refused.rule().as_str()), "{tag:x} {shown:?}: {}", refused.text());
    }
    assert_eq!(ca.on_record().1, 0, "nothing was issued");
    // A template of free server names is refused unless somebody answers for it.
    let server = |more: Value| {
        let mut changes = json!({
            "extended_key_usage": ["Server Authentication"],
            "application_policies": ["Server Authentication"],
            "requested_names": {"any": true},
        });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        changes
    };
    let refused = template(&ca, "VPNServerAuthentication", "Any", &server(json!({}))).await;
    assert!(refused.text().contains("ESC17"), "{}", refused.text());
    let accepted = json!({"accepted_dangers": [{"danger": "ESC17", "reason": "the web team"}]});
    let taken = template(&ca, "VPNServerAuthentication", "Web", &server(accepted)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    // Nobody but an administrator writes templates, so nobody else accepts.
    let headers = [("content-type", "application/json")];
    let manager = ca.token("manager");
    let body = taken.text();
    let put = ca.send(Method::PUT, "/v1/templates/Web", manager, &headers, body).await;
    assert_eq!(put.status, StatusCode::FORBIDDEN);
}
