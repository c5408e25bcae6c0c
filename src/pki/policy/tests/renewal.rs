//! Renewals: the same template, the same names.

use super::*;
use crate::pki::certificate::{Certificate, Prepared};
use crate::pki::issuer::Issuer;
use crate::pki::test_authority::{ALGORITHM, TestKey, root, serial};

/// An authority that issues what the policy decides.
struct World {
    key: TestKey,
    issuer: Issuer,
}

impl World {
    fn new() -> Self {
        let key = TestKey::generate();
        let issuer = root(&key);
        Self { key, issuer }
    }

    fn issue(&self, profile: &Profile) -> Certificate {
        let prepared = Prepared::build(profile, serial("4d01"), &self.issuer, ALGORITHM).unwrap();
        let tbs = prepared.into_tbs();
        let signature = self.key.sign(&tbs);
        Certificate::assemble(&tbs, ALGORITHM, &signature, &self.key.public).unwrap()
    }
}

/// Asks for a renewal, and whether the earlier approval would count.
fn renewed(
    template: &Template,
    request: &CertificateRequest,
    account: &Account,
    old: &Certificate,
) -> (Result<Profile, Denial>, bool) {
    let world = World::new();
    let question = Question {
        template,
        arc: &arc(),
        request,
        subject: account,
        enroller: Enroller { account, standing: Standing::Member },
        endorsements: &[],
        renewal_of: Some(old),
        issuer: &world.issuer,
        now: now(),
    };
    (decide(question), earlier_approval_counts(&question))
}

fn approved(template: Template) -> Template {
    let mut file = template.to_file();
    file.enrollment_flags =
        vec!["PEND_ALL_REQUESTS".into(), "PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT".into()];
    Template::from_file(&file).unwrap()
}

#[test]
fn a_renewal_keeps_the_names_of_the_old_certificate() {
    let server = computer("vpn01", &["VPN Servers"]);
    let template = approved(vpn_server());
    let names = [dns("vpn.contoso.com"), dns("132.64.86.2")];
    let request = named("CN=vpn.contoso.com,O=Contoso", &names);
    let first = member(&template, &request, &server).unwrap();
    let old = World::new().issue(&first);
    // The client repeats the names, some of them, or none ([MS-WCCE] 3.1.2.4.2.2.2.10).
    for request in [&request, &named("", &[]), &named("", &names[1..])] {
        let (again, approved) = renewed(&template, request, &server, &old);
        let again = again.unwrap();
        assert_eq!(again.subject.as_der(), old.subject().as_der());
        let san = |profile: &Profile| hex(profile, oid::SUBJECT_ALTERNATIVE_NAME);
        assert_eq!(san(&again), san(&first));
        assert!(approved);
    }
    for other in [
        named("CN=vpn", &[]),
        named("CN=vpn.contoso.com", &[]),
        named("CN=vpn.contoso.com,O=Contoso", &[dns("eu.vpn.contoso.com")]),
    ] {
        let (denied, approved) = renewed(&template, &other, &server, &old);
        let denial = denied.unwrap_err();
        assert_eq!(denial.rule, Rule::RenewalSubjectChanged);
        assert_eq!(denial.rule.hresult(), Some(0x8009_4806));
        assert!(!approved);
    }
}

#[test]
fn a_renewal_is_within_the_rules_of_today() {
    let server = computer("vpn01", &["VPN Servers"]);
    let request = named("CN=vpn", &[dns("vpn"), dns("eu.vpn.contoso.com")]);
    let old = World::new().issue(&member(&vpn_server(), &request, &server).unwrap());
    let narrowed = changed("VPNServerAuthentication", |file| {
        file.requested_names = Some(RequestedNamesFile {
            dns_names: vec!["vpn".into()],
            ..RequestedNamesFile::default()
        });
    });
    let (denied, _) = renewed(&narrowed, &request, &server, &old);
    let denial = denied.unwrap_err();
    assert_eq!(denial.rule, Rule::NameNotAllowed);
    assert!(denial.detail.contains("dns:eu.vpn.contoso.com"), "{denial}");
    // Without rules nobody but a manager names anything; what one has named is kept.
    let unruled = template("VPNServerAuthentication");
    assert_eq!(rule(member(&unruled, &request, &server)), Rule::EnrollmentNotPermitted);
    assert!(renewed(&unruled, &named("", &[]), &server, &old).0.is_ok());
    let stranger = computer("vpn02", &["NPS Servers"]);
    assert_eq!(rule(renewed(&unruled, &request, &stranger, &old).0), Rule::EnrollmentNotPermitted);
}

#[test]
fn a_renewal_is_of_the_same_template_and_keeps_its_key_where_it_must() {
    let world = World::new();
    let plain = named("", &[]);
    let user_template = template("VPNUserAuthentication");
    let old = world.issue(&member(&user_template, &plain, &user()).unwrap());
    let (denied, _) = renewed(&template("User"), &plain, &user(), &old);
    assert_eq!(rule(denied), Rule::TemplateConflict);
    // A version 1 certificate carries the name of its template.
    let old_user = world.issue(&member(&template("User"), &plain, &user()).unwrap());
    assert!(renewed(&template("User"), &plain, &user(), &old_user).0.is_ok());
    assert_eq!(rule(renewed(&user_template, &plain, &user(), &old_user).0), Rule::TemplateConflict);
    let same_key = changed("VPNUserAuthentication", |file| {
        file.private_key_flags.push("REQUIRE_SAME_KEY_RENEWAL".into());
    });
    assert!(renewed(&same_key, &plain, &user(), &old).0.is_ok());
    let (denied, _) = renewed(&same_key, &csr(ec_key(), "", &[]), &user(), &old);
    let denial = denied.unwrap_err();
    assert_eq!((denial.rule, denial.rule.hresult()), (Rule::RenewalKeyChanged, Some(0x8009_4816)));
}

#[test]
fn an_earlier_approval_counts_while_upn_and_mail_are_the_directorys() {
    let world = World::new();
    let plain = named("", &[]);
    let template = approved(template("VPNUserAuthentication"));
    let old = world.issue(&member(&template, &plain, &user()).unwrap());
    let counts =
        |template: &Template, account: &Account| renewed(template, &plain, account, &old).1;
    assert!(counts(&template, &user()));
    let married = Account { user_principal_name: Some("alice.b@contoso.com".into()), ..user() };
    assert!(!counts(&template, &married));
    let waiting = changed("VPNUserAuthentication", |file| {
        file.enrollment_flags.push("PEND_ALL_REQUESTS".into());
    });
    assert!(!counts(&waiting, &user()), "the template does not say so");
    // A machine is known by its DNS name, though [MS-WCCE] 3.2.2.6.2.1.4.8 does not look at it.
    let nps = approved(super::template("NPSServerAuthentication"));
    let server = computer("nps01", &["NPS Servers"]);
    let old = world.issue(&member(&nps, &plain, &server).unwrap());
    assert!(renewed(&nps, &plain, &server, &old).1);
    let moved = Account { dns_host_name: Some("nps02.contoso.com".into()), ..server };
    assert!(!renewed(&nps, &plain, &moved, &old).1);
}
