//! Random acts against a model in memory: every query answers as the model does, at once, after a
//! reopening, and with everything derived made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use proptest::prelude::*;

use super::*;
use crate::pki::disposition::Disposition;
use crate::pki::revocation_list::{CrlEntry, CrlScope};

/// What a script does next; numbers choose among what is there.
#[derive(Clone, Debug)]
enum Move {
    Request(u8, u8),
    Reserve(u8),
    Issue(u8, u16),
    Deny(u8),
    Pend(u8),
    Approve(u8),
    Fail(u8),
    Revoke(u8, u8),
    RevokeForeign(u8),
    Release(u8),
    Schedule(u8, u16),
    Cancel(u8),
    Notice(u8, u8),
    Settle(u8, u8),
    SelfCheck(u8),
    Account(u8),
    DropAccount(u8),
    Token(u8),
    RevokeToken(u8),
    Template(u8, u8),
    Roles,
    Reopen,
    Rebuild,
    Crl(u16),
    CrlMade(bool),
}

fn any_move() -> impl Strategy<Value = Move> {
    let n = any::<u8>;
    prop_oneof![
        6 => (n(), n()).prop_map(|(a, t)| Move::Request(a, t)),
        5 => n().prop_map(Move::Reserve),
        5 => (n(), 0..400u16).prop_map(|(r, d)| Move::Issue(r, d)),
        1 => n().prop_map(Move::Deny),
        1 => n().prop_map(Move::Pend),
        1 => n().prop_map(Move::Approve),
        1 => n().prop_map(Move::Fail),
        4 => (n(), n()).prop_map(|(r, c)| Move::Revoke(r, c)),
        1 => n().prop_map(Move::RevokeForeign),
        3 => n().prop_map(Move::Release),
        3 => (n(), 0..400u16).prop_map(|(r, d)| Move::Schedule(r, d)),
        1 => n().prop_map(Move::Cancel),
        2 => (n(), n()).prop_map(|(s, d)| Move::Notice(s, d)),
        2 => (n(), n()).prop_map(|(e, w)| Move::Settle(e, w)),
        1 => n().prop_map(Move::SelfCheck),
        2 => n().prop_map(Move::Account),
        1 => n().prop_map(Move::DropAccount),
        1 => Just(Move::Roles),
        1 => n().prop_map(Move::Token),
        1 => n().prop_map(Move::RevokeToken),
        1 => (n(), n()).prop_map(|(t, w)| Move::Template(t, w)),
        1 => Just(Move::Reopen),
        1 => Just(Move::Rebuild),
        1 => (0..400u16).prop_map(Move::Crl),
        2 => any::<bool>().prop_map(Move::CrlMade),
    ]
}

#[derive(Clone, Debug)]
struct Known {
    account: String,
    template: String,
    disposition: Disposition,
    reserved: bool,
    not_after: Option<u64>,
}

#[derive(Default)]
struct Model {
    requests: BTreeMap<u64, Known>,
    /// Revoked now: reason, revocation time, end.
    revoked: BTreeMap<SerialNumber, (u8, u64, Option<u64>)>,
    /// When what is to be retired.
    retirements: BTreeMap<SerialNumber, u64>,
    /// Since when what waits for a manager.
    pending: BTreeMap<u64, u64>,
    compromised: bool,
    /// How long before its end what was told last.
    told: BTreeMap<u64, u64>,
    /// Numbers of the entries that notifications tell of.
    notable: Vec<u64>,
    /// What the service found last when it looked at itself.
    self_check: Option<act::SelfCheckChanged>,
    /// How each endpoint stands.
    standings: BTreeMap<String, act::Standing>,
    accounts: BTreeMap<String, u64>,
    /// How often the roles were saved.
    roles: u64,
    tokens: BTreeMap<String, bool>,
    templates: BTreeMap<String, bool>,
    entries: u64,
    clock: u64,
    history: crl_changes::History,
    /// The latest second before which ended certificates may have left the CRL.
    dropped_before: u64,
}

impl Model {
    fn pick(&self, at: u8, fits: impl Fn(&Known) -> bool) -> Option<u64> {
        let ids: Vec<u64> =
            self.requests.iter().filter(|(_, known)| fits(known)).map(|(id, _)| *id).collect();
        (!ids.is_empty()).then(|| ids[usize::from(at) % ids.len()])
    }
}

fn serial_of(id: u64) -> SerialNumber {
    serial(u32::try_from(id).unwrap())
}

