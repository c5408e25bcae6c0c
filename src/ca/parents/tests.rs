use std::sync::Arc;

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, DnType, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

use super::*;
use crate::ca::parents::install::WasHere;
use crate::pki::time::Timestamp;
use crate::storage::act::Act;
use crate::storage::faulty::{Fault, FaultyRegister};
use crate::storage::open::Scrub;
use crate::storage::publication::PublicationDirectory;
use crate::storage::{LedgerRegister, Options, Register};

const DAY: u64 = 86_400;
const NAMED: &str = "http://pki.contoso.com/CertEnroll/Contoso%20Root.crl";

type Root = CertifiedIssuer<'static, KeyPair>;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn clock(moment: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(i64::try_from(moment.seconds()).unwrap()).unwrap()
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = clock(now().minus_seconds(DAY));
    parameters.not_after = clock(now().plus_seconds(3650 * DAY));
    parameters
}

fn root(name: &str) -> Root {
    CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap()
}

/// A CRL as a root makes it.
struct Made {
    number: u64,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: Vec<Vec<u8>>,
    scope: Option<CrlIssuingDistributionPoint>,
}

fn made(number: u64, day: u64) -> Made {
    let this_update = now().plus_seconds(day * DAY);
    let next_update = this_update.plus_seconds(100 * DAY);
    Made { number, this_update, next_update, revoked: Vec::new(), scope: None }
}

impl Made {
    fn by(self, root: &Root) -> Vec<u8> {
        let revoked = |serial: &Vec<u8>| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: clock(self.this_update),
            reason_code: None,
            invalidity_date: None,
        };
        let parameters = CertificateRevocationListParams {
            this_update: clock(self.this_update),
            next_update: clock(self.next_update),
            crl_number: SerialNumber::from(self.number),
            issuing_distribution_point: self.scope,
            revoked_certs: self.revoked.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        parameters.signed_by(root).unwrap().der().to_vec()
    }
}

/// A CA below a root, with a register and a directory for the root's CRLs.
struct World {
    home: tempfile::TempDir,
    root: Root,
    issuer: Issuer,
    register: Arc<LedgerRegister>,
}

impl World {
    fn new() -> Self {
        let root = root("Contoso Root");
        let mut parameters = authority("Contoso VPN CA");
        parameters.serial_number = Some(SerialNumber::from(77));
        parameters.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec![NAMED.to_owned()] }];
        let key = KeyPair::generate().unwrap();
        let own = parameters.signed_by(&key, &root).unwrap();
        let urls = vec!["http://pki.contoso.com/crl/contoso-vpn-ca.crl".to_owned()];
        let issuer = Issuer::new(own.der(), &[root.der().to_vec()], urls, Vec::new()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let options = Options::new(home.path().join("data"));
        let register = crate::storage::open(Options { scrub: Scrub::Not, ..options }).unwrap();
        Self { home, root, issuer, register }
    }

    /// As a start finds them.
    fn parents(&self) -> Parents {
        Parents::open(&self.issuer, "contoso-vpn-ca", &|name| {
            Ok(Arc::new(PublicationDirectory::open(self.home.path(), name)?))
        })
        .unwrap()
    }

    fn install(&self, parents: &Parents, crl: Vec<u8>, now: Timestamp) -> Result<WasHere, String> {
        let installed = parents.install(&*self.register, crl, Some("anna".to_owned()), now);
        installed.map(|own| own.was_here).map_err(|why| why.to_string())
    }

    fn installations(&self) -> usize {
        let rows = self.register.entries(1, 1000).unwrap();
        rows.iter().filter(|row| matches!(row.entry.act, Act::ParentCrlInstalled(_))).count()
    }
}

fn served(parents: &Parents, path: &str) -> Option<Vec<u8>> {
    match parents.at(path)? {
        Found::Crl(crl) => crl.map(|crl| crl.octets.to_vec()),
        Found::Certificate(own) => Some(own.der.to_vec()),
    }
}

