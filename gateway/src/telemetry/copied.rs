//! The usage event of a mirrored request's copy: a provider puts the copy on its bill, and nobody's budget pays for it.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use super::{
    Exchange, Place, Pricing,
    event::{clip, millis},
};
use crate::{
    api::{AttemptEnding, Ending, Opening, TokenUsage, UsageSource, UsageStatus, Word},
    ids,
    refusal::Refusal,
    spool::{NoTicket, Spool, Ticket},
};

/// Begun before the copy is sent. One that is never ended is interrupted.
pub struct Copied {
    ticket: Ticket,
    place: Arc<Place>,
    pricing: Pricing,
    began: Instant,
}

/// What came back.
pub struct Sent {
    pub outcome: Result<(), Refusal>,
    /// A stream had begun before it failed.
    pub has_begun: bool,
    pub usage: Option<TokenUsage>,
}

impl Copied {
    /// A copy of that request, which goes there.
    ///
    /// # Errors
    /// When there is no room for its event.
    pub fn begin(
        (spool, gateway): (&Spool, &str),
        (original, org): (&Exchange, &str),
        place: Arc<Place>,
        pricing: Pricing,
    ) -> Result<Self, NoTicket> {
        let now = SystemTime::now();
        let opening = Opening {
            request_id: &ids::request_id(now),
            mirror_of: Some(&original.request_id),
            started_at: now.into(),
            gateway,
            org,
            key_id: None,
            endpoint: Word(original.endpoint.name()),
            stream: original.stream,
            model: original.model.as_deref().unwrap_or_default(),
            user_id: None,
            session_id: None,
            session_name: None,
            session_path: None,
            client_request_id: None,
            trace_id: original.trace_id.as_deref(),
            metadata: None,
            properties: &[],
        };
        let ticket = spool.admit(|out| opening.write(out))?;
        Ok(Self { ticket, place, pricing, began: Instant::now() })
    }

    pub fn end(self, sent: &Sent) {
        let Self { ticket, place, pricing, began } = self;
        let refusal = sent.outcome.as_ref().err();
        let status = match refusal {
            None => UsageStatus::Answered,
            Some(_) if sent.has_begun => UsageStatus::Cut,
            Some(_) => UsageStatus::Failed,
        };
        let cost = pricing.cost(sent.usage.as_ref());
        let (provider, region, model) = (clip(&place.provider), place.region.as_deref().map(clip), clip(&place.model));
        let duration_ms = millis(began.elapsed());
        let attempt = AttemptEnding {
            provider,
            region,
            model,
            kind: Word("mirror"),
            outcome: Some(Word(if refusal.is_none() { "answered" } else { "failed" })),
            cause: refusal.map(|refusal| refusal.cause.name()),
            http_status: refusal.and_then(|refusal| refusal.upstream_status),
            duration_ms: Some(duration_ms),
        };
        let ending = Ending {
            status,
            http_status: None,
            complete: status == UsageStatus::Answered,
            provider: Some(provider),
            region,
            model_served: Some(model),
            finish_reason: None,
            tokens: sent.usage.map(Into::into),
            usage_source: sent.usage.map(|_| UsageSource::Provider),
            cost_usd: cost,
            price_version: cost.and_then(|_| Some(pricing.price()?.version())),
            tier: sent.usage.and_then(|usage| usage.tier.name()),
            duration_ms: Some(duration_ms),
            first_token_ms: None,
            routing_strategy: None,
            fallback_used: false,
            attempt_count: 1,
            attempts: &[attempt],
            error: None,
        };
        ticket.finish(|out| ending.write(out));
    }
}
