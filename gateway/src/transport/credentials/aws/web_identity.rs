//! A role assumed with a token that the platform writes to a file (EKS, GitHub Actions).

use super::{Found, Surroundings, read, sts};
use crate::secret::Secret;

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
    sts::assume_with_token(role, &token, session, region, around).await
}