#[test]
fn a_parents_crl_is_served_under_its_name_and_where_our_certificate_says() {
    let world = World::new();
    let parents = world.parents();
    let own = "/crl/contoso-root.crl";
    assert!(matches!(parents.at(own), Some(Found::Crl(None))));
    assert!(parents.trouble(now()).unwrap().contains("install-crl"));
    let crl = made(1, 0).by(&world.root);
    assert_eq!(world.install(&parents, crl.clone(), now()), Ok(WasHere::No));
    assert_eq!(parents.trouble(now()), None);
    for path in [own, "/CertEnroll/Contoso%20Root.crl", "/CertEnroll/Contoso Root.crl"] {
        assert_eq!(served(&parents, path), Some(crl.clone()), "{path}");
    }
    let root = world.root.der().to_vec();
    assert_eq!(served(&parents, "/aia/contoso-root.crt"), Some(root));
    for path in ["/crl/contoso-vpn-ca.crl", "/crl/%zz.crl", "/", ""] {
        assert!(parents.at(path).is_none(), "{path}");
    }
    assert_eq!(parents.iter().next().unwrap().crl_urls(), [NAMED]);
    // On record with who did it, once; and there at the next start.
    assert_eq!(world.install(&parents, crl.clone(), now()), Ok(WasHere::Yes));
    assert_eq!(world.installations(), 1);
    let row = world.register.entries(1, 10).unwrap().pop().unwrap();
    assert_eq!(row.entry.actor.as_deref(), Some("anna"));
    assert_eq!(served(&world.parents(), own), Some(crl));
}

#[test]
fn numbers_and_times_go_forward_only() {
    let world = World::new();
    let parents = world.parents();
    let later = now().plus_seconds(20 * DAY);
    world.install(&parents, made(5, 5).by(&world.root), later).unwrap();
    for (number, day) in [(4, 6), (6, 4), (4, 4)] {
        let older = made(number, day).by(&world.root);
        let told = world.install(&parents, older.clone(), later).unwrap_err();
        assert!(told.contains("a newer one"), "{number} of day {day}: {told}");
        // Nor after a start, nor where the file is lost.
        let told = world.install(&world.parents(), older, later).unwrap_err();
        assert!(told.contains("a newer one"), "{told}");
    }
    let twin = Made { revoked: vec![vec![9]], ..made(5, 5) }.by(&world.root);
    let told = world.install(&parents, twin, later).unwrap_err();
    assert!(told.contains("same number"), "{told}");
    assert_eq!(world.installations(), 1);
    world.install(&parents, made(6, 6).by(&world.root), later).unwrap();
    let file = world.home.path().join("contoso-root.crl");
    std::fs::remove_file(&file).unwrap();
    let parents = world.parents();
    let told = world.install(&parents, made(5, 5).by(&world.root), later).unwrap_err();
    assert!(told.contains("a newer one"), "{told}");
    world.install(&parents, made(7, 7).by(&world.root), later).unwrap();
    assert!(file.exists());
}

#[test]
fn a_lost_file_is_put_back_without_another_record() {
    let world = World::new();
    let crl = made(1, 0).by(&world.root);
    world.install(&world.parents(), crl.clone(), now()).unwrap();
    let file = world.home.path().join("contoso-root.crl");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(world.install(&world.parents(), crl.clone(), now()), Ok(WasHere::No));
    assert_eq!(world.installations(), 1);
    assert_eq!(std::fs::read(&file).unwrap(), crl);
}

#[test]
fn what_is_not_on_record_is_not_served() {
    let world = World::new();
    let parents = world.parents();
    world.install(&parents, made(1, 0).by(&world.root), now()).unwrap();
    let register: Arc<dyn Register> = Arc::<LedgerRegister>::clone(&world.register);
    let faulty = FaultyRegister::new(register, 1, Fault::BeforePersisting);
    let later = now().plus_seconds(DAY);
    let next = made(2, 1).by(&world.root);
    assert!(parents.install(&faulty, next, None, later).is_err());
    let number = parents.iter().next().unwrap().crl().unwrap().number.clone().unwrap();
    assert_eq!(number.to_u64(), Some(1));
}

