//! `/v1/doctor`: what each party of a VPN will say of a certificate.
//!
//! Absent: the rules (the doctor's), and how the report is rendered for people (the command's).
//! Begin with [`examine`]; `question` is what may be asked, `shape` the report as JSON.

mod question;
pub mod self_check;
pub mod shape;

use axum::http::StatusCode;

use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::problem::Problem;
use question::Asked;
use shape::ReportShape;

/// `POST /v1/doctor`. What comes back of what was fetched is what the rules say of it, its size,
/// and why it could not be had; never its octets.
pub fn examine(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let asked: Asked = body::json(call.received)?;
    let report = asked.examined(call)?;
    Ok(Answer::json(StatusCode::OK, &ReportShape::of(&report)).into())
}
