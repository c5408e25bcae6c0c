//! FreeRADIUS in the part of NPS, eapol_test in the part of the VPN client.
//!
//! Each test follows the whole path: a revocation over the API, the CRL fetched from the
//! publication address, the server that is given it, the user who is refused.

mod levels;
pub mod server;
pub mod supplicant;

use crate::authority::Authority;
use crate::machine;
use crate::party::{Party, Site};
use server::{Clock, Plan, Radius, Trust};
use std::path::{Path, PathBuf};
use supplicant::{Method, Supplicant};

#[test]
fn users_come_in_go_out_and_are_held_and_released_with_rsa() {
    lives_of_users("rsa3072", "rsa2048", Method::Tls);
}

#[test]
fn users_come_in_go_out_and_are_held_and_released_with_p256() {
    lives_of_users("p256", "p256", Method::Tls);
}

#[test]
fn users_come_in_go_out_and_are_held_and_released_inside_peap() {
    lives_of_users("rsa2048", "p256", Method::PeapTls);
}

/// Alice stays, mallory is revoked, henry is held and released; one FreeRADIUS runs throughout and
/// finds each new CRL in its folder at the next log-on.
fn lives_of_users(ca: &str, keys: &str, method: Method) {
    let folder = machine::folder("radius");
    let authority = Authority::init(&folder, ca);
    let site = Site::new(&authority, &folder, keys);
    let server = site.nps_server();
    let [alice, mallory, henry] = ["alice", "mallory", "henry"].map(|name| site.user(name));
    let root = authority.root();
    let crl = authority.fetch_crl(&folder);
    let radius = Radius::start(&Plan {
        method,
        trust: Trust::Folder,
        ..plan(&folder, &server, &root, &crl)
    });
    let client = radius.supplicant();
    let log_on = |user: &Party| match method {
        Method::Tls => client.log_on(user),
        Method::PeapTls => client.log_on_inside_peap(user),
    };
    log_on(&alice).expect_ok("alice");
    log_on(&mallory).expect_ok("mallory, who is not revoked yet");
    log_on(&henry).expect_ok("henry, who is not held yet");

    machine::next_second(); // OpenSSL takes the first of two CRLs of one second
    authority.revoke(&mallory.serial_number, "keyCompromise");
    authority.revoke(&henry.serial_number, "certificateHold");
    log_on(&mallory).expect_ok("mallory, whose revocation FreeRADIUS was not told");
    assert_eq!(radius.log().matches(REVOKED).count(), 0, "{}", radius.log());
    radius.install(&authority.fetch_crl(&folder));
    log_on(&mallory).expect_refusal("mallory, who is revoked", "FAILURE");
    log_on(&henry).expect_refusal("henry, who is held", "FAILURE");
    log_on(&alice).expect_ok("alice, beside the revoked");
    let refusals = radius.log().matches(REVOKED).count();
    assert!(refusals >= 3, "refused for another reason:\n{}", radius.log());

    machine::next_second(); // OpenSSL takes the first of two CRLs of one second
    authority.release(&henry.serial_number);
    radius.install(&authority.fetch_crl(&folder));
    log_on(&henry).expect_ok("henry, who is released");
    log_on(&mallory).expect_refusal("mallory, whom no release concerns", "FAILURE");
    log_on(&alice).expect_ok("alice, at last");
}

/// As FreeRADIUS writes what OpenSSL found.
const REVOKED: &str = "error 23 : certificate revoked";

#[test]
fn a_responder_that_is_asked_puts_users_out_at_once() {
    let folder = machine::folder("radius");
    let authority = Authority::init_with(&folder, "rsa2048", &["--ocsp", "true"]);
    let site = Site::new(&authority, &folder, "p256");
    let server = site.nps_server();
    let [alice, mallory, henry] = ["alice", "mallory", "henry"].map(|name| site.user(name));
    let root = authority.root();
    let crl = authority.fetch_crl(&folder);
    let common = plan(&folder, &server, &root, &crl);
    let radius = Radius::start(&Plan { name: "ocsp", trust: Trust::Ocsp, ..common });
    let client = radius.supplicant();
    client.log_on(&mallory).expect_ok("mallory, who is not revoked yet");
    client.log_on(&henry).expect_ok("henry, who is not held yet");

    authority.revoke(&mallory.serial_number, "keyCompromise");
    authority.revoke(&henry.serial_number, "certificateHold");
    client.log_on(&mallory).expect_refusal("mallory, right after the call", "FAILURE");
    client.log_on(&henry).expect_refusal("henry, right after the call", "FAILURE");
    client.log_on(&alice).expect_ok("alice, beside the revoked");
    authority.release(&henry.serial_number);
    client.log_on(&henry).expect_ok("henry, right after his release");
    let log = radius.log();
    assert!(log.contains("Cert status: revoked"), "refused for another reason:\n{log}");

    // No answer: with the responder alone nobody comes in, with a CRL beside it as the CRL says.
    let crl = authority.fetch_crl(&folder);
    let both = Plan { name: "both", crl: &crl, trust: Trust::OcspAndFile, ..common };
    let both = Radius::start(&both);
    assert!(authority.stop(), "SIGTERM did not end the service cleanly");
    client.log_on(&alice).expect_refusal("alice, whom nobody vouches for", "FAILURE");
    let client = both.supplicant();
    client.log_on(&alice).expect_ok("alice, by the CRL");
    client.log_on(&mallory).expect_refusal("mallory, by the CRL", "FAILURE");
    assert!(both.log().contains(REVOKED), "{}", both.log());
}

