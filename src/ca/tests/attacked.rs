//! Ways round a rule that somebody who reads everything would try: another door, another name for
//! the same thing, something that is only found at the next start.

use std::sync::Arc;

use super::world::{
    World, account, acts, administrator, ask, csr, issued, noon, somebody, vpn_user,
};
use crate::ca::permissions::Role;
use crate::ca::template_import::{Course, Existing, Import};
use crate::ca::tokens::{Scope, WantedToken};
use crate::ca::{Authority, Page, Refusal, RequestFilter, Requester};
use crate::directory::{BuiltIn, DirectoryError};
use crate::pki::account::Account;
use crate::pki::denial::Rule;
use crate::pki::revocation::RevocationReason;
use crate::pki::template::exchange::{Losses, Principals, read};
use crate::pki::template::{PermissionFile, TemplateFile};

const USER: &str = "VPNUserAuthentication";

/// Edits the user template.
fn edited(authority: &Authority, by: &Requester, change: impl FnOnce(&mut TemplateFile)) {
    let mut file = authority.template(&administrator(), USER).unwrap().template.to_file();
    change(&mut file);
    authority.replace_template(by, USER, file, None, noon()).unwrap();
}

#[test]
fn who_may_write_one_template_cannot_keep_the_service_from_starting() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let writer = vpn_user(&authority, "wendy");
    edited(&authority, &administrator(), |file| {
        let allow = ["Read", "Write"].map(ToOwned::to_owned).to_vec();
        let account = Some("wendy".to_owned());
        file.permissions.push(PermissionFile { account, allow, ..PermissionFile::default() });
    });
    // Every value within its limit, the whole beyond what a file that is sent may have.
    edited(&authority, &writer, |file| {
        let name = |number: u32| format!("{number:02}{}", "\u{1f512}".repeat(254));
        file.csps = (0..64).map(name).collect();
    });
    let saved = authority.template(&writer, USER).unwrap().template;
    drop(authority);
    world.crash();
    register.close().unwrap();
    drop(register);
    let authority = world.authority(world.open());
    assert_eq!(authority.template(&writer, USER).unwrap().template, saved);
}

#[test]
fn a_built_in_template_takes_no_other_templates_place() {
    let file = include_str!("../../../tests/fixtures/ad_cs_export/templates.ldf");
    // CT_FLAG_IS_DEFAULT in place of CT_FLAG_IS_MODIFIED.
    let file = file.replacen("flags: 131618", "flags: 66082", 1);
    let found = read(file.as_bytes(), None).unwrap();
    let import = Import {
        principals: Principals::new(),
        losses: Losses::Refused,
        existing: Existing::Replaced,
        only: vec![USER.to_owned()],
        course: Course::CarriedOut,
    };
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let before = authority.template(&administrator(), USER).unwrap().template;
    let outcome = authority.import_templates(&administrator(), &found, &import, None, noon());
    assert!(matches!(outcome, Err(Refusal::Invalid("template-import-refused", _))), "{outcome:?}");
    drop(authority);
    world.crash();
    register.close().unwrap();
    drop(register);
    let authority = world.authority(world.open());
    assert_eq!(authority.template(&administrator(), USER).unwrap().template, before);
}

#[test]
fn a_name_that_no_template_can_have_is_not_put_on_record() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let before = acts(&*register).len();
    let long = "x".repeat(65);
    let refused = authority.enroll(&alice, ask(&long, &csr(&[])), noon());
    assert!(matches!(refused, Err(Refusal::Invalid("template-name", _))), "{refused:?}");
    assert_eq!(acts(&*register).len(), before);
    let unknown = authority.enroll(&alice, ask(&"x".repeat(64), &csr(&[])), noon());
    let denied =
        |refusal: &Refusal, rule| matches!(refusal, Refusal::Denied(_, own) if own.rule == rule);
    assert!(denied(&unknown.unwrap_err(), Rule::TemplateUnknown));
}

#[test]
fn a_request_is_listed_under_its_template_however_the_name_was_written() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    edited(&authority, &administrator(), |file| {
        file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    });
    let written = USER.to_ascii_uppercase();
    let waiting = authority.enroll(&alice, ask(&written, &csr(&[])), noon()).unwrap();
    let filter = RequestFilter { template: Some(USER.to_owned()), ..RequestFilter::default() };
    let page = Page { after: None, limit: 10 };
    let listed = authority.requests(&administrator(), filter, page).unwrap().rows;
    let listed: Vec<_> = listed.iter().map(|row| (row.request_id, row.template.as_str())).collect();
    assert_eq!(listed, [(waiting.request_id, USER)]);
}

