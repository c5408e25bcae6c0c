//! Real receivers over HTTP and HTTPS: prompt, slow, hanging, failing, redirecting, with another
//! certificate, and none at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::world::endpoint;
use crate::notification::Endpoint;
use crate::notification::delivery::{Carrier, Letter, NotTaken, Post};

const LETTER: Letter<'static> = Letter {
    id: "act_1",
    timestamp_seconds: 5,
    signature: "v1,AAAA",
    body: br#"{"type":"request.pending"}"#,
};

/// What came: the head in lower case, and the body.
type Came = (String, Vec<u8>);

/// Reads one request off `stream` and answers with `answer`.
fn converse(stream: impl Read + Write, answer: &[u8]) -> Option<Came> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length?.trim().parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    stream.get_mut().write_all(answer).ok()?;
    stream.get_mut().flush().ok()?;
    Some((head, body))
}

fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A server that does `serve` with each connection; gives its port and what came.
fn server(serve: impl Fn(TcpStream) -> Option<Came> + Send + 'static) -> (u16, Receiver<Came>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (came, coming) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(letter) = serve(stream)
                && came.send(letter).is_err()
            {
                return;
            }
        }
    });
    (port, coming)
}

fn carried(endpoint: &Endpoint) -> (Result<(), NotTaken>, Duration) {
    let begun = Instant::now();
    let outcome = Post::new(endpoint).carry(LETTER);
    (outcome, begun.elapsed())
}

fn why(outcome: Result<(), NotTaken>) -> String {
    outcome.unwrap_err().why
}

#[test]
fn a_letter_arrives_with_its_three_headers() {
    let (port, coming) = server(|stream| converse(stream, &status("204 No Content")));
    let endpoint = endpoint("tickets", &format!("http://127.0.0.1:{port}/hook?x=1"));
    carried(&endpoint).0.unwrap();
    let (head, body) = coming.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(head.starts_with("post /hook?x=1 http/1.1\r\n"), "{head}");
    for header in [
        "content-type: application/json\r\n",
        "webhook-id: act_1\r\n",
        "webhook-timestamp: 5\r\n",
        "webhook-signature: v1,aaaa\r\n",
        "user-agent: chancery/",
    ] {
        assert!(head.contains(header), "{header}\n{head}");
    }
    assert_eq!(body, LETTER.body);
}

#[test]
fn only_success_counts() {
    for line in ["500 Oops", "404 Not Found", "400 Bad Request", "410 Gone", "304 Not Modified"] {
        let (port, _coming) = server(move |stream| converse(stream, &status(line)));
        let endpoint = endpoint("tickets", &format!("http://127.0.0.1:{port}/"));
        let said = why(carried(&endpoint).0);
        assert!(said.contains(&line[..3]), "{line}: {said}");
    }
    for line in ["200 OK", "201 Created", "202 Accepted"] {
        let (port, _coming) = server(move |stream| converse(stream, &status(line)));
        carried(&endpoint("tickets", &format!("http://127.0.0.1:{port}/"))).0.unwrap();
    }
}

#[test]
fn a_receiver_that_has_too_much_says_when_to_come_again() {
    for (line, said, understood) in [
        ("429 Too Many Requests", "120", Some(120)),
        ("503 Service Unavailable", "999999", Some(3600)),
        ("503 Service Unavailable", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("500 Oops", "120", None),
    ] {
        let answer = format!("HTTP/1.1 {line}\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n");
        let (port, _coming) = server(move |stream| converse(stream, answer.as_bytes()));
        let endpoint = endpoint("tickets", &format!("http://127.0.0.1:{port}/"));
        assert_eq!(carried(&endpoint).0.unwrap_err().retry_after_seconds, understood, "{line}");
    }
}

#[test]
fn nobody_is_followed_elsewhere() {
    let (elsewhere, came_elsewhere) = server(|stream| converse(stream, &status("200 OK")));
    for line in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!(
            "HTTP/1.1 {line}\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        );
        let (port, _coming) = server(move |stream| converse(stream, answer.as_bytes()));
        let endpoint = endpoint("tickets", &format!("http://127.0.0.1:{port}/"));
        assert!(why(carried(&endpoint).0).contains(&line[..3]), "{line}");
    }
    assert!(came_elsewhere.recv_timeout(Duration::from_millis(200)).is_err());
}

#[test]
fn a_receiver_that_hangs_costs_its_time_and_no_more() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let hanging = Arc::clone(&held);
    let (port, _coming) = server(move |stream| {
        hanging.lock().unwrap().push(stream);
        None
    });
    // A drop every tenth of a second: no single read is slow.
    let (dripping, _dripped) = server(|mut stream| {
        for octet in
            b"HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        {
            stream.write_all(&[*octet]).ok()?;
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    });
    for port in [port, dripping] {
        let (outcome, took) = carried(&endpoint("tickets", &format!("http://127.0.0.1:{port}/")));
        assert_eq!(why(outcome), "it did not answer in time");
        assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(4), "{took:?}");
    }
}

#[test]
fn an_endless_answer_is_not_read() {
    let (port, _coming) = server(|stream| {
        let mut out = stream.try_clone().ok()?;
        let came = converse(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        while out.write_all(&[b'x'; 4096]).is_ok() {}
        came
    });
    let (outcome, took) = carried(&endpoint("tickets", &format!("http://127.0.0.1:{port}/")));
    outcome.unwrap();
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn nobody_there_is_told_without_the_url() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = endpoint("tickets", &format!("http://127.0.0.1:{port}/very-secret"));
    let said = why(carried(&endpoint).0);
    assert!(!said.contains("very-secret"), "{said}");
}

/// An HTTPS server with a certificate for `name`; gives its port and the certificate.
fn secure(name: &str) -> (u16, Receiver<Came>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let (port, coming) = server(move |stream| {
        let session = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
        converse(rustls::StreamOwned::new(session, stream), &status("200 OK"))
    });
    (port, coming, certificate.to_vec())
}

#[test]
fn a_certificate_of_the_right_name_and_root_is_believed_and_no_other() {
    let (port, coming, root) = secure("localhost");
    let url = format!("https://localhost:{port}/");
    let rooted = |roots: Vec<Vec<u8>>, url: &str| Endpoint { roots, ..endpoint("tickets", url) };
    carried(&rooted(vec![root], &url)).0.unwrap();
    assert_eq!(coming.recv_timeout(Duration::from_secs(5)).unwrap().1, LETTER.body);

    let (_, _, stranger) = secure("localhost");
    for roots in [Vec::new(), vec![stranger]] {
        carried(&rooted(roots, &url)).0.unwrap_err();
    }
    let (port, other, root) = secure("other.contoso.com");
    carried(&rooted(vec![root], &format!("https://localhost:{port}/"))).0.unwrap_err();
    // Not an octet of the notification went to any of them.
    assert!(coming.try_recv().is_err() && other.try_recv().is_err());
}
