//! When the API's own certificate is exchanged, with a real register, and what clients see of it.

use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConnection, SideData,
};

use super::*;
use crate::ca::Parts;
use crate::ca::accounts::from_row;
use crate::ca::establish::{established, first_acts, intend_root, sign_root};
use crate::cli::register::record;
use crate::cli::surroundings::{now, random};
use crate::directory::{BuiltIn, DirectoryError};
use crate::pki::issuer::Issuer;
use crate::pki::template::TemplateArc;
use crate::storage::Urgency;
use crate::storage::act::Act;
use crate::storage::open::{Options, open};

const HOST: &str = "ca.corp.contoso.com";
const DAY: u64 = 86_400;

/// A CA in an empty register, founded at this moment.
pub(in crate::cli::serve) fn founded(register: &Arc<LedgerRegister>, at: Timestamp) -> Authority {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let name = DistinguishedName::from_rfc4514("CN=Contoso VPN CA").unwrap();
    let intended = intend_root(&name, &key, [7; 20], at, 10 * 365 * DAY).unwrap();
    let act = Act::AuthorityIntended(intended.clone());
    record(register, vec![act], at, Urgency::Ordinary).unwrap();
    let certificate = sign_root(&intended, &key).unwrap();
    let arc = TemplateArc::from_random([9; 16]);
    let (written, above) = (arc.to_string(), Vec::new());
    let made = established(&name, certificate.clone(), above, written, Vec::new(), 1);
    let slug = made.slug.clone();
    record(register, first_acts(made, at), at, Urgency::Ordinary).unwrap();
    let none = Vec::<Vec<u8>>::new();
    let rows = Arc::clone(register);
    let lookup = move |name: &str| {
        let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
        Ok(row.map(|row| from_row(row).account))
    };
    Authority::new(Parts {
        register: Arc::<LedgerRegister>::clone(register),
        key: Arc::new(key),
        directory: Arc::new(BuiltIn(lookup)),
        issuer: Issuer::new(&certificate, &none, Vec::new(), Vec::new()).unwrap(),
        slug,
        template_arc: arc,
        random: random(),
    })
    .unwrap()
}

fn carry<A: SideData, B: SideData>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) {
    let mut sent = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut sent).unwrap();
    }
    let mut left = &sent[..];
    while !left.is_empty() {
        to.read_tls(&mut left).unwrap();
        to.process_new_packets().unwrap();
    }
}

/// The serial number of the certificate that a client is shown, who trusts the root and verifies
/// it for the host's name and today.
fn shown(tls: &Tls, authority: &Authority) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.issuer().certificate().der().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), HOST.try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(tls.config()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    let leaf = &client.peer_certificates().unwrap()[0];
    Certificate::from_der(leaf).unwrap().serial().to_string()
}

#[test]
fn it_is_renewed_when_two_thirds_of_its_life_are_over() {
    let folder = tempfile::tempdir().unwrap();
    let register = open(Options::new(folder.path())).unwrap();
    // So long ago that the first is still valid today, and its last third has begun.
    let issued_at = now().minus_seconds(500 * DAY);
    let authority = founded(&register, issued_at);
    let names = vec![AlternativeName::Dns(HOST.to_owned())];
    let own = OwnCertificate::new(&Home::new(folder.path()), &register, names);
    let (first, key) = own.issue(&authority, issued_at).unwrap();
    let tls = tls(&authority, &first, &key, issued_at).unwrap();
    let (start, end) = (first.not_before(), first.not_after());
    let two_thirds = start.plus_seconds(end.seconds_since(start) / 3 * 2);
    assert!(issued_at < two_thirds && two_thirds < now() && now() < end);
    let first = first.serial().to_string();
    own.remember(own.stored().unwrap().0);

    for moment in [issued_at, two_thirds.minus_seconds(1)] {
        own.renew(&authority, &tls, moment);
        assert_eq!(shown(&tls, &authority), first, "{moment}");
    }
    own.renew(&authority, &tls, two_thirds);
    let second = shown(&tls, &authority);
    assert_ne!(second, first);
    // On disk for the next start, and on record; and it stays.
    let (stored, _) = own.stored().unwrap();
    assert_eq!(stored.serial().to_string(), second);
    assert!(register.certificate(&stored.serial()).unwrap().is_some());
    own.renew(&authority, &tls, two_thirds.plus_seconds(600));
    assert_eq!(shown(&tls, &authority), second);
}
