use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

fn now() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

/// A server that gives every caller this answer; its `host:port`, and how often it was asked.
fn serving(answer: Vec<u8>) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|n| n > 0) {
                head.push(octet[0]);
            }
            let _ = stream.write_all(&answer);
        }
    });
    (address, calls)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn limits() -> Limits {
    Limits { octets: 1000, each: Duration::from_secs(2), all: Duration::from_secs(10) }
}

fn public(besides: bool, own: &[&str]) -> Reach {
    let own = own.iter().map(|text| (*text).to_owned()).collect();
    Reach::Public { besides: Arc::new(move |_| besides), own }
}

#[test]
fn a_document_comes_with_the_clock_of_its_server() {
    let date = "Date: Tue, 24 Nov 2026 00:10:00 GMT\r\n";
    let (host, _) = serving(answer("200 OK", date, b"CRL"));
    let retrieval = Retrieval::new(Reach::Anywhere, limits(), now);
    let document = retrieval.get(&format!("http://{host}/a.crl")).unwrap();
    assert_eq!(*document.body, b"CRL");
    assert_eq!(document.clock_ahead_seconds, Some(600));

    let (host, _) = serving(answer("200 OK", &format!("Age: 60\r\n{date}"), b"CRL"));
    let document = retrieval.get(&format!("http://{host}/a.crl")).unwrap();
    assert_eq!(document.clock_ahead_seconds, None, "a cache's");
}

#[test]
fn what_is_not_a_document_says_why_and_repeats_nothing() {
    let retrieval = Retrieval::new(Reach::Anywhere, limits(), now);
    let (victim, calls) = serving(answer("200 OK", "", b"never asked"));
    let location = format!("Location: http://{victim}/\r\n");
    for (answer, expected) in [
        (answer("302 Found", &location, b""), NotFetched::Redirected(302)),
        (answer("404 Not Found", "", b"secret"), NotFetched::Status(404)),
        (answer("200 OK", "", &[7; 1001]), NotFetched::TooLarge(1000)),
        (
            b"SSH-2.0-secret\r\n\r\n".to_vec(),
            NotFetched::Unreachable("the answer is no HTTP that is understood".to_owned()),
        ),
    ] {
        let (host, _) = serving(answer);
        assert_eq!(retrieval.get(&format!("http://{host}/")).unwrap_err(), expected);
    }
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 0, "a redirect was followed");
}

#[test]
fn a_server_that_says_nothing_is_slow_and_all_together_have_an_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let short = Limits { octets: 10, each: Duration::from_secs(1), all: Duration::from_secs(1) };
    let retrieval = Retrieval::new(Reach::Anywhere, short, now);
    assert!(matches!(retrieval.get(&url), Err(NotFetched::Slow(_))));
    assert_eq!(retrieval.get(&url), Err(NotFetched::OutOfTime(1)));
}

/// A server that sends `head` and then an octet every twentieth of a second, without an end.
fn dripping(head: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut sent = stream.write_all(head);
            while sent.is_ok() {
                std::thread::sleep(Duration::from_millis(50));
                sent = stream.write_all(b"x");
            }
        }
    });
    address
}

/// No single read is slow: what ends it is the time for the whole.
#[test]
fn what_comes_in_drops_is_cut_off() {
    let one = Duration::from_secs(1);
    for head in
        [&b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\nX-Long: "]
    {
        let url = format!("http://{}/", dripping(head));
        let limits = Limits { octets: 1000, each: one, all: 2 * one };
        let retrieval = Retrieval::new(Reach::Anywhere, limits, now);
        for _ in 0..2 {
            assert_eq!(retrieval.get(&url), Err(NotFetched::Slow(1)));
        }
        assert!(retrieval.began.elapsed() < 4 * one, "{:?}", retrieval.began.elapsed());
        assert_eq!(retrieval.ask(&url, b"x"), Err(NotFetched::OutOfTime(2)));
    }
    // A TLS record that never gets whole: handshake (22), TLS 1.2, 16,384 octets.
    let address = dripping(&[22, 3, 3, 0x40, 0]);
    let begun = Instant::now();
    assert!(matches!(handshake::chain(&address, one), Err(handshake::NoChain::NoCertificate(..))));
    assert!(begun.elapsed() < 3 * one, "{:?}", begun.elapsed());
}

/// By address and by name: what a name resolves to is what counts.
#[test]
fn private_addresses_are_not_asked_unless_allowed() {
    let (host, calls) = serving(answer("200 OK", "", b"CRL"));
    let port = host.rsplit_once(':').unwrap().1;
    let get = |reach, url: &str| Retrieval::new(reach, limits(), now).get(url);
    let mapped = format!("http://[::ffff:127.0.0.1]:{port}/");
    // The same address as one number, in hexadecimal, and in short.
    let spelled =
        ["2130706433", "0x7f000001", "127.1", "0"].map(|own| format!("http://{own}:{port}/"));
    let named = [format!("http://{host}/"), format!("http://localhost:{port}/"), mapped];
    for url in named.into_iter().chain(spelled) {
        let refused = get(public(false, &[]), &url).unwrap_err();
        assert!(matches!(refused, NotFetched::Private(_)), "{url}: {refused:?}");
    }
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 0);
    let url = format!("http://{host}/");
    assert!(get(public(true, &[]), &url).is_ok());
    assert!(get(public(false, &[&host]), &url).is_ok());
    let other = public(false, &["127.0.0.1:1"]);
    assert!(matches!(get(other, &url), Err(NotFetched::Private(_))));
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[test]
fn only_plain_http_urls_are_fetched() {
    let retrieval = Retrieval::new(Reach::Anywhere, limits(), now);
    for url in
        ["https://127.0.0.1/", "ftp://127.0.0.1/", "http://a@127.0.0.1/", "http:///", "x", ""]
    {
        assert_eq!(retrieval.get(url), Err(NotFetched::NotAUrl), "{url}");
    }
    assert_eq!(authority_of("http://PKI.contoso.com/crl").unwrap(), "pki.contoso.com:80");
    assert_eq!(authority_of("http://[::1]:8080/").unwrap(), "[::1]:8080");
    assert!(authority_of("/crl").is_none());
}
