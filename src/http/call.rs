//! A call: what a resource is told about who asks for what.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;

use super::api::Api;
use super::peer::Peer;
use super::problem::Problem;
use super::query::Parameters;
use crate::ca::Requester;
use crate::pki::time::Timestamp;

/// A call as it arrived, whole.
pub struct Received {
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// Where the call comes from, as rate limits count it.
    pub origin: IpAddr,
    /// The method.
    pub method: Method,
    /// Path and query as sent.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The `{…}` segment of the path, decoded; empty where the route has none.
    pub name: String,
    /// The body.
    pub body: Bytes,
}

/// A call by somebody who authenticated.
pub struct Call<'a> {
    /// The door's state: authority, publisher, metrics.
    pub api: &'a Api,
    /// Who asks.
    pub requester: &'a Requester,
    /// When it arrived: the one reading of the clock.
    pub now: Timestamp,
    /// What was sent.
    pub received: &'a Received,
}

impl Call<'_> {
    /// The `{…}` segment of the path, decoded.
    pub fn name(&self) -> &str {
        &self.received.name
    }

    /// The parameters of the query string.
    pub fn parameters(&self) -> Result<Parameters, Problem> {
        Parameters::of(&self.received.uri)
    }

    /// Refuses any parameter, for routes that take none.
    pub fn no_parameters(&self) -> Result<(), Problem> {
        self.parameters()?.finish()
    }
}
