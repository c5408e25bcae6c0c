//! Which certificate is meant: CertID (RFC 6960 §4.1.1).

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Sequence, Tag, Tagged};

use crate::pki::certificate::sha256;
use crate::pki::encoding::{INTEGER, OCTET_STRING, SEQUENCE, write_header};
use crate::pki::issuer::Issuer;
use crate::pki::oid;
use crate::pki::public_key::key_identifier as sha1;
use crate::pki::serial::SerialNumber;

/// With which hash a CertID names the issuer. RFC 9919 §3.1.1 wants SHA-256, everybody sends
/// SHA-1 (Windows, OpenSSL, Java); neither has to resist an attacker here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssuerHash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl IssuerHash {
    /// Both, in the order in which answers are kept.
    pub const ALL: [Self; 2] = [Self::Sha1, Self::Sha256];

    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA_1,
            Self::Sha256 => oid::SHA_256,
        }
    }

    /// AlgorithmIdentifier in DER.
    fn algorithm(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0],
            Self::Sha256 => &[0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0],
        }
    }

    fn of_oid(oid: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.oid().as_bytes() == oid)
    }
}

/// ```text
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
///                       issuerKeyHash OCTET STRING, serialNumber CertificateSerialNumber }
/// ```
#[derive(Clone, Copy, Debug, Sequence)]
struct Fields<'a> {
    algorithm: AlgorithmFields<'a>,
    #[asn1(type = "OCTET STRING")]
    name: &'a [u8],
    #[asn1(type = "OCTET STRING")]
    key: &'a [u8],
    serial: AnyRef<'a>,
}

/// AlgorithmIdentifier with its OID unread: one of any length may stand there.
#[derive(Clone, Copy, Debug, Sequence)]
struct AlgorithmFields<'a> {
    oid: AnyRef<'a>,
    parameters: Option<AnyRef<'a>>,
}

/// A CertID as it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateId<'a> {
    der: &'a [u8],
    /// The hash, if it is one of those known here.
    pub hash: Option<IssuerHash>,
    /// Hash of the issuer's name.
    pub name: &'a [u8],
    /// Hash of the issuer's key.
    pub key: &'a [u8],
    /// The serial number; none where it cannot be one (RFC 5280 §4.1.2.2).
    pub serial: Option<SerialNumber>,
}

impl<'a> CertificateId<'a> {
    /// Its octets as they were sent.
    pub fn as_der(&self) -> &'a [u8] {
        self.der
    }

    pub(super) fn of(der: &'a [u8]) -> der::Result<Self> {
        let fields = Fields::from_der(der)?;
        fields.algorithm.oid.tag().assert_eq(Tag::ObjectIdentifier)?;
        fields.serial.tag().assert_eq(Tag::Integer)?;
        Ok(Self {
            der,
            hash: IssuerHash::of_oid(fields.algorithm.oid.value()),
            name: fields.name,
            key: fields.key,
            serial: SerialNumber::from_der_content(fields.serial.value()).ok(),
        })
    }
}

/// An issuer as CertIDs name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerIdentity {
    sha1: ([u8; 20], [u8; 20]),
    sha256: ([u8; 32], [u8; 32]),
}

impl IssuerIdentity {
    /// The hashes of this issuer's name (its DER) and key (the BIT STRING's octets without tag,
    /// length and unused bits).
    pub fn of(issuer: &Issuer) -> Self {
        let (name, key) = (issuer.name().as_der(), issuer.public_key().raw());
        Self { sha1: (sha1(name), sha1(key)), sha256: (sha256(name), sha256(key)) }
    }

    /// Whether this issuer is meant, and by which hash.
    pub fn is_meant_by(&self, asked: &CertificateId<'_>) -> Option<IssuerHash> {
        let hash = asked.hash?;
        let (name, key) = self.hashes(hash);
        (asked.name == name && asked.key == key).then_some(hash)
    }

    /// The CertID of one of its certificates. The parameters are NULL, as everybody writes them.
    pub fn certificate_id(&self, hash: IssuerHash, serial: &SerialNumber) -> Vec<u8> {
        let (name, key) = self.hashes(hash);
        let algorithm = hash.algorithm();
        let serial = serial.as_der_content();
        // None of the parts has 128 octets.
        let element = |content: &[u8]| 2 + content.len();
        let content = algorithm.len() + element(name) + element(key) + element(serial);
        let mut out = Vec::with_capacity(4 + content);
        write_header(&mut out, SEQUENCE, content as u64);
        out.extend_from_slice(algorithm);
        for (tag, content) in [(OCTET_STRING, name), (OCTET_STRING, key), (INTEGER, serial)] {
            write_header(&mut out, tag, content.len() as u64);
            out.extend_from_slice(content);
        }
        out
    }

    fn hashes(&self, hash: IssuerHash) -> (&[u8], &[u8]) {
        match hash {
            IssuerHash::Sha1 => (&self.sha1.0, &self.sha1.1),
            IssuerHash::Sha256 => (&self.sha256.0, &self.sha256.1),
        }
    }
}
