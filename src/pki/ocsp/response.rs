//! What is answered (RFC 6960 §4.2), from the inside out: SingleResponse, ResponseData, its
//! signature, OCSPResponse.

use der::asn1::{BitStringRef, GeneralizedTime, Null, OctetStringRef};
use der::{Choice, Decode, Encode, Sequence, SliceReader};
use x509_cert::ext::pkix::CrlReason;

use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::{NotDer, OCTET_STRING, SEQUENCE, Verbatim, write_header};
use crate::pki::oid;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::time::Timestamp;

/// An answer without a certificate's standing (RFC 6960 §4.2.1). It is not signed, and it is HTTP
/// 200 all the same (RFC 6960 §A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// The request is none.
    MalformedRequest,
    /// Something is broken here.
    InternalError,
    /// Ask again in a moment.
    TryLater,
    /// Nothing is known here about that certificate (RFC 6960 §2.3, RFC 9919 §3.2.3).
    Unauthorized,
}

impl ResponseStatus {
    /// Every one.
    pub const ALL: [Self; 4] =
        [Self::MalformedRequest, Self::InternalError, Self::TryLater, Self::Unauthorized];

    /// `OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED }`, without responseBytes.
    pub fn to_der(self) -> &'static [u8] {
        match self {
            Self::MalformedRequest => &[0x30, 3, 0x0a, 1, 1],
            Self::InternalError => &[0x30, 3, 0x0a, 1, 2],
            Self::TryLater => &[0x30, 3, 0x0a, 1, 3],
            Self::Unauthorized => &[0x30, 3, 0x0a, 1, 6],
        }
    }

    /// The name in RFC 6960's ASN.1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Issued here, neither revoked nor on hold.
    Good,
    /// Revoked or on hold.
    Revoked(Revocation),
    /// Not issued here. Only beside one that was, in an answer about several.
    Unknown,
}

/// ```text
/// CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo,
///                         unknown [2] IMPLICIT NULL }
/// ```
#[derive(Choice)]
enum CertStatus {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

/// ```text
/// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime,
///                            revocationReason [0] EXPLICIT CRLReason OPTIONAL }
/// ```
#[derive(Sequence)]
struct RevokedInfo {
    time: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    reason: Option<CrlReason>,
}

/// ```text
/// SingleResponse ::= SEQUENCE {
///     certID              CertID,
///     certStatus          CertStatus,
///     thisUpdate          GeneralizedTime,
///     nextUpdate      [0] EXPLICIT GeneralizedTime OPTIONAL,
///     singleExtensions[1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Sequence)]
struct SingleFields<'a> {
    certificate: Verbatim<'a>,
    status: CertStatus,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
}

/// ```text
/// ResponseData ::= SEQUENCE {
///     version            [0] EXPLICIT Version DEFAULT v1,
///     responderID            ResponderID,
///     producedAt             GeneralizedTime,
///     responses              SEQUENCE OF SingleResponse,
///     responseExtensions [1] EXPLICIT Extensions OPTIONAL }
/// ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT KeyHash }
/// ```
/// By key, as RFC 9919 §3.2.2 wants it.
#[derive(Sequence)]
struct DataFields<'a> {
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    responder: &'a OctetStringRef,
    produced_at: GeneralizedTime,
    responses: Vec<Verbatim<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<ExtensionPart<'a>>>,
}

/// One SingleResponse, about the certificate of this CertID. Times are whole seconds (RFC 9919
/// §3.2.4), nextUpdate always stands there; the reason `unspecified` does not, as in CRLs.
pub fn single_response(
    certificate_id: &[u8],
    standing: &Standing,
    this_update: Timestamp,
    next_update: Timestamp,
) -> Vec<u8> {
    let status = match standing {
        Standing::Good => CertStatus::Good(Null),
        Standing::Unknown => CertStatus::Unknown(Null),
        Standing::Revoked(revocation) => CertStatus::Revoked(RevokedInfo {
            time: time(revocation.revoked_at),
            reason: reason(revocation.reason),
        }),
    };
    let fields = SingleFields {
        certificate: Verbatim::of(certificate_id),
        status,
        this_update: time(this_update),
        next_update: Some(time(next_update)),
    };
    // Nothing here is near the 256 MiB that could not be encoded.
    fields.to_der().unwrap_or_default()
}

