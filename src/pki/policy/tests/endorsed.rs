//! Whose signatures count, and for whom agents enrol.

use super::*;

/// Somebody's signature, with a certificate for these purposes and under these policies.
fn endorsement(account: &str, purposes: &[ObjectIdentifier], policies: &[&str]) -> Endorsement {
    let policies = policies.iter().map(|own| own.parse().unwrap()).collect();
    Endorsement { account: account.into(), purposes: purposes.to_vec(), policies }
}

fn endorsed(
    template: &Template,
    subject: &Account,
    enroller: Enroller<'_>,
    endorsements: &[Endorsement],
) -> Result<Profile, Denial> {
    decide_case(&Case {
        template,
        arc: &arc(),
        request: &named("", &[]),
        subject,
        enroller,
        endorsements,
        renewal_of: None,
        now: now(),
        authority_validity: (now(), now().plus_seconds(YEAR)),
    })
}

#[test]
fn signatures_count_by_holder_and_only_with_every_policy() {
    let template = changed("VPNUserAuthentication", |file| {
        file.ra_signatures = 2;
        file.ra_application_policies = vec!["1.3.6.1.4.1.311.20.2.1".into()];
        file.ra_policies = vec!["1.2.3.4".into()];
    });
    let alice = user();
    let own = Enroller { account: &alice, standing: Standing::Member };
    let with = |each: &[Endorsement]| endorsed(&template, &alice, own, each);
    let agent = [oid::REQUEST_AGENT];
    let (one, two) =
        (endorsement("one", &agent, &["1.2.3.4"]), endorsement("two", &agent, &["1.2.3.4"]));
    assert!(with(&[one.clone(), two.clone()]).is_ok());
    let again = endorsement("ONE", &agent, &["1.2.3.4"]);
    for (each, expected) in [
        (vec![], Rule::SignaturePolicyRequired),
        (vec![one.clone()], Rule::AuthorizedSignaturesRequired),
        (vec![one.clone(), one.clone(), again], Rule::AuthorizedSignaturesRequired),
        (
            vec![one.clone(), endorsement("two", &[oid::CLIENT_AUTHENTICATION], &["1.2.3.4"])],
            Rule::SignatureRejected,
        ),
        (
            vec![one.clone(), endorsement("two", &[oid::ANY_PURPOSE], &["1.2.3.4"])],
            Rule::SignatureRejected,
        ),
        (vec![one, endorsement("two", &agent, &["1.2.3.5"])], Rule::IssuancePolicyRequired),
    ] {
        assert_eq!(rule(with(&each)), expected, "{each:?}");
    }
}

/// The words of [MS-WCCE] 3.2.2.6.2.1.4.5.1 (msPKI-RA-Signature), .3 (msPKI-RA-Policies) and .4
/// (msPKI-RA-Application-Policies).
#[test]
fn what_the_signatures_lack_has_the_codes_of_ad_cs() {
    let codes = [
        (Rule::SignaturePolicyRequired, 0x8009_4809),
        (Rule::AuthorizedSignaturesRequired, 0x8009_480A),
        (Rule::SignatureRejected, 0x8009_480B),
        (Rule::IssuancePolicyRequired, 0x8009_480C),
    ];
    for (rule, code) in codes {
        assert_eq!(rule.hresult(), Some(code), "{rule:?}");
    }
}

#[test]
fn agents_enrol_for_others_where_the_template_lets_them() {
    let alice = user();
    let agent = Account { name: "agent".into(), groups: vec![], ..user() };
    let by = Enroller { account: &agent, standing: Standing::Agent };
    let signed = [endorsement("agent", &[oid::REQUEST_AGENT], &[])];
    let others = [endorsement("other", &[oid::REQUEST_AGENT], &[])];
    let plain = template("VPNUserAuthentication");
    let refused = endorsed(&plain, &alice, by, &signed);
    assert_eq!(rule(refused), Rule::EnrollmentNotPermitted);
    let flag = changed("VPNUserAuthentication", |file| {
        file.enrollment_flags.push("ALLOW_ENROLL_ON_BEHALF_OF".into());
    });
    assert!(endorsed(&flag, &alice, by, &[]).is_ok());
    // The subject must be one who may enrol.
    let stranger = Account { groups: vec![], ..user() };
    let refused = endorsed(&flag, &stranger, by, &[]);
    assert_eq!(rule(refused), Rule::EnrollmentNotPermitted);
    let wanted = changed("VPNUserAuthentication", |file| {
        file.ra_signatures = 1;
        file.ra_application_policies = vec!["1.3.6.1.4.1.311.20.2.1".into()];
    });
    // A version 1 template asks for the agent's own signature though it cannot say so.
    let first = template("User");
    let member = Account { groups: vec!["Domain Users".into()], ..user() };
    for (template, subject) in [(&wanted, &alice), (&first, &member)] {
        assert!(endorsed(template, subject, by, &signed).is_ok(), "{}", template.cn());
        for (each, expected) in
            [(&[][..], Rule::SignaturePolicyRequired), (&others[..], Rule::SignatureRejected)]
        {
            let refused = endorsed(template, subject, by, each);
            assert_eq!(rule(refused), expected, "{}", template.cn());
        }
    }
}
