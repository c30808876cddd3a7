//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.

use super::{Found, Fresh, Life, REREAD, Surroundings, credentials};
use crate::{secret::Secret, transport::credentials::Failure};

pub(super) fn find(around: &Surroundings) -> Found {
    let secret = |name| around.env(name).map(Secret::new);
    let Some(id) = secret("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let key = secret("AWS_SECRET_ACCESS_KEY")
        .ok_or_else(|| Failure::new("`AWS_ACCESS_KEY_ID` is set and `AWS_SECRET_ACCESS_KEY` is not"))?;
    let value = credentials(&id, &key, secret("AWS_SESSION_TOKEN").as_ref());
    Ok(Some(Fresh { value, life: Life::Unknown(REREAD) }))
}
