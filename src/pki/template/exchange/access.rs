//! `nTSecurityDescriptor` as the permissions of a template, and back ([MS-CRTD] §2.5).
//!
//! What is not understood is never granted, and a denial is never lost: where it cannot be kept,
//! the template is refused.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::report::{Loss, Report};
use super::trustees::{Known, Names, Principals};
use crate::pki::security_descriptor::{
    Access, Ace, AceFlags, Dacl, Effect, SecurityDescriptor, Sid, TrusteeKind, access, sid_of,
    trustee,
};
use crate::pki::template::{
    AUTHENTICATED_USERS, Permission, PermissionFile, Principal, Right, Rights,
};

/// Certificate-Enrollment 0e10c968-78fb-11d2-90d4-00c04f79dc55, as the directory stores it.
pub(super) const ENROLL: [u8; 16] = [
    0x68, 0xc9, 0x10, 0x0e, 0xfb, 0x78, 0xd2, 0x11, 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc, 0x55,
];
/// Certificate-AutoEnrollment a05b8cc2-17bc-4802-a710-e7c15ab866a2.
pub(super) const AUTOENROLL: [u8; 16] = [
    0xc2, 0x8c, 0x5b, 0xa0, 0xbc, 0x17, 0x02, 0x48, 0xa7, 0x10, 0xe7, 0xc1, 0x5a, 0xb8, 0x66, 0xa2,
];

/// Groups that everybody is in, whatever the forest.
const BROAD: [&str; 7] = [
    AUTHENTICATED_USERS,
    "Everyone",
    "Users",
    "Domain Users",
    "Domain Computers",
    "Domain Guests",
    "Pre-Windows 2000 Compatible Access",
];

/// Whether everybody is in the group.
pub(super) fn is_broad(principal: &Principal) -> bool {
    match principal {
        Principal::Group(name) => BROAD.iter().any(|own| own.eq_ignore_ascii_case(name)),
        Principal::Account(_) => false,
    }
}

/// The permissions that an entry's descriptor comes to.
pub(super) fn permissions(
    entry: &Entry,
    principals: &Principals,
    report: &mut Report,
) -> Vec<PermissionFile> {
    let entries = match entry.descriptor.as_ref().map(|descriptor| &descriptor.dacl) {
        None => {
            report.lose(
                Loss::None,
                "nTSecurityDescriptor",
                "it is not in the file: nobody but administrators and managers may enrol until \
                 the template is given permissions",
            );
            return Vec::new();
        }
        Some(Dacl::Null) => {
            report.lose(
                Loss::None,
                "nTSecurityDescriptor",
                "it has no access control list, which in Active Directory lets everybody do \
                 everything; nothing of that is granted here",
            );
            return Vec::new();
        }
        Some(Dacl::Entries(entries)) => entries,
    };
    order_matters(entries, report);
    let names = Names::of(entry, principals);
    let mut found = Found::default();
    for (sid, own) in by_trustee(entries) {
        one(sid, &own, &names, &mut found, report);
    }
    // A right that is both allowed and denied is denied.
    let kept = found.permissions.into_iter().map(|own| {
        let allow = own.allow.iter().filter(|right| !own.deny.contains(*right));
        Permission { allow: allow.fold(Rights::default(), Rights::with), ..own }
    });
    let mut kept: Vec<Permission> = kept.collect();
    // As the security tab lists them.
    kept.sort_by_key(|own| own.principal.name().to_ascii_lowercase());
    kept.iter().map(file).collect()
}

/// The entries of each trustee that count for the template itself, in the order in which trustees
/// first appear.
fn by_trustee(entries: &[Ace]) -> Vec<(&Sid, Vec<&Ace>)> {
    let mut places: BTreeMap<&Sid, usize> = BTreeMap::new();
    let mut groups: Vec<(&Sid, Vec<&Ace>)> = Vec::new();
    for ace in entries.iter().filter(|ace| !ace.flags.for_children_only()) {
        let place = *places.entry(&ace.trustee).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, own)) => own.push(ace),
            None => groups.push((&ace.trustee, vec![ace])),
        }
    }
    groups
}

/// The permissions found, one for each principal.
#[derive(Default)]
struct Found {
    permissions: Vec<Permission>,
    places: BTreeMap<String, usize>,
}

