//! What may happen to a register, and what each move changes in the model.

use proptest::prelude::*;

use super::super::*;
use super::model::{Known, Model, open_now, serial_of};
use super::scopes::{revoked_where, scope_of, scope_of_foreign};
use crate::pki::disposition::Disposition;

/// What a script does next; numbers choose among what is there.
#[derive(Clone, Debug)]
pub enum Move {
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

pub fn any_move() -> impl Strategy<Value = Move> {
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

/// The act a move comes to, with what it changes in the model; `None` where nothing fits.
pub fn act_of(model: &mut Model, register: &dyn Register, next: &Move) -> Option<Act> {
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
