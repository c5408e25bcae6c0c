//! Who may enrol, and for how long.

use super::*;

#[test]
fn only_members_enrol_and_only_managers_for_others() {
    let (request, template) = (named("", &[]), template("VPNUserAuthentication"));
    let stranger = Account { groups: vec!["Domain Users".into()], ..user() };
    assert_eq!(rule(member(&template, &request, &stranger)), Rule::EnrollmentNotPermitted);
    let manager = Account { name: "root".into(), ..stranger.clone() };
    let alice = user();
    let on_behalf = |subject: &Account, account: &Account, standing| {
        decide_case(&Case {
            template: &template,
            arc: &arc(),
            request: &request,
            subject,
            enroller: Enroller { account, standing },
            endorsements: &[],
            renewal_of: None,
            now: now(),
            authority_validity: (now(), now().plus_seconds(YEAR)),
        })
    };
    assert!(on_behalf(&alice, &manager, Standing::Manager).is_ok());
    assert_eq!(rule(on_behalf(&alice, &manager, Standing::Member)), Rule::EnrollmentNotPermitted);
    assert_eq!(
        rule(on_behalf(&stranger, &manager, Standing::Manager)),
        Rule::EnrollmentNotPermitted
    );
    let disabled = |account: &Account| Account { enabled: false, ..account.clone() };
    for (subject, enroller) in [(disabled(&alice), manager.clone()), (alice, disabled(&manager))] {
        let refused = on_behalf(&subject, &enroller, Standing::Manager);
        assert_eq!(rule(refused), Rule::AccountDisabled);
    }
}

#[test]
fn names_from_the_request_without_rules_are_for_managers() {
    let (request, server) = (named("CN=vpn.contoso.com", &[]), computer("vpn01", &["VPN Servers"]));
    let template = template("VPNServerAuthentication");
    assert_eq!(rule(member(&template, &request, &server)), Rule::EnrollmentNotPermitted);
    assert!(enrol(&template, &request, &user(), Standing::Manager).is_ok());
    assert!(member(&vpn_server(), &request, &server).is_ok());
    assert_eq!(rule(member(&vpn_server(), &request, &user())), Rule::EnrollmentNotPermitted);
}

#[test]
fn a_request_without_signatures_lacks_them() {
    let template = changed("VPNUserAuthentication", |file| {
        file.ra_signatures = 1;
        file.ra_application_policies = vec!["1.3.6.1.4.1.311.20.2.1".into()];
    });
    let refused = member(&template, &named("", &[]), &user());
    assert_eq!(rule(refused), Rule::SignaturePolicyRequired);
}

#[test]
fn validity_begins_ten_minutes_ago_and_stays_within_the_authoritys() {
    let (template, request, alice) = (template("VPNUserAuthentication"), named("", &[]), user());
    let within = |first, last| {
        decide_case(&Case {
            template: &template,
            arc: &arc(),
            request: &request,
            subject: &alice,
            enroller: Enroller { account: &alice, standing: Standing::Member },
            endorsements: &[],
            renewal_of: None,
            now: now().plus_seconds(1),
            authority_validity: (first, last),
        })
    };
    let now = now().plus_seconds(1);
    let whole = within(now.minus_seconds(YEAR), now.plus_seconds(YEAR)).unwrap();
    assert_eq!(whole.not_before, now.minus_seconds(600));
    assert_eq!(whole.not_after, whole.not_before.plus_seconds(YEAR));
    assert_eq!(whole.validity_cut, ValidityCut::Whole);
    let young = within(now.minus_seconds(60), now.plus_seconds(10 * YEAR)).unwrap();
    assert_eq!(young.not_before, now.minus_seconds(60));
    let old = within(now.minus_seconds(YEAR), now.plus_seconds(HOUR)).unwrap();
    assert_eq!(old.not_after, now.plus_seconds(HOUR));
    assert_eq!(old.validity_cut, ValidityCut::EndsWithAuthority);
    for (first, last) in
        [(now.minus_seconds(YEAR), now), (now.plus_seconds(1), now.plus_seconds(9))]
    {
        assert_eq!(rule(within(first, last)), Rule::AuthorityExpired);
    }
}