impl Found {
    fn add(&mut self, principal: &Principal, allow: Rights, deny: Rights) {
        let place = *self.places.entry(called(principal)).or_insert(self.permissions.len());
        match self.permissions.get_mut(place) {
            Some(own) => {
                own.allow = allow.iter().fold(own.allow, Rights::with);
                own.deny = deny.iter().fold(own.deny, Rights::with);
            }
            None => self.permissions.push(Permission { principal: principal.clone(), allow, deny }),
        }
    }
}

fn file(own: &Permission) -> PermissionFile {
    let words = |rights: Rights| rights.iter().map(|own| own.as_str().to_owned()).collect();
    let (group, account) = match &own.principal {
        Principal::Group(name) => (Some(name.clone()), None),
        Principal::Account(name) => (None, Some(name.clone())),
    };
    PermissionFile { group, account, allow: words(own.allow), deny: words(own.deny) }
}

/// Windows goes through the entries in their order; here a denial always wins.
fn order_matters(entries: &[Ace], report: &mut Report) {
    let denies = |ace: &Ace| matches!(ace.effect, Effect::Deny | Effect::DenyIf);
    let allowed = entries.iter().position(|ace| !denies(ace));
    let denied = entries.iter().rposition(denies);
    if allowed.zip(denied).is_some_and(|(allowed, denied)| allowed < denied) {
        report.differ(
            "an entry that denies stands behind one that allows: in AD CS the first one counts, \
             here the denial always does",
        );
    }
}

fn one(sid: &Sid, entries: &[&Ace], names: &Names<'_>, found: &mut Found, report: &mut Report) {
    let (mut allow, mut deny) = (Rights::default(), Rights::default());
    let mut administers = false;
    for ace in entries {
        match ace.effect {
            Effect::Allow => {
                administers |= ace.object.is_none()
                    && (ace.access.spelled_out().intersects(access::CHANGE_PERMISSIONS)
                        || ace.access.spelled_out().contains(access::WRITE_PROPERTY));
                allow = rights(ace).fold(allow, Rights::with);
            }
            Effect::Deny => deny = rights(ace).fold(deny, Rights::with),
            Effect::AllowIf => report.lose(
                Loss::None,
                format!("nTSecurityDescriptor: {ace}"),
                "conditions are not read; nothing is granted",
            ),
            Effect::DenyIf => report.refuse(format!(
                "nTSecurityDescriptor denies {sid} something under a condition, which is not read \
                 here; take the entry away and import again"
            )),
        }
    }
    let shown = |rights: Rights| rights.iter().map(Right::as_str).collect::<Vec<_>>().join(", ");
    if !deny.is_empty() {
        report.map(format!("Deny {sid}"), format!("denied: {}", shown(deny)));
    }
    let named = match names.known(sid, administers && deny.is_empty()) {
        Known::Named(named) => named,
        Known::Administrator => {
            let name = trustee(sid).map_or("an administrator", |own| own.name);
            report.map(
                format!("{sid} ({name}): administers the template"),
                "the CA role `administrator`, which is given to accounts and groups, not to SIDs",
            );
            return;
        }
        // Every logon over the network is NETWORK's, for one: this may deny it to everybody.
        Known::System(name) if !deny.is_empty() => {
            report.refuse(format!(
                "nTSecurityDescriptor denies {} to {name} ({sid}), which is neither a group nor an \
                 account here; take the entry away and import again",
                shown(deny)
            ));
            return;
        }
        Known::System(name) => {
            report.lose(
                Loss::None,
                format!("permissions of {name} ({sid})"),
                "asks for nothing here",
            );
            return;
        }
        Known::Unknown if !deny.is_empty() => {
            report.refuse(format!(
                "nTSecurityDescriptor denies {} to {sid}, and nobody knows who that is: name it \
                 in `principals`",
                shown(deny)
            ));
            return;
        }
        Known::Unknown => {
            report.lose(
                Loss::None,
                format!("{} for {sid}", shown(allow)),
                "nobody knows who that is, so nothing is granted: name it in `principals`",
            );
            return;
        }
    };
    partly(sid, entries, report);
    for (position, principal) in named.iter().enumerate() {
        // Of two possible meanings of a name both are denied, and one is allowed.
        let allow = if position == 0 { allow } else { Rights::default() };
        if allow.is_empty() && deny.is_empty() {
            continue;
        }
        report.map(sid.to_string(), format!("{}: {}", called(principal), shown(allow)));
        found.add(principal, allow, deny);
    }
}

