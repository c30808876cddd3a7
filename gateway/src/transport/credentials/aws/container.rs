//! The agent beside a container (ECS, EKS Pod Identity).

use std::net::IpAddr;

use super::{Found, Surroundings, answer, read};
use crate::{secret::Secret, transport::credentials::Failure};

const WHO: &str = "the container's credential service";
/// ECS and EKS; a plain `http` address elsewhere would send the token over the network.
const AGENTS: &[&str] = &["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

pub(super) async fn find(around: &Surroundings) -> Found {
    let relative = around.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = match relative {
        Some(path) => format!("http://{}{path}", AGENTS[0]),
        None => match around.env("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(url) if is_near(&url) => url,
            Some(_) => return Err(Failure::new("`AWS_CONTAINER_CREDENTIALS_FULL_URI` is neither https nor local")),
            None => return Ok(None),
        },
    };
    let token = match around.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(Secret::new(read(&file, "the container's authorization token")?.trim())),
        None => around.env("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new),
    };
    let headers: Vec<_> = token.iter().map(|token| ("authorization", token.expose())).collect();
    answer(WHO, &around.machine.get(WHO, &url, &headers).await?)
}

fn is_near(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let loopback = || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    uri.scheme_str() == Some("https") || AGENTS.contains(&host) || host == "localhost" || loopback()
}
