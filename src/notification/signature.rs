//! How a notification is signed: Standard Webhooks 1.0, symmetric signatures (`v1`).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Octets of a secret at least and at most (Standard Webhooks, "Signature scheme").
const LEAST: usize = 24;
const MOST: usize = 64;
/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// A secret shared with one receiver.
#[derive(Clone, Debug)]
pub struct Secret(hmac::Key);

/// A line is not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not whsec_ and 24 to 64 octets in base64, such as whsec_$(openssl rand -base64 32)")]
pub struct NotASecret;

impl std::str::FromStr for Secret {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(NotASecret)?;
        let octets = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| NotASecret)?);
        if !(LEAST..=MOST).contains(&octets.len()) {
            return Err(NotASecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &octets)))
    }
}

/// The secrets of an endpoint, never none: several while one takes the other's place.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// The secrets in a text, one a line; blank lines do not count.
    pub fn read(text: &str) -> Result<Self, NotASecret> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Vec<Secret> = lines.map(str::parse).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(NotASecret) } else { Ok(Self(secrets)) }
    }

    /// These and those.
    pub fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The value of `webhook-signature`: one signature for each secret over
    /// `id.timestamp.body`; a receiver takes it if it knows one of them.
    pub fn sign(&self, id: &str, timestamp_seconds: u64, body: &[u8]) -> String {
        let signed = self.0.iter().map(|secret| {
            let mut context = hmac::Context::with_key(&secret.0);
            context.update(format!("{id}.{timestamp_seconds}.").as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
        });
        signed.collect::<Vec<_>>().join(" ")
    }
}
