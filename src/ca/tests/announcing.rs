//! Notifications over a real register: what is news, what ends soon, and what a restore does.

use std::sync::Arc;

use super::world::{World, acts, administrator, ask, csr, issued, noon, vpn_user};
use crate::ca::announcement::{Announcements, Distances, Watch};
use crate::ca::ocsp::EndingAnswers;
use crate::ca::permissions::Role;
use crate::ca::{Authority, CertificateRow, Requester};
use crate::notification::event::News;
use crate::notification::{Event, Outbox, Settlement, Standing};
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, CrlIntended, CrlPublished, Ending, Entry};
use crate::storage::{LedgerRegister, Register, Urgency};

const USER: &str = "VPNUserAuthentication";
pub(super) const DAY: u64 = 86_400;

pub(super) struct Running {
    pub(super) register: Arc<LedgerRegister>,
    pub(super) authority: Arc<Authority>,
    outbox: Announcements,
    pub(super) watch: Watch,
}

pub(super) fn run(world: &World) -> Running {
    let register = world.open();
    let authority = Arc::new(world.authority(register.clone()));
    let outbox = Announcements::new(Arc::clone(&authority), "https://ca.contoso.com".to_owned());
    let distances = Distances {
        certificates: vec![7 * DAY, 30 * DAY],
        authorities: vec![30 * DAY, 7 * DAY],
        crl: vec![3600],
        parent_crls: Vec::new(),
        answers: vec![6 * 3600, 3600],
    };
    let watch = Watch::new(Arc::clone(&authority), distances);
    Running { register, authority, outbox, watch }
}

pub(super) fn enrol(running: &Running, requester: &Requester, now: Timestamp) -> CertificateRow {
    issued(running.authority.enroll(requester, ask(USER, &csr(&[])), now))
}

/// The serial numbers that were told, with their distances, in the order of the ledger.
pub(super) fn told(register: &dyn Register) -> Vec<(Vec<u8>, u64, Option<u64>)> {
    let mut told = Vec::new();
    for act in acts(register) {
        if let Act::ExpiryNoticed(noticed) = act
            && let Ending::Certificates(own) = noticed.ending
        {
            let distance = (noticed.before_seconds, noticed.told_before_seconds);
            let serials = own.certificates.into_iter().map(|own| own.serial);
            told.extend(serials.map(|serial| (serial, distance.0, distance.1)));
        }
    }
    told
}

pub(super) fn of(row: &CertificateRow) -> Vec<u8> {
    row.serial.as_der_content().to_vec()
}

#[test]
fn a_request_that_waits_is_news_with_what_a_manager_needs() {
    let world = World::new();
    let running = run(&world);
    let alice = vpn_user(&running.authority, "alice");
    let root = administrator();
    let mut file = running.authority.template(&root, USER).unwrap().template.to_file();
    file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    running.authority.replace_template(&root, USER, file, None, noon()).unwrap();
    let before = running.outbox.end();
    let asked = running.authority.enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap();
    let events = running.outbox.events(before + 1, 10).unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let News::RequestPending(own) = &event.news else { panic!("{event:?}") };
    assert_eq!((own.request_id, own.template.as_str()), (asked.request_id, USER));
    assert_eq!((own.account.as_str(), own.requester.as_str()), ("alice", "alice"));
    assert_eq!(own.url, format!("https://ca.contoso.com/v1/requests/{}", asked.request_id));
    assert_eq!(event.at, noon());
    let row = &running.register.entries(event.sequence, 1).unwrap()[0];
    assert_eq!(row.hash, event.hash);
    // What was decided since does not change what is told.
    let manager = super::world::somebody("mara", &[Role::CertificateManager]);
    running.authority.deny(&manager, asked.request_id, None, noon()).unwrap();
    assert_eq!(running.outbox.events(event.sequence, 1).unwrap(), events);
}

