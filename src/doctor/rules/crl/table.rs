//! The rules about CRLs.

use super::super::documents::{AD_CS_URLS, HICKS, NPS_REVOCATION};
use super::super::{CLIENTS, EVERY_PART, VPN_DEVICE, VPN_USER, inferred, seen};
use super::Rule;
use crate::doctor::finding::Symptom;

pub(in super::super) const RULES: &[&Rule] = &[
    &NONE_NAMED,
    &LDAP,
    &HTTPS,
    &UNREACHABLE,
    &DEAD,
    &REDIRECTED,
    &NOT_DER,
    &ISSUER,
    &DELTA,
    &SIGNATURE,
    &CRITICAL,
    &SCOPE,
    &UNREADABLE_ENTRY,
    &DIGEST,
    &NO_NUMBER,
    &NOT_YET_VALID,
    &NO_NEXT_UPDATE,
    &EXPIRED,
    &OVERDUE,
    &REVOKED,
];

const RFC_CRL: &str = "RFC 5280 §6.3.3";

/// There is no CRL, or none that can be used.
const NO_CHECK: &[Symptom] = &[
    seen(VPN_USER, "NPS event 6273 reason 258"),
    seen(EVERY_PART, "0x80092012 CRYPT_E_NO_REVOCATION_CHECK"),
    inferred(VPN_DEVICE, "error 13801, where RRAS looks at revocation (CertAuthFlags = 4)"),
];

/// It cannot be had.
const OFFLINE: &[Symptom] = &[
    seen(VPN_USER, "NPS event 6273 reason 259"),
    seen(VPN_USER, "NPS event 6273 reason 291"),
    seen(VPN_USER, "NPS event 6273 reason 258"),
    seen(EVERY_PART, "0x80092013 CRYPT_E_REVOCATION_OFFLINE"),
    inferred(VPN_DEVICE, "error 13801, where RRAS looks at revocation (CertAuthFlags = 4)"),
];

