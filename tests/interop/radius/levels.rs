//! FreeRADIUS that wants the CRL of every CA on the way to the root (`check_all_crl`), below a root
//! that is kept offline: both CRLs come from the issuing CA's publication address.
//!
//! Whatever CA certificate is in its `ca_path` or `ca_file` ends the way there for FreeRADIUS 3.2
//! (X509_V_FLAG_PARTIAL_CHAIN): so the root alone is there, and each party sends the issuing CA's
//! certificate behind its own.

use crate::machine;
use crate::party::{Party, Site};
use crate::radius::server::{Clock, Plan, Radius, Trust};
use crate::radius::{DAY, REVOKED, plan};
use crate::tiers::OfflineRoot;
use std::fs;
use std::path::Path;

#[test]
fn the_crl_of_every_level_counts_with_rsa() {
    every_level_counts("rsa3072", "rsa2048");
}

#[test]
fn the_crl_of_every_level_counts_with_p256() {
    every_level_counts("p256", "p256");
}

fn every_level_counts(ca: &str, keys: &str) {
    let folder = machine::folder("radius-levels");
    let (offline, issuing) = OfflineRoot::above(&folder, ca);
    let site = Site::new(&issuing, &folder, keys);
    let server = sending(&offline, site.nps_server());
    let [alice, mallory] = ["alice", "mallory"].map(|name| sending(&offline, site.user(name)));
    let root = offline.certificate();
    let crl = issuing.fetch_crl(&folder);
    let radius = Radius::start(&Plan {
        trust: Trust::EveryLevel,
        clock: Clock::Off(0),
        ..plan(&folder, &server, &root, &crl)
    });
    let client = radius.supplicant();
    let seen = |what: &str| radius.log().matches(what).count();

    client.log_on(&alice).expect_refusal("alice, without the root's CRL", "FAILURE");
    assert!(seen(MISSING) > 0, "refused for another reason:\n{}", radius.log());
    radius.install(&offline.publishes(&issuing, "2d"));
    client.log_on(&alice).expect_ok("alice, with the CRLs of both levels");
    client.log_on(&mallory).expect_ok("mallory, who is not revoked yet");

    machine::next_second(); // OpenSSL takes the first of two CRLs of one second
    issuing.revoke(&mallory.serial_number, "keyCompromise");
    radius.install(&issuing.fetch_crl(&folder));
    client.log_on(&mallory).expect_refusal("mallory, who is revoked", "FAILURE");
    client.log_on(&alice).expect_ok("alice, beside the revoked");
    let revoked = seen(REVOKED);
    assert!(revoked > 0, "refused for another reason:\n{}", radius.log());

    // The root's CRL ends before the issuing CA's does.
    radius.turn_clock(3 * DAY);
    client.log_on(&alice).expect_refusal("alice, past the life of the root's CRL", "FAILURE");
    assert!(seen(EXPIRED) > 0, "refused for another reason:\n{}", radius.log());
    radius.install(&offline.publishes(&issuing, "5d"));
    client.log_on(&alice).expect_ok("alice, with the root's next CRL");
    radius.turn_clock(0);
    client.log_on(&alice).expect_ok("alice, today");
    assert_eq!(seen(REVOKED), revoked, "{}", radius.log());

    machine::next_second();
    offline.revokes();
    client.log_on(&alice).expect_ok("alice, whose CA is revoked, where nobody was told");
    radius.install(&offline.publishes(&issuing, "26w"));
    client.log_on(&alice).expect_refusal("alice, whose CA is revoked", "FAILURE");
    let bob = sending(&offline, site.user("bob"));
    client.log_on(&bob).expect_refusal("bob, who is of that CA too", "FAILURE");
    assert!(seen(REVOKED) > revoked, "refused for another reason:\n{}", radius.log());
}

#[test]
fn a_trusted_issuing_ca_ends_the_way_to_the_root() {
    let folder = machine::folder("radius-levels");
    let (offline, issuing) = OfflineRoot::above(&folder, "p256");
    let site = Site::new(&issuing, &folder, "p256");
    let server = site.nps_server();
    let [alice, mallory] = ["alice", "mallory"].map(|name| site.user(name));
    issuing.revoke(&mallory.serial_number, "keyCompromise");
    let (root, between) = (offline.certificate(), offline.issued());
    let crl = issuing.fetch_crl(&folder);
    let common = Plan { between: Some(&between), ..plan(&folder, &server, &root, &crl) };
    let every = Radius::start(&Plan { name: "every", trust: Trust::EveryLevel, ..common });
    let leaf = Radius::start(&Plan { name: "leaf", trust: Trust::Folder, ..common });
    let log_on = |radius: &Radius, user| radius.supplicant().log_on(user);

    // Its CRL is the root's, whom nobody looks for any more.
    every.install(&offline.publishes(&issuing, "26w"));
    log_on(&every, &alice).expect_refusal("alice, with the CRLs of both levels", "FAILURE");
    assert!(every.log().contains(MISSING), "refused for another reason:\n{}", every.log());
    // So users are judged without a look at the CA's own standing.
    log_on(&leaf, &alice).expect_ok("alice, by the CRL of her CA");
    log_on(&leaf, &mallory).expect_refusal("mallory, who is revoked", "FAILURE");
    offline.revokes();
    leaf.install(&offline.publishes(&issuing, "26w"));
    log_on(&leaf, &alice).expect_ok("alice, whose CA is revoked, where nobody looks");
}

/// The same party, whose file has the certificate of its CA behind its own.
fn sending(offline: &OfflineRoot, party: Party) -> Party {
    let file = party.certificate.with_extension("chain.pem");
    let read = |path: &Path| fs::read_to_string(path).expect("PEM");
    machine::write(&file, read(&party.certificate) + &read(&offline.issued()));
    Party { certificate: file, ..party }
}

/// As FreeRADIUS writes what OpenSSL found.
const MISSING: &str = "error 3 : unable to get certificate CRL";
const EXPIRED: &str = "error 12 : CRL has expired";
