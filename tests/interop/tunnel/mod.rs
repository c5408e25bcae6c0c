//! strongSwan as VPN server (in the part of RRAS) and VPN client: the device tunnel, EAP-TLS at the
//! VPN server, and EAP-TLS at a RADIUS server behind it; in network namespaces of their own.
//!
//! charon asks the OCSP responder that a certificate names, else fetches the CRL from the address
//! that it names. Either answer it keeps until its nextUpdate: a revocation is not seen before,
//! unless `swanctl --flush-certs` throws away what is kept.

mod charon;
mod levels;
mod network;

use crate::authority::Authority;
use crate::machine;
use crate::party::{Party, Site};
use crate::radius::server::{Clock, Plan, Radius, Trust};
use crate::radius::supplicant::Method;
use charon::Daemon;
use network::{Namespace, SERVER};

#[test]
fn a_device_tunnel_with_rsa() {
    others_go_while_one_stays("rsa3072", "rsa2048", Proof::Key, Source::Crl);
}

#[test]
fn a_device_tunnel_with_p256() {
    others_go_while_one_stays("p256", "p256", Proof::Key, Source::Crl);
}

#[test]
fn eap_tls_at_the_vpn_server_with_rsa() {
    others_go_while_one_stays("rsa3072", "rsa2048", Proof::EapTls, Source::Crl);
}

#[test]
fn eap_tls_at_the_vpn_server_with_p256() {
    others_go_while_one_stays("p256", "p256", Proof::EapTls, Source::Crl);
}

#[test]
fn eap_tls_at_a_radius_server_behind_the_vpn_server_with_rsa() {
    others_go_while_one_stays("rsa3072", "rsa2048", Proof::EapRadius, Source::Crl);
}

#[test]
fn eap_tls_at_a_radius_server_behind_the_vpn_server_with_p256() {
    others_go_while_one_stays("p256", "p256", Proof::EapRadius, Source::Crl);
}

#[test]
fn a_device_tunnel_with_ocsp() {
    others_go_while_one_stays("p256", "p256", Proof::Key, Source::Ocsp);
}

#[test]
fn eap_tls_at_the_vpn_server_with_ocsp() {
    others_go_while_one_stays("rsa2048", "p256", Proof::EapTls, Source::Ocsp);
}

#[test]
fn eap_tls_at_a_radius_server_behind_the_vpn_server_with_ocsp() {
    others_go_while_one_stays("p256", "rsa2048", Proof::EapRadius, Source::Ocsp);
}

/// Where the parties learn of revocations.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Crl,
    Ocsp,
}

impl Source {
    /// What charon writes when it fetches.
    fn fetching(self, publish: &str) -> String {
        match self {
            Self::Crl => format!("fetching crl from 'http://{publish}/crl/"),
            Self::Ocsp => format!("requesting ocsp status from 'http://{publish}/ocsp'"),
        }
    }

    /// What charon writes when the signature of the fetched is good.
    fn signed(self) -> &'static str {
        match self {
            Self::Crl => "crl correctly signed",
            Self::Ocsp => "ocsp response correctly signed",
        }
    }

    /// What swanctl calls it.
    fn kept_as(self) -> &'static str {
        match self {
            Self::Crl => "x509_crl",
            Self::Ocsp => "ocsp_response",
        }
    }
}

/// How a client proves who it is, and to whom.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    /// A signature in IKEv2, to the VPN server.
    Key,
    /// EAP-TLS, to the VPN server.
    EapTls,
    /// EAP-TLS, to the RADIUS server that the VPN server asks.
    EapRadius,
}

impl Proof {
    /// What the VPN server asks of clients. It leaves the CRL to a RADIUS server.
    fn remote(self) -> &'static str {
        match self {
            Self::Key => "      auth = pubkey\n      cacerts = ca.pem\n      revocation = strict",
            Self::EapTls => {
                "      auth = eap-tls\n      eap_id = %any\n      cacerts = ca.pem\n      \
                 revocation = strict"
            }
            Self::EapRadius => "      auth = eap-radius\n      eap_id = %any",
        }
    }

    /// What swanctl says where the certificate is refused.
    fn refusal(self) -> &'static str {
        match self {
            Self::Key => "AUTHENTICATION_FAILED",
            Self::EapTls => "TLS alert 'certificate unknown'",
            Self::EapRadius => "EAP_FAILURE",
        }
    }

    /// What a client does.
    fn local(self, identity: &str) -> String {
        let own = format!("      certs = own.pem\n      id = {identity}\n");
        match self {
            Self::Key => own + "      auth = pubkey",
            Self::EapTls => own + "      auth = eap-tls\n      aaa_id = vpn.contoso.com",
            Self::EapRadius => own + "      auth = eap-tls\n      aaa_id = nps01.corp.contoso.com",
        }
    }
}

