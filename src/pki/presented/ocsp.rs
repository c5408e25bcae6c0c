//! Anybody's OCSP answer (RFC 6960 §4.2), and the question that asks for it.

use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime};
use der::{Decode, Encode, Reader, Sequence, SliceReader, Tag, Tagged};

use super::Unreadable;
use super::certificate::PresentedCertificate;
use super::signature::{self, Fit};
use crate::pki::encoding::Verbatim;
use crate::pki::public_key::key_identifier;
use crate::pki::time::Timestamp;

/// id-pkix-ocsp-basic.
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// AlgorithmIdentifier of SHA-1 with NULL, the digest of every responder's CertIDs.
const SHA1: [u8; 11] = [0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];

/// Certificates in an answer that are looked at: a responder sends its own, and each costs two
/// verifications.
const MOST_SENT: usize = 16;

/// ```text
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
///                       issuerKeyHash OCTET STRING, serialNumber INTEGER }
/// ```
#[derive(Sequence)]
struct CertificateId<'a> {
    algorithm: Verbatim<'a>,
    #[asn1(type = "OCTET STRING")]
    issuer_name: &'a [u8],
    #[asn1(type = "OCTET STRING")]
    issuer_key: &'a [u8],
    serial: AnyRef<'a>,
}

#[derive(Sequence)]
struct Asked<'a> {
    id: CertificateId<'a>,
}

#[derive(Sequence)]
struct AskedList<'a> {
    list: Vec<Asked<'a>>,
}

#[derive(Sequence)]
struct Question<'a> {
    request: AskedList<'a>,
}

/// ```text
/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED,
///                             responseBytes [0] EXPLICIT SEQUENCE { responseType OBJECT IDENTIFIER,
///                                                                   response OCTET STRING } OPTIONAL }
/// ```
#[derive(Sequence)]
struct Response<'a> {
    status: AnyRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    bytes: Option<ResponseBytes<'a>>,
}

#[derive(Sequence)]
struct ResponseBytes<'a> {
    kind: ObjectIdentifier,
    #[asn1(type = "OCTET STRING")]
    response: &'a [u8],
}

/// ```text
/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData,
///                                  signatureAlgorithm AlgorithmIdentifier, signature BIT STRING,
///                                  certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ```
#[derive(Sequence)]
struct Basic<'a> {
    data: Verbatim<'a>,
    algorithm: Verbatim<'a>,
    signature: BitStringRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<Verbatim<'a>>>,
}

/// ```text
/// ResponseData ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1(0),
///                             responderID CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT OCTET STRING },
///                             producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse,
///                             responseExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
struct Data<'a> {
    singles: Vec<Single<'a>>,
}

/// ```text
/// SingleResponse ::= SEQUENCE { certID CertID,
///                               certStatus CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT SEQUENCE {
///                                   revocationTime GeneralizedTime, … }, unknown [2] IMPLICIT NULL },
///                               thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL,
///                               singleExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct Single<'a> {
    id: CertificateId<'a>,
    status: AnyRef<'a>,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<AnyRef<'a>>,
}

/// What an answer says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Not revoked, as far as the responder knows.
    Good,
    /// Revoked since then.
    Revoked(Timestamp),
    /// The responder does not know it.
    Unknown,
}

/// Who signed an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The issuer of the certificate itself.
    Issuer,
    /// Somebody to whom the issuer gave a certificate for OCSP Signing, which is in the answer.
    Delegate {
        /// When that certificate ends.
        until: Timestamp,
    },
    /// Somebody else: it proves nothing.
    Nobody,
    /// The algorithm cannot be checked here.
    Unchecked,
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedAnswer {
    /// An error, which is not signed: OCSPResponseStatus.
    Refused(u8),
    /// About other certificates than the one asked for.
    OfAnother,
    /// About the certificate.
    About {
        /// What it says.
        said: Said,
        /// Since when that was known to be so.
        this_update: Timestamp,
        /// Until when it holds, if it says.
        next_update: Option<Timestamp>,
        /// Who signed it.
        by: AnsweredBy,
    },
}

/// The request (RFC 6960 §4.1.1) for one certificate, by SHA-1, without nonce: any responder can
/// have the answer ready.
pub fn question(
    certificate: &PresentedCertificate,
    issuer: &PresentedCertificate,
) -> Option<Vec<u8>> {
    let (name, key) = hashes(issuer)?;
    let serial = AnyRef::new(Tag::Integer, certificate.serial_octets()).ok()?;
    let id = CertificateId {
        algorithm: Verbatim::of(&SHA1),
        issuer_name: &name,
        issuer_key: &key,
        serial,
    };
    Question { request: AskedList { list: vec![Asked { id }] } }.to_der().ok()
}

