//! What was signed: a PKCS #10, bare or as the one request of a CMC message.

use der::Decode;
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Header, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::CmsError;
use super::structure::{EncapsulatedContentInfo, PkiData};
use crate::pki::encoding::Verbatim;
use crate::pki::oid;
use crate::pki::request::CertificateRequest;

/// The content of SignedData.
pub(super) struct Content<'a> {
    pub(super) kind: ObjectIdentifier,
    /// What message-digest is of: the octets inside the OCTET STRING.
    pub(super) octets: &'a [u8],
    pub(super) request: CertificateRequest,
    /// From the control regInfo of a CMC message.
    pub(super) requester_name: Option<String>,
}

impl<'a> Content<'a> {
    pub(super) fn read(encapsulated: &EncapsulatedContentInfo<'a>) -> Result<Self, CmsError> {
        let kind = encapsulated.content_type;
        let octets = encapsulated.content.ok_or(CmsError::Detached)?.as_bytes();
        let (pkcs10, requester_name) = if kind == oid::CMS_DATA {
            if begins_with_signed_data(octets) {
                return Err(CmsError::Nested);
            }
            (octets, None)
        } else if kind == oid::CMC_PKI_DATA {
            read_cmc(octets)?
        } else if kind == oid::CMS_SIGNED_DATA {
            return Err(CmsError::Nested);
        } else {
            return Err(CmsError::UnknownContent);
        };
        let request = CertificateRequest::parse(pkcs10)?;
        Ok(Self { kind, octets, request, requester_name })
    }
}

/// Whether these octets are a ContentInfo of SignedData, and no request.
fn begins_with_signed_data(octets: &[u8]) -> bool {
    let kind = || -> der::Result<ObjectIdentifier> {
        let mut reader = SliceReader::new(octets)?;
        Header::decode(&mut reader)?;
        ObjectIdentifier::decode(&mut reader)
    };
    kind() == Ok(oid::CMS_SIGNED_DATA)
}

/// The PKCS #10 of a CMC message and the RequesterName in its regInfo.
///
/// Microsoft's clients also put attributes and extensions into controls of their own; like those
/// in a PKCS #10 they ask for nothing that is given here, and are passed over unread.
fn read_cmc(octets: &[u8]) -> Result<(&[u8], Option<String>), CmsError> {
    let data = PkiData::from_der(octets).map_err(|_| CmsError::BadCmc)?;
    let ([request], [], []) =
        (data.requests.as_slice(), data.messages.as_slice(), data.others.as_slice())
    else {
        return Err(CmsError::BadCmc);
    };
    let mut requester_name = None;
    for control in &data.controls {
        if control.kind.value() != oid::CMC_REGISTRATION_INFORMATION.as_bytes() {
            continue;
        }
        for value in &control.values.0 {
            let text = value.decode_as::<&OctetStringRef>().map_err(|_| CmsError::BadCmc)?;
            let Some(name) = registered_name(text.as_bytes())? else { continue };
            if requester_name.replace(name).is_some() {
                return Err(CmsError::BadRequesterName);
            }
        }
    }
    Ok((tagged_request(*request)?, requester_name))
}

/// ```text
/// TaggedCertificationRequest ::= SEQUENCE { bodyPartID INTEGER,
///                                           certificationRequest CertificationRequest }
/// ```
fn tagged_request(request: AnyRef<'_>) -> Result<&[u8], CmsError> {
    let tagged = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if request.tag() != tagged {
        return Err(CmsError::BadCmc);
    }
    let read = || -> der::Result<&[u8]> {
        let mut reader = SliceReader::new(request.value())?;
        u32::decode(&mut reader)?;
        let pkcs10 = Verbatim::decode(&mut reader)?.as_bytes();
        reader.finish()?;
        Ok(pkcs10)
    };
    read().map_err(|_| CmsError::BadCmc)
}

/// regInfo as Windows writes it ([MS-WCCE] §2.2.2.6.3): `RequesterName=CONTOSO%5canna&…`, names
/// and values percent-encoded. Other pairs are passed over.
fn registered_name(text: &[u8]) -> Result<Option<String>, CmsError> {
    let text = std::str::from_utf8(text).map_err(|_| CmsError::BadRequesterName)?;
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let mut names = pairs
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("RequesterName"))
        .map(|(_, value)| percent_decoded(value.trim()).ok_or(CmsError::BadRequesterName));
    let first = names.next().transpose()?;
    if names.next().is_some() { Err(CmsError::BadRequesterName) } else { Ok(first) }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |octet: u8| char::from(octet).to_digit(16);
        octets.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
        rest = after;
    }
    String::from_utf8(octets).ok().filter(|name| super::signer::is_account_name(name))
}
