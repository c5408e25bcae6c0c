//! `/v1/templates`: the certificate templates, in the shape of `templates/*.json`.

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply, path_segment};
use super::body;
use super::call::Call;
use super::entity_tag::{if_match, quoted};
use super::idempotency::{Created, Secrecy, creating};
use super::problem::Problem;
use crate::ca::refused_templates::RefusedTemplate;
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedSummary>,
}

/// A template on record that today's rules refuse.
#[derive(Serialize)]
struct RefusedSummary {
    cn: String,
    why: String,
}

/// `GET /v1/templates`: all of them; there are never so many that pages would help.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let listed = call.api.authority.templates(call.requester)?;
    let refused = call.api.authority.refused_templates(call.requester).into_iter();
    let refused = refused.map(|own| RefusedSummary { cn: own.cn.clone(), why: own.why.clone() });
    let templates = all(call, &listed);
    Ok(Answer::json(StatusCode::OK, &Summaries { templates, refused: refused.collect() }).into())
}

/// A list of templates as JSON.
pub fn summaries(call: &Call<'_>, listed: &[Listed]) -> Answer {
    let templates = all(call, listed);
    Answer::json(StatusCode::OK, &Summaries { templates, refused: Vec::new() })
}

fn all<'a>(call: &Call<'_>, listed: &'a [Listed]) -> Vec<Summary<'a>> {
    let arc = call.api.authority.template_arc();
    let account = call.requester.account();
    listed.iter().map(|listed| Summary::of(listed, arc, account)).collect()
}

/// `GET /v1/templates/{name}`: what PUT takes.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    if let Some(refused) = call.api.authority.refused_template(call.requester, call.name()) {
        return Ok(as_on_record(&refused)?.into());
    }
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
    if authority.refused_template(call.requester, name).is_none() {
        authority.writable_template(call.requester, name)?;
    }
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

/// What today's rules refuse, to be mended.
fn as_on_record(refused: &RefusedTemplate) -> Result<Answer, Problem> {
    let file = refused.file.clone().ok_or_else(|| refused.refusal())?;
    let why = format!("withdrawn, since today's rules refuse it: {}", refused.why);
    let file = TemplateFile { warnings: vec![why], ..file };
    Ok(Answer::json(StatusCode::OK, &file)
        .with_text_header(header::ETAG, &quoted(&refused.entity_tag())))
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
