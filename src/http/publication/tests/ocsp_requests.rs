//! OCSP at the same door.

use super::*;

/// What OCSP answers where nothing can be answered yet; `ca::tests::answering` has the rest.
#[test]
fn an_ocsp_request_is_read_within_bounds_and_answered_in_ocsp() {
    let world = World::new();
    world.publish(1);
    let one = std::num::NonZeroUsize::MIN;
    let answers = AnswerPoint::new(&world.issuer, Nonces::Answered, one).unwrap();
    let (point, _) =
        PublicationPoint::open(&world.issuer, "contoso", &world.store(), Schedule::default());
    let bounds = Bounds { head: Duration::from_millis(300), ..Bounds::default() };
    let server = world.serve_point(point.with_answers(Arc::new(answers)), bounds);
    let (malformed, try_later) = ([0x30, 3, 10, 1, 1], [0x30, 3, 10, 1, 3]);
    let sha1 = include_bytes!("../../../../tests/fixtures/ocsp/sha1.der");
    let post = |announced: usize, sent: &[u8]| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let head = format!("POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), sent].concat()).unwrap();
        let began = Instant::now();
        let mut octets = [0; 4096];
        let mut read = 0;
        while !octets[..read].ends_with(&malformed) && !octets[..read].ends_with(&try_later) {
            let had = stream.read(&mut octets[read..]).unwrap();
            assert!(had > 0, "{:?}", String::from_utf8_lossy(&octets[..read]));
            read += had;
        }
        let text = String::from_utf8_lossy(&octets[..read]).into_owned();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        // Whoever did not send all of it is let go.
        let closed = text.to_lowercase().contains("connection: close");
        (octets[read - 1], closed, began.elapsed())
    };
    let (code, closed, _) = post(sha1.len(), sha1);
    assert_eq!((code, closed), (3, false));
    let (code, closed, waited) = post(sha1.len(), &sha1[..20]);
    assert_eq!((code, closed), (1, true));
    assert!(waited >= Duration::from_millis(200), "{waited:?}");
    let (code, closed, waited) = post(100_000, &[0x30; 100]);
    assert_eq!((code, closed), (1, true), "{waited:?}");
    // The CRL goes on beside it.
    assert_eq!(ask(&server, CRL, &[]).status, 200);
    assert_eq!(ask(&server, "GET /ocsp/MA==", &[]).body, malformed);
    assert_eq!(ask(&server, "GET /ocspx", &[]).status, 404);
    server.stop();
}
