//! strongSwan below a root that is kept offline: charon fetches the CRL of every level from the
//! addresses that the certificates name, which are both the issuing CA's.

use crate::machine;
use crate::party::{Party, Site};
use crate::tiers::OfflineRoot;
use crate::tunnel::Proof;
use crate::tunnel::charon::Daemon;
use crate::tunnel::network::{Namespace, SERVER};

#[test]
fn the_crl_of_every_level_is_fetched_and_counts_with_rsa() {
    every_level_counts("rsa3072", "rsa2048");
}

#[test]
fn the_crl_of_every_level_is_fetched_and_counts_with_p256() {
    every_level_counts("p256", "p256");
}

fn every_level_counts(ca: &str, keys: &str) {
    let folder = machine::folder("tunnel-levels");
    let here = Namespace::server(&folder);
    let there = Namespace::client(&folder, &here, 1);
    let publish = format!("{SERVER}:8080");
    let inside = Some(here.pid());
    let (offline, issuing) = OfflineRoot::above_at(&folder, ca, "127.0.0.1:8443", &publish, inside);
    let site = Site::new(&issuing, &folder, keys);
    let (root, between) = (offline.certificate(), offline.issued());
    let start = |name: &str, namespace: &Namespace, party: &Party, connection: &str| {
        let authorities = [root.as_path(), between.as_path()];
        Daemon::start(&folder.join(name), namespace, party, &authorities, connection, None)
    };
    let connection = include_str!("server.conf").replace("@REMOTE@", Proof::Key.remote());
    let vpn = start("vpn", &here, &site.vpn_server(), &connection);
    let laptop = site.device("laptop$");
    let local = Proof::Key.local("laptop.corp.contoso.com");
    let connection = include_str!("client.conf").replace("@LOCAL@", &local);
    let client = start("laptop", &there, &laptop, &connection);
    let forget = |daemon: &Daemon| {
        let kept = ["--flush-certs", "--type", "x509_crl"];
        daemon.swanctl(&kept).expect_ok("swanctl --flush-certs");
    };

    // Strictly means strictly: the CA's own standing must be known as well.
    let refused = "AUTHENTICATION_FAILED";
    client.initiate().expect_refusal("a tunnel without the root's CRL", refused);
    let constraint = "RULE_CRL_VALIDATION is FAILED, but requires at least GOOD";
    assert!(vpn.log().contains(constraint), "refused for another reason:\n{}", vpn.log());
    offline.publishes(&issuing, "26w");
    client.initiate().expect_ok("a tunnel with the CRLs of both levels");
    client.ping().expect_ok("a ping through it");
    for log in [client.log(), vpn.log()] {
        for name in ["contoso-root-ca", "contoso-issuing-ca"] {
            let fetched = format!("fetching crl from 'http://{publish}/crl/{name}.crl'");
            assert!(log.contains(&fetched), "not fetched:\n{log}");
        }
        assert!(log.matches("crl correctly signed").count() >= 2, "{log}");
    }
    client.terminate();

    offline.revokes();
    offline.publishes(&issuing, "26w");
    client.initiate().expect_ok("a tunnel while both keep the CRL of before");
    client.terminate();
    // The client goes on with what it has: it is the server that must refuse.
    forget(&vpn);
    client.initiate().expect_refusal("a tunnel below a revoked CA", refused);
    assert!(vpn.log().contains("ca compromise"), "refused for another reason:\n{}", vpn.log());
    assert!(!client.ping().ok, "a refused client reaches the inside");
}
