//! TBSCertificate taken apart and put together, whatever must keep its bytes verbatim.
//!
//! x509-cert's own type is not used here: it sorts the SETs of names, drops an explicit
//! `critical FALSE`, refuses serial numbers that a lint wants to name, and cannot be put together
//! from parts. Version, times and the types inside extensions are x509-cert's.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Sequence};
use der::{Tag, Tagged, Writer};
use x509_cert::certificate::Version;
use x509_cert::time::Validity;

use crate::pki::encoding::{NotDer, Verbatim};
use crate::pki::extension::Extension;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// ```text
/// TBSCertificate ::= SEQUENCE {
///     version              [0] EXPLICIT INTEGER DEFAULT v1(0),
///     serialNumber         INTEGER,
///     signature            AlgorithmIdentifier,
///     issuer               Name,
///     validity             SEQUENCE { notBefore Time, notAfter Time },
///     subject              Name,
///     subjectPublicKeyInfo SubjectPublicKeyInfo,
///     issuerUniqueID       [1] IMPLICIT BIT STRING OPTIONAL,
///     subjectUniqueID      [2] IMPLICIT BIT STRING OPTIONAL,
///     extensions           [3] EXPLICIT SEQUENCE SIZE (1..MAX) OF Extension OPTIONAL }
/// ```
#[derive(Clone, Debug, Sequence)]
pub(in crate::pki) struct TbsParts<'a> {
    /// None if it is left out, which means version 1.
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(in crate::pki) version: Option<Version>,
    /// An INTEGER, even one that is no serial number.
    pub(in crate::pki) serial: AnyRef<'a>,
    /// AlgorithmIdentifier.
    pub(in crate::pki) algorithm: Verbatim<'a>,
    /// Name.
    pub(in crate::pki) issuer: Verbatim<'a>,
    /// First and last moment.
    pub(in crate::pki) validity: Validity,
    /// Name.
    pub(in crate::pki) subject: Verbatim<'a>,
    /// SubjectPublicKeyInfo.
    pub(in crate::pki) key: Verbatim<'a>,
    /// Nobody has one, nobody misses it.
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    issuer_unique_id: Option<BitStringRef<'a>>,
    /// Nor this.
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    subject_unique_id: Option<BitStringRef<'a>>,
    /// In their order.
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", default = "Vec::new")]
    pub(in crate::pki) extensions: Vec<ExtensionPart<'a>>,
}

impl<'a> TbsParts<'a> {
    /// Of a whole TBSCertificate.
    pub(in crate::pki) fn of(tbs: &'a [u8]) -> Result<Self, NotDer> {
        let parts = Self::from_der(tbs)?;
        parts.serial.tag().assert_eq(Tag::Integer)?;
        Ok(parts)
    }

    /// Of a certificate to be made. `algorithm`, `issuer`, `subject` and `key` are DER. An error
    /// only beyond 256 MiB.
    pub(in crate::pki) fn version_3(
        serial: &'a SerialNumber,
        algorithm: &'a [u8],
        issuer: &'a [u8],
        validity: [Timestamp; 2],
        subject: &'a [u8],
        key: &'a [u8],
        extensions: impl Iterator<Item = &'a Extension>,
    ) -> der::Result<Self> {
        let [not_before, not_after] = validity.map(Timestamp::to_x509);
        Ok(Self {
            version: Some(Version::V3),
            serial: AnyRef::new(Tag::Integer, serial.as_der_content())?,
            algorithm: Verbatim::of(algorithm),
            issuer: Verbatim::of(issuer),
            validity: Validity::new(not_before, not_after),
            subject: Verbatim::of(subject),
            key: Verbatim::of(key),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: extensions.map(ExtensionPart::from).collect(),
        })
    }

    /// The extension `oid`, if it is there.
    pub(in crate::pki) fn extension(&self, oid: &ObjectIdentifier) -> Option<&ExtensionPart<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid.as_bytes())
    }
}

/// One extension, borrowed: see [`Extension`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pki) struct ExtensionPart<'a> {
    /// The OID's content octets: any length, also beyond what an `ObjectIdentifier` holds.
    pub(in crate::pki) oid: &'a [u8],
    /// Whether it is critical; an explicit FALSE is not DER, but others write it.
    pub(in crate::pki) critical: bool,
    /// The DER inside the OCTET STRING.
    pub(in crate::pki) value: &'a [u8],
}

impl<'a> From<&'a Extension> for ExtensionPart<'a> {
    fn from(extension: &'a Extension) -> Self {
        let oid = extension.oid.as_bytes();
        Self { oid, critical: extension.critical, value: &extension.value }
    }
}

/// Extension with its OID unread.
#[derive(Sequence)]
struct ExtensionFields<'a> {
    oid: AnyRef<'a>,
    #[asn1(default = "Default::default")]
    critical: bool,
    #[asn1(type = "OCTET STRING")]
    value: &'a [u8],
}

impl<'a> ExtensionPart<'a> {
    fn fields(&self) -> der::Result<ExtensionFields<'a>> {
        let oid = AnyRef::new(Tag::ObjectIdentifier, self.oid)?;
        Ok(ExtensionFields { oid, critical: self.critical, value: self.value })
    }
}

impl<'a> DecodeValue<'a> for ExtensionPart<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let fields = ExtensionFields::decode_value(reader, header)?;
        fields.oid.tag().assert_eq(Tag::ObjectIdentifier)?;
        Ok(Self { oid: fields.oid.value(), critical: fields.critical, value: fields.value })
    }
}

impl EncodeValue for ExtensionPart<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.fields()?.value_len()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.fields()?.encode_value(writer)
    }
}

impl FixedTag for ExtensionPart<'_> {
    const TAG: Tag = Tag::Sequence;
}
