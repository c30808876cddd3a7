//! What an exchange says of itself when it is over: the second half of its usage event.

use std::time::Duration;

use smallvec::SmallVec;

use super::{
    Exchange,
    exchange::{Attempted, Ending, Outcome},
};
use crate::{
    api::{self, AttemptEnding, MOST_ATTEMPTS, UsageSource, UsageStatus, Word},
    money::Usd,
    refusal::Cause,
    spool::Ticket,
};

/// An error's text is cut here.
const LONGEST_ERROR: usize = 200;
/// So is any name that is not the gateway's own.
const LONGEST_NAME: usize = 192;

/// What the drop of the exchange has found out.
pub(super) struct Facts {
    pub status: u16,
    pub ending: Ending,
    pub took: Duration,
    pub counted_by: Option<UsageSource>,
    /// US dollars; `None` when there is nothing to pay for, or the price is not known.
    pub cost: Option<Usd>,
}

pub(super) fn finish(exchange: &Exchange, ticket: Ticket, facts: &Facts) {
    let Facts { status, ending, took, counted_by, cost } = *facts;
    let attempts: SmallVec<[AttemptEnding<'_>; 2]> = {
        let all = &exchange.attempted;
        all[all.len().saturating_sub(MOST_ATTEMPTS)..].iter().map(attempt).collect()
    };
    let place = exchange.destination.as_ref().map(|to| &*to.place);
    let usage = exchange.usage.as_ref();
    let status_of_event = match ending {
        Ending::Answered if status < 400 => UsageStatus::Answered,
        Ending::Answered => UsageStatus::Failed,
        Ending::Cut => UsageStatus::Cut,
        Ending::Left => UsageStatus::Cancelled,
        Ending::Replayed => UsageStatus::Replayed,
    };
    let ending = api::Ending {
        status: status_of_event,
        http_status: Some(status),
        complete: matches!(status_of_event, UsageStatus::Answered | UsageStatus::Replayed),
        provider: place.map(|place| clip(&place.provider)),
        region: place.and_then(|place| place.region.as_deref()).map(clip),
        model_served: place.map(|place| clip(&place.model)),
        finish_reason: exchange.tap.finish_reason().map(Word),
        tokens: usage.map(|usage| (*usage).into()),
        usage_source: counted_by.filter(|_| usage.is_some()),
        cost_usd: cost,
        price_version: cost.and_then(|_| Some(exchange.pricing.price()?.version())),
        tier: usage.and_then(|usage| usage.tier.name()),
        duration_ms: Some(millis(took)),
        first_token_ms: exchange.first_content.map(millis),
        routing_strategy: place.map(|_| Word(exchange.strategy.name())),
        fallback_used: exchange.fell_back,
        attempt_count: exchange.attempts(),
        attempts: &attempts,
        error: exchange.error.as_deref().map(|error| &error[..error.floor_char_boundary(LONGEST_ERROR)]),
    };
    // names of many attempts may be longer than there is room for; without them there is room for everything
    let short = || api::Ending { attempts: &[], error: None, ..ending };
    ticket.finish(|out| ending.write(out).or_else(|| short().write(out)));
}

fn attempt(made: &Attempted) -> AttemptEnding<'_> {
    let (outcome, cause, http_status) = match made.outcome {
        None => (None, None, None),
        Some(Outcome::Answered) => (Some("answered"), None, None),
        Some(Outcome::Outrun) => (Some("outrun"), None, None),
        Some(Outcome::Failed { cause, status }) => (Some("failed"), Some(Cause::name(cause)), status),
    };
    AttemptEnding {
        provider: clip(&made.place.provider),
        region: made.place.region.as_deref().map(clip),
        model: clip(&made.place.model),
        kind: Word(made.kind.name()),
        outcome: outcome.map(Word),
        cause,
        http_status,
        duration_ms: made.took.map(millis),
    }
}

pub(super) fn clip(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

pub(super) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
