//! `chancery health`: asks a running service over its own address; for container health checks.

use super::arguments::Health;
use super::failure::Failure;
use super::home::Home;
use super::request::agent;
use super::settings::Settings;
use super::surroundings::say;

/// Succeeds if the service on the API address says that it is well.
pub fn health(arguments: &Health, settings: &Settings) -> Result<(), Failure> {
    let agent = agent(&Home::new(&settings.data).ca_pem())?;
    let path = if arguments.ready { "readyz" } else { "healthz" };
    // Every certificate of the service has localhost among its names.
    let host = match settings.api_listen.ip() {
        ip if ip.is_unspecified() || ip.is_loopback() => "localhost".to_owned(),
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let url = format!("https://{host}:{}/{path}", settings.api_listen.port());
    let answered = agent.get(&url).call().and_then(|mut response| {
        Ok((response.status().is_success(), response.body_mut().read_to_string()?))
    });
    match answered {
        Ok((true, body)) => {
            say(&body);
            Ok(())
        }
        Ok((false, body)) => Err(Failure::Unwell(body)),
        Err(error) => Err(Failure::Unwell(format!("{url}: {error}"))),
    }
}