#[test]
fn a_certificate_is_told_once_for_each_distance_unless_renewed_or_revoked() {
    let world = World::new();
    let running = run(&world);
    let (alice, bob) = (vpn_user(&running.authority, "alice"), vpn_user(&running.authority, "bob"));
    let carol = vpn_user(&running.authority, "carol");
    let dave = vpn_user(&running.authority, "dave");
    let lonely = enrol(&running, &alice, noon());
    let asked_anew = enrol(&running, &bob, noon());
    let revoked = enrol(&running, &carol, noon());
    let held = enrol(&running, &dave, noon());
    let end = lonely.not_after;
    let root = administrator();
    let revoke = |row: &CertificateRow, reason, at| {
        running.authority.revoke(&root, &row.serial, reason, None, at).unwrap();
    };
    revoke(&revoked, RevocationReason::Superseded, noon());
    revoke(&held, RevocationReason::CertificateHold, noon());

    let early = end.minus_seconds(30 * DAY + 1);
    assert_eq!(running.watch.look_at_certificates(early).unwrap(), 0);
    // Bob's computer asks anew, as autoenrolment does.
    enrol(&running, &bob, early);
    let month = end.minus_seconds(30 * DAY);
    assert_eq!(running.watch.look_at_certificates(month).unwrap(), 1);
    assert_eq!(running.watch.look_at_certificates(month).unwrap(), 0);
    let (thirty, seven) = (30 * DAY, 7 * DAY);
    assert_eq!(told(&*running.register), [(of(&lonely), thirty, None)]);
    assert!(!told(&*running.register).iter().any(|(serial, ..)| *serial == of(&asked_anew)));
    let first = running.outbox.events(1, 100).unwrap().pop().unwrap();
    let News::CertificatesExpiring(_, news) = &first.news else { panic!("{first:?}") };
    assert_eq!(news.template, USER);
    let one = &news.certificates[0];
    assert_eq!((one.account.as_str(), one.not_after), ("alice", end));
    assert!(one.names.iter().any(|name| name == "alice@contoso.com"), "{:?}", one.names);
    assert_eq!(one.url, format!("https://ca.contoso.com/v1/certificates/{}", lonely.serial));

    // Across a restart nothing is told again; what is released counts from now on.
    drop(running);
    world.crash();
    let running = run(&world);
    assert_eq!(running.watch.look_at_certificates(month).unwrap(), 0);
    running.authority.release(&root, &held.serial, month).unwrap();
    assert_eq!(running.watch.look_at_certificates(month).unwrap(), 1);
    let week = end.minus_seconds(7 * DAY);
    assert_eq!(running.watch.look_at_certificates(week).unwrap(), 2);
    assert_eq!(running.watch.look_at_certificates(end.minus_seconds(1)).unwrap(), 0);
    let mut all = told(&*running.register);
    all.sort();
    let mut expected = vec![
        (of(&lonely), thirty, None),
        (of(&held), thirty, None),
        (of(&lonely), seven, Some(thirty)),
        (of(&held), seven, Some(thirty)),
    ];
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn a_standstill_tells_the_nearest_distance_and_a_short_life_only_what_is_within_it() {
    let world = World::new();
    let running = run(&world);
    let alice = vpn_user(&running.authority, "alice");
    let row = enrol(&running, &alice, noon());
    let late = row.not_after.minus_seconds(2 * DAY);
    // A clock that is wrong for an hour, after the end: nothing ends soon that has ended.
    assert_eq!(running.watch.look_at_certificates(row.not_after.plus_seconds(DAY)).unwrap(), 0);
    assert_eq!(running.watch.look_at_certificates(late).unwrap(), 1);
    assert_eq!(told(&*running.register), [(of(&row), 7 * DAY, None)]);

    let root = administrator();
    let mut file = running.authority.template(&root, USER).unwrap().template.to_file();
    file.validity_period = "20 days".to_owned();
    file.renewal_period = "2 days".to_owned();
    running.authority.replace_template(&root, USER, file, None, noon()).unwrap();
    let short = enrol(&running, &vpn_user(&running.authority, "bob"), late);
    assert_eq!(running.watch.look_at_certificates(late).unwrap(), 0);
    let week = short.not_after.minus_seconds(7 * DAY);
    assert_eq!(running.watch.look_at_certificates(week).unwrap(), 1);
}

#[test]
fn many_that_end_together_are_told_together() {
    let world = World::new();
    let running = run(&world);
    let mut end = noon();
    for number in 0..120 {
        let user = vpn_user(&running.authority, &format!("user{number}"));
        end = enrol(&running, &user, noon()).not_after;
    }
    assert_eq!(running.watch.look_at_certificates(end.minus_seconds(DAY)).unwrap(), 120);
    let mut sizes: Vec<usize> = Vec::new();
    for event in running.outbox.events(1, 100).unwrap() {
        let News::CertificatesExpiring(_, own) = event.news else { panic!("another kind") };
        sizes.push(own.certificates.len());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [20, 50, 50]);
    let mut serials: Vec<_> = told(&*running.register).into_iter().map(|own| own.0).collect();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 120);
}

