//! How a co-signed request is made: what each signer signs, and the message around it. The keys
//! are the callers'.

use der::asn1::{Any, AnyRef, BmpString, ObjectIdentifier, OctetString, OctetStringRef, SetOfVec};
use der::{Decode, Encode, Sequence};

use super::structure::{
    Attributes, ContentInfo, EncapsulatedContentInfo, IssuerAndSerialNumber, SignedData, SignerInfo,
};
use crate::pki::certificate::Certificate;
use crate::pki::certificate::parts::TbsParts;
use crate::pki::encoding::{NotDer, SetInOrder, Verbatim};
use crate::pki::oid;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::time::Timestamp;

/// A PKCS #10 that is to be co-signed.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedRequest<'a> {
    /// The PKCS #10's DER.
    pub request: &'a [u8],
    /// For whom the signers ask, where that is not the requester: `DOMAIN\user`.
    pub requester_name: Option<&'a str>,
    /// signing-time (RFC 5652 §11.3).
    pub signing_time: Timestamp,
}

/// One signature over [`UnsignedRequest::to_be_signed`].
#[derive(Clone, Debug)]
pub struct Signature {
    /// The signer's certificate.
    pub certificate: Certificate,
    /// How it was made.
    pub algorithm: SignatureAlgorithm,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// ```text
/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF ANY }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Sequence, der::ValueOrd)]
struct Attribute {
    kind: ObjectIdentifier,
    values: SetOfVec<Any>,
}

impl Attribute {
    fn new(kind: ObjectIdentifier, value: &impl Encode) -> der::Result<Self> {
        let value = Any::from_der(&value.to_der()?)?;
        Ok(Self { kind, values: SetOfVec::try_from([value])? })
    }
}

/// EnrollmentNameValuePair ([MS-WCCE] §2.2.2.7.10).
#[derive(Sequence)]
struct NameValuePair {
    name: BmpString,
    value: BmpString,
}

impl UnsignedRequest<'_> {
    /// The signed attributes as a signer with `algorithm` signs them: a SET OF, sorted.
    pub fn to_be_signed(&self, algorithm: SignatureAlgorithm) -> Result<Vec<u8>, NotDer> {
        let digest = aws_lc_rs::digest::digest(algorithm.digest(), self.request);
        let mut attributes = vec![
            Attribute::new(oid::CONTENT_TYPE, &oid::CMS_DATA)?,
            Attribute::new(oid::MESSAGE_DIGEST, &OctetString::new(digest.as_ref())?)?,
            Attribute::new(oid::SIGNING_TIME, &self.signing_time.to_x509())?,
        ];
        if let Some(name) = self.requester_name {
            let pair = NameValuePair {
                name: BmpString::from_utf8("RequesterName")?,
                value: BmpString::from_utf8(name)?,
            };
            attributes.push(Attribute::new(oid::NAME_VALUE_PAIR, &pair)?);
        }
        Ok(SetOfVec::try_from(attributes)?.to_der()?)
    }

    /// The whole message, with the signers' certificates.
    pub fn assemble(&self, signatures: &[Signature]) -> Result<Vec<u8>, NotDer> {
        let sets = signatures.iter().map(|own| self.to_be_signed(own.algorithm));
        let sets = sets.collect::<Result<Vec<_>, _>>()?;
        let names = signatures.iter().map(|own| identifier(&own.certificate));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let mut signers = Vec::new();
        for ((own, set), name) in signatures.iter().zip(&sets).zip(&names) {
            signers.push(SignerInfo {
                version: 1,
                identifier: AnyRef::from_der(name)?,
                digest_algorithm: Verbatim::of(hash_identifier(own.algorithm)),
                signed: Some(Attributes(AnyRef::from_der(set)?.value())),
                signature_algorithm: Verbatim::of(own.algorithm.to_der()),
                signature: OctetStringRef::new(&own.octets)?,
                unsigned: None,
            });
        }
        let mut hashes: Vec<&[u8]> =
            signatures.iter().map(|own| hash_identifier(own.algorithm)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        // A SET OF in DER is sorted (X.690 §11.6), whatever is in it.
        let mut certificates: Vec<&[u8]> =
            signatures.iter().map(|own| own.certificate.der()).collect();
        certificates.sort_unstable();
        certificates.dedup();
        let mut keyed = Vec::new();
        for signer in signers {
            keyed.push((signer.to_der()?, signer));
        }
        keyed.sort_by(|one, other| one.0.cmp(&other.0));
        let content = SignedData {
            version: 1,
            digest_algorithms: SetInOrder(hashes.into_iter().map(Verbatim::of).collect()),
            encapsulated: EncapsulatedContentInfo {
                content_type: oid::CMS_DATA,
                content: Some(OctetStringRef::new(self.request)?),
            },
            certificates: Some(certificates.into_iter().map(Verbatim::of).collect()),
            crls: None,
            signers: SetInOrder(keyed.into_iter().map(|(_, signer)| signer).collect()),
        };
        let content = content.to_der()?;
        let info = ContentInfo {
            content_type: oid::CMS_SIGNED_DATA,
            content: AnyRef::from_der(&content)?,
        };
        Ok(info.to_der()?)
    }
}

/// IssuerAndSerialNumber, both as they stand in the certificate.
fn identifier(certificate: &Certificate) -> Result<Vec<u8>, NotDer> {
    let tbs = TbsParts::of(certificate.tbs())?;
    Ok(IssuerAndSerialNumber { issuer: tbs.issuer, serial: tbs.serial }.to_der()?)
}

/// Without parameters, as RFC 5754 §2 wants them written.
fn hash_identifier(algorithm: SignatureAlgorithm) -> &'static [u8] {
    const fn identifier(hash: u8) -> [u8; 13] {
        [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash]
    }
    const SHA256: [u8; 13] = identifier(1);
    const SHA384: [u8; 13] = identifier(2);
    const SHA512: [u8; 13] = identifier(3);
    let digest = algorithm.digest();
    if *digest == aws_lc_rs::digest::SHA256 {
        &SHA256
    } else if *digest == aws_lc_rs::digest::SHA384 {
        &SHA384
    } else {
        &SHA512
    }
}
