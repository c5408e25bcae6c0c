//! The doors: the REST API over HTTPS (`openapi.yaml`), and publication over plain HTTP.
//!
//! Absent: decisions, keys and the disk; a resource reads a request, asks the authority and
//! renders what it said. The clock is read once a call. Begin with [`ROUTES`], the page that
//! lists every route; then `api`, the way every call takes.

mod accept;
pub mod accounts;
pub mod answer;
pub mod api;
pub mod audit;
pub mod authority;
pub mod body;
pub mod call;
pub mod certificate_status;
pub mod certificates;
mod chain;
mod client_certificate;
pub mod credentials;
pub mod doctor;
pub mod entity_tag;
pub mod health;
pub mod idempotency;
pub mod listen;
pub mod metrics;
pub mod negotiate;
pub mod notifications;
pub mod parents;
pub mod peer;
pub mod pool;
pub mod problem;
pub mod publication;
pub mod publishing;
pub mod query;
pub mod rates;
pub mod renewals;
pub mod requests;
pub mod revocations;
pub mod roles;
pub mod standstill;
pub mod template_exchange;
pub mod templates;
pub mod tls;
pub mod tokens;

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;

use crate::ca::permissions::Operation;
use answer::{Answer, Reply};
use api::Api;
use call::Call;
use pool::Lane;
use problem::Problem;

/// One route: what it answers to, who may come, where it runs.
pub struct Route {
    /// The method. GET answers HEAD as well.
    pub method: Method,
    /// The path; `{name}` stands for one percent-encoded segment.
    pub path: &'static str,
    /// Who may come, and what answers.
    pub access: Access,
}

/// Who may come, and what answers.
pub enum Access {
    /// Everybody, at once, without touching the register's queues.
    Open(fn(&Api, crate::pki::time::Timestamp) -> Answer),
    /// Who holds a credential and may do the operation. The authority looks again, closer.
    Needs(Operation, Lane, Resource),
}