#[test]
fn the_ca_and_an_overdue_crl_are_told() {
    // It ends forty days from noon.
    let world = World::of_days(40);
    let running = run(&world);
    let all = |running: &Running| running.outbox.events(1, 100).unwrap();
    running.watch.tick(noon()).unwrap();
    assert!(all(&running).is_empty());
    let later = noon().plus_seconds(11 * DAY);
    for _ in 0..3 {
        running.watch.look_at_authorities(later).unwrap();
    }
    let events = all(&running);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let News::AuthorityExpiring(distance, own) = &event.news else { panic!("{event:?}") };
    assert_eq!((distance.before_seconds, distance.told_before_seconds), (30 * DAY, None));
    assert!(own.subject.contains("Contoso VPN CA"), "{}", own.subject);
    running.watch.look_at_authorities(noon().plus_seconds(50 * DAY)).unwrap();
    assert_eq!(all(&running).len(), 2, "an end that was passed by is told");

    let publish =
        |number: u64, base: Option<u64>, next_publish: Timestamp, next_update: Timestamp| {
            let intended = Act::CrlIntended(CrlIntended {
                number,
                this_update: noon().seconds(),
                next_update: next_update.seconds(),
                next_publish: next_publish.seconds(),
                tbs_digest: vec![1; 32],
                entries: 0,
                sequence: None,
                base,
                oldest_held: None,
                freshest: None,
                scope: None,
            });
            let published =
                Act::CrlPublished(CrlPublished { number, size: 300, sha256: [number as u8; 32] });
            let entry = |act| Entry { at: noon().millis(), actor: None, act };
            let entries = vec![entry(intended), entry(published)];
            running.register.commit(entries, Urgency::Reserved).unwrap();
        };
    let due = noon().plus_seconds(7200);
    publish(1, None, due, due.plus_seconds(3000));
    let crls = |running: &Running| -> Vec<(u64, bool)> {
        let number = |event: Event| match event.news {
            News::CrlPublished(own) => Some((own.number, true)),
            News::CrlExpiring(_, own) => Some((own.number, false)),
            _ => None,
        };
        all(running).into_iter().filter_map(number).collect()
    };
    // Within the hour before its end, but not overdue: a short period alarms nobody.
    running.watch.look_at_crls(due.minus_seconds(1)).unwrap();
    assert_eq!(crls(&running), [(1, true)]);
    running.watch.look_at_crls(due.plus_seconds(300)).unwrap();
    running.watch.look_at_crls(due.plus_seconds(301)).unwrap();
    assert_eq!(crls(&running), [(1, true), (1, false)]);
    publish(2, None, due.plus_seconds(7200), due.plus_seconds(10_200));
    running.watch.look_at_crls(due.plus_seconds(400)).unwrap();
    assert_eq!(crls(&running), [(1, true), (1, false), (2, true)]);
    let Some(News::CrlPublished(own)) = all(&running).pop().map(|event| event.news) else {
        panic!("the second CRL")
    };
    assert_eq!((own.entries, own.size, own.sha256), (Some(0), 300, [2; 32]));
    assert_eq!(own.validity, Some((noon(), due.plus_seconds(10_200))));
    assert_eq!(own.urls, ["http://pki.contoso.com/crl/contoso-vpn-ca.crl"]);
    assert_eq!(own.base, None);
    publish(3, Some(2), due.plus_seconds(500), due.plus_seconds(600));
    let Some(News::CrlPublished(own)) = all(&running).pop().map(|event| event.news) else {
        panic!("the delta")
    };
    assert_eq!((own.number, own.base), (3, Some(2)));
    assert_eq!(own.urls, ["http://pki.contoso.com/crl/contoso-vpn-ca-delta.crl"]);
}