#[test]
fn a_certificate_speaks_for_no_later_account_of_its_name() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    let alice = vpn_user(&authority, "alice");
    let row = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()));
    let holder = || authority.authenticate_by_certificate(&row.certificate, noon());
    let refused = || match holder() {
        Err(Refusal::CertificateRefused(rule, _)) => rule,
        other => panic!("{other:?}"),
    };
    holder().unwrap();
    let another = "S-1-5-21-1004336348-1177238915-682003330-9999";
    for sid in [Some(another.to_owned()), None] {
        let changed = Account { object_sid: sid, ..account("alice", &["VPN Users"]) };
        authority.change_account(&admin, changed, Vec::new(), None, noon()).unwrap();
        assert_eq!(refused(), "client-certificate-account");
    }
    let same = account("alice", &["VPN Users"]);
    authority.change_account(&admin, same.clone(), Vec::new(), None, noon()).unwrap();
    holder().unwrap();

    // The same in every attribute, and yet somebody else.
    authority.delete_account(&admin, "alice", None, noon()).unwrap();
    let later = noon().plus_seconds(1);
    authority.create_account(&admin, same, Vec::new(), None, later).unwrap();
    assert_eq!(refused(), "client-certificate-account");
}

#[test]
fn a_token_speaks_for_no_later_account_of_its_name() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    vpn_user(&authority, "alice");
    let scope = Scope::Account;
    let wanted = WantedToken { account: "alice", life_seconds: 3600, description: None, scope };
    let made = authority.create_token(&admin, wanted, None, noon()).unwrap();
    let later = noon().plus_seconds(1);
    authority.authenticate(&made.secret, later).unwrap();
    authority.delete_account(&admin, "alice", None, later).unwrap();
    let again = account("alice", &["VPN Users"]);
    authority.create_account(&admin, again, vec![Role::Administrator], None, later).unwrap();
    let refused = authority.authenticate(&made.secret, later);
    assert!(matches!(refused, Err(Refusal::Unauthenticated(_))), "{refused:?}");
}

#[test]
fn nobody_approves_what_came_by_a_token_that_he_made() {
    let world = World::new();
    let authority = world.authority(world.open());
    vpn_user(&authority, "alice");
    edited(&authority, &administrator(), |file| {
        file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    });
    let manager = somebody("manager", &[Role::CertificateManager]);
    let scope = Scope::OneEnrolment(USER);
    let wanted = WantedToken { account: "alice", life_seconds: 3600, description: None, scope };
    let made = authority.create_token(&manager, wanted, None, noon()).unwrap();
    let holder = authority.authenticate(&made.secret, noon()).unwrap();
    let waiting = authority.enroll(&holder, ask(USER, &csr(&[])), noon()).unwrap().request_id;
    let refused = authority.approve(&manager, waiting, noon());
    assert!(matches!(refused, Err(Refusal::Ruled(Rule::OwnRequest, _))), "{refused:?}");
    let other = somebody("other", &[Role::CertificateManager]);
    issued(authority.approve(&other, waiting, noon()));
}

#[test]
fn a_request_that_waits_is_no_later_accounts_of_its_name() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    let alice = vpn_user(&authority, "alice");
    edited(&authority, &admin, |file| {
        file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    });
    let waiting = authority.enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap().request_id;
    authority.delete_account(&admin, "alice", None, noon()).unwrap();
    let later = noon().plus_seconds(1);
    let again = account("alice", &["VPN Users"]);
    authority.create_account(&admin, again, Vec::new(), None, later).unwrap();
    // Its key is the one's, and its names would be the other's.
    let refused = authority.approve(&admin, waiting, later);
    assert!(matches!(refused, Err(Refusal::Conflict("approval-impossible", _))), "{refused:?}");
}

#[test]
fn all_certificates_of_an_account_are_those_of_whom_the_directory_means() {
    let world = World::new();
    let authority = world.authority(world.open());
    // As Active Directory compares: without regard to the case of any letter.
    let jana = account("CORP\\JÄNA", &["VPN Users"]);
    let known = jana.clone();
    let lookup = move |name: &str| {
        let same = name.to_lowercase() == known.name.to_lowercase();
        Ok::<_, DirectoryError>(same.then(|| known.clone()))
    };
    let authority = Authority { directory: Arc::new(BuiltIn(lookup)), ..authority };
    let held = Account { distinguished_name: Some("CN=Jana,DC=contoso,DC=com".to_owned()), ..jana };
    let holder = Requester::of(held, Vec::new());
    let row = issued(authority.enroll(&holder, ask(USER, &csr(&[])), noon()));
    let reason = RevocationReason::CessationOfOperation;
    let revoke = |name| authority.revoke_account(&administrator(), name, reason, None, noon());
    assert_eq!(revoke("corp\\jäna").unwrap().certificates, [row.serial]);
    assert_eq!(revoke("corp\\jäna").unwrap().certificates, []);
    assert!(matches!(revoke("corp\\jana"), Err(Refusal::NotFound(_))));
}
