//! The ASN.1 of SignedData (RFC 5652 §5) and of a CMC request (RFC 5272 §3.2), as far as a
//! certificate request needs it. What a signature covers is kept as it was sent.

use der::Writer;
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Sequence, Tag, TagNumber};

use crate::pki::encoding::{SetInOrder, Verbatim, write_header};

/// ```text
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }
/// ```
#[derive(Sequence)]
pub(super) struct ContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: AnyRef<'a>,
}

/// ```text
/// SignedData ::= SEQUENCE {
///     version          INTEGER,
///     digestAlgorithms SET OF AlgorithmIdentifier,
///     encapContentInfo EncapsulatedContentInfo,
///     certificates     [0] IMPLICIT SET OF Certificate OPTIONAL,
///     crls             [1] IMPLICIT SET OF CertificateList OPTIONAL,
///     signerInfos      SET OF SignerInfo }
/// ```
/// Of the kinds of certificate (§10.2.2) only those of X.509 are taken.
#[derive(Sequence)]
pub(super) struct SignedData<'a> {
    pub(super) version: u8,
    pub(super) digest_algorithms: SetInOrder<Verbatim<'a>>,
    pub(super) encapsulated: EncapsulatedContentInfo<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) certificates: Option<Vec<Verbatim<'a>>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) crls: Option<Vec<Verbatim<'a>>>,
    pub(super) signers: SetInOrder<SignerInfo<'a>>,
}

/// ```text
/// EncapsulatedContentInfo ::= SEQUENCE { eContentType OBJECT IDENTIFIER,
///                                        eContent [0] EXPLICIT OCTET STRING OPTIONAL }
/// ```
#[derive(Sequence)]
pub(super) struct EncapsulatedContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) content: Option<&'a OctetStringRef>,
}

/// ```text
/// SignerInfo ::= SEQUENCE {
///     version            INTEGER,
///     sid                CHOICE { issuerAndSerialNumber IssuerAndSerialNumber,
///                                 subjectKeyIdentifier  [0] OCTET STRING },
///     digestAlgorithm    AlgorithmIdentifier,
///     signedAttrs        [0] IMPLICIT SET OF Attribute OPTIONAL,
///     signatureAlgorithm AlgorithmIdentifier,
///     signature          OCTET STRING,
///     unsignedAttrs      [1] IMPLICIT SET OF Attribute OPTIONAL }
/// ```
#[derive(Sequence)]
pub(super) struct SignerInfo<'a> {
    pub(super) version: u8,
    pub(super) identifier: AnyRef<'a>,
    pub(super) digest_algorithm: Verbatim<'a>,
    pub(super) signed: Option<Attributes<'a, 0>>,
    pub(super) signature_algorithm: Verbatim<'a>,
    pub(super) signature: &'a OctetStringRef,
    pub(super) unsigned: Option<Attributes<'a, 1>>,
}

/// ```text
/// IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber INTEGER }
/// ```
#[derive(Sequence)]
pub(super) struct IssuerAndSerialNumber<'a> {
    pub(super) issuer: Verbatim<'a>,
    pub(super) serial: AnyRef<'a>,
}

/// ```text
/// PKIData ::= SEQUENCE {
///     controlSequence  SEQUENCE OF TaggedAttribute,
///     reqSequence      SEQUENCE OF TaggedRequest,
///     cmsSequence      SEQUENCE OF TaggedContentInfo,
///     otherMsgSequence SEQUENCE OF OtherMsg }
/// TaggedRequest ::= CHOICE { tcr [0] IMPLICIT TaggedCertificationRequest, … }
/// ```
#[derive(Sequence)]
pub(super) struct PkiData<'a> {
    pub(super) controls: Vec<TaggedAttribute<'a>>,
    pub(super) requests: Vec<AnyRef<'a>>,
    pub(super) messages: Vec<AnyRef<'a>>,
    pub(super) others: Vec<AnyRef<'a>>,
}

/// ```text
/// TaggedAttribute ::= SEQUENCE { bodyPartID INTEGER, attrType OBJECT IDENTIFIER,
///                                attrValues SET OF ANY }
/// ```
#[derive(Sequence)]
pub(super) struct TaggedAttribute<'a> {
    pub(super) body_part: u32,
    pub(super) kind: AnyRef<'a>,
    pub(super) values: SetInOrder<AnyRef<'a>>,
}

/// The content of a SET OF Attribute under `[NUMBER] IMPLICIT`, as it stands in the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a, const NUMBER: u32>(pub(super) &'a [u8]);

impl<const NUMBER: u32> Attributes<'_, NUMBER> {
    /// With the tag of SET OF in place of its own: what a signature is over (RFC 5652 §5.4).
    /// Lengths are minimal already, and the order stays the signer's: sorted anew, a signature
    /// over a set that was not sorted would no longer fit.
    pub(super) fn as_set(&self) -> Vec<u8> {
        const SET_OF: u8 = 0x31;
        let mut set = Vec::with_capacity(self.0.len() + 6);
        write_header(&mut set, SET_OF, self.0.len() as u64);
        set.extend_from_slice(self.0);
        set
    }
}

impl<'a, const NUMBER: u32> DecodeValue<'a> for Attributes<'a, NUMBER> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        reader.read_slice(header.length()).map(Self)
    }
}

impl<const NUMBER: u32> EncodeValue for Attributes<'_, NUMBER> {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.0.len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.0)
    }
}

impl<const NUMBER: u32> FixedTag for Attributes<'_, NUMBER> {
    const TAG: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(NUMBER) };
}
