//! A role assumed with a token that the platform writes to a file (EKS, GitHub Actions).

use super::{Found, Fresh, Surroundings, credentials, life, read};
use crate::{secret::Secret, transport::credentials::Failure};

const WHO: &str = "the AWS security token service";

pub(super) async fn find(region: &str, around: &Surroundings) -> Found {
    let (file, role) = (around.env("AWS_WEB_IDENTITY_TOKEN_FILE"), around.env("AWS_ROLE_ARN"));
    let (Some(file), Some(role)) = (file, role) else { return Ok(None) };
    let session = around.env("AWS_ROLE_SESSION_NAME");
    assume(&file, &role, session.as_deref(), region, around).await
}

pub(super) async fn assume(
    file: &str,
    role: &str,
    session: Option<&str>,
    region: &str,
    around: &Surroundings,
) -> Found {
    let token = Secret::new(read(file, "the web identity token")?.trim());
    let partition = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint = around.env("AWS_ENDPOINT_URL_STS").or_else(|| around.env("AWS_ENDPOINT_URL"));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://sts.{region}.{partition}"));
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session.unwrap_or("prism")),
        ("WebIdentityToken", token.expose()),
    ];
    let body = around.web.post_form(WHO, &format!("{}/", endpoint.trim_end_matches('/')), &form).await?;
    let text = String::from_utf8_lossy(&body);
    let element = |name: &str| element(&text, name);
    let unreadable = || Failure::new(format!("the answer of {WHO} is not what was expected"));
    let id = Secret::new(element("AccessKeyId").ok_or_else(unreadable)?);
    let key = Secret::new(element("SecretAccessKey").ok_or_else(unreadable)?);
    let session = Secret::new(element("SessionToken").ok_or_else(unreadable)?);
    let value = credentials(&id, &key, Some(&session));
    Ok(Some(Fresh { value, life: life(element("Expiration")) }))
}

/// The text of an XML element; these values need no unescaping.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("<{name}>"))?.1;
    rest.split_once("</").map(|(value, _)| value.trim())
}
