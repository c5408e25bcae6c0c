//! Each certificate of `tests/fixtures/doctor` gets exactly the findings of its row, and no other.

use std::collections::BTreeSet;

use chancery::doctor::Part::{self, Ca, NpsServer, VpnDevice, VpnServer, VpnUser};
use chancery::doctor::Severity;
use chancery::doctor::rules::RULES;

use super::web::{Besides, folder, judged};

/// A fixture, the part it plays, and what is found: certificate counted from 0, `!` for a fault and
/// `~` for a warning, rule.
type Row = (&'static str, Part, &'static [&'static str]);

const TABLE: &[Row] = &[
    ("nps_good", NpsServer, &[]),
    ("vpn_good", VpnServer, &[]),
    ("user_good", VpnUser, &[]),
    ("device_good", VpnDevice, &[]),
    ("ca_good", Ca, &[]),
    ("root_good", Ca, &[]),
    // Names.
    ("nps_subject_empty", NpsServer, &["0!subject-empty"]),
    ("vpn_subject_empty", VpnServer, &["0!subject-empty"]),
    ("device_names_unreadable", VpnDevice, &["0!alternative-name-unreadable"]),
    ("vpn_names_absent", VpnServer, &["0~alternative-name-absent"]),
    ("nps_names_without_dns", NpsServer, &["0!alternative-name-without-dns"]),
    ("device_names_without_dns", VpnDevice, &["0!alternative-name-without-dns"]),
    ("user_upn_missing", VpnUser, &["0!upn-missing"]),
    ("nps_capitals", NpsServer, &["0~name-with-capitals"]),
    ("vpn_address", VpnServer, &["0~address-not-as-dns-name"]),
    ("vpn_wildcard", VpnServer, &["0~wildcard-name"]),
    // Identity.
    ("user_sid_missing", VpnUser, &["0!sid-missing"]),
    ("device_sid_missing", VpnDevice, &["0~device-sid-missing"]),
    ("user_sid_malformed", VpnUser, &["0!sid-malformed"]),
    ("user_sids_differ", VpnUser, &["0!sids-differ"]),
    ("user_sid_in_uri", VpnUser, &["0~sid-only-as-uri"]),
    // Purpose.
    ("vpn_eku_client_only", VpnServer, &["0!eku-without-server-authentication"]),
    ("nps_eku_absent", NpsServer, &["0!eku-without-server-authentication"]),
    ("user_eku_server_only", VpnUser, &["0!eku-without-client-authentication"]),
    ("device_eku_ike_only", VpnDevice, &["0!eku-without-client-authentication"]),
    ("vpn_eku_without_ike", VpnServer, &["0~eku-without-ike-intermediate"]),
    ("user_eku_absent", VpnUser, &["0~eku-absent"]),
    ("user_eku_any", VpnUser, &["0~eku-any-purpose"]),
    ("user_policies_narrower", VpnUser, &["0!application-policies-narrower"]),
    ("user_issuer_excludes", VpnUser, &["1!issuer-eku-excludes"]),
    ("nps_smart_card", NpsServer, &["0!eku-smart-card-logon"]),
    ("nps_key_usage", NpsServer, &["0!key-usage-without-digital-signature"]),
    ("device_is_a_ca", VpnDevice, &["0~end-entity-is-a-ca"]),
    // Key.
    ("nps_rsa_1024", NpsServer, &["0!key-too-small"]),
    ("user_exponent_3", VpnUser, &["0!key-weak"]),
    ("device_ed25519", VpnDevice, &["0!key-algorithm-unsupported"]),
    ("nps_p256", NpsServer, &["0~key-not-rsa"]),
    ("vpn_sha1", VpnServer, &["0!signature-digest-broken"]),
    // Validity.
    ("vpn_expired", VpnServer, &["0!expired"]),
    ("user_not_yet_valid", VpnUser, &["0!not-yet-valid"]),
    ("nps_expires_soon", NpsServer, &["0~expires-soon"]),
    ("device_outlives_issuer", VpnDevice, &["0~outlives-issuer"]),
    ("user_issuer_expired", VpnUser, &["1!expired"]),
    // Chain.
    ("vpn_chain_incomplete", VpnServer, &["0!chain-incomplete"]),
    ("user_signature_wrong", VpnUser, &["0!signature-wrong"]),
    ("user_signature_unknown", VpnUser, &["0~signature-not-checked"]),
    ("device_key_identifier", VpnDevice, &["0~authority-key-identifier-differs"]),
    ("nps_critical_extension", NpsServer, &["0!critical-extension-unknown"]),
    ("user_issuer_not_a_ca", VpnUser, &["1!issuer-not-a-ca"]),
    ("user_issuer_may_not_sign", VpnUser, &["1!issuer-may-not-sign-certificates"]),
    ("user_issuer_may_not_sign_crls", VpnUser, &["1!issuer-may-not-sign-crls"]),
    ("user_path_length", VpnUser, &["2!path-length-exceeded"]),
    ("root_forged", Ca, &["0!signature-wrong"]),
    ("user_good_new_with_old", VpnUser, &[]),
    // CRLs.
    ("user_crl_location_missing", VpnUser, &["0!crl-location-missing"]),
    ("user_crl_only_ldap", VpnUser, &["0~crl-location-only-ldap"]),
    ("user_crl_only_https", VpnUser, &["0~crl-location-only-https"]),
    ("user_crl_unreachable", VpnUser, &["0!crl-unreachable"]),
    ("user_crl_location_dead", VpnUser, &["0~crl-location-dead"]),
    ("user_crl_redirected", VpnUser, &["0!crl-redirected"]),
    ("user_crl_in_pem", VpnUser, &["0!crl-not-der"]),
    ("user_crl_is_a_page", VpnUser, &["0!crl-not-der"]),
    ("user_crl_of_another", VpnUser, &["0!crl-of-another-issuer"]),
    ("user_crl_is_a_delta", VpnUser, &["0!crl-is-a-delta"]),
    ("user_crl_signature", VpnUser, &["0!crl-signature-wrong"]),
    ("user_crl_critical", VpnUser, &["0!crl-critical-extension-unknown"]),
    ("user_crl_of_authorities", VpnUser, &["0!crl-out-of-scope"]),
    ("user_crl_of_another_partition", VpnUser, &["0!crl-out-of-scope"]),
    ("user_good_partition", VpnUser, &[]),
    ("user_crl_sha1", VpnUser, &["0!crl-digest-broken"]),
    ("user_crl_entry_broken", VpnUser, &["0!crl-entry-broken"]),
    ("user_crl_unnumbered", VpnUser, &["0~crl-number-missing"]),
    ("user_crl_not_yet_valid", VpnUser, &["0!crl-not-yet-valid"]),
    ("user_crl_endless", VpnUser, &["0~crl-without-next-update"]),
    ("user_crl_expired", VpnUser, &["0!crl-expired"]),
    ("vpn_crl_expired", VpnServer, &["0~crl-expired"]),
    ("user_crl_overdue", VpnUser, &["0~crl-overdue"]),
    ("user_revoked", VpnUser, &["0!revoked"]),
    ("user_held", VpnUser, &["0!revoked"]),
    ("user_issuer_revoked", VpnUser, &["1!revoked"]),
    ("user_root_crl_expired", VpnUser, &["1!crl-expired"]),
    // Delta CRLs.
    ("user_good_delta", VpnUser, &[]),
    ("user_good_released", VpnUser, &[]),
    ("user_delta_older_than_base", VpnUser, &["0!revoked"]),
    ("user_delta_releases_ahead", VpnUser, &["0!revoked", "0!delta-inconsistent"]),
    ("user_delta_unreachable", VpnUser, &["0!delta-unreachable"]),
    ("user_delta_no_indicator", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_of_another", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_signature", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_newer_base", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_names_delta", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_other_scope", VpnUser, &["0!delta-inconsistent"]),
    ("user_delta_expired", VpnUser, &["0!delta-expired"]),
    ("user_delta_revokes", VpnUser, &["0!revoked"]),
    // OCSP.
    ("user_good_ocsp", VpnUser, &[]),
    ("user_good_ocsp_delegate", VpnUser, &[]),
    ("user_ocsp_unreachable", VpnUser, &["0~ocsp-unreachable"]),
    ("user_ocsp_broken", VpnUser, &["0~ocsp-answer-broken"]),
    ("user_ocsp_refused", VpnUser, &["0~ocsp-refused"]),
    ("user_ocsp_of_another", VpnUser, &["0~ocsp-of-another-certificate"]),
    ("user_ocsp_signer", VpnUser, &["0~ocsp-signer-not-authorised"]),
    ("user_ocsp_signer_expired", VpnUser, &["0~ocsp-signer-not-authorised"]),
    ("user_ocsp_stranger", VpnUser, &["0~ocsp-signer-not-authorised"]),
    ("user_ocsp_expired", VpnUser, &["0~ocsp-answer-out-of-time"]),
    ("user_ocsp_not_yet_valid", VpnUser, &["0~ocsp-answer-out-of-time"]),
    ("user_ocsp_unknown", VpnUser, &["0!ocsp-unknown"]),
    ("user_ocsp_revoked", VpnUser, &["0!revoked"]),
    ("user_ocsp_disagrees", VpnUser, &["0!ocsp-disagrees-with-crl"]),
];

/// Rules that depend on what is asked besides.
const ASKED: &[(&str, Part, Besides, &[&str])] = &[
    (
        "vpn_good",
        VpnServer,
        Besides { names: &["vpn.contoso.com"], root: Some("root.crt"), ..NOTHING },
        &[],
    ),
    (
        "vpn_good",
        VpnServer,
        Besides { names: &["VPN.contoso.com"], ..NOTHING }, // IKEv2 compares without case
        &[],
    ),
    (
        "vpn_good",
        VpnServer,
        Besides { names: &["vpn2.contoso.com"], ..NOTHING },
        &["0!name-not-in-certificate"],
    ),
    (
        "user_good",
        VpnUser,
        Besides { names: &["bob@contoso.com"], ..NOTHING },
        &["0!name-not-in-certificate"],
    ),
    (
        "nps_capitals",
        NpsServer,
        Besides { names: &["nps1.contoso.com"], ..NOTHING },
        &["0!name-in-other-case"],
    ),
    (
        "nps_good",
        NpsServer,
        Besides { root: Some("other-root.crt"), ..NOTHING },
        &["2!root-not-trusted"],
    ),
    (
        "vpn_good",
        VpnServer,
        Besides { by_handshake: true, ..NOTHING },
        &["0~chain-not-sent", "1~chain-not-sent"],
    ),
    ("user_good", VpnUser, Besides { clock_ahead_seconds: 301, ..NOTHING }, &["0~clock-skew"]),
    ("user_good", VpnUser, Besides { clock_ahead_seconds: -300, ..NOTHING }, &[]),
];

const NOTHING: Besides =
    Besides { names: &[], root: None, by_handshake: false, clock_ahead_seconds: 0 };

fn found(stem: &str, part: Part, besides: &Besides) -> Vec<String> {
    let report = judged(stem, part, besides);
    let each = report.findings.iter().map(|finding| {
        let mark = if finding.severity == Severity::Fault { '!' } else { '~' };
        format!("{}{mark}{}", finding.certificate, finding.rule.slug)
    });
    each.collect()
}

#[test]
fn each_fault_is_named_and_no_other() {
    let mut wrong = Vec::new();
    for (stem, part, expected) in TABLE {
        let found = found(stem, *part, &NOTHING);
        if found != *expected {
            wrong.push(format!("{stem} as {}: {found:?} instead of {expected:?}", part.as_str()));
        }
    }
    for (stem, part, besides, expected) in ASKED {
        let found = found(stem, *part, besides);
        if found != *expected {
            wrong.push(format!("{stem} as {}, asked: {found:?}, not {expected:?}", part.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_fixture_is_in_the_table() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".pem") {
            assert!(TABLE.iter().any(|(own, ..)| *own == stem), "{name} has no row");
        }
    }
}

/// A rule without a certificate that breaks it is a rule that nobody has seen work.
#[test]
fn every_rule_has_a_certificate_that_breaks_it() {
    let rows = TABLE.iter().map(|(.., expected)| *expected);
    let asked = ASKED.iter().map(|(.., expected)| *expected);
    let broken: BTreeSet<&str> =
        rows.chain(asked).flatten().filter_map(|one| one.split(['!', '~']).nth(1)).collect();
    for rule in RULES.iter().flat_map(|group| group.iter()) {
        assert!(broken.contains(rule.slug), "{}", rule.slug);
    }
}
