//! Copies of what is published, for others to serve.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Copies, Outcome, PublicationPoint, Publisher, Schedule};
use super::world::{World, noon, publish};
use crate::storage::Register;
use crate::storage::publication::PublicationDirectory;
use crate::storage::publication_copy::CopyDirectory;

struct Scene {
    world: World,
    home: tempfile::TempDir,
    publisher: Publisher,
    point: Arc<PublicationPoint>,
}

impl Scene {
    fn new() -> Self {
        let (world, home) = (World::new(), tempfile::tempdir().unwrap());
        let store = PublicationDirectory::open(&home.path().join("publish"), "contoso").unwrap();
        let schedule = Schedule::default();
        let (point, _) = PublicationPoint::open(&world.issuer, "contoso", &store, schedule);
        let point = Arc::new(point);
        let register: Arc<dyn Register> = world.register.clone();
        let (key, issuer) = (world.key.clone(), Arc::clone(&world.issuer));
        let (store, shown) = (Arc::new(store), Arc::clone(&point));
        let publisher = Publisher::of_parts(register, key, issuer, store, shown, schedule);
        std::fs::create_dir(home.path().join("www")).unwrap();
        Self { world, home, publisher, point }
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("www")
    }

    fn copies(&self) -> Copies {
        Copies::new(Arc::clone(&self.point), Arc::new(CopyDirectory::new(&self.directory())))
    }

    fn copy(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.directory().join(name)).ok()
    }

    /// The CRL as it is published.
    fn crl(&self) -> Option<Vec<u8>> {
        std::fs::read(self.home.path().join("publish/contoso.crl")).ok()
    }
}

#[test]
fn what_is_published_stands_in_the_directory_under_the_names_of_its_urls() {
    let scene = Scene::new();
    let copies = scene.copies();
    assert_eq!(copies.attempt(noon()), Outcome::Whole);
    let certificate = scene.world.issuer.certificate_der().to_vec();
    assert_eq!(scene.copy("aia/contoso.crt"), Some(certificate));
    assert_eq!(scene.copy("crl/contoso.crl"), None);
    for minute in 1..4 {
        let moment = noon().plus_seconds(minute * 60);
        publish(&scene.publisher, moment);
        assert_eq!(copies.attempt(moment), Outcome::Whole);
        assert_eq!(scene.copy("crl/contoso.crl"), scene.crl(), "{minute}");
    }
    assert_eq!(copies.trouble(), None);
}

/// Full, gone and read-only directories look alike from here: nothing can be written. (Root is
/// stopped by no mode, so a file stands where the folder should be.)
#[test]
fn what_cannot_be_copied_is_told_and_tried_again_and_holds_nobody_up() {
    let scene = Scene::new();
    let copies = scene.copies();
    std::fs::write(scene.directory().join("crl"), "in the way").unwrap();
    let made = publish(&scene.publisher, noon());
    assert_eq!(copies.attempt(noon()), Outcome::Incomplete);
    let told = copies.trouble().unwrap();
    assert!(told.contains("crl/contoso.crl") && !told.contains("aia/"), "{told}");
    assert_eq!(scene.publisher.trouble(noon()), None);
    assert_eq!(scene.point.current().unwrap().number, made.number);

    std::fs::remove_dir_all(scene.directory()).unwrap();
    let later = noon().plus_seconds(61);
    assert_eq!(copies.attempt(later), Outcome::Incomplete);
    assert!(copies.trouble().unwrap().contains("is not there"));
    assert!(!scene.directory().exists());
    std::fs::create_dir(scene.directory()).unwrap();
    assert_eq!(copies.attempt(later.plus_seconds(1)), Outcome::Whole);
    assert_eq!((copies.trouble(), scene.copy("crl/contoso.crl")), (None, scene.crl()));
    assert!(scene.copy("aia/contoso.crt").is_some());
}

#[test]
fn what_somebody_else_removes_or_writes_over_comes_back() {
    let scene = Scene::new();
    let copies = scene.copies();
    publish(&scene.publisher, noon());
    copies.attempt(noon());
    std::fs::remove_file(scene.directory().join("crl/contoso.crl")).unwrap();
    std::fs::write(scene.directory().join("aia/contoso.crt"), "something else").unwrap();
    assert_eq!(copies.attempt(noon().plus_seconds(60)), Outcome::Whole);
    assert_eq!(scene.copy("crl/contoso.crl"), scene.crl());
    assert_eq!(scene.copy("aia/contoso.crt").unwrap(), scene.world.issuer.certificate_der());
}

#[test]
fn a_copy_never_goes_back() {
    let scene = Scene::new();
    publish(&scene.publisher, noon());
    let older = scene.crl().unwrap();
    publish(&scene.publisher, noon().plus_seconds(3600));
    let newer = scene.crl().unwrap();
    // Another service, or this one before a restore, has been here.
    let path = scene.directory().join("crl/contoso.crl");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, &older).unwrap();
    assert_eq!(scene.copies().attempt(noon().plus_seconds(3600)), Outcome::Whole);
    assert_eq!(std::fs::read(&path).unwrap(), newer);

    let behind = Scene::new();
    publish(&behind.publisher, noon());
    let path = behind.directory().join("crl/contoso.crl");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, &newer).unwrap();
    let copies = behind.copies();
    assert_eq!(copies.attempt(noon()), Outcome::Incomplete);
    assert!(copies.trouble().unwrap().contains("a newer CRL"), "{:?}", copies.trouble());
    assert_eq!(std::fs::read(&path).unwrap(), newer);
    // What is no CRL at all may be replaced.
    std::fs::write(&path, "rubbish").unwrap();
    assert_eq!(copies.attempt(noon()), Outcome::Whole);
    assert_eq!(std::fs::read(&path).ok(), behind.crl());
}
