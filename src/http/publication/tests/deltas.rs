//! A delta beside its complete list.

use super::*;

#[test]
fn a_delta_is_served_beside_the_complete_one_and_kept_for_a_minute() {
    let world = World::new();
    let complete = world.publish(3);
    let delta = world.publish_as("contoso-delta", CrlKind::Delta { base: NOON * 1000 }, 1);
    let server = world.serve(Bounds::default());
    let reply = ask(&server, "GET /crl/contoso-delta.crl", &[]);
    assert_eq!((reply.status, &reply.body), (200, &delta));
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("cache-control"), Some("max-age=60"));
    let tag = reply.header("etag").unwrap();
    let again = ask(&server, "GET /crl/contoso-delta.crl", &[("If-None-Match", tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let of_it = ask(&server, CRL, &[("If-None-Match", tag)]);
    assert_eq!((of_it.status, &of_it.body), (200, &complete));
    server.stop();
}

/// Neither takes the place of the other, whatever was put there.
#[test]
fn a_delta_is_not_taken_for_the_complete_list() {
    let world = World::new();
    let kind = CrlKind::Delta { base: 1 };
    world.publish_as("contoso", kind, 1);
    world.publish_as("contoso-delta", CrlKind::Complete, 1);
    let (point, outcome) =
        PublicationPoint::open(&world.issuer, "contoso", &world.store(), Schedule::default());
    assert!(outcome.is_err() && point.current().is_none());
    let deltas = PublicationDirectory::open(world.home.path(), "contoso-delta").unwrap();
    let taken_up = point.open_delta(&world.issuer, &deltas, Schedule::default());
    assert!(taken_up.is_err() && point.delta().is_none());
}
