//! The CRL and the CA certificate: types, conditions, how long they are kept.

use super::*;

#[test]
fn crl_and_certificate_with_their_types_and_nothing_else() {
    let world = World::new();
    let crl = world.publish(3);
    let server = world.serve(Bounds::default());

    let reply = ask(&server, CRL, &[]);
    assert_eq!((reply.status, &reply.body), (200, &crl));
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("content-length"), Some(crl.len().to_string().as_str()));
    assert_eq!(reply.header("last-modified"), Some("Mon, 23 Nov 2026 12:00:00 GMT"));
    assert_eq!(reply.header("cache-control"), Some("max-age=600"));
    assert_eq!(reply.header("expires"), Some("Mon, 23 Nov 2026 12:10:00 GMT"));
    assert!(reply.header("etag").unwrap().starts_with('"'), "a strong tag");

    let head = ask(&server, "HEAD /crl/contoso.crl", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), reply.header("content-length"));
    assert_eq!(head.header("etag"), reply.header("etag"));

    let certificate = ask(&server, "GET /aia/contoso.crt", &[]);
    assert_eq!(certificate.body, world.issuer.certificate_der());
    assert_eq!(certificate.header("content-type"), Some("application/pkix-cert"));
    assert!(certificate.header("last-modified").unwrap().ends_with(" GMT"));

    for path in [
        "/",
        "/crl",
        "/crl/",
        "/crl/other.crl",
        "/crl/contoso.crl/",
        "/crl/contoso",
        "/aia/",
        "/aia/contoso.crl",
        "/crl/contoso.crt",
        "/crl/../crl/contoso.crl",
        "//crl/contoso.crl",
        "/crl/contoso.crl.next",
        "/crl/contoso-delta.crl",
        "/crl/contoso-delta.crl.next",
        "/crl/contoso+.crl",
        "/healthz",
        "/v1/ca",
        "/crl/%2e%2e/contoso.crl",
    ] {
        assert_eq!(ask(&server, &format!("GET {path}"), &[]).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"] {
        let reply = ask(&server, &format!("{method} /crl/contoso.crl"), &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    server.stop();
}

#[test]
fn conditions_are_answered_as_rfc_9110_has_them() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    world.at(NOON + 60);
    let tag = ask(&server, CRL, &[]).header("etag").unwrap().to_owned();
    let (same, weak) = (tag.clone(), format!("W/{tag}"));
    let list = format!("\"other\", {tag}");
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[("If-None-Match", &same)], 304),
        (&[("If-None-Match", &weak)], 304),
        (&[("If-None-Match", &list)], 304),
        (&[("If-None-Match", "*")], 304),
        (&[("If-None-Match", "\"other\"")], 200),
        (&[("If-None-Match", "contoso")], 200),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 12:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 12:00:30 GMT")], 304),
        (&[("If-Modified-Since", "Monday, 23-Nov-26 12:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Mon Nov 23 12:00:00 2026")], 304),
        (&[("If-Modified-Since", "Mon, 23 Nov 2026 11:59:59 GMT")], 200),
        (&[("If-Modified-Since", "yesterday")], 200),
        // The entity tag decides where both are given.
        (
            &[
                ("If-None-Match", "\"other\""),
                ("If-Modified-Since", "Mon, 23 Nov 2026 12:00:00 GMT"),
            ],
            200,
        ),
        (&[("If-None-Match", &same), ("If-Modified-Since", "Mon, 23 Nov 2020 12:00:00 GMT")], 304),
    ];
    for (headers, status) in table {
        for method in ["GET", "HEAD"] {
            let reply = ask(&server, &format!("{method} /crl/contoso.crl"), headers);
            assert_eq!(reply.status, *status, "{method} {headers:?}");
            assert_eq!(reply.header("etag"), Some(tag.as_str()));
            assert!(reply.header("cache-control").is_some());
            assert_eq!(reply.body.is_empty(), *status == 304 || method == "HEAD");
        }
    }
    server.stop();
}

#[test]
fn nobody_keeps_a_crl_past_the_next_publication() {
    let world = World::new();
    world.publish(1);
    let server = world.serve(Bounds::default());
    let due = NOON + 7 * 86_400 - 300;
    let table = [
        (NOON, 600),
        (due - 601, 600),
        (due - 599, 599),
        (due - 1, 1),
        (due, 0),
        (NOON + 7 * 86_400 + 60, 0),
        (NOON + 9 * 86_400, 0),
    ];
    for (now, seconds) in table {
        world.at(now);
        let reply = ask(&server, CRL, &[]);
        assert_eq!(reply.header("cache-control"), Some(format!("max-age={seconds}").as_str()));
        let expires = httpdate::parse_http_date(reply.header("expires").unwrap()).unwrap();
        let expires = expires.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(expires, now + seconds);
    }
    server.stop();
}

#[test]
fn before_the_first_crl_the_answer_is_to_come_again() {
    let world = World::new();
    let server = world.serve(Bounds::default());
    let reply = ask(&server, CRL, &[]);
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(ask(&server, "GET /aia/contoso.crt", &[]).status, 200);
    server.stop();
}
