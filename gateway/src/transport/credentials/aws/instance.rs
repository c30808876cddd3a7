//! The metadata service of an EC2 instance, version 2.

use super::{Found, Surroundings, answer};

const WHO: &str = "the instance's metadata service";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

pub(super) async fn find(around: &Surroundings) -> Found {
    if around.env("AWS_EC2_METADATA_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let endpoint = around.env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let asked = endpoint.is_some();
    let endpoint = endpoint.unwrap_or_else(|| "http://169.254.169.254".to_owned());
    let endpoint = endpoint.trim_end_matches('/');
    let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")];
    let token = match around.machine.put(WHO, &format!("{endpoint}/latest/api/token"), &ttl).await {
        Ok(token) => String::from_utf8_lossy(&token).trim().to_owned(),
        Err(failure) if asked => return Err(failure),
        Err(_) => return Ok(None), // most likely no instance at all
    };
    let session = [("x-aws-ec2-metadata-token", token.as_str())];
    let role = around.machine.get(WHO, &format!("{endpoint}{ROLES}"), &session).await?;
    let role = String::from_utf8_lossy(&role);
    let Some(role) = role.lines().next().map(str::trim).filter(|role| !role.is_empty()) else { return Ok(None) };
    answer(WHO, &around.machine.get(WHO, &format!("{endpoint}{ROLES}{role}"), &session).await?)
}