#[test]
fn freeradius_reads_a_new_crl_after_a_restart_or_an_interval_and_not_after_a_reload() {
    let folder = machine::folder("radius");
    let authority = Authority::init(&folder, "p256");
    let site = Site::new(&authority, &folder, "p256");
    let server = site.nps_server();
    let mallory = site.user("mallory");
    let root = authority.root();
    let crl = authority.fetch_crl(&folder);
    let common = plan(&folder, &server, &root, &crl);
    let mut at_start = Radius::start(&Plan { name: "at-start", ..common });
    // The interval ends by the kernel's time stamps on packets, which libfaketime does not move: so
    // it begins in the past.
    let ago = |name, seconds: i64| {
        let clock = Clock::Off(-seconds);
        let radius =
            Radius::start(&Plan { name, trust: Trust::FolderWrittenOver, clock, ..common });
        radius.turn_clock(0);
        radius
    };
    let (young, old) = (ago("young", 200), ago("old", 310));
    // Not at the old one, whose interval would begin anew.
    for radius in [&at_start, &young] {
        radius.supplicant().log_on(&mallory).expect_ok("mallory, who is not revoked yet");
    }

    authority.revoke(&mallory.serial_number, "keyCompromise");
    let crl = authority.fetch_crl(&folder);
    for radius in [&at_start, &young, &old] {
        radius.install(&crl);
    }
    young.supplicant().log_on(&mallory).expect_ok("mallory, before the interval is over");
    old.supplicant().log_on(&mallory).expect_refusal("mallory, after the interval", "FAILURE");
    assert!(old.log().contains(REVOKED), "{}", old.log());

    at_start.supplicant().log_on(&mallory).expect_ok("mallory, at a server that does not look");
    at_start.reload();
    at_start.supplicant().log_on(&mallory).expect_ok("mallory, at a server that got a HUP");
    drop(at_start);
    let restarted = Radius::start(&Plan { name: "at-start", crl: &crl, ..common });
    restarted.supplicant().log_on(&mallory).expect_refusal("mallory, after a restart", "FAILURE");
    assert!(restarted.log().contains(REVOKED), "{}", restarted.log());
}

#[test]
fn an_expired_crl_locks_everybody_out_unless_it_may_be_expired() {
    let folder = machine::folder("radius");
    let authority = Authority::init(&folder, "p256");
    let site = Site::new(&authority, &folder, "p256");
    let server = site.nps_server();
    let [alice, mallory] = ["alice", "mallory"].map(|name| site.user(name));
    authority.revoke(&mallory.serial_number, "keyCompromise");
    let root = authority.root();
    let crl = authority.fetch_crl(&folder);
    let common = Plan { clock: Clock::Off(0), ..plan(&folder, &server, &root, &crl) };

    let strict = Radius::start(&Plan { name: "strict", ..common });
    strict.turn_clock(6 * DAY);
    strict.supplicant().log_on(&alice).expect_ok("alice, within the CRL's life");
    strict.turn_clock(9 * DAY);
    strict.supplicant().log_on(&alice).expect_refusal("alice, past the CRL's life", "FAILURE");
    assert!(strict.log().contains("error 12 : CRL has expired"), "{}", strict.log());

    let lenient = Plan { name: "lenient", trust: Trust::FileEvenExpired, ..common };
    let lenient = Radius::start(&lenient);
    lenient.turn_clock(9 * DAY);
    lenient.supplicant().log_on(&alice).expect_ok("alice, where an expired CRL counts");
    lenient.supplicant().log_on(&mallory).expect_refusal("mallory, in the expired CRL", "FAILURE");
    assert!(lenient.log().contains(REVOKED), "{}", lenient.log());
}

const DAY: i64 = 86_400;

#[test]
fn a_certificate_of_another_purpose_is_refused_on_either_side() {
    let folder = machine::folder("radius");
    let authority = Authority::init(&folder, "rsa2048");
    let site = Site::new(&authority, &folder, "rsa2048");
    let server = site.nps_server();
    let alice = site.user("alice");
    let laptop = site.device("LAPTOP1$");
    let web = site.web_server();
    let root = authority.root();
    let crl = authority.fetch_crl(&folder);
    let common = plan(&folder, &server, &root, &crl);

    let radius = Radius::start(&common);
    let client = radius.supplicant();
    client.log_on(&alice).expect_ok("alice");
    client.log_on(&laptop).expect_ok("a device, which is a client too");
    client.log_on(&web).expect_refusal("a web server as a client", "FAILURE");
    let log = radius.log();
    let wrong = log.contains("error 26 : unsuitable certificate purpose")
        || log.contains("error 26 : unsupported certificate purpose");
    assert!(wrong, "refused for another reason:\n{log}");

    // The other way round: whoever holds a user's certificate cannot play the RADIUS server.
    let named = |client: &Supplicant, name| client.attempt(&alice, Method::Tls, name);
    named(&client, "nps02.corp.contoso.com").expect_refusal("another name", "mismatch");
    let rogue = Radius::start(&Plan { name: "rogue", server: &laptop, ..common });
    named(&rogue.supplicant(), "laptop1.corp.contoso.com")
        .expect_refusal("a device as a RADIUS server", "unsuitable certificate purpose");
    let web = Radius::start(&Plan { name: "web", server: &web, ..common });
    named(&web.supplicant(), "www.contoso.com").expect_ok("a server by its own name");
}

fn plan<'a>(folder: &'a Path, server: &'a Party, root: &'a PathBuf, crl: &'a Path) -> Plan<'a> {
    Plan {
        folder,
        name: "server",
        server,
        root,
        between: None,
        crl,
        method: Method::Tls,
        trust: Trust::File,
        namespace: None,
        clock: Clock::Real,
    }
}
