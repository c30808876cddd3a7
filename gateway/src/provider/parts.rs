//! A request that the provider takes in parts only: one attempt, one permit, one deadline, one answer.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use http::HeaderMap;
use tokio::time::timeout_at;

use super::{
    ProviderCore,
    attempt::Attempt,
    call::{self, Sending},
};
use crate::{
    refusal::Refusal,
    wire::{Answer, Upstream, merge},
};

/// Parts of one request that are under way at a time.
const AT_ONCE: usize = 4;

/// Sends all parts and makes one answer of theirs; with the last part's headers, which know best what is left of a quota.
/// The first part that fails ends the others.
///
/// # Errors
/// That part's.
pub(super) async fn send(
    core: &Arc<ProviderCore>,
    mut upstream: Upstream,
    sending: Sending,
    attempt: &mut Attempt,
) -> Result<(Answer, HeaderMap), Refusal> {
    let more = std::mem::take(&mut upstream.more);
    let parts = std::iter::once(upstream).chain(more).map(|part| one(core.clone(), part, sending));
    let mut answers = stream::iter(parts).buffered(AT_ONCE);
    let (mut parts, mut last, mut length) = (Vec::new(), HeaderMap::new(), 0);
    while let Some((inputs, answer, headers)) = answers.try_next().await? {
        length += answer.body.len() as u64;
        if length > call::MAX_ANSWER {
            return Err(call::too_large());
        }
        attempt.answered(&headers);
        parts.push((inputs, answer));
        last = headers;
    }
    Ok((merge(&parts)?, last))
}

/// One part's answer, and how many inputs it has.
async fn one(core: Arc<ProviderCore>, part: Upstream, sending: Sending) -> Result<(usize, Answer, HeaderMap), Refusal> {
    let Upstream { path, headers, body, reading, .. } = part;
    let (head, body) = call::send(&core, &path, headers, body, sending).await?;
    if !head.status.is_success() {
        return Err(call::refused(&core, head, body, sending.deadline).await);
    }
    let (body, share) =
        timeout_at(sending.deadline, call::whole(&core, body)).await.map_err(|_| call::too_slow())??;
    let mut answer = core.format.answer(&reading, &head.headers, body)?;
    answer.body = share.around(answer.body);
    Ok((reading.inputs, answer, head.headers))
}
