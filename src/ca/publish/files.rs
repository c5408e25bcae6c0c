//! What is published as files: names as in URLs below the base URL, and what is in them.

use std::fs::File;
use std::io::{Cursor, Read};
use std::sync::Arc;

use bytes::Bytes;

use super::point::{Current, PublicationPoint, PublishedCertificate};
use super::stream::Part;
use crate::ca::parents::ParentCrl;
use crate::pki::time::Timestamp;

/// A file as it is published now.
#[derive(Clone, Debug)]
pub struct PublishedFile {
    /// Below the base URL, such as `crl/ca.crl`.
    pub name: String,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Its size in octets.
    pub length: u64,
    /// Last-Modified.
    pub modified: Timestamp,
    /// thisUpdate of a CRL.
    pub this_update: Option<Timestamp>,
    octets: Octets,
}

#[derive(Clone, Debug)]
enum Octets {
    Memory(Bytes),
    File(Arc<File>),
}

impl PublishedFile {
    /// What is in it, from its beginning.
    pub fn content(&self) -> Box<dyn Read + '_> {
        match &self.octets {
            Octets::Memory(octets) => Box::new(Cursor::new(octets)),
            Octets::File(file) => Box::new(Part::of(file, 0..self.length)),
        }
    }

    fn certificate(name: String, own: &PublishedCertificate) -> Self {
        Self {
            name,
            sha256: own.sha256,
            length: own.der.len() as u64,
            modified: own.not_before,
            this_update: None,
            octets: Octets::Memory(own.der.clone()),
        }
    }

    fn crl(name: String, crl: &Current) -> Self {
        let octets = match &crl.memory {
            Some(octets) => Octets::Memory(octets.clone()),
            None => Octets::File(Arc::clone(&crl.file)),
        };
        Self {
            name,
            sha256: crl.sha256,
            length: crl.length,
            modified: crl.modified,
            this_update: Some(crl.this_update),
            octets,
        }
    }

    fn parent_crl(name: String, crl: &ParentCrl) -> Self {
        Self {
            name,
            sha256: crl.sha256,
            length: crl.octets.len() as u64,
            modified: crl.modified,
            this_update: Some(crl.this_update),
            octets: Octets::Memory(crl.octets.clone()),
        }
    }
}

impl PublicationPoint {
    /// Everything that is published now and is a file (OCSP is none).
    pub fn files(&self) -> Vec<PublishedFile> {
        let own = self.certificates().iter();
        let mut files: Vec<PublishedFile> = own
            .map(|own| PublishedFile::certificate(format!("aia/{}.crt", own.name), own))
            .collect();
        for lists in self.lists() {
            let whole = lists.current().map(|crl| (lists.name(), crl));
            let delta = lists.delta().map(|crl| (lists.delta_name(), crl));
            let named = [whole, delta].into_iter().flatten();
            files.extend(
                named.map(|(name, crl)| PublishedFile::crl(format!("crl/{name}.crl"), &crl)),
            );
        }
        for parent in self.parents().iter() {
            let certificate = parent.certificate();
            let names = parent.certificate_files().iter();
            files.extend(names.map(|name| PublishedFile::certificate(name.clone(), certificate)));
            if let Some(crl) = parent.crl() {
                let names = parent.crl_files().iter();
                files.extend(names.map(|name| PublishedFile::parent_crl(name.clone(), &crl)));
            }
        }
        files
    }
}
