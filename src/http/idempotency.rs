//! `Idempotency-Key`: a creating POST that is sent again gets the first answer again. The
//! answer goes on record in the same commit as the act it answers.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use axum::http::{StatusCode, header};

use super::answer::Answer;
use super::call::{Call, Received};
use super::credentials::Credential;
use super::problem::Problem;
use crate::ca::act::{Act, AnswerRecorded, Idempotency};
use crate::ca::idempotency::Begun;
use crate::ca::{Answering, Refusal};

/// Whether the answer to a creating POST holds a secret, and so is kept sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// It does not.
    Plain,
    /// It does: only the same credential with the same key can have it again.
    Sealed,
}

/// The header, if it is there: 1 to 255 visible ASCII characters; with the hash of the call.
pub fn key(received: &Received) -> Result<Option<Idempotency>, Problem> {
    let mut values = received.headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let visible = |octets: &[u8]| octets.iter().all(u8::is_ascii_graphic);
    let octets = value.as_bytes();
    if values.next().is_some() || !(1..=255).contains(&octets.len()) || !visible(octets) {
        return Err(Problem::bad_request(
            "idempotency-key-malformed",
            "Idempotency-Key has 1 to 255 visible ASCII characters",
        ));
    }
    let key = String::from_utf8_lossy(octets).into_owned();
    Ok(Some(Idempotency { key, request_sha256: fingerprint(received) }))
}

/// SHA-256 over method, path, query and body, each with its length before it.
fn fingerprint(received: &Received) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let query = received.uri.query().unwrap_or_default();
    let method = received.method.as_str();
    for part in [method.as_bytes(), received.uri.path().as_bytes(), query.as_bytes()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.update(&received.body);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Runs a creating act once for each `Idempotency-Key`: `create` is given the closure that
/// renders the record of the answer, and puts it on record beside what it made.
pub fn creating<Made>(
    call: &Call<'_>,
    secrecy: Secrecy,
    create: impl FnOnce(Answering<'_, Made>) -> Result<Made, Refusal>,
    render: impl Fn(&Made) -> Created,
) -> Result<Answer, Problem> {
    let Some(idempotency) = key(call.received)? else {
        return Ok(render(&create(None)?).into_answer());
    };
    let seal = match secrecy {
        Secrecy::Plain => None,
        Secrecy::Sealed => Some(Seal::of(call, &idempotency)?),
    };
    match call.api.authority.begin_idempotent(call.requester, &idempotency, call.now)? {
        Begun::Again(recorded) => again(recorded, seal.as_ref()),
        Begun::First(_under_way) => {
            let answering = |made: &Made| {
                let created = render(made);
                let body = match &seal {
                    None => created.body,
                    Some(seal) => seal.close(created.body),
                };
                Act::AnswerRecorded(AnswerRecorded {
                    idempotency: idempotency.clone(),
                    status: StatusCode::CREATED.as_u16(),
                    body,
                    location: Some(created.location),
                })
            };
            Ok(render(&create(Some(&answering))?).into_answer())
        }
    }
}

/// The answer to a POST that made something: 201.
pub struct Created {
    /// JSON.
    pub body: Vec<u8>,
    /// Where it is now.
    pub location: String,
}

impl Created {
    /// With a JSON body.
    pub fn json(value: &impl serde::Serialize, location: String) -> Self {
        let answer = Answer::json(StatusCode::CREATED, value);
        Self { body: answer.body().to_vec(), location }
    }

    fn into_answer(self) -> Answer {
        Answer::new(StatusCode::CREATED, "application/json", self.body)
            .with_text_header(header::LOCATION, &self.location)
    }
}

fn again(recorded: AnswerRecorded, seal: Option<&Seal>) -> Result<Answer, Problem> {
    let body = match seal {
        None => recorded.body,
        Some(seal) => seal.open(recorded.body).ok_or_else(|| {
            Problem::new(
                StatusCode::CONFLICT,
                "idempotency-key-sealed",
                "the first answer held a secret; only the credential that got it can have it again",
            )
        })?,
    };
    let status = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::OK);
    let answer = Answer::new(status, "application/json", body);
    Ok(match recorded.location {
        Some(location) => answer.with_text_header(header::LOCATION, &location),
        None => answer,
    })
}

/// AES-256-GCM-SIV (RFC 8452: a repeated nonce gives away nothing but equality) under a key
/// that only whoever holds the credential and knows the `Idempotency-Key` can derive.
struct Seal {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Seal {
    fn of(call: &Call<'_>, idempotency: &Idempotency) -> Result<Self, Problem> {
        let credential = Credential::of(&call.received.headers, &call.received.peer)?;
        let secret = credential.secret().ok_or_else(|| {
            Problem::bad_request(
                "idempotency-key-unsealable",
                "with a client certificate there is no secret to seal this answer with: leave \
                 Idempotency-Key out, or use a token",
            )
        })?;
        Self::new(secret, idempotency).ok_or_else(|| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no key could be derived")
        })
    }

    fn new(secret: &[u8], idempotency: &Idempotency) -> Option<Self> {
        let salt = Salt::new(HKDF_SHA256, &idempotency.request_sha256);
        let extracted = salt.extract(secret);
        let info = [b"chancery recorded answer".as_slice(), idempotency.key.as_bytes()];
        let expanded = extracted.expand(&info, &AES_256_GCM_SIV).ok()?;
        let key = LessSafeKey::new(UnboundKey::from(expanded));
        let mut nonce = [0; 12];
        nonce.copy_from_slice(idempotency.request_sha256.get(..12)?);
        Some(Self { key, nonce })
    }

    fn close(&self, mut body: Vec<u8>) -> Vec<u8> {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        match self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut body) {
            Ok(()) => body,
            // Sealing fails only beyond 64 GiB. Nothing is better on record than a secret.
            Err(_) => Vec::new(),
        }
    }

    fn open(&self, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let length = self.key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_credential_opens_a_seal() {
        let idempotency = |key: &str| Idempotency { key: key.to_owned(), request_sha256: [7; 32] };
        let seal = Seal::new(b"chancery_a", &idempotency("k")).unwrap();
        let sealed = seal.close(b"{\"token\":\"chancery_new\"}".to_vec());
        assert!(!sealed.windows(8).any(|window| window == b"chancery"));
        assert_eq!(seal.open(sealed.clone()).unwrap(), b"{\"token\":\"chancery_new\"}");
        for (secret, key) in [("chancery_b", "k"), ("chancery_a", "l")] {
            let other = Seal::new(secret.as_bytes(), &idempotency(key)).unwrap();
            assert_eq!(other.open(sealed.clone()), None);
        }
    }
}