/// What answers a call.
pub enum Resource {
    /// It keeps its thread until it has the answer.
    Waits(fn(&Call<'_>) -> Result<Reply, Problem>),
    /// It gives its thread back while the register records.
    Awaits(for<'a> fn(&'a Call<'a>) -> Replying<'a>),
}

/// An answer that is being worked out.
pub type Replying<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

use Lane::{Acts, Enrolments, Examinations, Reads};
use Operation::{
    DecideRequests, EditAccounts, EditRoles, EditTemplates, EditTokens, Enroll, Examine,
    InstallParentCrl, MakeEnrolmentTokens, PublishCrl, ReadAccounts, ReadAudit, ReadAuthority,
    ReadMetrics, ReadOwn, ReadRoles, ReadTokens, RenewCertificate, Revoke, RevokeCertificate,
    WithdrawRequests, WriteTemplate,
};

/// Every route of the API.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    open("/healthz", health::alive),
    open("/readyz", health::ready),
    open("/openapi.yaml", health::contract),
    get("/metrics", ReadMetrics, Reads, metrics::scrape),

    enrol("/v1/requests", Enroll, requests::submit),
    get("/v1/requests", ReadOwn, Reads, requests::list),
    get("/v1/requests/{request_id}", ReadOwn, Reads, requests::one),
    post("/v1/requests/{request_id}/approve", DecideRequests, Acts, requests::approve),
    post("/v1/requests/{request_id}/deny", DecideRequests, Acts, requests::deny),
    post("/v1/requests/{request_id}/withdraw", WithdrawRequests, Acts, requests::withdraw),

    get("/v1/certificates", ReadOwn, Reads, certificates::list),
    get("/v1/certificates/{serial_number}", ReadOwn, Reads, certificates::one),
    get("/v1/certificates/{serial_number}/status", ReadOwn, Reads, certificate_status::status),
    enrol("/v1/certificates/{serial_number}/renew", RenewCertificate, renewals::renew),
    delete("/v1/certificates/{serial_number}/retirement", Revoke, Acts, renewals::cancel_retirement),
    post("/v1/certificates/{serial_number}/revoke", RevokeCertificate, Acts, revocations::revoke),
    post("/v1/certificates/{serial_number}/release", RevokeCertificate, Acts, revocations::release),

    get("/v1/templates", ReadAuthority, Reads, templates::list),
    post("/v1/templates", EditTemplates, Acts, templates::create),
    post("/v1/templates/import", EditTemplates, Acts, template_exchange::import),
    get("/v1/templates/export", ReadAuthority, Reads, template_exchange::export_all),
    get("/v1/templates/{name}/export", ReadAuthority, Reads, template_exchange::export_one),
    get("/v1/templates/{name}", ReadAuthority, Reads, templates::one),
    put("/v1/templates/{name}", WriteTemplate, Acts, templates::replace),
    delete("/v1/templates/{name}", EditTemplates, Acts, templates::remove),
    post("/v1/templates/{name}/duplicate", EditTemplates, Acts, templates::duplicate),

    get("/v1/ca", ReadAuthority, Reads, authority::describe),
    get("/v1/ca/templates", ReadAuthority, Reads, authority::issued_templates),
    put("/v1/ca/templates/{name}", EditTemplates, Acts, authority::publish_template),
    delete("/v1/ca/templates/{name}", EditTemplates, Acts, authority::withdraw_template),
    get("/v1/ca/crls", ReadAuthority, Reads, authority::crls),
    post("/v1/ca/crls", PublishCrl, Acts, authority::publish_crl),
    get("/v1/ca/parent-crls", ReadAuthority, Reads, parents::list),
    post("/v1/ca/parent-crls", InstallParentCrl, Acts, parents::install),
    get("/v1/ca/roles", ReadRoles, Reads, roles::show),
    put("/v1/ca/roles", EditRoles, Acts, roles::replace),
    get("/v1/ca/notifications", ReadMetrics, Reads, notifications::show),

    get("/v1/accounts", ReadAccounts, Reads, accounts::list),
    post("/v1/accounts", EditAccounts, Acts, accounts::create),
    get("/v1/accounts/{name}", ReadOwn, Reads, accounts::one),
    put("/v1/accounts/{name}", EditAccounts, Acts, accounts::replace),
    patch("/v1/accounts/{name}", EditAccounts, Acts, accounts::merge),
    delete("/v1/accounts/{name}", EditAccounts, Acts, accounts::remove),
    post("/v1/accounts/{name}/revoke-certificates", Revoke, Acts, revocations::revoke_account),

    get("/v1/tokens", ReadTokens, Reads, tokens::list),
    post("/v1/tokens", MakeEnrolmentTokens, Acts, tokens::create),
    get("/v1/tokens/{id}", ReadTokens, Reads, tokens::one),
    delete("/v1/tokens/{id}", EditTokens, Acts, tokens::revoke),

    get("/v1/audit", ReadAudit, Reads, audit::list),

    post("/v1/doctor", Examine, Examinations, doctor::examine),
];

type Waiting = fn(&Call<'_>) -> Result<Reply, Problem>;

const fn open(
    path: &'static str,
    answer: fn(&Api, crate::pki::time::Timestamp) -> Answer,
) -> Route {
    Route { method: Method::GET, path, access: Access::Open(answer) }
}

const fn get(path: &'static str, operation: Operation, lane: Lane, resource: Waiting) -> Route {
    Route { method: Method::GET, path, access: access(operation, lane, resource) }
}

const fn post(path: &'static str, operation: Operation, lane: Lane, resource: Waiting) -> Route {
    Route { method: Method::POST, path, access: access(operation, lane, resource) }
}

const fn put(path: &'static str, operation: Operation, lane: Lane, resource: Waiting) -> Route {
    Route { method: Method::PUT, path, access: access(operation, lane, resource) }
}

const fn patch(path: &'static str, operation: Operation, lane: Lane, resource: Waiting) -> Route {
    Route { method: Method::PATCH, path, access: access(operation, lane, resource) }
}

const fn delete(path: &'static str, operation: Operation, lane: Lane, resource: Waiting) -> Route {
    Route { method: Method::DELETE, path, access: access(operation, lane, resource) }
}

const fn access(operation: Operation, lane: Lane, resource: Waiting) -> Access {
    Access::Needs(operation, lane, Resource::Waits(resource))
}

const fn enrol(
    path: &'static str,
    operation: Operation,
    resource: for<'a> fn(&'a Call<'a>) -> Replying<'a>,
) -> Route {
    let access = Access::Needs(operation, Enrolments, Resource::Awaits(resource));
    Route { method: Method::POST, path, access }
}
