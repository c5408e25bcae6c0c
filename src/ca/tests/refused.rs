//! Templates on record that a stricter program refuses.

use super::world::{World, acts, administrator, ask, csr, issued, noon, somebody, vpn_user};
use crate::ca::permissions::Role;
use crate::ca::{Authority, Refusal};
use crate::pki::denial::Rule;
use crate::storage::act::{Act, Entry, TemplateMark, TemplateSaved};
use crate::storage::{LedgerRegister, Register, Urgency};

const CN: &str = "Careless";

/// Puts a template on record as a program took it that knew less: anybody names himself in it and
/// logs on (ESC1), and it is published.
fn careless(authority: &Authority, register: &LedgerRegister) {
    let shipped = authority.template(&administrator(), "VPNUserAuthentication").unwrap();
    let mut file = shipped.template.to_file();
    file.cn = CN.to_owned();
    file.oid = "7.7".to_owned();
    file.name_flags = vec!["ENROLLEE_SUPPLIES_SUBJECT".to_owned()];
    let mut json: serde_json::Value = serde_json::from_str(&file.to_json()).unwrap();
    json["requested_names"] = serde_json::json!({"any": true});
    put(register, &json.to_string());
}

fn put(register: &LedgerRegister, json: &str) {
    let saved = TemplateSaved { cn: CN.to_owned(), json: json.to_owned() };
    let acts = [Act::TemplateSaved(saved), Act::TemplatePublished(TemplateMark { cn: CN.into() })];
    let entries = acts.map(|act| Entry { at: noon().millis(), actor: None, act });
    register.commit(entries.into(), Urgency::Ordinary).unwrap();
}

#[test]
fn the_rest_goes_on_and_nothing_is_issued_under_it() {
    let world = World::new();
    let register = world.open();
    let before = world.authority(register.clone());
    careless(&before, &register);
    drop(before);
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let root = administrator();

    issued(authority.enroll(&alice, ask("VPNUserAuthentication", &csr(&[])), noon()));
    for requester in [&alice, &root] {
        match authority.enroll(requester, ask(CN, &csr(&["evil.contoso.com"])), noon()) {
            Err(Refusal::Denied(_, denial)) => assert_eq!(denial.rule, Rule::TemplateUnknown),
            other => panic!("{other:?}"),
        }
    }

    // Everybody learns that there is one, auditors which and why.
    assert!(authority.template_notices().iter().any(|told| told.starts_with("1 of the templates")));
    assert!(!authority.template_notices().join(" ").contains(CN));
    assert!(authority.refused_templates(&alice).is_empty());
    assert!(authority.refused_template(&alice, CN).is_none());
    let auditor = somebody("auditor", &[Role::Auditor]);
    let told = authority.refused_templates(&auditor);
    assert_eq!(told.len(), 1);
    assert!(told[0].why.contains("ESC1"), "{}", told[0].why);

    // It cannot be published, nor another be given its name.
    let refused = |outcome: Result<_, Refusal>| {
        assert!(matches!(outcome, Err(Refusal::Conflict("template-refused", _))), "{outcome:?}");
    };
    refused(authority.publish_template(&root, CN, noon()));
    let made = authority.duplicate_template(&root, "User", "careless", None, None, noon());
    refused(made);

    // That it is withdrawn goes on record, once.
    authority.withdraw_refused_templates(noon()).unwrap();
    authority.withdraw_refused_templates(noon()).unwrap();
    let withdrawn = |act: &Act| matches!(act, Act::TemplateUnpublished(mark) if mark.cn == CN);
    assert_eq!(acts(&*register).iter().filter(|act| withdrawn(act)).count(), 1);
    drop(authority);
    let authority = world.authority(register.clone());
    authority.withdraw_refused_templates(noon()).unwrap();
    assert_eq!(acts(&*register).iter().filter(|act| withdrawn(act)).count(), 1);
}

#[test]
fn an_administrator_mends_it_or_deletes_it() {
    let world = World::new();
    let register = world.open();
    careless(&world.authority(register.clone()), &register);
    let authority = world.authority(register.clone());
    let root = administrator();
    let refused = authority.refused_template(&root, CN).unwrap();
    let mut file = refused.file.clone().unwrap();
    let (oid, revision) = (file.oid.clone(), (file.major_revision, file.minor_revision));

    // What is dangerous stays refused; who only reads changes nothing.
    let tag = refused.entity_tag();
    let again = authority.replace_template(&root, CN, file.clone(), Some(&tag), noon());
    assert!(matches!(again, Err(Refusal::Invalid("template-invalid", _))), "{again:?}");
    file.name_flags = vec!["SUBJECT_REQUIRE_DIRECTORY_PATH".to_owned()];
    file.requested_names = None;
    let auditor = somebody("auditor", &[Role::Auditor]);
    let by_auditor = authority.replace_template(&auditor, CN, file.clone(), None, noon());
    assert!(matches!(by_auditor, Err(Refusal::Forbidden(_))), "{by_auditor:?}");
    let late = authority.replace_template(&root, CN, file.clone(), Some("1.1"), noon());
    assert!(matches!(late, Err(Refusal::Changed(_))), "{late:?}");

    file.oid = "8.8".to_owned();
    let mended = authority.replace_template(&root, CN, file, Some(&tag), noon()).unwrap();
    assert!(!mended.published, "what was refused is published by hand");
    let now = mended.template.to_file();
    assert_eq!(now.oid, oid);
    assert_eq!((now.major_revision, now.minor_revision), (revision.0, revision.1 + 1));
    assert!(authority.refused_templates(&root).is_empty());
    authority.publish_template(&root, CN, noon()).unwrap();
    drop(authority);
    let authority = world.authority(register.clone());
    assert!(authority.template(&root, CN).unwrap().published);

    // One that does not even read can only be deleted.
    put(&register, "{}");
    drop(authority);
    let authority = world.authority(register.clone());
    let refused = authority.refused_template(&root, CN).unwrap();
    assert!(refused.file.is_none());
    let file = authority.template(&root, "User").unwrap().template.to_file();
    let mending = authority.replace_template(&root, CN, file, None, noon());
    assert!(matches!(mending, Err(Refusal::Conflict("template-refused", _))), "{mending:?}");
    authority.delete_template(&root, CN, None, noon()).unwrap();
    assert!(authority.refused_templates(&root).is_empty());
    drop(authority);
    assert_eq!(world.authority(register).count_of_refused_templates(), 0);
}
