//! Every query of the register, beside the model.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::model::{Known, Model, serial_of};
use super::scopes::{is_in, scopes};
use crate::pki::disposition::Disposition;
use crate::pki::revocation_list::{CrlEntry, CrlScope};

pub fn compare(model: &Model, register: &dyn Register) {
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

/// Every revoked serial number whose certificate had not ended before, each once, as it stands, on
/// the CRLs that speak of it.
pub fn compare_crl(model: &Model, register: &dyn Register, second: u64) {
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