/// `group VPN Users`
pub(super) fn called(principal: &Principal) -> String {
    match principal {
        Principal::Group(name) => format!("group {name}"),
        Principal::Account(name) => format!("account {name}"),
    }
}

/// What an entry is worth in the words of the security tab. An allowance must be whole; for a
/// denial the part that matters is enough.
fn rights(ace: &Ace) -> impl Iterator<Item = Right> {
    let mask = ace.access.spelled_out();
    let controls = mask.contains(access::CONTROL_ACCESS);
    let whole = ace.object.is_none();
    let everything = whole && mask.contains(access::EVERYTHING);
    let extended = |guid: [u8; 16]| controls && (whole || ace.object == Some(guid));
    [
        (Right::Read, whole && mask.contains(access::READ_PROPERTY)),
        (Right::Write, whole && mask.contains(access::WRITE_PROPERTY)),
        (Right::Enroll, extended(ENROLL)),
        (Right::Autoenroll, extended(AUTOENROLL)),
        (Right::FullControl, everything),
    ]
    .into_iter()
    .filter_map(move |(right, held)| {
        (held && (!everything || right == Right::FullControl)).then_some(right)
    })
}

/// What is in the entries of somebody and has no word here.
fn partly(sid: &Sid, entries: &[&Ace], report: &mut Report) {
    let plain = entries.iter().filter(|ace| ace.object.is_none() && ace.effect == Effect::Allow);
    let mask = plain.fold(Access::default(), |sum, ace| sum.with(ace.access.spelled_out()));
    if mask.intersects(access::CHANGE_PERMISSIONS) && !mask.contains(access::EVERYTHING) {
        report.lose(
            Loss::None,
            format!("{sid}: changing permissions or owner"),
            "goes only with FullControl here",
        );
    }
    for ace in entries {
        let guid = ace.object.filter(|guid| *guid != ENROLL && *guid != AUTOENROLL);
        if guid.is_some() {
            report.lose(
                Loss::None,
                format!("nTSecurityDescriptor: {ace}"),
                "rights to a single attribute are not kept",
            );
        }
    }
}

/// The descriptor that permissions come to, with the identifiers that `sids` gives to names
/// (`group VPN Users`); who has none is well-known in `domain`, or left out.
pub(super) fn descriptor<'a>(
    permissions: impl Iterator<Item = &'a Permission>,
    sids: &BTreeMap<String, Sid>,
    domain: &Sid,
) -> SecurityDescriptor {
    let (mut denied, mut allowed) = (Vec::new(), Vec::new());
    for own in permissions {
        let Some(sid) = sid_for(&own.principal, sids, domain) else { continue };
        entries(&sid, Effect::Deny, own.deny, &mut denied);
        entries(&sid, Effect::Allow, own.allow, &mut allowed);
    }
    denied.extend(allowed);
    let owner = domain.account(519).ok();
    SecurityDescriptor { owner: owner.clone(), group: owner, dacl: Dacl::Entries(denied) }
}

/// The identifier of a principal.
pub(super) fn sid_for(
    principal: &Principal,
    sids: &BTreeMap<String, Sid>,
    domain: &Sid,
) -> Option<Sid> {
    let kind = match principal {
        Principal::Group(_) => TrusteeKind::Group,
        Principal::Account(_) => TrusteeKind::Account,
    };
    sids.get(&called(principal)).cloned().or_else(|| sid_of(principal.name(), kind, domain))
}

fn entries(sid: &Sid, effect: Effect, rights: Rights, out: &mut Vec<Ace>) {
    let mut put = |access: Access, object| {
        let (flags, trustee) = (AceFlags::default(), sid.clone());
        out.push(Ace { effect, flags, access, object, inherited_object: None, trustee });
    };
    let all = [Right::FullControl].into_iter().any(|own| rights.contains(own));
    if all {
        put(access::EVERYTHING, None);
    }
    for (right, guid) in [(Right::Enroll, ENROLL), (Right::Autoenroll, AUTOENROLL)] {
        if rights.contains(right) {
            put(access::CONTROL_ACCESS, Some(guid));
        }
    }
    let plain = [(Right::Read, access::READ), (Right::Write, Access(0x0002_0028))];
    let mask = plain
        .iter()
        .filter(|(right, _)| rights.contains(*right))
        .fold(Access::default(), |sum, (_, mask)| sum.with(*mask));
    if mask != Access::default() {
        put(mask, None);
    }
}
