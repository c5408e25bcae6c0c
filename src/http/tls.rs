//! The API's TLS: TLS 1.2 and 1.3 with a certificate that can be exchanged while serving; the
//! client is asked for a certificate as well.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::client_certificate::Asking;

/// The key does not fit the certificate, or is not one rustls knows.
#[derive(Debug, thiserror::Error)]
#[error("the TLS certificate cannot be used: {0}")]
pub struct UnusableCertificate(#[from] rustls::Error);

/// The API's certificate and key; exchanged by [`Tls::exchange`] when renewed.
#[derive(Debug)]
pub struct Tls {
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// With the certificate (and those above it, without the root) and its key. Clients are asked
    /// for a certificate issued under one of the names `acceptable` (DER): a hint, no more.
    pub fn new(
        acceptable: &[&[u8]],
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
    ) -> Result<Self, UnusableCertificate> {
        let current = Arc::new(Current(ArcSwap::from_pointee(certified(chain, key)?)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let asking = Arc::new(Asking::new(acceptable, &provider));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_client_cert_verifier(asking)
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { current, config: Arc::new(config) })
    }

    /// From the next handshake on, this certificate.
    pub fn exchange(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
    ) -> Result<(), UnusableCertificate> {
        self.current.0.store(Arc::new(certified(chain, key)?));
        Ok(())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
) -> Result<CertifiedKey, UnusableCertificate> {
    let key = aws_lc_rs::sign::any_supported_type(key)?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match()?;
    Ok(certified)
}
