//! Signatures before the reference implementation of Standard Webhooks.

use proptest::prelude::*;
use standardwebhooks::{Webhook, WebhookError};

use super::world::{SECRET, noon};
use crate::notification::delivery::Letter;
use crate::notification::event::{
    Distance, EndingAnswers, EndingAuthority, EndingCertificate, EndingCertificates, EndingCrl,
    EndingParentCrl, News, PendingRequest, PublishedCrl, SelfCheck,
};
use crate::notification::signature::{NotASecret, Secrets};
use crate::notification::{Event, body};

/// Whether the reference implementation makes the same of it, at whatever time. (Its `verify` wants
/// the timestamp to be of now; the tests of the whole program call that.)
pub fn verifies(secret: &str, letter: Letter<'_>) -> Result<(), WebhookError> {
    let seconds = i64::try_from(letter.timestamp_seconds).unwrap();
    let expected = Webhook::new(secret)?.sign(letter.id, seconds, letter.body)?;
    let found = letter.signature.split(' ').any(|signature| signature == expected);
    found.then_some(()).ok_or(WebhookError::InvalidSignature)
}

#[test]
fn the_specifications_example_comes_out() {
    let secrets = Secrets::read(SECRET).unwrap();
    let signed =
        secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn receivers_with_the_old_and_with_the_new_secret_take_it() {
    let new = "whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ";
    let secrets = Secrets::read(&format!("{new}\n\n{SECRET}\n")).unwrap();
    let signature = secrets.sign("act_1", 5, b"{}");
    let letter = Letter { id: "act_1", timestamp_seconds: 5, signature: &signature, body: b"{}" };
    verifies(SECRET, letter).unwrap();
    verifies(new, letter).unwrap();
    let other = "whsec_CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK";
    assert!(verifies(other, letter).is_err());
    for changed in [
        Letter { id: "act_2", ..letter },
        Letter { timestamp_seconds: 6, ..letter },
        Letter { body: b"{ }", ..letter },
    ] {
        assert!(verifies(SECRET, changed).is_err());
    }
}

#[test]
fn what_is_no_secret_is_refused_and_no_secret_is_shown() {
    for wrong in
        ["", "\n", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_?"]
    {
        assert_eq!(Secrets::read(wrong).unwrap_err(), NotASecret, "{wrong:?}");
    }
    let long = format!("whsec_{}", "A".repeat(88));
    assert!(Secrets::read(&long).is_err(), "66 octets are too many");
    let shown = format!("{:?}", Secrets::read(SECRET).unwrap());
    assert!(!shown.contains("MfKQ") && !shown.contains("31, "), "{shown}");
}

/// One of each, and the CRL of a CA above with and without a number.
pub fn events() -> Vec<Event> {
    let distance = Distance { before_seconds: 604_800, told_before_seconds: None };
    let soon = noon().plus_seconds(86_400);
    let urls = vec!["http://pki/crl/ca.crl".to_owned()];
    let certificate = EndingCertificate {
        serial_number: "0a".to_owned(),
        account: "WEB01$".to_owned(),
        names: vec!["web01.contoso.com".to_owned(), "\"\u{7}\u{2028}".to_owned()],
        not_after: soon,
        url: "https://ca/v1/certificates/0a".to_owned(),
    };
    let published = PublishedCrl {
        number: 4,
        base: Some(3),
        validity: Some((noon(), soon)),
        entries: Some(2),
        size: 500,
        sha256: [1; 32],
        urls: urls.clone(),
    };
    let certificates =
        EndingCertificates { template: "WebServer".to_owned(), certificates: vec![certificate] };
    let authority =
        EndingAuthority { subject: "CN=CA".to_owned(), sha256: [2; 32], not_after: soon };
    let self_check = SelfCheck { faults: vec!["crl-fetch: no".to_owned()], warnings: Vec::new() };
    let pending = PendingRequest {
        request_id: 7,
        template: "WebServer".to_owned(),
        account: "WEB01$".to_owned(),
        requester: "bob".to_owned(),
        url: "https://ca/v1/requests/7".to_owned(),
    };
    let above = |number| EndingParentCrl {
        issuer: "CN=Root".to_owned(),
        number,
        next_update: soon,
        urls: urls.clone(),
    };
    let above = [above(Some(3)), above(None)].map(|own| News::ParentCrlExpiring(distance, own));
    let answers = EndingAnswers {
        key_index: 1,
        next_update: soon,
        urls: vec!["http://pki/ocsp".to_owned()],
        why: "the disk is full".to_owned(),
    };
    let news = [
        News::RequestPending(pending),
        News::AnswersExpiring(distance, answers),
        News::SelfCheckChanged(self_check),
        News::CrlPublished(published),
        News::CrlExpiring(
            distance,
            EndingCrl { number: 4, base: Some(3), next_update: soon, urls: urls.clone() },
        ),
        News::AuthorityExpiring(distance, authority),
        News::CertificatesExpiring(distance, certificates),
    ];
    let event = |news| Event { sequence: 9, hash: [0xab; 32], at: noon(), news };
    news.into_iter().chain(above).map(event).collect()
}

#[test]
fn bodies_are_json_with_type_time_and_the_place_in_the_ledger() {
    for event in events() {
        let body = body::of(&event);
        assert_eq!(body, body::of(&event), "every attempt says the same");
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(read["type"], event.kind().as_str());
        assert_eq!(read["timestamp"], "2026-11-23T12:00:00Z");
        assert_eq!(read["ledger"]["sequence"], 9);
        assert_eq!(read["ledger"]["hash"], "ab".repeat(32));
        assert!(read["data"].is_object());
        assert_eq!(event.id(), format!("act_{}", "ab".repeat(32)));
        let secrets = Secrets::read(SECRET).unwrap();
        let signature = secrets.sign(&event.id(), 1, &body);
        let letter =
            Letter { id: &event.id(), timestamp_seconds: 1, signature: &signature, body: &body };
        verifies(SECRET, letter).unwrap();
    }
}

proptest! {
    #[test]
    fn any_body_and_secret_are_signed_as_the_reference_reads_them(
        key in prop::collection::vec(any::<u8>(), 24..=64),
        body in prop::collection::vec(any::<u8>(), 0..300),
        time in 0..4_000_000_000u64,
    ) {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(key);
        let secret = format!("whsec_{text}");
        // The reference reads bodies as UTF-8.
        let body = String::from_utf8_lossy(&body).into_owned();
        let signature = Secrets::read(&secret).unwrap().sign("act_x", time, body.as_bytes());
        let letter = Letter {
            id: "act_x", timestamp_seconds: time, signature: &signature, body: body.as_bytes(),
        };
        prop_assert!(verifies(&secret, letter).is_ok());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,100}") {
        let _ = Secrets::read(&text);
        let _ = Secrets::read(&format!("whsec_{text}"));
    }
}