#[test]
fn what_is_no_crl_for_this_chain_is_refused_with_the_reason() {
    let world = World::new();
    let parents = world.parents();
    let told = |crl: Vec<u8>| world.install(&parents, crl, now()).unwrap_err();
    let stranger = root("Fabrikam Root");
    assert!(told(made(1, 0).by(&stranger)).contains("CN=Fabrikam Root, who does not stand above"));
    let namesake = root("Contoso Root");
    assert!(told(made(1, 0).by(&namesake)).contains("not signed with the key"));
    assert!(told(b"no CRL".to_vec()).contains("not a CRL"));
    assert!(told(made(1, 2).by(&world.root)).contains("begins only on"));
    assert!(told(vec![0; MOST_OCTETS + 1]).contains("larger than"));
    let about = |uri: &str, scope| {
        let distribution_point = CrlDistributionPoint { uris: vec![uri.to_owned()] };
        let point = CrlIssuingDistributionPoint { distribution_point, scope };
        Made { scope: Some(point), ..made(1, 0) }.by(&world.root)
    };
    assert!(told(about(NAMED, Some(CrlScope::UserCertsOnly))).contains("about end entities"));
    assert!(told(about("http://x/y.crl", None)).contains("another distribution point"));
    let good = about(NAMED, Some(CrlScope::CaCertsOnly));
    assert_eq!(world.install(&parents, good, now()), Ok(WasHere::No));
    assert_eq!(world.installations(), 1);
    let lone = Parents::default();
    let told = world.install(&lone, made(1, 0).by(&world.root), now()).unwrap_err();
    assert!(told.contains("is a root"), "{told}");
}

#[test]
fn whoever_installs_is_told_what_relying_parties_will_say() {
    let world = World::new();
    let parents = world.parents();
    let revoking = Made { revoked: vec![vec![77]], ..made(1, 0) }.by(&world.root);
    let long_after = now().plus_seconds(101 * DAY);
    let installed = parents.install(&*world.register, revoking, None, long_after).unwrap();
    let told = installed.warnings.join("\n");
    assert!(
        told.contains("it ended on") && told.contains("CN=Contoso VPN CA as revoked"),
        "{told}"
    );
    assert_eq!(installed.warnings.len(), 2);
}

#[test]
fn a_lapsing_crl_is_told_before_it_ends() {
    let world = World::new();
    let parents = world.parents();
    world.install(&parents, made(1, 0).by(&world.root), now()).unwrap();
    let parent = parents.iter().next().unwrap();
    let told = |day: u64| {
        let moment = now().plus_seconds(day * DAY).plus_seconds(1);
        (parent.standing(moment), parents.notices(moment).len(), parents.trouble(moment).is_some())
    };
    assert_eq!(told(89), (Standing::Good, 0, false));
    assert_eq!(told(90), (Standing::Due, 1, false));
    assert_eq!(told(98), (Standing::Due, 1, false));
    assert_eq!(told(99), (Standing::Lapsing, 0, true));
    assert_eq!(told(100), (Standing::Ended, 0, true));
}

#[test]
fn a_stored_crl_of_another_root_is_left_out() {
    let world = World::new();
    let file = world.home.path().join("contoso-root.crl");
    for wrong in [made(1, 0).by(&root("Contoso Root")), b"no CRL".to_vec(), Vec::new()] {
        std::fs::write(&file, wrong).unwrap();
        assert!(world.parents().iter().next().unwrap().crl().is_none());
    }
    let right = made(1, 0).by(&world.root);
    std::fs::write(&file, &right).unwrap();
    assert_eq!(served(&world.parents(), "/crl/contoso-root.crl"), Some(right));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is handed over in whatever order, what is served never goes back.
    #[test]
    fn what_is_served_never_goes_back(order in prop::collection::vec((1u64..9, 0u64..9), 1..12)) {
        let world = World::new();
        let mut parents = world.parents();
        let mut last = None;
        for (step, (number, day)) in order.into_iter().enumerate() {
            let later = now().plus_seconds(10 * DAY);
            let taken = world.install(&parents, made(number, day).by(&world.root), later).is_ok();
            let crl = parents.iter().next().unwrap().crl().unwrap();
            let found = (crl.number.as_ref().unwrap().to_u64().unwrap(), crl.this_update);
            if taken {
                prop_assert_eq!(found.0, number);
            }
            if let Some((before, since)) = last {
                prop_assert!(found.0 >= before && found.1 >= since);
            }
            last = Some(found);
            if step % 3 == 2 {
                parents = world.parents();
            }
        }
    }

    #[test]
    fn any_octets_are_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let world = World::new();
        prop_assert!(world.install(&world.parents(), octets, now()).is_err());
        prop_assert_eq!(world.installations(), 0);
    }
}
