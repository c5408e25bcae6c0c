//! The other end of a connection, as the listener saw it. Every call on the connection carries
//! it as an extension; what a proxy says of its own client is judged in `rates`.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::Service;

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address.
    pub address: IpAddr,
    /// The certificate, in DER, whose key it proved to hold in the TLS handshake (or in the one
    /// that a resumed session began with). Nothing else about it has been looked at: the
    /// authority judges it anew at every call.
    pub certificate: Option<Bytes>,
}

impl Peer {
    /// The other end at `address`.
    pub fn at(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), certificate: None }
    }

    /// The same, having proved to hold this certificate's key.
    #[must_use]
    pub fn holding(self, certificate: Option<Bytes>) -> Self {
        Self { certificate, ..self }
    }
}

/// Nobody known: calls that reached the router by no listener share this one.
impl Default for Peer {
    fn default() -> Self {
        Self::at(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

/// Hands every call of one connection on with its [`Peer`].
pub(super) struct OfPeer<Inner> {
    pub(super) peer: Peer,
    pub(super) inner: Inner,
}

impl<Inner: Service<hyper::Request<Incoming>>> Service<hyper::Request<Incoming>> for OfPeer<Inner> {
    type Response = Inner::Response;
    type Error = Inner::Error;
    type Future = Inner::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.inner.call(request)
    }
}
