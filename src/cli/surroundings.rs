//! What the rest of the program is handed from outside: clock, randomness, the host's name,
//! standard output, and the log.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use super::settings::{LogFormat, Settings};
use crate::ca::{Random, RandomFailed};
use crate::pki::name::visible;
use crate::pki::time::Timestamp;

/// The time by the system's clock; before 1970 counts as 1970, which stops issuing.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Randomness fit for keys and serial numbers.
pub fn random() -> Random {
    let source = SystemRandom::new();
    Arc::new(move |octets: &mut [u8]| source.fill(octets).map_err(|_| RandomFailed))
}

/// So many random octets.
pub fn random_octets<const LENGTH: usize>() -> Result<[u8; LENGTH], RandomFailed> {
    let mut octets = [0; LENGTH];
    SystemRandom::new().fill(&mut octets).map_err(|_| RandomFailed)?;
    Ok(octets)
}

/// The host's name, `localhost` if it has none that is a DNS name.
pub fn host_name() -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok());
    name.map(|name| name.trim_end_matches('.').to_owned())
        .filter(|name| super::settings::address::is_dns_name(name))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Prints lines for the operator. That nobody reads them is no reason to stop.
pub fn say(lines: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", shown(lines));
}

/// The same on standard error.
pub fn complain(lines: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", shown(lines));
}

/// Names and URLs in it may be strangers': a terminal obeys none of them.
fn shown(lines: &str) -> String {
    lines.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Starts the log, on standard error.
pub fn start_log(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::new(&settings.log_level);
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // A second start in one process (tests) keeps the first log.
    let _ = match settings.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
