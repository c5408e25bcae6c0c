//! Templates that would let somebody become somebody else, by the names under which the
//! attacks on AD CS are known (ESC1, ESC2, …). "Somebody" is any group that may enrol:
//! administrators and certificate managers, who need no group, can issue whatever they like.

use super::Template;
use super::flags::EnrollmentFlags;

/// An attack that a template would open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Danger {
    /// Free names and a purpose that can log on.
    #[error(
        "ESC1: the names come from the request without rules that bind them, and a purpose can \
         log on; confine requested_names to your own DNS suffixes, names or addresses"
    )]
    Esc1,
    /// Any purpose, or none, which means any.
    #[error("ESC2: groups may enrol a certificate for any purpose")]
    Esc2,
    /// Whoever holds it requests certificates for others.
    #[error("ESC3: groups may enrol a certificate request agent")]
    Esc3,
    /// No SID: Windows falls back to weak mapping.
    #[error("ESC9: NO_SECURITY_EXTENSION together with a purpose that can log on")]
    Esc9,
    /// Version 1 with names from the request.
    #[error("ESC15: groups may enrol a version 1 template whose names come from the request")]
    Esc15,
    /// A CA of one's own.
    #[error("groups may enrol a certification authority")]
    SubordinateAuthority,
}

impl Danger {
    /// Every attack that `template` would open.
    pub(super) fn of(template: &Template) -> Vec<Self> {
        let groups = !template.enrollment_groups.is_empty();
        let request = template.subject_comes_from_request();
        let logs_on = template.can_log_on();
        let agent = template.purposes().any(|purpose| purpose.is_request_agent());
        let any = template.is_for_any_purpose();
        let free = template.requested_names.as_ref().is_some_and(|names| names.are_free());
        let flagged = template.enrollment.contains(EnrollmentFlags::NO_SECURITY_EXTENSION);
        let anonymous = !template.writes_security_extension()
            && !template.writes_security_uri()
            && (flagged || !request);
        [
            (Self::Esc1, request && free && (logs_on || agent)),
            (Self::Esc2, groups && any && !template.is_authority()),
            (Self::Esc3, groups && agent),
            (Self::Esc9, groups && anonymous && logs_on),
            (Self::Esc15, groups && request && template.schema_version == 1),
            (Self::SubordinateAuthority, groups && template.is_authority()),
        ]
        .into_iter()
        .filter_map(|(danger, open)| open.then_some(danger))
        .collect()
    }
}
