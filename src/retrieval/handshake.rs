//! The certificates that a TLS server sends: the handshake is gone through, believed by nobody, and
//! broken off before anything is said.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// Why there is no chain.
#[derive(Debug, thiserror::Error)]
pub enum NoChain {
    /// Not `host:port`.
    #[error("{0:?} is not HOST:PORT")]
    NotAnAddress(String),
    /// Nobody there.
    #[error("{0}: {1}")]
    Unreachable(String, io::Error),
    /// The server broke off before it sent a certificate.
    #[error("{0}: no TLS 1.2 or 1.3 handshake that gets as far as a certificate: {1}")]
    NoCertificate(String, String),
}

/// The certificates (DER) that the server at `host:port` sends, its own first.
pub fn chain(address: &str, patience: Duration) -> Result<Vec<Vec<u8>>, NoChain> {
    let not_one = || NoChain::NotAnAddress(address.to_owned());
    let (host, port) = address.rsplit_once(':').ok_or_else(not_one)?;
    let port: u16 = port.parse().map_err(|_| not_one())?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| not_one())?;
    let unreachable = |error| NoChain::Unreachable(address.to_owned(), error);

    let until = Instant::now() + patience;
    let mut stream = connect(bare, port, until).map_err(unreachable)?;
    let recorder = Arc::new(Recorder::new());
    let config = ClientConfig::builder_with_provider(Arc::clone(&recorder.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| NoChain::NoCertificate(address.to_owned(), error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let told = |error: String| NoChain::NoCertificate(address.to_owned(), error);
    let mut connection =
        ClientConnection::new(Arc::new(config), name).map_err(|error| told(error.to_string()))?;
    // A server that demands a client certificate breaks off after it has sent its own.
    let outcome = go_through(&mut connection, &mut stream, until);
    let seen = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (seen, outcome) {
        (Some(chain), _) => Ok(chain),
        (None, Err(error)) => Err(told(error.to_string())),
        (None, Ok(())) => Err(told("it sent none".to_owned())),
    }
}

/// The patience is for all addresses of a name together.
fn connect(host: &str, port: u16, until: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(until)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The time that is left; never none, which sockets take for endless.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn go_through(
    connection: &mut ClientConnection,
    stream: &mut TcpStream,
    until: Instant,
) -> io::Result<()> {
    while connection.is_handshaking() {
        stream.set_read_timeout(Some(left(until)?))?;
        stream.set_write_timeout(Some(left(until)?))?;
        while connection.wants_write() {
            connection.write_tls(stream)?;
        }
        if connection.is_handshaking() && connection.wants_read() {
            if connection.read_tls(stream)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            connection.process_new_packets().map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Keeps what the server sends and takes it for good. Nothing is ever sent under it.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Recorder {
    fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { provider, seen: Mutex::new(None) }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(own).chain(above).map(|der| der.to_vec()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
