//! The CA's own certificate, or the request for one.
