//! `/v1/templates/import` and `/export`: templates from Active Directory and to it.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::idempotency::{Created, Secrecy, creating};
use super::problem::Problem;
use super::query::{Parameters, invalid};
use crate::ca::Answering;
use crate::ca::template_import::{Course, Existing, Fate, Import, Imported};
use crate::ca::templates::Listed;
use crate::pki::security_descriptor::Sid;
use crate::pki::template::exchange::{
    Forest, Format, Loss, Losses, Principals, Report, Unreadable, entries, read, write,
};
use crate::pki::template::{Principal, Template};

const PRINCIPALS: &str = "a JSON object of security identifiers and names, such as \
    {\"S-1-5-21-1-2-3-1104\":\"VPN Users\",\"S-1-5-21-1-2-3-1105\":{\"account\":\"bob\"}}";
const MOST_PRINCIPALS: usize = 1_000;
const LONGEST_ROOT: usize = 255;

/// `POST /v1/templates/import`: 201 with a report, or 200 for a dry run.
pub fn import(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let taken = "application/ldif, application/json or text/plain";
    let by_type = match body::media_type(&call.received.headers).as_str() {
        "application/json" => Some(Format::Json),
        "application/ldif" | "text/ldif" | "text/x-ldif" => Some(Format::Ldif),
        "text/plain" | "application/octet-stream" => None,
        _ => return Err(body::unsupported(&call.received.headers, taken)),
    };
    let format = parameters.read("format", "ldif, json or certutil", Format::from_word)?;
    let wanted = wanted(&mut parameters)?;
    parameters.finish()?;
    let found = read(&call.received.body, format.or(by_type)).map_err(unreadable)?;
    let authority = &call.api.authority;
    let carry = |answering: Answering<'_, Vec<Imported>>| {
        authority.import_templates(call.requester, &found, &wanted, answering, call.now)
    };
    if wanted.course == Course::DryRun {
        let imported = carry(None)?;
        return Ok(Answer::json(StatusCode::OK, &Outcomes::of(&imported)).into());
    }
    let created =
        |made: &Vec<Imported>| Created::json(&Outcomes::of(made), "/v1/templates".to_owned());
    Ok(creating(call, Secrecy::Plain, carry, created)?.into())
}

fn wanted(parameters: &mut Parameters) -> Result<Import, Problem> {
    let mut flag =
        |name: &str| parameters.read(name, "true or false", |text| text.parse::<bool>().ok());
    let course = if flag("dry_run")? == Some(true) { Course::DryRun } else { Course::CarriedOut };
    let existing = if flag("replace")? == Some(true) { Existing::Replaced } else { Existing::Kept };
    let losses = match flag("accept_losses")? {
        Some(true) => Losses::Accepted,
        _ => Losses::Refused,
    };
    let only = parameters.text("templates").unwrap_or_default();
    let only = only.split(',').map(str::trim).filter(|cn| !cn.is_empty());
    let only = only.map(ToOwned::to_owned).collect();
    Ok(Import { principals: principals(parameters)?, losses, existing, only, course })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Group(String),
    Either(OneOf),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum OneOf {
    Group(String),
    Account(String),
}

fn principals(parameters: &mut Parameters) -> Result<Principals, Problem> {
    let read = |text: &str| {
        let named: BTreeMap<String, Named> = serde_json::from_str(text).ok()?;
        let principal = |named| match named {
            Named::Group(name) | Named::Either(OneOf::Group(name)) => Principal::Group(name),
            Named::Either(OneOf::Account(name)) => Principal::Account(name),
        };
        let one =
            |(sid, named): (String, Named)| Some((sid.parse::<Sid>().ok()?, principal(named)));
        (named.len() <= MOST_PRINCIPALS).then(|| named.into_iter().map(one).collect())?
    };
    Ok(parameters.read("principals", PRINCIPALS, read)?.unwrap_or_default())
}

fn unreadable(error: Unreadable) -> Problem {
    let rule = match error {
        Unreadable::Format | Unreadable::Text(_) => "template-format-unknown",
        Unreadable::NotEnglish(_) => "template-file-not-english",
        Unreadable::Empty => "template-file-empty",
        _ => "template-file-malformed",
    };
    Problem::bad_request(rule, error.to_string())
}

#[derive(Serialize)]
struct Outcomes<'a> {
    templates: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    cn: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differing_keys: Vec<&'a str>,
    refused: &'a [String],
    taken: Vec<Taken<'a>>,
    mapped: Vec<Step<'a>>,
    not_honoured: Vec<Lost<'a>>,
    differences: &'a [String],
    left_behind: &'a [String],
}