rules! {
    NONE_NAMED "crl-location-missing" Fault [Nps CryptoApi StrongSwan] NO_CHECK, Confirmed,
        NPS_REVOCATION,
        "Issue from a CA that writes an http CRL location into its certificates. NPS accepts such \
         certificates only with IgnoreNoRevocationCheck = 1 (EAP\\13), as Entra's conditional \
         access certificates need.";
    LDAP "crl-location-only-ldap" Warning [Nps Rras WindowsClient] OFFLINE, Confirmed, AD_CS_URLS,
        "Add an http location to the CA (AD CS: CRLPublicationURLs has http off by default) and \
         issue anew: who stands outside the domain cannot read its directory.";
    HTTPS "crl-location-only-https" Warning [CryptoApi] OFFLINE, Inferred,
        "RFC 5280 §8 (security considerations on https in CRL locations)",
        "Publish over http: checking the https server's certificate would need a CRL again.";
    UNREACHABLE "crl-unreachable" Fault [Nps Rras CryptoApi StrongSwan] OFFLINE, Confirmed,
        NPS_REVOCATION,
        "See that the address resolves and answers from here and from NPS and RRAS (certutil -url \
         FILE there), and that a firewall or a stopped web server is not in the way.";
    DEAD "crl-location-dead" Warning [CryptoApi] &[
            inferred(EVERY_PART, "slow connections, while Windows tries each place for seconds"),
        ], Inferred, NPS_REVOCATION,
        "Bring the place back, or leave it out of new certificates.";
    REDIRECTED "crl-redirected" Fault [CryptoApi StrongSwan] OFFLINE, Unconfirmed,
        "no document found that says who follows redirects to a CRL",
        "Publish the CRL at the very address that the certificates name.";
    NOT_DER "crl-not-der" Fault [Rfc5280] NO_CHECK, Confirmed, "RFC 5280 §4.2.1.13",
        "Publish the CRL itself in DER: not PEM, not a page about it.";
    ISSUER "crl-of-another-issuer" Fault [Rfc5280] NO_CHECK, Confirmed, RFC_CRL,
        "Publish the issuer's own CRL there: after a CA was renamed or made again, the old file \
         may have stayed.";
    DELTA "crl-is-a-delta" Fault [Rfc5280] NO_CHECK, Confirmed, "RFC 5280 §5.2.4",
        "Publish the base CRL there; the delta belongs at the place that freshestCRL names.";
    SIGNATURE "crl-signature-wrong" Fault [Rfc5280] NO_CHECK, Confirmed, RFC_CRL,
        "After the CA was renewed with a new key, publish the CRL of each key in a file of its own \
         (AD CS: the (1) in the name), and let certificates name the one of their key.";
    CRITICAL "crl-critical-extension-unknown" Fault [Rfc5280] NO_CHECK, Confirmed,
        "RFC 5280 §5.2",
        "Publish a CRL without that extension, or with it not critical.";
    SCOPE "crl-out-of-scope" Fault [Rfc5280] NO_CHECK, Confirmed, "RFC 5280 §5.2.5, §6.3.3 (b)(2)",
        "Publish at each location the CRL that is about the certificates naming it: a partition of \
         another location, or a CRL of another kind of certificates, says nothing of this one.";
    UNREADABLE_ENTRY "crl-entry-broken" Fault [Rfc5280] NO_CHECK, Confirmed, "RFC 5280 §5.1.2.6",
        "Publish a new CRL.";
    DIGEST "crl-digest-broken" Fault [CryptoApi FreeRadius] NO_CHECK, Inferred, HICKS,
        "Have the CA sign its CRLs with SHA-256.";
    NO_NUMBER "crl-number-missing" Warning [Rfc5280] &[
            inferred(EVERY_PART, "an older CRL cannot be told from a newer one"),
        ], Confirmed, "RFC 5280 §5.2.3",
        "Let the CA number its CRLs.";
    NOT_YET_VALID "crl-not-yet-valid" Fault [Rfc5280] NO_CHECK, Inferred, "RFC 5280 §5.1.2.4",
        "Compare the clocks of the CA and of whoever asks.";
    NO_NEXT_UPDATE "crl-without-next-update" Warning [Rfc5280] &[
            inferred(EVERY_PART, "one party caches it for ever, another never"),
        ], Confirmed, "RFC 5280 §5.1.2.5",
        "Let the CA say when the next CRL comes.";
    EXPIRED "crl-expired" Fault [Nps Rras CryptoApi FreeRadius StrongSwan] &[
            seen(VPN_USER, "NPS event 6273 reason 258"),
            seen(EVERY_PART, "0x80092013 CRYPT_E_REVOCATION_OFFLINE"),
            seen(CLIENTS, "FreeRADIUS: CRL has expired (error 12); nobody gets in"),
            inferred(VPN_DEVICE, "error 13801, where RRAS looks at revocation (CertAuthFlags = 4)"),
        ], Confirmed, NPS_REVOCATION,
        "Publish a new CRL now, then flush what is cached (certutil -urlcache * delete; certutil \
         -setreg chain\\ChainCacheResyncFiletime @now), and find out why it was not published.";
    OVERDUE "crl-overdue" Warning [Rfc5280] &[
            inferred(EVERY_PART, "nothing yet; then what `crl-expired` shows"),
        ], Inferred, "[MS-CSRA] on szOID_CRL_NEXT_PUBLISH",
        "Find out why the next CRL has not been published, or not copied to this place.";
    REVOKED "revoked" Fault [Nps FreeRadius StrongSwan CryptoApi] &[
            seen(VPN_USER, "NPS event 6273 reason 289"),
            seen(VPN_USER, "NPS event 6273 reason 256"),
            seen(EVERY_PART, "0x80092010 CRYPT_E_REVOKED"),
            seen(VPN_DEVICE, "nothing at all while RRAS does not look (CertAuthFlags is not 4)"),
        ], Confirmed, "Microsoft, NPS Reason Codes 283 Through 303 (dd197508)",
        "Use another certificate; one on hold can be released.";
}
