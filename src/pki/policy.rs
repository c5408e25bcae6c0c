//! The policy module: a template applied to a request of a requester gives a profile or a denial.

use super::account::Account;
use super::denial::{Denial, Rule};
use super::issuer::Issuer;
use super::name::DistinguishedName;
use super::profile::Profile;
use super::request::CertificateRequest;
use super::serial::SerialNumber;
use super::template::{Template, TemplateArc};
use super::time::Timestamp;

/// Everything a decision depends on.
pub struct Question<'a> {
    /// The template that was asked for.
    pub template: &'a Template,
    /// The installation's template arc.
    pub arc: &'a TemplateArc,
    /// The request.
    pub request: &'a CertificateRequest,
    /// Whose certificate it shall be.
    pub subject: &'a Account,
    /// Who submitted it.
    pub enroller: Enroller<'a>,
    /// The CA that would issue it.
    pub issuer: &'a Issuer,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// Who submits a request.
#[derive(Clone, Copy, Debug)]
pub struct Enroller<'a> {
    /// The account.
    pub account: &'a Account,
    /// How it stands to the CA.
    pub standing: Standing,
}

/// How an enroller stands to the CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Anybody: bound to the template's groups and name rules.
    Member,
    /// An administrator or certificate manager.
    Manager,
}

/// Decides.
pub fn decide(question: Question<'_>) -> Result<Profile, Denial> {
    let _ = question;
    Err(Denial::new(Rule::TemplateUnknown, "not yet"))
}

/// `X509:<I>…<SR>…`.
pub fn alt_security_identities(issuer: &DistinguishedName, serial: &SerialNumber) -> String {
    format!("X509:<I>{}<SR>{}", issuer.to_forward_string(), serial.reversed_hex())
}