/// SHA-1 of the issuer's name and of its key's octets.
fn hashes(issuer: &PresentedCertificate) -> Option<([u8; 20], [u8; 20])> {
    let info = spki::SubjectPublicKeyInfoRef::from_der(issuer.spki_der()).ok()?;
    let key = info.subject_public_key.as_bytes()?;
    Some((key_identifier(issuer.subject_der()), key_identifier(key)))
}

impl PresentedAnswer {
    /// Reads an answer to [`question`].
    pub fn from_der(
        der: &[u8],
        certificate: &PresentedCertificate,
        issuer: &PresentedCertificate,
    ) -> Result<Self, Unreadable> {
        Self::read(der, certificate, issuer).ok_or(Unreadable("OCSP answer"))
    }

    fn read(
        der: &[u8],
        certificate: &PresentedCertificate,
        issuer: &PresentedCertificate,
    ) -> Option<Self> {
        let response = Response::from_der(der).ok()?;
        let status = response.status;
        if status.tag() != Tag::Enumerated || status.value().len() != 1 {
            return None;
        }
        match status.value().first()? {
            0 => {}
            refused => return Some(Self::Refused(*refused)),
        }
        let bytes = response.bytes.filter(|own| own.kind == BASIC)?;
        let basic = Basic::from_der(bytes.response).ok()?;
        let data = Data::read(basic.data.as_bytes())?;
        let (name, key) = hashes(issuer)?;
        let meant = |own: &&Single<'_>| {
            own.id.serial.value() == certificate.serial_octets()
                && own.id.issuer_name == name
                && own.id.issuer_key == key
        };
        let Some(single) = data.singles.iter().find(meant) else { return Some(Self::OfAnother) };
        Some(Self::About {
            said: said(single.status)?,
            this_update: moment(&single.this_update),
            next_update: single.next_update.as_ref().map(moment),
            by: signer(&basic, issuer)?,
        })
    }
}

fn moment(time: &GeneralizedTime) -> Timestamp {
    Timestamp::from_seconds(time.to_unix_duration().as_secs())
}

fn said(status: AnyRef<'_>) -> Option<Said> {
    let tag = status.tag();
    if !tag.is_context_specific() {
        return None;
    }
    match (tag.number().value(), tag.is_constructed()) {
        (0, false) => Some(Said::Good),
        (1, true) => {
            let mut reader = SliceReader::new(status.value()).ok()?;
            Some(Said::Revoked(moment(&GeneralizedTime::decode(&mut reader).ok()?)))
        }
        (2, false) => Some(Said::Unknown),
        _ => None,
    }
}

fn signer(basic: &Basic<'_>, issuer: &PresentedCertificate) -> Option<AnsweredBy> {
    let signature = basic.signature.as_bytes()?;
    let fits = |key: &PresentedCertificate| {
        signature::fits(
            basic.algorithm.as_bytes(),
            key.spki_der(),
            basic.data.as_bytes(),
            signature,
        )
    };
    match fits(issuer) {
        Fit::Fits => return Some(AnsweredBy::Issuer),
        Fit::Unchecked if basic.certificates.is_none() => return Some(AnsweredBy::Unchecked),
        _ => {}
    }
    let sent = basic.certificates.iter().flatten().take(MOST_SENT);
    let sent = sent.filter_map(|der| PresentedCertificate::from_der(der.as_bytes()).ok());
    for delegate in sent {
        // RFC 6960 §4.2.2.2: issued directly by the issuer, for OCSP Signing.
        let purposes = delegate.extended_key_usage().unwrap_or_default();
        let delegated = purposes.contains(&crate::pki::oid::OCSP_SIGNING)
            && delegate.issuer_der() == issuer.subject_der()
            && delegate.fits(issuer) == Fit::Fits;
        if delegated && fits(&delegate) == Fit::Fits {
            return Some(AnsweredBy::Delegate { until: delegate.not_after() });
        }
    }
    Some(AnsweredBy::Nobody)
}

impl<'a> Data<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        // The version, the responder's identity and the extensions have tags of their own, and
        // producedAt is a time: the only SEQUENCE is the list.
        let parts = Vec::<AnyRef<'a>>::from_der(der).ok()?;
        let list = parts.into_iter().find(|part| part.tag() == Tag::Sequence)?;
        let mut reader = SliceReader::new(list.value()).ok()?;
        let mut singles = Vec::new();
        while !reader.is_finished() {
            singles.push(Single::decode(&mut reader).ok()?);
        }
        Some(Self { singles })
    }
}