/// One client's tunnel carries traffic all the while; another is revoked, held, released, and each
/// time tries again.
fn others_go_while_one_stays(ca: &str, keys: &str, proof: Proof, source: Source) {
    let folder = machine::folder("tunnel");
    let here = Namespace::server(&folder);
    let [near, far] = [1, 2].map(|number| Namespace::client(&folder, &here, number));
    // The publication address is the server's own: reachable from all sides.
    let publish = format!("{SERVER}:8080");
    let more: &[&str] = if source == Source::Ocsp { &["--ocsp", "true"] } else { &[] };
    let inside = Some(here.pid());
    let authority = Authority::init_at(&folder, ca, "127.0.0.1:8443", &publish, inside, more);
    let site = Site::new(&authority, &folder, keys);
    let vpn_server = site.vpn_server();
    let (root, crl) = (authority.root(), authority.fetch_crl(&folder));
    let nps_server = site.nps_server();
    let radius = (proof == Proof::EapRadius).then(|| {
        Radius::start(&Plan {
            folder: &folder,
            name: "radius",
            server: &nps_server,
            root: &root,
            between: None,
            crl: &crl,
            method: Method::Tls,
            trust: if source == Source::Ocsp { Trust::Ocsp } else { Trust::Folder },
            namespace: inside,
            clock: Clock::Real,
        })
    });
    let connection = include_str!("server.conf").replace("@REMOTE@", proof.remote());
    let port = radius.as_ref().map(Radius::port);
    let vpn = Daemon::start(&folder.join("vpn"), &here, &vpn_server, &[&root], &connection, port);
    let client = |name: &str, namespace: &Namespace| {
        let (party, identity) = client_party(&site, proof, name);
        let connection = include_str!("client.conf").replace("@LOCAL@", &proof.local(&identity));
        let place = folder.join(name);
        (Daemon::start(&place, namespace, &party, &[&root], &connection, None), party)
    };
    let (stays, _) = client("stays", &near);
    let (goes, going) = client("goes", &far);

    assert!(!stays.ping().ok, "the inside is reached without a tunnel");
    stays.initiate().expect_ok("the tunnel that stays");
    let mut traffic = stays.traffic();
    traffic.expect_more("traffic through the tunnel that stays");
    goes.initiate().expect_ok("a client that is not revoked yet");
    goes.ping().expect_ok("a ping through its tunnel");
    // Both sides look: the client at the server, and the server at the client.
    for log in [stays.log(), vpn.log()].iter().take(if radius.is_some() { 1 } else { 2 }) {
        assert!(log.contains(&source.fetching(&publish)), "nothing fetched:\n{log}");
        assert!(log.contains(source.signed()), "{log}");
    }

    goes.terminate();
    let refused = |reason: &str| {
        goes.initiate().expect_refusal(reason, proof.refusal());
        assert!(!goes.ping().ok, "a refused client reaches the inside");
        let seen = radius.as_ref().map_or_else(|| vpn.log(), Radius::log);
        let ground = match (&radius, source) {
            (None, _) => reason,
            (Some(_), Source::Crl) => "error 23 : certificate revoked",
            (Some(_), Source::Ocsp) => "Cert status: revoked",
        };
        assert!(seen.contains(ground), "refused for another reason:\n{seen}");
    };
    // What has to be done so that the relying party sees the change; FreeRADIUS asks by itself.
    let tell = || match (&radius, source) {
        (Some(radius), Source::Crl) => radius.install(&authority.fetch_crl(&folder)),
        (Some(_), Source::Ocsp) => {}
        (None, _) => {
            let kept = ["--flush-certs", "--type", source.kept_as()];
            vpn.swanctl(&kept).expect_ok("swanctl --flush-certs");
        }
    };

    machine::next_second(); // OpenSSL takes the first of two CRLs of one second
    authority.revoke(&going.serial_number, "certificateHold");
    if radius.is_none() || source == Source::Crl {
        goes.initiate().expect_ok("one whose hold the relying party was not told");
        goes.terminate();
    }
    tell();
    refused("certificate hold");
    traffic.expect_more("traffic beside a held client");

    machine::next_second();
    authority.release(&going.serial_number);
    tell();
    goes.initiate().expect_ok("a client that is released");
    goes.ping().expect_ok("a ping through its tunnel");
    goes.terminate();

    machine::next_second();
    authority.revoke(&going.serial_number, "keyCompromise");
    tell();
    refused("key compromise");
    traffic.expect_more("traffic beside a revoked client");
}

/// A device, where the proof is a device tunnel's; else a user. And how it calls itself.
fn client_party(site: &Site, proof: Proof, name: &str) -> (Party, String) {
    match proof {
        Proof::Key => (site.device(&format!("{name}$")), format!("{name}.corp.contoso.com")),
        Proof::EapTls | Proof::EapRadius => (site.user(name), format!("{name}@corp.contoso.com")),
    }
}
