//! Whether a certificate is an identity: whether its names say whose it is.

use super::directory_names;
use crate::pki::account::Account;
use crate::pki::certificate::Certificate;
use crate::pki::template::Template;

/// Whether a certificate is named as the directory names `account` today, under a template that
/// takes its names from there. Where the request chose them they say nothing about the account.
pub fn is_named_by_directory(
    template: &Template,
    account: &Account,
    certificate: &Certificate,
) -> bool {
    if template.subject_comes_from_request() {
        return false;
    }
    directory_names::build(template, account).is_ok_and(|names| {
        names.subject.as_der() == certificate.subject().as_der()
            && names.alternative == certificate.alternative_names()
    })
}