fn open_now(known: &Known) -> bool {
    matches!(known.disposition, Disposition::Active | Disposition::Pending) && !known.reserved
}

/// The act a move comes to, with what it changes in the model; `None` where nothing fits.
fn act_of(model: &mut Model, register: &dyn Register, next: &Move) -> Option<Act> {
    let at = model.clock;
    Some(match next {
        Move::Request(account, template) => {
            let id = register.next_request_id();
            let account = format!("Acc{}", account % 4);
            let template = format!("T{}", template % 3);
            let (disposition, not_after) = (Disposition::Active, None);
            model.requests.insert(
                id,
                Known {
                    account: account.clone(),
                    template: template.clone(),
                    disposition,
                    reserved: false,
                    not_after,
                },
            );
            received(id, &account, &template)
        }
        Move::Reserve(at) => {
            let fits = |known: &Known| known.disposition == Disposition::Active && !known.reserved;
            let id = model.pick(*at, fits)?;
            model.requests.get_mut(&id)?.reserved = true;
            reserved_in(id, serial_of(id), scope_of(id))
        }
        Move::Issue(at, day) => {
            let fits = |known: &Known| known.disposition == Disposition::Active && known.reserved;
            let id = model.pick(*at, fits)?;
            let known = model.requests.get_mut(&id)?;
            known.disposition = Disposition::Issued;
            known.not_after = Some(u64::from(*day) + 1000);
            issued(id, &known.account, &known.template, u64::from(*day) + 1000)
        }
        Move::Deny(at) => {
            let id = model.pick(*at, open_now)?;
            model.requests.get_mut(&id)?.disposition = Disposition::Denied;
            model.pending.remove(&id);
            let (rule, detail) = ("r".to_owned(), "d".to_owned());
            Act::RequestDenied(act::RequestDenied { request_id: id, rule, detail })
        }
        Move::Pend(at) => {
            let id = model.pick(*at, open_now)?;
            model.requests.get_mut(&id)?.disposition = Disposition::Pending;
            model.pending.insert(id, model.clock);
            model.notable.push(model.entries + 1);
            Act::RequestPended(act::RequestMark { request_id: id })
        }
        Move::Approve(at) => {
            let id = model.pick(*at, |known| known.disposition == Disposition::Pending)?;
            model.requests.get_mut(&id)?.disposition = Disposition::Active;
            model.pending.remove(&id);
            Act::RequestApproved(act::RequestMark { request_id: id })
        }
        Move::Fail(at) => {
            let id = model.pick(*at, |known| known.disposition == Disposition::Active)?;
            let known = model.requests.get_mut(&id)?;
            known.disposition = Disposition::Failed;
            Act::RequestFailed(act::RequestFailed { request_id: id, detail: "x".to_owned() })
        }
        Move::Revoke(which, code) => {
            let fits = |known: &Known| {
                matches!(known.disposition, Disposition::Issued | Disposition::Revoked)
            };
            let id = model.pick(*which, fits)?;
            let reason = [6, 1, 4, 0][usize::from(*code) % 4];
            // The authority holds nothing that is revoked for good.
            if reason == 6 && model.revoked.get(&serial_of(id)).is_some_and(|(was, ..)| *was != 6) {
                return None;
            }
            let not_after = model.requests[&id].not_after;
            model.requests.get_mut(&id)?.disposition = Disposition::Revoked;
            model.compromised |= reason == 1;
            model.revoked.insert(serial_of(id), (reason, at, not_after));
            if reason != 6 {
                model.retirements.remove(&serial_of(id));
            }
            revoked(serial_of(id), at, reason, None)
        }
        Move::RevokeForeign(which) => {
            let of = serial(1_000_000 + u32::from(which % 8));
            let not_after = (which % 2 == 0).then_some(1000 + u64::from(*which));
            model.revoked.insert(of, (4, at, not_after));
            revoked_where(revoked(of, at, 4, not_after), scope_of_foreign(u32::from(which % 8)))
        }
        Move::Release(which) => {
            let held: Vec<SerialNumber> = model
                .revoked
                .iter()
                .filter(|(_, (reason, ..))| *reason == 6)
                .map(|(serial, _)| *serial)
                .collect();
            let of = *held.get(usize::from(*which) % held.len().max(1))?;
            model.revoked.remove(&of);
            for (id, known) in &mut model.requests {
                if serial_of(*id) == of {
                    known.disposition = Disposition::Issued;
                }
            }
            released(of)
        }
        Move::Schedule(which, day) => {
            let id = model.pick(*which, |known| known.not_after.is_some())?;
            let (serial, due_at) = (serial_of(id), u64::from(*day) * 1000);
            if model.revoked.get(&serial).is_none_or(|(reason, ..)| *reason == 6) {
                let due = model.retirements.entry(serial).or_insert(due_at);
                *due = due_at.min(*due);
            }
            let serial = serial.as_der_content().to_vec();
            Act::RetirementScheduled(act::RetirementScheduled { serial, due_at, request_id: id })
        }
        Move::Cancel(which) => {
            let all: Vec<SerialNumber> = model.retirements.keys().copied().collect();
            let of = *all.get(usize::from(*which) % all.len().max(1))?;
            model.retirements.remove(&of);
            let serial = of.as_der_content().to_vec();
            Act::RetirementCancelled(act::RetirementCancelled { serial })
        }
        Move::Notice(which, days) => {
            let id = model.pick(*which, |known| known.not_after.is_some())?;
            let before_seconds = u64::from(*days) * 86_400;
            let told_before_seconds = model.told.insert(id, before_seconds);
            model.notable.push(model.entries + 1);
            let serial = serial_of(id).as_der_content().to_vec();
            let ending = act::Ending::Certificates(act::EndingCertificates {
                template: model.requests[&id].template.clone(),
                certificates: vec![act::EndingCertificate { serial, not_after: 1 }],
            });
            Act::ExpiryNoticed(act::ExpiryNoticed { before_seconds, told_before_seconds, ending })
        }
        Move::SelfCheck(number) => {
            let (faults, warnings) = (vec![format!("rule-{number}: it is so")], Vec::new());
            let found = act::SelfCheckChanged { faults, warnings };
            model.self_check = Some(found.clone());
            model.notable.push(model.entries + 1);
            Act::SelfCheckChanged(found)
        }
        Move::Settle(which, what) => {
            let endpoint = format!("hook{}", which % 3);
            let waiting = vec![u64::from(*what)];
            let standing =
                (what % 4 != 0).then_some(act::Standing { through: model.entries, waiting });
            match &standing {
                Some(standing) => model.standings.insert(endpoint.clone(), standing.clone()),
                None => model.standings.remove(&endpoint),
            };
            let (delivered, given_up) = (Vec::new(), Vec::new());
            let settled = act::NotificationsSettled { endpoint, delivered, given_up, standing };
            Act::NotificationsSettled(settled)
        }
        Move::Account(which) => {
            let name = format!("User{}", which % 5);
            let revision = model.accounts.get(&name).map_or(1, |revision| revision + 1);
            model.accounts.insert(name.clone(), revision);
            Act::AccountSaved(account(&name, revision))
        }
        Move::DropAccount(which) => {
            let name = format!("User{}", which % 5);
            model.accounts.remove(&name)?;
            Act::AccountDeleted(act::AccountMark { name })
        }
        Move::Roles => {
            model.roles += 1;
            let assigned = act::RoleAssigned {
                role: "auditor".to_owned(),
                group: Some(format!("G{}", model.roles)),
                account: None,
                templates: None,
                subject_groups: Some(vec!["VPN Users".to_owned()]),
            };
            Act::RolesSaved(act::RolesSaved { assignments: vec![assigned], revision: model.roles })
        }
        Move::Token(which) => {
            let id = format!("t{}", which % 16);
            if model.tokens.contains_key(&id) {
                return None;
            }
            model.tokens.insert(id.clone(), true);
            Act::TokenCreated(token(&id))
        }
        Move::RevokeToken(which) => {
            let id = format!("t{}", which % 16);
            *model.tokens.get_mut(&id)? = false;
            Act::TokenRevoked(act::TokenMark { id })
        }
        Move::Template(which, what) => {
            let cn = format!("T{}", which % 3);
            match (what % 4, model.templates.contains_key(&cn)) {
                (0, true) => {
                    model.templates.remove(&cn);
                    Act::TemplateDeleted(act::TemplateMark { cn })
                }
                (1, true) => {
                    model.templates.insert(cn.clone(), true);
                    Act::TemplatePublished(act::TemplateMark { cn })
                }
                (2, true) => {
                    model.templates.insert(cn.clone(), false);
                    Act::TemplateUnpublished(act::TemplateMark { cn })
                }
                _ => {
                    model.templates.entry(cn.clone()).or_insert(false);
                    Act::TemplateSaved(act::TemplateSaved { cn, json: "{}".to_owned() })
                }
            }
        }
        Move::CrlMade(published) => {
            let act = model.history.next_crl(model.entries, *published)?;
            model.notable.extend(act.is_notable().then_some(model.entries + 1));
            act
        }
        Move::Reopen | Move::Rebuild | Move::Crl(_) => return None,
    })
}

