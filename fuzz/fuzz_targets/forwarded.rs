//! `Forwarded` and `X-Forwarded-For`: the caller's address is read or the connection's stands.
#![no_main]

use axum::http::{HeaderMap, HeaderValue};
use chancery::http::rates::forwarded::{Network, Proxies, ProxyHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.append("forwarded", value.clone());
    headers.append("x-forwarded-for", value);
    let trusted: Vec<Network> = Network::parse("10.0.0.0/8").into_iter().collect();
    for header in [ProxyHeader::Forwarded, ProxyHeader::XForwardedFor] {
        let proxies = Proxies { trusted: trusted.clone(), header };
        let stranger = "192.0.2.1".parse().expect("an address");
        assert_eq!(proxies.caller(stranger, &headers), stranger);
        let _ = proxies.caller("10.0.0.1".parse().expect("an address"), &headers);
    }
});
