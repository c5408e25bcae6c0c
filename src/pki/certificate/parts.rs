//! A certificate taken apart without copying: the bytes as they are.

use crate::pki::encoding::{
    BIT_STRING, BOOLEAN, Element, INTEGER, NotDer, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE,
    constructed, octet_aligned_bits, only, primitive,
};
use der::asn1::ObjectIdentifier;

/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
#[derive(Clone, Copy, Debug)]
pub(in crate::pki) struct SignedParts<'a> {
    /// The to-be-signed bytes.
    pub(in crate::pki) tbs: &'a [u8],
    /// AlgorithmIdentifier.
    pub(in crate::pki) algorithm: &'a [u8],
    /// The signature's octets.
    pub(in crate::pki) signature: &'a [u8],
}

impl<'a> SignedParts<'a> {
    /// Of a whole certificate; nothing may follow it.
    pub(in crate::pki) fn of(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut parts = only(der, SEQUENCE)?.elements();
        let tbs = parts.expect(SEQUENCE)?.whole;
        let algorithm = parts.expect(SEQUENCE)?.whole;
        let signature = octet_aligned_bits(parts.expect(BIT_STRING)?)?;
        parts.finish()?;
        Ok(Self { tbs, algorithm, signature })
    }
}

/// TBSCertificate (RFC 5280 §4.1).
#[derive(Clone, Debug)]
pub(in crate::pki) struct TbsParts<'a> {
    /// The version's number: 2 for version 3. None if it is left out, which means version 1.
    pub(in crate::pki) version: Option<&'a [u8]>,
    /// The serial number's content octets.
    pub(in crate::pki) serial: &'a [u8],
    /// AlgorithmIdentifier.
    pub(in crate::pki) algorithm: &'a [u8],
    /// Name.
    pub(in crate::pki) issuer: &'a [u8],
    /// Time.
    pub(in crate::pki) not_before: Element<'a>,
    /// Time.
    pub(in crate::pki) not_after: Element<'a>,
    /// Name.
    pub(in crate::pki) subject: &'a [u8],
    /// SubjectPublicKeyInfo.
    pub(in crate::pki) key: &'a [u8],
    /// In their order.
    pub(in crate::pki) extensions: Vec<ExtensionPart<'a>>,
}

/// One extension.
#[derive(Clone, Copy, Debug)]
pub(in crate::pki) struct ExtensionPart<'a> {
    /// The OID's content octets: any length, also beyond what an `ObjectIdentifier` holds.
    pub(in crate::pki) oid: &'a [u8],
    /// Whether it is critical.
    pub(in crate::pki) critical: bool,
    /// The DER inside the OCTET STRING.
    pub(in crate::pki) value: &'a [u8],
}

impl<'a> TbsParts<'a> {
    /// Of a whole TBSCertificate.
    pub(in crate::pki) fn of(tbs: &'a [u8]) -> Result<Self, NotDer> {
        let mut parts = only(tbs, SEQUENCE)?.elements();
        let version = match parts.optional(constructed(0))? {
            Some(wrapped) => Some(only(wrapped.content, INTEGER)?.content),
            None => None,
        };
        let serial = parts.expect(INTEGER)?.content;
        let algorithm = parts.expect(SEQUENCE)?.whole;
        let issuer = parts.expect(SEQUENCE)?.whole;
        let mut validity = parts.expect(SEQUENCE)?.elements();
        let (not_before, not_after) = (validity.take()?, validity.take()?);
        validity.finish()?;
        let subject = parts.expect(SEQUENCE)?.whole;
        let key = parts.expect(SEQUENCE)?.whole;
        // issuerUniqueID and subjectUniqueID: nobody has them, nobody misses them.
        parts.optional(primitive(1))?;
        parts.optional(primitive(2))?;
        let extensions = match parts.optional(constructed(3))? {
            Some(wrapped) => extensions(only(wrapped.content, SEQUENCE)?)?,
            None => Vec::new(),
        };
        parts.finish()?;
        Ok(Self {
            version,
            serial,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            extensions,
        })
    }

    /// The extension `oid`, if it is there.
    pub(in crate::pki) fn extension(&self, oid: &ObjectIdentifier) -> Option<&ExtensionPart<'a>> {
        self.extensions.iter().find(|extension| extension.oid == oid.as_bytes())
    }

    /// The octets of the key's BIT STRING.
    pub(in crate::pki) fn key_octets(&self) -> Result<&'a [u8], NotDer> {
        let mut parts = only(self.key, SEQUENCE)?.elements();
        parts.expect(SEQUENCE)?;
        octet_aligned_bits(parts.expect(BIT_STRING)?)
    }
}

fn extensions(list: Element<'_>) -> Result<Vec<ExtensionPart<'_>>, NotDer> {
    let mut elements = list.elements();
    let mut extensions = Vec::with_capacity(12);
    while !elements.is_empty() {
        let mut parts = elements.expect(SEQUENCE)?.elements();
        let oid = parts.expect(OBJECT_IDENTIFIER)?.content;
        let critical = match parts.optional(BOOLEAN)?.map(|flag| flag.content) {
            // An explicit FALSE is not DER, but others write it.
            None | Some([0]) => false,
            Some([0xff]) => true,
            Some(_) => return Err(NotDer),
        };
        let value = parts.expect(OCTET_STRING)?.content;
        parts.finish()?;
        extensions.push(ExtensionPart { oid, critical, value });
    }
    Ok(extensions)
}