/// ResponseData, the bytes to be signed: by the key with this SHA-1, about these
/// SingleResponses, repeating this nonce (octets of an extnValue).
pub fn response_data(
    responder: &[u8; 20],
    produced_at: Timestamp,
    singles: &[&[u8]],
    nonce: Option<&[u8]>,
) -> Vec<u8> {
    let nonce = nonce.map(|value| {
        // Never critical, whatever the request says.
        vec![ExtensionPart { oid: oid::OCSP_NONCE.as_bytes(), critical: false, value }]
    });
    let encode = || {
        DataFields {
            responder: OctetStringRef::new(responder)?,
            produced_at: time(produced_at),
            responses: singles.iter().map(|single| Verbatim::of(single)).collect(),
            extensions: nonce,
        }
        .to_der()
    };
    encode().unwrap_or_default()
}

/// A signed answer as it is kept: the content of BasicOCSPResponse but for the certificate of
/// whoever signed it, which many answers share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAnswer(Vec<u8>);

impl SignedAnswer {
    /// ResponseData with the signature over it.
    pub fn new(response_data: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Self {
        let bits = BitStringRef::from_bytes(signature).and_then(|bits| bits.to_der());
        Self([response_data, algorithm.to_der(), &bits.unwrap_or_default()].concat())
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The SingleResponses of an answer that is kept.
    pub fn singles(octets: &[u8]) -> Result<Vec<&[u8]>, NotDer> {
        let mut reader = SliceReader::new(octets)?;
        let data = DataFields::from_der(Verbatim::decode(&mut reader)?.as_bytes())?;
        Ok(data.responses.into_iter().map(Verbatim::as_bytes).collect())
    }
}

/// The whole OCSPResponse of a signed answer (its octets) with the DER of its signer's
/// certificate:
///
/// ```text
/// OCSPResponse      ::= SEQUENCE { responseStatus OCSPResponseStatus,
///                                  responseBytes [0] EXPLICIT ResponseBytes OPTIONAL }
/// ResponseBytes     ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm
///                                  AlgorithmIdentifier, signature BIT STRING,
///                                  certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ```
/// Lengths and copies alone: this is done for every answer that is served.
pub fn successful(signed: &[u8], certificate: &[u8]) -> Vec<u8> {
    const CONTEXT_0: u8 = crate::pki::encoding::constructed(0);
    /// responseStatus successful(0).
    const STATUS: [u8; 3] = [0x0a, 1, 0];
    /// responseType id-pkix-ocsp-basic.
    const BASIC: [u8; 11] = [6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
    let element = |content: usize| content + header_length(content);
    let certificates = element(certificate.len());
    let basic = signed.len() + element(certificates);
    let octets = element(basic);
    let bytes = BASIC.len() + element(octets);
    let tagged = element(bytes);
    let response = STATUS.len() + element(tagged);
    let mut out = Vec::with_capacity(element(response));
    write_header(&mut out, SEQUENCE, response as u64);
    out.extend_from_slice(&STATUS);
    write_header(&mut out, CONTEXT_0, tagged as u64);
    write_header(&mut out, SEQUENCE, bytes as u64);
    out.extend_from_slice(&BASIC);
    write_header(&mut out, OCTET_STRING, octets as u64);
    write_header(&mut out, SEQUENCE, basic as u64);
    out.extend_from_slice(signed);
    write_header(&mut out, CONTEXT_0, certificates as u64);
    write_header(&mut out, SEQUENCE, certificate.len() as u64);
    out.extend_from_slice(certificate);
    out
}

/// Octets of tag and length before content of `content` octets.
fn header_length(content: usize) -> usize {
    match content {
        0..0x80 => 2,
        0x80..0x100 => 3,
        0x100..0x1_0000 => 4,
        0x1_0000..0x100_0000 => 5,
        _ => 6,
    }
}

fn time(moment: Timestamp) -> GeneralizedTime {
    GeneralizedTime::from_date_time(moment.to_x509().to_date_time())
}

fn reason(reason: RevocationReason) -> Option<CrlReason> {
    let code = CrlReason::try_from(u32::from(reason.code())).ok();
    code.filter(|code| *code != CrlReason::Unspecified)
}
