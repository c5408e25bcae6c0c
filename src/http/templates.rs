//! `/v1/templates`: the certificate templates, in the shape of `templates/*.json`.

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply, path_segment};
use super::body;
use super::call::Call;
use super::entity_tag::{if_match, quoted};
use super::idempotency::{Created, Secrecy, creating};
use super::problem::Problem;
use crate::ca::templates::Listed;
use crate::pki::account::Account;
use crate::pki::template::{Right, Template, TemplateArc, TemplateFile};

/// A template in a listing.
#[derive(Serialize)]
pub struct Summary<'a> {
    cn: &'a str,
    display_name: &'a str,
    oid: String,
    origin: &'static str,
    schema_version: u32,
    revision: String,
    published: bool,
    needs_approval: bool,
    subject_from_request: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    rights: Vec<&'static str>,
}

impl<'a> Summary<'a> {
    /// Of a template of this installation, with the rights that `account` has on it.
    pub fn of(listed: &'a Listed, arc: &TemplateArc, account: &Account) -> Self {
        let template = &listed.template;
        Self {
            cn: template.cn(),
            display_name: template.display_name(),
            oid: template.oid(arc).to_string(),
            origin: template.origin().as_str(),
            schema_version: template.schema_version(),
            revision: listed.entity_tag(),
            published: listed.published,
            needs_approval: template.needs_approval(),
            subject_from_request: template.subject_comes_from_request(),
            warnings: warnings(template),
            rights: template.permissions().rights_of(account).iter().map(Right::as_str).collect(),
        }
    }
}

#[derive(Serialize)]
struct Summaries<'a> {
    templates: Vec<Summary<'a>>,
}

/// `GET /v1/templates`: all of them; there are never so many that pages would help.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let listed = call.api.authority.templates(call.requester)?;
    Ok(summaries(call, &listed).into())
}

/// A list of templates as JSON.
pub fn summaries(call: &Call<'_>, listed: &[Listed]) -> Answer {
    let arc = call.api.authority.template_arc();
    let account = call.requester.account();
    let templates = listed.iter().map(|listed| Summary::of(listed, arc, account)).collect();
    Answer::json(StatusCode::OK, &Summaries { templates })
}

/// `GET /v1/templates/{name}`: what PUT takes.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    Ok(whole(&call.api.authority.template(call.requester, call.name())?).into())
}

/// `POST /v1/templates`.
pub fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let file = file(call)?;
    let create = |answering: crate::ca::Answering<'_, Listed>| {
        call.api.authority.create_template(call.requester, file, answering, call.now)
    };
    Ok(creating(call, Secrecy::Plain, create, created)?.into())
}

/// `PUT /v1/templates/{name}`.
pub fn replace(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let (authority, name) = (&call.api.authority, call.name());
    // Whoever may not change it learns nothing of what would be wrong with what he sent.
    authority.writable_template(call.requester, name)?;
    let seen = if_match(&call.received.headers)?;
    let file = file(call)?;
    let changed =
        authority.replace_template(call.requester, name, file, seen.as_deref(), call.now)?;
    Ok(whole(&changed).into())
}

/// `DELETE /v1/templates/{name}`.
pub fn remove(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let seen = if_match(&call.received.headers)?;
    let (authority, name) = (&call.api.authority, call.name());
    authority.delete_template(call.requester, name, seen.as_deref(), call.now)?;
    Ok(Answer::empty().into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duplication {
    cn: String,
    display_name: Option<String>,
}

/// `POST /v1/templates/{name}/duplicate`.
pub fn duplicate(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let wanted: Duplication = body::json(call.received)?;
    let create = |answering: crate::ca::Answering<'_, Listed>| {
        let display_name = wanted.display_name.as_deref();
        call.api.authority.duplicate_template(
            call.requester,
            call.name(),
            &wanted.cn,
            display_name,
            answering,
            call.now,
        )
    };
    Ok(creating(call, Secrecy::Plain, create, created)?.into())
}

/// A template as sent; where it does not read, every mistake in it at once.
fn file(call: &Call<'_>) -> Result<TemplateFile, Problem> {
    body::json(call.received).map_err(|problem| {
        let text = String::from_utf8_lossy(&call.received.body);
        match Template::from_json(&text) {
            Err(mistakes) if problem.rule() != "media-type-unsupported" => {
                Problem::bad_request("template-invalid", mistakes.to_string())
            }
            _ => problem,
        }
    })
}

fn whole(listed: &Listed) -> Answer {
    Answer::json(StatusCode::OK, &told(&listed.template))
        .with_text_header(header::ETAG, &quoted(&listed.entity_tag()))
}

fn created(listed: &Listed) -> Created {
    let location = format!("/v1/templates/{}", path_segment(listed.template.cn()));
    Created::json(&told(&listed.template), location)
}

/// The file of a template, and what should be known of it.
fn told(template: &Template) -> TemplateFile {
    TemplateFile { warnings: warnings(template), ..template.to_file() }
}

fn warnings(template: &Template) -> Vec<String> {
    template.warnings().iter().map(ToString::to_string).collect()
}
