//! The way every call takes: read whole, one hop to a thread, who is it, may they, the
//! resource, one line in the log. Routes are on the page in `http/mod.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, on};

use super::answer::{Answer, Reply};
use super::body::{self, Limits};
use super::call::{Call, Received};
use super::chain::Chains;
use super::credentials::Credential;
use super::doctor::self_check::SelfCheck;
use super::metrics::Metrics;
use super::peer::Peer;
use super::pool::{Lane, NotRun, Pools};
use super::problem::Problem;
use super::publishing::Publishing;
use super::rates::{Allowance, Passwords, Rates};
use super::{Access, ROUTES, Resource, Route};
use crate::ca::announcement::Board;
use crate::ca::permissions::Operation;
use crate::ca::publish::Copies;
use crate::ca::{Authority, Refusal, Requester};
use crate::doctor::Fetching;
use crate::doctor::evidence::Offline;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// Reads the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the API is made of.
pub struct Api {
    /// The authority.
    pub authority: Arc<Authority>,
    /// Who makes CRLs.
    pub publisher: Arc<dyn Publishing>,
    /// The threads.
    pub pools: Pools,
    /// The counters.
    pub metrics: Metrics,
    /// The clock, read once a call.
    pub clock: Clock,
    /// What a body may be.
    pub limits: Limits,
    /// How often somebody may call.
    pub rates: Rates,
    /// How the endpoints of notifications do.
    pub notifications: Board,
    /// Fetches for the doctor; nothing unless it is given something else.
    pub fetching: Arc<dyn Fetching>,
    /// What the service found of itself the last time it looked.
    pub self_check: ArcSwapOption<SelfCheck>,
    /// Who copies what is published to a directory, if anybody does.
    pub copies: Option<Arc<Copies>>,
    /// How long a revocation waits for the CRL that shows it before it answers 202.
    pub publication_wait: Duration,
    /// The CA certificates above certificates of ours.
    pub(super) chains: Chains,
    draining: AtomicBool,
    calls: AtomicU64,
    first_call: String,
}

const PUBLICATION_WAIT: Duration = Duration::from_secs(5);
/// How often a call that waits for a CRL looks for it.
const PUBLICATION_LOOK: Duration = Duration::from_millis(10);

impl Api {
    /// Puts the API together and starts its threads.
    pub fn new(
        authority: Arc<Authority>,
        publisher: Arc<dyn Publishing>,
        clock: Clock,
        processors: usize,
    ) -> std::io::Result<Self> {
        // Call numbers tell runs of the program apart by the time of its start.
        let first_call = format!("{:x}", clock().millis());
        let chains = Chains::of(&authority, clock());
        Ok(Self {
            authority,
            publisher,
            pools: Pools::start(processors)?,
            metrics: Metrics::new(),
            clock,
            limits: Limits::default(),
            rates: Rates::new(Allowance::default()),
            notifications: Board::default(),
            fetching: Arc::new(Offline),
            self_check: ArcSwapOption::empty(),
            copies: None,
            publication_wait: PUBLICATION_WAIT,
            chains,
            draining: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            first_call,
        })
    }

    /// From now on `/readyz` says that this server is stopping.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether this server is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn next_call(&self) -> String {
        format!("{}-{}", self.first_call, self.calls.fetch_add(1, Ordering::Relaxed))
    }
}