/// A base that says where deltas are is no help while the delta ends: Windows takes both or none.
#[test]
fn an_overdue_delta_is_told_while_there_are_deltas() {
    let world = World::new();
    let running = run(&world);
    let (soon, far) = (noon().plus_seconds(7200), noon().plus_seconds(7 * DAY));
    let publish = |number: u64, base: Option<u64>, due: Timestamp, freshest: Option<bool>| {
        let intended = CrlIntended {
            number,
            this_update: noon().seconds(),
            next_update: due.plus_seconds(3000).seconds(),
            next_publish: due.seconds(),
            tbs_digest: vec![1; 32],
            entries: 0,
            sequence: None,
            base,
            oldest_held: None,
            freshest,
            scope: None,
        };
        let published = CrlPublished { number, size: 300, sha256: [number as u8; 32] };
        let acts = [Act::CrlIntended(intended), Act::CrlPublished(published)];
        let entries = acts.map(|act| Entry { at: noon().millis(), actor: None, act });
        running.register.commit(entries.into(), Urgency::Reserved).unwrap();
    };
    let ending = || -> Vec<News> {
        let events = running.outbox.events(1, 100).unwrap();
        let news = events.into_iter().map(|event| event.news);
        news.filter(|own| matches!(own, News::CrlExpiring(..))).collect()
    };
    publish(1, None, far, Some(true));
    publish(2, Some(1), soon, None);
    let late = soon.plus_seconds(301);
    running.watch.look_at_crls(soon.minus_seconds(1)).unwrap();
    assert!(ending().is_empty());
    for _ in 0..2 {
        running.watch.look_at_crls(late).unwrap();
    }
    let told = ending();
    let [News::CrlExpiring(_, own)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((own.number, own.base), (2, Some(1)));
    assert_eq!(own.urls, ["http://pki.contoso.com/crl/contoso-vpn-ca-delta.crl"]);
    // Deltas were turned off: the last one runs out, and nobody is to be woken.
    publish(3, None, far, None);
    running.watch.look_at_crls(late.plus_seconds(3600)).unwrap();
    assert_eq!(ending(), told);
}

#[test]
fn ending_ocsp_answers_are_told_once_for_each_distance() {
    let world = World::new();
    let end = noon().plus_seconds(7200);
    let ending = || {
        let own = EndingAnswers { key_index: 1, next_update: end, why: "the disk is full".into() };
        Arc::new(move |_: Timestamp| vec![own.clone()])
    };
    let told = |running: &Running| -> Vec<u64> {
        let events = running.outbox.events(1, 100).unwrap();
        let of = |event: &Event| match &event.news {
            News::AnswersExpiring(distance, own) => {
                assert_eq!((own.key_index, own.next_update), (1, end));
                assert_eq!(own.why, "the disk is full");
                Some(distance.before_seconds)
            }
            _ => None,
        };
        events.iter().filter_map(of).collect()
    };
    for (at, expected) in [(noon(), &[6 * 3600][..]), (end.minus_seconds(60), &[6 * 3600, 3600])] {
        let running = run(&world);
        let Running { register, authority, outbox, watch } = running;
        let running = Running { register, authority, outbox, watch: watch.with_answers(ending()) };
        for _ in 0..2 {
            running.watch.look_at_answers(at).unwrap();
        }
        assert_eq!(told(&running), expected);
        drop(running);
        world.crash();
    }
}

#[test]
fn after_a_restore_old_events_keep_their_identifiers_and_new_ones_never_take_theirs() {
    let world = World::new();
    let running = run(&world);
    let carol = vpn_user(&running.authority, "carol");
    let first = enrol(&running, &carol, noon());
    let look = first.not_after.minus_seconds(10 * DAY);
    running.watch.look_at_certificates(look).unwrap();
    let before = running.outbox.events(1, 100).unwrap();
    let waiting = before.iter().map(|event| event.sequence).collect();
    let standing = Standing { through: running.outbox.end(), waiting };
    let (endpoint, delivered, given_up) = ("tickets".to_owned(), Vec::new(), Vec::new());
    let settled = Settlement { endpoint, delivered, given_up, standing: standing.clone() };
    running.outbox.settle(&settled, look).unwrap();
    let (data, copy) = (world.data.path().join("data"), world.data.path().join("copy"));
    crate::storage::backup::backup(&data, &copy, &[], &mut |_, _| {}).unwrap();
    // What the copy does not know of:
    running.watch.look_at_certificates(look.plus_seconds(4 * DAY)).unwrap();
    let lost = running.outbox.events(1, 100).unwrap().pop().unwrap();
    drop(running);
    world.crash();
    std::fs::remove_dir_all(&data).unwrap();
    crate::storage::backup::restore(&copy, &data, &mut |_, _| {}).unwrap();

    let running = run(&world);
    assert_eq!(running.outbox.events(1, 100).unwrap(), before);
    assert_eq!(running.outbox.standings().unwrap(), [("tickets".to_owned(), standing)]);
    running.watch.look_at_certificates(look.plus_seconds(4 * DAY + 1)).unwrap();
    let anew = running.outbox.events(1, 100).unwrap().pop().unwrap();
    assert_eq!(anew.sequence, lost.sequence, "numbers come again");
    assert_ne!(anew.id(), lost.id(), "identifiers do not");
}

#[test]
fn a_self_check_is_told_when_other_rules_are_broken_than_before() {
    let world = World::new();
    let running = run(&world);
    let note = |running: &Running, faults: &[&str], warnings: &[&str], at: Timestamp| {
        let owned = |list: &[&str]| list.iter().map(|&told| told.to_owned()).collect::<Vec<_>>();
        running.authority.note_self_check(&owned(faults), &owned(warnings), at).unwrap()
    };
    assert!(!note(&running, &[], &[], noon()), "all is well from the beginning");
    assert!(note(&running, &["crl-unreachable: for 5 s"], &["ends: in 9 days"], noon()));
    assert!(!note(&running, &["crl-unreachable: for 9 s"], &["ends: in 8 days"], noon()));
    drop(running);
    world.crash();
    let running = run(&world);
    assert!(!note(&running, &["crl-unreachable: for 9 s"], &["ends: in 8 days"], noon()));
    assert!(note(&running, &[], &["crl-unreachable: perhaps", "ends: soon"], noon()));
    assert!(note(&running, &[], &[], noon()));
    let told: Vec<(usize, usize)> = running
        .outbox
        .events(1, 10)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event.news {
            News::SelfCheckChanged(own) => Some((own.faults.len(), own.warnings.len())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1, 1), (0, 2), (0, 0)]);
}

#[test]
fn a_successor_that_was_revoked_does_not_count_for_long() {
    let world = World::new();
    let running = run(&world);
    let bob = vpn_user(&running.authority, "bob");
    let old = enrol(&running, &bob, noon());
    let look = old.not_after.minus_seconds(29 * DAY);
    let new = enrol(&running, &bob, look);
    assert_eq!(running.watch.look_at_certificates(look).unwrap(), 0);
    let root = administrator();
    let reason = RevocationReason::KeyCompromise;
    running.authority.revoke(&root, &new.serial, reason, None, look).unwrap();
    assert_eq!(running.watch.look_at_certificates(look.plus_seconds(DAY)).unwrap(), 1);
}
