//! What may be asked of the doctor.

use serde::Deserialize;

use crate::doctor::evidence::Offline;
use crate::doctor::intake::{self, NotTaken};
use crate::doctor::{Given, Part, Question, Report, examine};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::pki::bundle::pem;
use crate::pki::certificate::Certificate;
use crate::pki::presented::PresentedCertificate;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Names asked for, and files of one kind, at most.
const MOST_OF_A_KIND: usize = 32;

/// Certificates in all of them together, and this CA's own chain, at most.
const MOST_TOGETHER: usize = 128;

/// The body. Certificates and CRLs are PEM, or base64 of DER, PKCS #7 or PKCS #12.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    part: String,
    certificate: Option<String>,
    password: Option<String>,
    serial_number: Option<String>,
    #[serde(default)]
    chain: Vec<String>,
    #[serde(default)]
    roots: Vec<String>,
    #[serde(default)]
    crls: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    issued_crl_urls: Vec<String>,
    at: Option<String>,
    #[serde(default = "yes")]
    fetch: bool,
}

fn yes() -> bool {
    true
}

impl Asked {
    /// Asks the doctor; fetches unless that was not wished.
    pub(super) fn examined(&self, call: &Call<'_>) -> Result<Report, Problem> {
        let part = Part::from_word(&self.part).ok_or_else(|| {
            let known = Part::ALL.map(Part::as_str).join(", ");
            Problem::bad_request("part-unknown", format!("known parts are {known}"))
        })?;
        for list in [&self.chain, &self.roots, &self.crls, &self.names, &self.issued_crl_urls] {
            if list.len() > MOST_OF_A_KIND {
                let detail = format!("at most {MOST_OF_A_KIND} of a kind are taken");
                return Err(Problem::bad_request("too-many", detail));
            }
        }
        let crls: Vec<Vec<u8>> =
            self.crls.iter().map(|text| crl(text)).collect::<Result<_, _>>()?;
        let (certificates, roots) = (self.certificates(call)?, all(&self.roots)?);
        if certificates.len() + roots.len() > MOST_TOGETHER {
            let detail = format!("at most {MOST_TOGETHER} certificates are taken in all");
            return Err(Problem::bad_request("too-many", detail));
        }
        let question = Question {
            part,
            certificates,
            given: Given::ByHand,
            names: &self.names,
            roots,
            crls: &crls,
            issued_crl_urls: &self.issued_crl_urls,
            now: self.moment(call)?,
        };
        let fetch = call.api.fetching.begin();
        Ok(match self.fetch {
            true => examine(&question, fetch.as_ref()),
            false => examine(&question, &Offline),
        })
    }

    fn moment(&self, call: &Call<'_>) -> Result<Timestamp, Problem> {
        match &self.at {
            None => Ok(call.now),
            Some(text) => text.parse().map_err(|error: crate::pki::time::NotAMoment| {
                Problem::bad_request("time-malformed", format!("at: {error}"))
            }),
        }
    }

    /// The one in question first, then what else was given, then this CA's own chain.
    fn certificates(&self, call: &Call<'_>) -> Result<Vec<PresentedCertificate>, Problem> {
        let mut found = match (&self.certificate, &self.serial_number) {
            (Some(text), None) => taken(text, self.password.as_deref())?,
            (None, Some(serial)) => vec![on_record(call, serial)?],
            _ => {
                let detail = "either certificate or serial_number says which";
                return Err(Problem::bad_request("certificate-or-serial-number", detail));
            }
        };
        found.extend(all(&self.chain)?);
        // Under whichever key it was issued: the doctor finds the path.
        let own = call.api.authority.issuers().flat_map(|issuer| {
            let own = std::iter::once(issuer.certificate_der());
            own.chain(issuer.chain().iter().map(Certificate::der))
        });
        found.extend(own.filter_map(|der| PresentedCertificate::from_der(der).ok()));
        Ok(found)
    }
}

fn on_record(call: &Call<'_>, serial: &str) -> Result<PresentedCertificate, Problem> {
    let serial: SerialNumber = serial
        .parse()
        .map_err(|error| Problem::bad_request("serial-number-malformed", format!("{error}")))?;
    let row = call.api.authority.certificate(call.requester, &serial)?;
    PresentedCertificate::from_der(&row.certificate)
        .map_err(|error| Problem::bad_request("certificate-not-taken", error.to_string()))
}

fn all(texts: &[String]) -> Result<Vec<PresentedCertificate>, Problem> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(taken(text, None)?);
    }
    Ok(found)
}

/// PEM, or base64 of another form.
fn taken(text: &str, password: Option<&str>) -> Result<Vec<PresentedCertificate>, Problem> {
    let refused = |why: NotTaken| Problem::bad_request("certificate-not-taken", why.to_string());
    let content = match text.contains("-----BEGIN ") {
        true => text.as_bytes().to_vec(),
        false => pem::decode_base64(text).ok_or_else(|| refused(NotTaken::UnknownForm))?,
    };
    intake::certificates(&content, password).map_err(refused)
}

fn crl(text: &str) -> Result<Vec<u8>, Problem> {
    let refused = || Problem::bad_request("crl-not-taken", "crls: PEM, or base64 of DER");
    if !text.contains("-----BEGIN ") {
        return pem::decode_base64(text).ok_or_else(refused);
    }
    let (blocks, _) = pem::read(text).map_err(|_| refused())?;
    let block = blocks.into_iter().find(|block| block.label == "X509 CRL");
    block.map(|block| block.der).ok_or_else(refused)
}