#[derive(Serialize)]
struct Taken<'a> {
    attribute: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Step<'a> {
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct Lost<'a> {
    what: &'a str,
    why: &'a str,
    weakens: bool,
}

impl<'a> Outcomes<'a> {
    fn of(imported: &'a [Imported]) -> Self {
        Self { templates: imported.iter().map(Outcome::of).collect() }
    }
}

impl<'a> Outcome<'a> {
    fn of(imported: &'a Imported) -> Self {
        let Report { taken, mapped, not_honoured, differences, left_behind, refused } =
            &imported.report;
        let differing_keys = match &imported.fate {
            Fate::BuiltInDifferent(keys) => keys.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let taken = taken.iter().map(|(attribute, value)| Taken { attribute, value });
        let mapped = mapped.iter().map(|own| Step { from: &own.from, to: &own.to });
        let lost = not_honoured.iter().map(|own| {
            let weakens = own.loss == Loss::Weaker;
            Lost { what: &own.what, why: &own.why, weakens }
        });
        Self {
            cn: &imported.name,
            outcome: imported.fate.as_str(),
            differing_keys,
            refused,
            taken: taken.collect(),
            mapped: mapped.collect(),
            not_honoured: lost.collect(),
            differences,
            left_behind,
        }
    }
}

/// `GET /v1/templates/export`: those that the requester may read.
pub fn export_all(call: &Call<'_>) -> Result<Reply, Problem> {
    let (format, forest) = destination(call)?;
    export(call, &call.api.authority.templates(call.requester)?, format, &forest)
}

/// `GET /v1/templates/{name}/export`.
pub fn export_one(call: &Call<'_>) -> Result<Reply, Problem> {
    let (format, forest) = destination(call)?;
    export(call, &[call.api.authority.template(call.requester, call.name())?], format, &forest)
}

fn destination(call: &Call<'_>) -> Result<(Format, Forest), Problem> {
    let mut parameters = call.parameters()?;
    let words = "ldif or json";
    let format = parameters.read("format", words, Format::from_word)?.unwrap_or(Format::Ldif);
    if format == Format::Certutil {
        return Err(invalid("format", words));
    }
    let root = parameters.read("domain", "a domain's name, such as DC=contoso,DC=com", root)?;
    let mut forest = Forest::named(root.unwrap_or_else(|| "DC=example,DC=com".to_owned()));
    let form = "a domain's identifier, such as S-1-5-21-1-2-3";
    let sid = |text: &str| text.parse::<Sid>().ok().filter(Sid::is_domain);
    if let Some(domain) = parameters.read("domain_sid", form, sid)? {
        forest.domain = domain;
    }
    forest.sids = principals(&mut parameters)?;
    parameters.finish()?;
    Ok((format, forest))
}

/// `DC=contoso,DC=com`: nothing that would end the line or the part.
fn root(text: &str) -> Option<String> {
    let label = |part: &str| {
        let inner = part.strip_prefix("DC=").or_else(|| part.strip_prefix("dc="))?;
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        (!inner.is_empty() && inner.bytes().all(plain)).then_some(())
    };
    let fits = text.len() <= LONGEST_ROOT && text.split(',').all(|part| label(part).is_some());
    fits.then(|| text.to_owned())
}

fn export(
    call: &Call<'_>,
    listed: &[Listed],
    format: Format,
    forest: &Forest,
) -> Result<Reply, Problem> {
    let templates: Vec<&Template> = listed.iter().map(|own| own.template.as_ref()).collect();
    let failed = |error: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error);
    let entries = entries(&templates, call.api.authority.template_arc(), forest)
        .map_err(|error| failed(error.to_string()))?;
    let text = write(&entries, format).map_err(|error| failed(error.to_string()))?;
    let media_type = match format {
        Format::Json => "application/json",
        _ => "application/ldif",
    };
    let name = match (listed, format) {
        ([one], _) => one.template.cn().to_owned(),
        _ => "templates".to_owned(),
    };
    let end = if format == Format::Json { "json" } else { "ldf" };
    let disposition = format!("attachment; filename=\"{name}.{end}\"");
    Ok(Answer::new(StatusCode::OK, media_type, text)
        .with_text_header(header::CONTENT_DISPOSITION, &disposition)
        .into())
}