/// Every route of the API over `api`.
pub fn router(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let Ok(method) = MethodFilter::try_from(route.method.clone()) else { continue };
        let handler =
            move |State(api): State<Arc<Api>>, request: Request| answer(api, route, request);
        router = router.route(route.path, on(method, handler));
    }
    router
        .method_not_allowed_fallback(|State(api): State<Arc<Api>>, request: Request| async move {
            let detail = format!("{} is not a method of this path", request.method());
            refuse(&api, &request, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
        })
        .fallback(|State(api): State<Arc<Api>>, request: Request| async move {
            let detail = "there is no such path; see /openapi.yaml".to_owned();
            refuse(&api, &request, StatusCode::NOT_FOUND, "path-unknown", detail)
        })
        .with_state(api)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

async fn answer(api: Arc<Api>, route: &'static Route, request: Request) -> Response {
    let began = Instant::now();
    let number = api.next_call();
    let method = request.method().clone();
    let path = request.uri().clone();
    let (account, outcome) = match route.access {
        Access::Open(resource) => (None, Ok(resource(&api, (api.clock)()))),
        Access::Needs(..) => perform(&api, route, request).await,
    };
    let outcome = outcome.map_err(|problem| match api.authority.takes_passwords() {
        true => problem.offering_passwords(),
        false => problem,
    });
    let rule = outcome.as_ref().err().map(|problem| problem.rule().to_owned());
    let answer = outcome.unwrap_or_else(|problem| problem.to_answer(&number));
    let status = answer.status();
    api.metrics.answered(route, status, began.elapsed());
    tracing::info!(
        call = number,
        %method,
        path = path.path(),
        status = status.as_u16(),
        account,
        rule,
        microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    with_number(answer.into_response(), &number)
}

fn refuse(
    api: &Api,
    request: &Request,
    status: StatusCode,
    rule: &'static str,
    detail: String,
) -> Response {
    let number = api.next_call();
    let (method, path) = (request.method(), request.uri().path());
    tracing::info!(call = number, %method, path, status = status.as_u16(), rule, "answered");
    with_number(Problem::new(status, rule, detail).to_answer(&number).into_response(), &number)
}

fn with_number(mut response: Response, number: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(number) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

type Outcome = (Option<String>, Result<Answer, Problem>);

/// Everything but the log line: the answer, and the account it is for as far as known.
async fn perform(api: &Arc<Api>, route: &'static Route, request: Request) -> Outcome {
    let Access::Needs(operation, lane, _) = route.access else { return (None, Err(lost())) };
    let received = match receive(api, route, operation, request).await {
        Ok(received) => received,
        Err(problem) => return (None, Err(problem)),
    };
    let lane = match (lane, Credential::of(&received.headers, &received.peer)) {
        // Longer than a directory takes, and not in the way of others' passwords.
        (Lane::Examinations, _) => lane,
        (_, Ok(Credential::Password(_))) => Lane::Passwords,
        _ => lane,
    };
    let work = {
        let api = Arc::clone(api);
        async move { attend(&api, route, &received).await }
    };
    let (account, reply) = match api.pools.run(lane, work).await {
        Ok(done) => done,
        Err(NotRun::Full) => (None, Err(full(lane))),
        Err(NotRun::Lost) => (None, Err(lost())),
    };
    let answer = match reply {
        Ok(Reply::Now(answer)) => Ok(answer),
        Ok(Reply::OncePublished { sequence, scopes, render }) => {
            Ok(render(published(api, &scopes, sequence).await))
        }
        Err(problem) => Err(problem),
    };
    (account, answer)
}

/// Reads the call whole, refusing early what cannot come to anything.
async fn receive(
    api: &Api,
    route: &Route,
    operation: Operation,
    request: Request,
) -> Result<Received, Problem> {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.remove::<Peer>().unwrap_or_default();
    let origin = api.rates.origin(&peer, &parts.headers);
    let credential = Credential::of(&parts.headers, &peer);
    api.rates.admit(origin, operation, credential.as_ref().ok(), (api.clock)())?;
    // Who shows nothing that could be a credential is not listened to any longer.
    credential?;
    let body = body::read(&parts.headers, body, api.limits).await?;
    body::uncompressed(&parts.headers)?;
    let name = match route.path.contains('{') {
        true => segment(&mut parts).await?,
        false => String::new(),
    };
    let Parts { method, uri, headers, .. } = parts;
    Ok(Received { peer, origin, method, uri, headers, name, body })
}

/// The one `{…}` segment of the path, decoded.
async fn segment(parts: &mut Parts) -> Result<String, Problem> {
    use axum::extract::{FromRequestParts as _, Path};
    let malformed = || Problem::bad_request("path-malformed", "the path is not UTF-8 once decoded");
    let Path(name) =
        Path::<String>::from_request_parts(parts, &()).await.map_err(|_| malformed())?;
    Ok(name)
}

/// On threads of the route's lane: who is it, may they, and the resource.
async fn attend(
    api: &Api,
    route: &Route,
    received: &Received,
) -> (Option<String>, Result<Reply, Problem>) {
    let Access::Needs(operation, _, resource) = &route.access else { return (None, Err(lost())) };
    let now = (api.clock)();
    let requester = match authenticate(api, received, now) {
        Ok(requester) => requester,
        Err(problem) => return (None, Err(problem)),
    };
    let account = Some(requester.account().name.clone());
    if let Err(problem) = api.rates.admit_account(&requester, *operation, now) {
        return (account, Err(problem));
    }
    if let Err(refusal) = requester.must(*operation) {
        return (account, Err(Refusal::into(refusal)));
    }
    let call = Call { api, requester: &requester, now, received };
    let reply = match resource {
        Resource::Waits(resource) => resource(&call),
        Resource::Awaits(resource) => resource(&call).await,
    };
    (account, reply)
}

/// Who it is; what proves nothing is counted.
fn authenticate(api: &Api, received: &Received, now: Timestamp) -> Result<Requester, Problem> {
    let credential = Credential::of(&received.headers, &received.peer)?;
    let guesses = Passwords::tried(&api.rates, now);
    let requester = credential.requester(&api.authority, &guesses, now).map_err(Problem::from);
    if requester.as_ref().is_err_and(|problem| problem.status() == StatusCode::UNAUTHORIZED) {
        api.rates.failed(received.origin, now);
    }
    // Its name had to be looked up to know that it is one of these: it counts as a failure too.
    guesses.were_admitted()?;
    requester
}

/// Waits, without a thread, until CRLs that reflect ledger entry `sequence` are published.
async fn published(api: &Api, scopes: &[CrlScope], sequence: u64) -> Option<u64> {
    let looking = async {
        loop {
            if let Some(number) = api.publisher.published(scopes, sequence) {
                return number;
            }
            tokio::time::sleep(PUBLICATION_LOOK).await;
        }
    };
    tokio::time::timeout(api.publication_wait, looking).await.ok()
}

fn full(lane: Lane) -> Problem {
    let detail = format!("too many calls are waiting ({}): try again in a moment", lane.as_str());
    Problem::unavailable("too-busy", detail)
}

fn lost() -> Problem {
    let detail = "the call ended without an answer; what became of it is in the register";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}
