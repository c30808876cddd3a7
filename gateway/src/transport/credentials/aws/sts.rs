//! AWS's security token service: the credentials of a role, for others or for a token.

use aws_credential_types::Credentials;

use super::{Found, Fresh, Surroundings, credentials, life};
use crate::{
    secret::Secret,
    transport::credentials::{Failure, asking, signer},
};

const WHO: &str = "the AWS security token service";

/// A role as a profile describes it.
pub(super) struct Role {
    pub profile: String,
    pub arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration_seconds: Option<String>,
}

/// The role's credentials, given to whom `with` belongs to.
pub(super) async fn assume(role: &Role, with: &Credentials, region: &str, around: &Surroundings) -> Found {
    let mut form = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role.arn.as_str()),
        ("RoleSessionName", role.session_name.as_deref().unwrap_or("prism")),
    ];
    form.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    form.extend(role.duration_seconds.as_deref().map(|seconds| ("DurationSeconds", seconds)));
    let asked = async {
        let mut request = asking::form(&endpoint(region, around), &form)?;
        let signed = signer::sign(&mut request, with, "sts", region, around.now());
        signed.ok_or_else(|| Failure::new("the request for a role could not be signed"))?;
        read(&around.web.send(WHO, request).await?)
    };
    let profile = &role.profile;
    asked.await.map_err(|failure| Failure::new(format!("the role of AWS profile `{profile}`: {}", failure.0)))
}

/// The role's credentials for a token of an identity provider.
pub(super) async fn assume_with_token(
    role: &str,
    token: &Secret,
    session: Option<&str>,
    region: &str,
    around: &Surroundings,
) -> Found {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session.unwrap_or("prism")),
        ("WebIdentityToken", token.expose()),
    ];
    read(&around.web.post_form(WHO, &endpoint(region, around), &form).await?)
}

fn endpoint(region: &str, around: &Surroundings) -> String {
    let partition = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint = around.env("AWS_ENDPOINT_URL_STS").or_else(|| around.env("AWS_ENDPOINT_URL"));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://sts.{region}.{partition}"));
    format!("{}/", endpoint.trim_end_matches('/'))
}

fn read(body: &[u8]) -> Found {
    let text = String::from_utf8_lossy(body);
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
