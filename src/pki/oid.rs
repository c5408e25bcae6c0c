//! Object identifiers of RFC 5280, PKCS and Microsoft, under the names of the trade.

use der::asn1::ObjectIdentifier;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {
        $($(#[$doc])* pub const $name: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);)*
    };
}

// Attribute types (RFC 4519, RFC 2985, X.520).
identifiers! {
    /// CN.
    COMMON_NAME = "2.5.4.3";
    /// SN.
    SURNAME = "2.5.4.4";
    /// serialNumber (of a device or person, not of a certificate).
    DEVICE_SERIAL_NUMBER = "2.5.4.5";
    /// C.
    COUNTRY = "2.5.4.6";
    /// L.
    LOCALITY = "2.5.4.7";
    /// ST.
    STATE = "2.5.4.8";
    /// STREET.
    STREET = "2.5.4.9";
    /// O.
    ORGANIZATION = "2.5.4.10";
    /// OU.
    ORGANIZATIONAL_UNIT = "2.5.4.11";
    /// title.
    TITLE = "2.5.4.12";
    /// description.
    DESCRIPTION = "2.5.4.13";
    /// postalCode.
    POSTAL_CODE = "2.5.4.17";
    /// givenName.
    GIVEN_NAME = "2.5.4.42";
    /// initials.
    INITIALS = "2.5.4.43";
    /// generationQualifier.
    GENERATION_QUALIFIER = "2.5.4.44";
    /// dnQualifier.
    DN_QUALIFIER = "2.5.4.46";
    /// pseudonym.
    PSEUDONYM = "2.5.4.65";
    /// organizationIdentifier (ETSI EN 319 412-1).
    ORGANIZATION_IDENTIFIER = "2.5.4.97";
    /// UID.
    USER_ID = "0.9.2342.19200300.100.1.1";
    /// DC.
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25";
    /// emailAddress (PKCS #9).
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1";
}

// Public keys and signatures (RFC 3279, RFC 4055, RFC 5480, RFC 5758).
identifiers! {
    /// rsaEncryption.
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    /// id-RSASSA-PSS.
    RSA_PSS = "1.2.840.113549.1.1.10";
    /// id-ecPublicKey.
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// secp256r1.
    P256 = "1.2.840.10045.3.1.7";
    /// secp384r1.
    P384 = "1.3.132.0.34";
    /// secp521r1.
    P521 = "1.3.132.0.35";
    /// id-Ed25519.
    ED25519 = "1.3.101.112";
}

// Hashes that name an issuer (RFC 6960 §4.1.1, RFC 5754).
identifiers! {
    /// id-sha1.
    SHA_1 = "1.3.14.3.2.26";
    /// id-sha256.
    SHA_256 = "2.16.840.1.101.3.4.2.1";
}

// Certificate and CRL extensions (RFC 5280 §4.2, §5.2, §5.3).
identifiers! {
    /// subjectKeyIdentifier.
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// keyUsage.
    KEY_USAGE = "2.5.29.15";
    /// subjectAltName.
    SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
    /// basicConstraints.
    BASIC_CONSTRAINTS = "2.5.29.19";
    /// cRLNumber.
    CRL_NUMBER = "2.5.29.20";
    /// reasonCode.
    REASON_CODE = "2.5.29.21";
    /// invalidityDate.
    INVALIDITY_DATE = "2.5.29.24";
    /// deltaCRLIndicator.
    DELTA_CRL_INDICATOR = "2.5.29.27";
    /// issuingDistributionPoint.
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// cRLDistributionPoints.
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// certificatePolicies.
    CERTIFICATE_POLICIES = "2.5.29.32";
    /// authorityKeyIdentifier.
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// extKeyUsage.
    EXTENDED_KEY_USAGE = "2.5.29.37";
    /// freshestCRL.
    FRESHEST_CRL = "2.5.29.46";
    /// authorityInfoAccess.
    AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// id-ad-caIssuers.
    CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
    /// id-ad-ocsp (RFC 5280 §4.2.2.1).
    OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-pkix-ocsp-nonce (RFC 9654 §2.1).
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2";
    /// id-pkix-ocsp-response: AcceptableResponses (RFC 6960 §4.4.3).
    OCSP_ACCEPTABLE_RESPONSES = "1.3.6.1.5.5.7.48.1.4";
    /// id-pkix-ocsp-service-locator (RFC 6960 §4.4.6).
    OCSP_SERVICE_LOCATOR = "1.3.6.1.5.5.7.48.1.7";
    /// id-pkix-ocsp-pref-sig-algs (RFC 6960 §4.4.7.1).
    OCSP_PREFERRED_SIGNATURE_ALGORITHMS = "1.3.6.1.5.5.7.48.1.8";
    /// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
}

// Microsoft's extensions ([MS-WCCE] §2.2.2.7.7, [MS-CRTD]).
identifiers! {
    /// szOID_ENROLL_CERTTYPE_EXTENSION: the template's name, from version 1 templates.
    TEMPLATE_NAME = "1.3.6.1.4.1.311.20.2";
    /// szOID_CERTIFICATE_TEMPLATE: the template's OID and revision, from version 2 on.
    TEMPLATE_INFORMATION = "1.3.6.1.4.1.311.21.7";
    /// szOID_APPLICATION_CERT_POLICIES.
    APPLICATION_POLICIES = "1.3.6.1.4.1.311.21.10";
    /// szOID_CERTSRV_CA_VERSION.
    CA_VERSION = "1.3.6.1.4.1.311.21.1";
    /// szOID_CERTSRV_PREVIOUS_CERT_HASH.
    PREVIOUS_CA_CERTIFICATE_HASH = "1.3.6.1.4.1.311.21.2";
    /// szOID_CRL_VIRTUAL_BASE.
    CRL_VIRTUAL_BASE = "1.3.6.1.4.1.311.21.3";
    /// szOID_CRL_NEXT_PUBLISH.
    NEXT_CRL_PUBLISH = "1.3.6.1.4.1.311.21.4";
    /// szOID_CRL_SELF_CDP.
    PUBLISHED_CRL_LOCATIONS = "1.3.6.1.4.1.311.21.14";
    /// szOID_NTDS_CA_SECURITY_EXT: the account's security identifier.
    CA_SECURITY = "1.3.6.1.4.1.311.25.2";
    /// szOID_NTDS_OBJECTSID: the otherName inside it.
    OBJECT_SID = "1.3.6.1.4.1.311.25.2.1";
    /// szOID_NTDS_REPLICATION: a domain controller's objectGUID as otherName.
    DIRECTORY_GUID = "1.3.6.1.4.1.311.25.1";
    /// szOID_NT_PRINCIPAL_NAME: the UPN as otherName.
    USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3";
    /// szOID_RSA_SMIMECapabilities.
    SMIME_CAPABILITIES = "1.2.840.113549.1.9.15";
}

// Request attributes (RFC 2985 §5.4.2, [MS-WCCE] §2.2.2.7).
identifiers! {
    /// PKCS #9 extensionRequest.
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    /// szOID_RSA_certExtensions: Microsoft's form of the same.
    CERTIFICATE_EXTENSIONS = "1.3.6.1.4.1.311.2.1.14";
    /// szOID_ENROLLMENT_NAME_VALUE_PAIR.
    NAME_VALUE_PAIR = "1.3.6.1.4.1.311.13.2.1";
}

// Purposes (RFC 5280 §4.2.1.12, RFC 4556, [MS-WCCE], [MS-CRTD]).
identifiers! {
    /// id-kp-serverAuth.
    SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";
    /// id-kp-clientAuth.
    CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";
    /// id-kp-codeSigning.
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    /// id-kp-emailProtection.
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    /// id-kp-OCSPSigning.
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// id-kp-ipsecIKE.
    IPSEC_IKE = "1.3.6.1.5.5.7.3.17";
    /// IP security IKE intermediate.
    IKE_INTERMEDIATE = "1.3.6.1.5.5.8.2.2";
    /// Encrypting File System.
    ENCRYPTING_FILE_SYSTEM = "1.3.6.1.4.1.311.10.3.4";
    /// Smart-card logon.
    SMARTCARD_LOGON = "1.3.6.1.4.1.311.20.2.2";
    /// Certificate request agent.
    REQUEST_AGENT = "1.3.6.1.4.1.311.20.2.1";
    /// id-pkinit-KPClientAuth.
    PKINIT_CLIENT_AUTHENTICATION = "1.3.6.1.5.2.3.4";
    /// id-pkinit-KPKdc.
    KDC_AUTHENTICATION = "1.3.6.1.5.2.3.5";
    /// anyExtendedKeyUsage.
    ANY_PURPOSE = "2.5.29.37.0";
    /// Any application policy.
    ANY_APPLICATION_POLICY = "1.3.6.1.4.1.311.10.12.1";
}

// Cryptographic message syntax (RFC 5652).
identifiers! {
    /// id-data.
    CMS_DATA = "1.2.840.113549.1.7.1";
    /// id-signedData.
    CMS_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// id-contentType.
    CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// id-messageDigest.
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
    /// id-signingTime.
    SIGNING_TIME = "1.2.840.113549.1.9.5";
    /// id-cct-PKIData (RFC 5272 §3.2.1).
    CMC_PKI_DATA = "1.3.6.1.5.5.7.12.2";
    /// id-cmc-regInfo (RFC 5272 §6.12).
    CMC_REGISTRATION_INFORMATION = "1.3.6.1.5.5.7.7.18";
}