fn account(name: &str, revision: u64) -> AccountSaved {
    AccountSaved {
        name: name.to_owned(),
        kind: "user".to_owned(),
        cn: None,
        display_name: None,
        distinguished_name: None,
        user_principal_name: None,
        mail: None,
        dns_host_name: None,
        object_sid: None,
        object_guid: None,
        service_principal_names: vec![],
        groups: vec![],
        enabled: true,
        roles: vec![],
        created_at: 0,
        revision,
    }
}

fn token(id: &str) -> TokenCreated {
    TokenCreated {
        id: id.to_owned(),
        sha256: ledger::frame::sha256(&[id.as_bytes()]),
        account: "Acc0".to_owned(),
        expires_at: 0,
        description: None,
        template: None,
        single_use: false,
    }
}

fn compare(model: &Model, register: &dyn Register) {
    model.history.compare(register, |serial| match model.revoked.get(serial) {
        Some((.., end)) => end.is_some_and(|end| end < model.dropped_before),
        None => false,
    });
    for (id, known) in &model.requests {
        let row = register.request(*id).unwrap().unwrap();
        assert_eq!(row.disposition, known.disposition, "request {id}");
        assert_eq!((&row.account, &row.template), (&known.account, &known.template));
        assert_eq!(row.serial, known.reserved.then(|| serial_of(*id)));
        let certificate = register.certificate(&serial_of(*id)).unwrap();
        assert_eq!(certificate.is_some(), known.not_after.is_some());
        let reason = model.revoked.get(&serial_of(*id)).map(|(reason, ..)| *reason);
        let revocation = register.revocation(&serial_of(*id)).unwrap();
        assert_eq!(revocation.map(|revocation| revocation.reason.code()), reason);
        assert_eq!(certificate.and_then(|row| row.revocation), revocation);
    }
    for moment in [0, 100_000, 400_000] {
        let mut due: Vec<_> =
            model.retirements.iter().map(|(serial, due)| (*due, *serial)).collect();
        due.retain(|(due, _)| *due <= moment);
        due.sort_by_key(|(due, serial)| (*due, serial.as_der_content().to_vec()));
        let due: Vec<SerialNumber> = due.into_iter().map(|(_, serial)| serial).collect();
        let moment = Timestamp::from_millis(moment);
        assert_eq!(register.retirements(moment, usize::MAX).unwrap(), due);
        assert_eq!(register.retirements(moment, 1).unwrap(), due[..due.len().min(1)]);
    }
    for moment in [0, model.clock / 2, model.clock] {
        let mut since: Vec<_> = model.pending.iter().map(|(id, since)| (*since, *id)).collect();
        since.retain(|(since, _)| *since <= moment);
        since.sort_unstable();
        let since: Vec<u64> = since.into_iter().map(|(_, id)| id).collect();
        let moment = Timestamp::from_millis(moment);
        assert_eq!(register.pending_since(moment, usize::MAX).unwrap(), since);
        assert_eq!(register.pending_since(moment, 1).unwrap(), since[..since.len().min(1)]);
    }
    for id in model.requests.keys() {
        let due = model.retirements.get(&serial_of(*id)).map(|due| Timestamp::from_millis(*due));
        assert_eq!(register.lineage(&serial_of(*id)).unwrap().retires_at, due);
    }
    compare_lists(model, register);
    let orphans: Vec<u64> =
        register.orphans().unwrap().iter().map(|orphan| orphan.request.request_id).collect();
    let expected = model
        .requests
        .iter()
        .filter(|(_, known)| known.reserved && known.disposition == Disposition::Active);
    assert_eq!(orphans, expected.map(|(id, _)| *id).collect::<Vec<_>>());
    let notable = register.notable(1, usize::MAX).unwrap();
    let notable: Vec<u64> = notable.into_iter().map(|row| row.sequence).collect();
    assert_eq!(notable, model.notable);
    if let Some(second) = model.notable.get(1) {
        let found = register.notable(*second, 1).unwrap();
        assert_eq!((found.len(), found[0].sequence), (1, *second));
        assert!(found[0].entry.act.is_notable());
    }
    let standings: BTreeMap<_, _> = register.standings().unwrap().into_iter().collect();
    assert_eq!(standings, model.standings);
    assert_eq!(register.self_check().unwrap(), model.self_check);
    for id in model.requests.keys() {
        let told = register.told(&Subject::Certificate(serial_of(*id))).unwrap();
        assert_eq!(told, model.told.get(id).copied());
    }
    assert_eq!(register.is_compromised(&[7; 32]).unwrap(), model.compromised);
    let roles = register.roles().unwrap();
    assert_eq!(roles.as_ref().map_or(0, |saved| saved.revision), model.roles);
    if let Some(saved) = roles {
        assert_eq!(saved.assignments[0].group, Some(format!("G{}", model.roles)));
    }
    let accounts = register.accounts(None, usize::MAX).unwrap();
    let accounts: Vec<_> = accounts.iter().map(|it| (it.name.as_str(), it.revision)).collect();
    let expected: Vec<_> = model.accounts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(accounts, expected);
    let tokens: BTreeMap<String, bool> = register
        .tokens(None, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|row| (row.token.id, row.revoked_at.is_none()))
        .collect();
    assert_eq!(tokens, model.tokens);
    let templates: BTreeMap<String, bool> =
        register.templates().unwrap().into_iter().map(|row| (row.cn, row.published)).collect();
    assert_eq!(templates, model.templates);
    assert_eq!(register.head().sequence, model.entries);
    let all = register.entries(1, usize::MAX).unwrap();
    assert!(all.iter().map(|row| row.sequence).eq(1..=model.entries));
}

