//! Who is slow, and who sends no request.

use super::*;

#[test]
fn a_download_under_way_is_not_disturbed_by_the_next_crl() {
    let world = World::new();
    let crl = world.publish(100_000);
    assert!(crl.len() > 3_000_000);
    let server = world.serve(Bounds::default());
    let mut slow = TcpStream::connect(server.address()).unwrap();
    let request = b"GET /crl/contoso.crl HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n";
    slow.write_all(request).unwrap();
    let mut first = vec![0; 1000];
    slow.read_exact(&mut first).unwrap();
    world.publish(2);
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    let whole = [first, rest].concat();
    assert!(whole.ends_with(&crl));
    server.stop();
}

#[test]
fn who_reads_too_slowly_or_asks_too_slowly_is_let_go() {
    let world = World::new();
    let crl = world.publish(300_000);
    let bounds = Bounds {
        connections: 1,
        head: Duration::from_millis(300),
        pace: Duration::from_millis(300),
        ..Bounds::default()
    };
    let server = world.serve(bounds);
    let soon_served = || {
        let before = Instant::now();
        assert_eq!(ask(&server, "HEAD /crl/contoso.crl", &[]).status, 200);
        assert!(before.elapsed() < Duration::from_secs(5));
    };
    // A stranger takes the only place: with half a request, then by not reading the answer.
    let mut half = TcpStream::connect(server.address()).unwrap();
    half.write_all(b"GET /crl/cont").unwrap();
    soon_served();
    let mut deaf = TcpStream::connect(server.address()).unwrap();
    deaf.write_all(b"GET /crl/contoso.crl HTTP/1.1\r\nHost: pki\r\n\r\n").unwrap();
    soon_served();
    let mut octets = Vec::new();
    let cut_off = deaf.read_to_end(&mut octets);
    assert!(cut_off.is_err() || octets.len() < crl.len(), "it was cut off");
    server.stop();
}

#[test]
fn bytes_that_are_no_request_get_an_error_or_nothing() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    for request in
        ["\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n", &long]
    {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        // The server may close before it has taken everything.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        assert!(!octets.starts_with(b"HTTP/1.1 200"), "{request:.20}");
    }
    assert_eq!(ask(&server, CRL, &[]).status, 200);
    server.stop();
}
