//! A second request beside one that is slower than usual: who answers first wins, the other is cancelled at once.

use std::{pin::Pin, time::Duration};

use super::{Access, Candidate};
use crate::{
    api::{ClientRequest, Endpoint},
    config::{Hedge, Strategy},
    provider::{Readiness, Reply},
    refusal::Refusal,
};

pub(super) type Answering<'a> = Pin<&'a mut (dyn Future<Output = Result<Reply, Refusal>> + Send + 'a)>;

/// Whose answer it is that came out of a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Winner {
    First,
    Second,
}

/// When the second request starts: the learned quantile for this model and provider. `None` when there is none to be
/// made, or nothing is known yet.
pub(super) fn delay(request: &ClientRequest, access: &Access<'_>, candidate: &Candidate) -> Option<Duration> {
    let default = Hedge::default();
    let rules = match (&access.routing.hedge, access.routing.strategy) {
        (Some(rules), _) => rules,
        (None, Strategy::Fastest) => &default,
        (None, _) => return None,
    };
    if !is_repeatable(request) {
        return None;
    }
    candidate.model.quantile(candidate.core.age(), request.envelope.stream, rules.quantile)
}

/// Whether the same request may run twice: it leaves no trace at the provider and calls nobody else.
fn is_repeatable(request: &ClientRequest) -> bool {
    let value = |name| request.envelope.field(name).map(|field| &request.body[field.value.clone()]);
    let stored = value("store").is_some_and(|value| value == b"true");
    let searches = value("web_search_options").is_some_and(|value| value != b"null");
    let foreign_tools = value("tools").is_some_and(|tools| {
        let tools: Vec<Tool> = serde_json::from_slice(tools).unwrap_or_default();
        tools.iter().any(|tool| tool.kind != "function" && tool.kind != "custom")
    });
    request.endpoint != Endpoint::ChatCompletions || !(stored || searches || foreign_tools)
}

#[derive(serde::Deserialize)]
struct Tool<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: std::borrow::Cow<'a, str>,
}

/// Whether a candidate has room for a request that nobody has to make.
pub(super) fn has_room(candidate: &Candidate) -> bool {
    let core = &candidate.core;
    let half = core.config.max_concurrent.div_ceil(2);
    core.readiness(&candidate.model) == Readiness::Ready && core.in_flight() < half
}

/// The first answer of two. A failure waits for the other one.
pub(super) async fn race(mut first: Answering<'_>, mut second: Answering<'_>) -> (Winner, Result<Reply, Refusal>) {
    tokio::select! {
        biased;
        one = &mut first => match one {
            Ok(reply) => (Winner::First, Ok(reply)),
            Err(refusal) => match second.await {
                Ok(reply) => (Winner::Second, Ok(reply)),
                Err(_) => (Winner::First, Err(refusal)),
            },
        },
        other = &mut second => match other {
            Ok(reply) => (Winner::Second, Ok(reply)),
            Err(_) => (Winner::First, first.await),
        },
    }
}