fn compare_lists(model: &Model, register: &dyn Register) {
    let now = 1200;
    let stands = |id: u64, known: &Known| match model.revoked.get(&serial_of(id)) {
        Some((6, ..)) => CertificateStatus::Held,
        Some(_) => CertificateStatus::Revoked,
        None if known.not_after.is_some_and(|end| end < now) => CertificateStatus::Expired,
        None => CertificateStatus::Good,
    };
    let moment = Timestamp::from_seconds(now);
    let mut filters = vec![CertificateFilter::default()];
    for number in 0..4 {
        let account = Some(format!("aCC{number}"));
        filters.push(CertificateFilter { account, ..Default::default() });
        let template = Some(format!("T{number}"));
        filters.push(CertificateFilter { template, ..Default::default() });
        let name = Some(format!("HOST{number}.example"));
        filters.push(CertificateFilter { name, ..Default::default() });
    }
    use CertificateStatus::{Expired, Good, Held, Revoked};
    for status in [Good, Revoked, Held, Expired] {
        filters.push(CertificateFilter { status: Some((status, moment)), ..Default::default() });
    }
    filters.push(CertificateFilter { expires_before: Some(moment), ..Default::default() });
    for filter in filters {
        let expected: Vec<u64> = model
            .requests
            .iter()
            .rev()
            .filter(|(id, known)| {
                known.not_after.is_some()
                    && filter
                        .account
                        .as_ref()
                        .is_none_or(|name| name.eq_ignore_ascii_case(&known.account))
                    && filter.template.as_ref().is_none_or(|cn| *cn == known.template)
                    && filter
                        .name
                        .as_ref()
                        .is_none_or(|name| *name == format!("HOST{}.example", **id % 3))
                    && filter.status.is_none_or(|(status, _)| stands(**id, known) == status)
                    && filter.expires_before.is_none_or(|_| known.not_after < Some(now))
            })
            .map(|(id, _)| *id)
            .collect();
        let mut got = Vec::new();
        let mut after = None;
        loop {
            let page = register.certificates(&filter, Page { after, limit: 3 }).unwrap();
            got.extend(page.rows.iter().map(|row| row.request_id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(got, expected, "{filter:?}");
    }
    for disposition in Disposition::ALL {
        let filter = RequestFilter { disposition: Some(disposition), ..Default::default() };
        let rows = register.requests(&filter, ALL).unwrap().rows;
        let expected = model.requests.iter().rev();
        let expected = expected.filter(|(_, known)| known.disposition == disposition);
        let got: Vec<u64> = rows.iter().map(|row| row.request_id).collect();
        assert_eq!(got, expected.map(|(id, _)| *id).collect::<Vec<_>>());
    }
}

/// Everything, and three partitions, of which the last is nobody's.
fn scopes() -> [CrlScope; 4] {
    [0, 1, 2, 3].map(|number| CrlScope { key: 0, partition: NonZeroU16::new(number) })
}

fn scope_of(id: u64) -> CrlScope {
    scopes()[usize::try_from(id % 3).unwrap()]
}

/// Of those that only a CRL told of: none, a known one, or nobody knows which.
fn scope_of_foreign(number: u32) -> Option<act::RevokedScope> {
    let partition = match number % 3 {
        0 => return None,
        1 => act::Partition::Known(NonZeroU16::MIN),
        _ => act::Partition::Unknown,
    };
    Some(act::RevokedScope { key: 0, partition })
}

fn revoked_where(act: Act, scope: Option<act::RevokedScope>) -> Act {
    let Act::CertificateRevoked(act) = act else { return act };
    Act::CertificateRevoked(act::CertificateRevoked { scope, ..act })
}

/// Whether a serial number may be on the CRL of `scope`.
fn is_in(model: &Model, of: &SerialNumber, scope: CrlScope) -> bool {
    if let Some(id) = model.requests.keys().find(|id| serial_of(**id) == *of) {
        return scope.covers(scope_of(*id));
    }
    let number = (0..8).find(|number| serial(1_000_000 + number) == *of).unwrap();
    match scope_of_foreign(number).map(|own| own.partition) {
        Some(act::Partition::Known(number)) => {
            scope.covers(CrlScope { key: 0, partition: Some(number) })
        }
        Some(act::Partition::Unknown) => true,
        _ => scope.covers(CrlScope::FIRST),
    }
}

/// Every revoked serial number whose certificate had not ended before, each once, as it stands, on
/// the CRLs that speak of it.
fn compare_crl(model: &Model, register: &dyn Register, second: u64) {
    for scope in scopes() {
        compare_scope(model, register, scope, second);
    }
}

fn compare_scope(model: &Model, register: &dyn Register, scope: CrlScope, second: u64) {
    use std::os::unix::fs::FileExt;
    let entries = register.crl_entries(scope, Timestamp::from_seconds(second)).unwrap();
    let mut octets = vec![0; usize::try_from(entries.length).unwrap()];
    entries.file.read_exact_at(&mut octets, 0).unwrap();
    let mut got = BTreeSet::new();
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let length = 2 + usize::from(rest[1]);
        let entry = CrlEntry::decode(&rest[..length]).unwrap();
        let reason = entry.revocation.reason.code();
        assert!(got.insert((entry.serial, reason)), "{} stands twice", entry.serial);
        rest = &rest[length..];
    }
    let expected: BTreeSet<_> = model
        .revoked
        .iter()
        .filter(|(_, (.., end))| end.is_none_or(|end| end >= second))
        .filter(|(serial, _)| is_in(model, serial, scope))
        .map(|(serial, (reason, ..))| (*serial, *reason))
        .collect();
    assert_eq!(got, expected, "{scope:?}");
    assert_eq!(entries.count, expected.len() as u64);
    assert_eq!(entries.sequence, model.entries);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_the_models(moves in prop::collection::vec(any_move(), 1..160)) {
        let home = tempfile::tempdir().unwrap();
        let mut register = open(options(home.path())).unwrap();
        let mut model = Model::default();
        for next in &moves {
            model.clock += 1000;
            match next {
                Move::Reopen => {
                    drop(register);
                    register = open(options(home.path())).unwrap();
                }
                Move::Rebuild => {
                    drop(register);
                    register = open(distrusting(home.path())).unwrap();
                }
                Move::Crl(day) => {
                    let second = 1000 + u64::from(*day);
                    compare_crl(&model, register.as_ref(), second);
                    model.dropped_before = model.dropped_before.max(second);
                    compare(&model, register.as_ref());
                }
                _ => {
                    if let Some(act) = act_of(&mut model, register.as_ref(), next) {
                        model.history.note(model.entries + 1, model.clock, &act);
                        let urgency = Urgency::Ordinary;
                        register.commit(vec![entry(model.clock, act)], urgency).unwrap();
                        model.entries += 1;
                    }
                }
            }
        }
        compare(&model, register.as_ref());
        drop(register);
        for options in [options(home.path()), distrusting(home.path())] {
            let register = open(options).unwrap();
            compare(&model, register.as_ref());
            compare_crl(&model, register.as_ref(), 1100);
        }
    }
}
