//! Shadow traffic: a copy of some requests goes elsewhere. It has no part in the request's answer, time or bill, and a usage
//! event of its own.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use super::{Candidate, RouteTable, hedge::has_room};
use crate::{
    admission::DEFAULT_ORG,
    api::ClientRequest,
    config::{Mirror, Routing},
    prices::Catalogue,
    provider::{Bounds, Lease, Reply, attempt},
    refusal::{Cause, Refusal},
    spool::{NoTicket, Spool},
    telemetry::{Copied, Exchange, Metrics, Sent},
    usage::Publishing,
    wire::openai,
};

/// Copies under way at once; beyond it none is made.
const MOST: usize = 64;
/// A copy's answer is read this long.
const PATIENCE: Duration = Duration::from_secs(600);

/// The places for copies.
pub struct Mirrors {
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    /// Where their events are kept, and the gateway's name in them; `None` where none are wanted.
    recorded: Option<(Arc<Spool>, Arc<str>)>,
}

impl Mirrors {
    pub fn new(metrics: &Arc<Metrics>, publishing: Option<&Publishing>) -> Self {
        let recorded = publishing.map(|publishing| (publishing.spool.clone(), publishing.name.clone()));
        Self { places: Arc::new(Semaphore::new(MOST)), metrics: metrics.clone(), recorded }
    }

    /// Copies the request where a rule says so: in the background, to a provider that has room.
    pub fn copy(
        &self,
        (exchange, request): (&Exchange, &ClientRequest),
        table: &RouteTable,
        routing: &Routing,
        prices: &Arc<Catalogue>,
    ) {
        let model = &*request.envelope.model;
        let meets = |rule: &&Mirror| rule.covers(model) && fastrand::f64() < rule.sample_rate;
        for rule in routing.mirrors.iter().filter(meets) {
            let target = rule.target_model.as_deref().unwrap_or(model);
            let Some(route) = table.locked(&rule.target_provider, target) else { continue };
            let candidate = route.candidates[0].clone();
            let lease = has_room(&candidate).then(|| candidate.core.try_lease(&candidate.model).ok()).flatten();
            let place = self.places.clone().try_acquire_owned();
            let (Some(lease), Ok(place), Ok(event)) = (lease, place, self.begin(exchange, &candidate, prices)) else {
                self.metrics.mirrored(candidate.core.config.label(), "skipped");
                continue;
            };
            let (endpoint, body, metrics) = (request.endpoint, request.body.clone(), self.metrics.clone());
            tokio::spawn(async move {
                let _place = place;
                // read again: what is read of a request belongs to it
                let Ok(request) = openai::read(endpoint, body) else { return };
                let sent = tokio::time::timeout(PATIENCE, send(&candidate, lease, &request)).await;
                let sent = sent.unwrap_or_else(|_| late());
                let outcome = if sent.outcome.is_ok() { "answered" } else { "failed" };
                metrics.mirrored(candidate.core.config.label(), outcome);
                if let Some(event) = event {
                    event.end(&sent);
                }
            });
        }
    }

    /// The event of a copy that is about to be sent.
    fn begin(
        &self,
        exchange: &Exchange,
        candidate: &Candidate,
        prices: &Arc<Catalogue>,
    ) -> Result<Option<Copied>, NoTicket> {
        let Some((spool, gateway)) = &self.recorded else { return Ok(None) };
        let org = exchange.organisation.as_deref().unwrap_or(DEFAULT_ORG);
        let pricing = candidate.series.pricing(prices, &candidate.core.config, &candidate.upstream);
        Copied::begin((spool, gateway), (exchange, org), candidate.place.clone(), pricing).map(Some)
    }
}

/// Reads the whole answer.
async fn send(candidate: &Candidate, lease: Lease, request: &ClientRequest) -> Sent {
    // what a copy names by address is not fetched a second time: it would show at the host
    let bounds = Bounds { deadline: Instant::now() + PATIENCE, hurried: false, strict: false, media: None, span: None };
    match attempt(lease, request, &candidate.upstream, bounds).await {
        Ok(Reply::Whole { answer, .. }) => Sent { outcome: Ok(()), has_begun: true, usage: answer.usage },
        Ok(Reply::Stream { mut stream, .. }) => loop {
            let outcome = match std::future::poll_fn(|cx| stream.poll_next(cx)).await {
                Some(Ok(_)) => continue,
                Some(Err(refusal)) => Err(refusal),
                None => Ok(()),
            };
            return Sent { outcome, has_begun: true, usage: stream.usage() };
        },
        Err(refusal) => Sent { outcome: Err(refusal), has_begun: false, usage: None },
    }
}

fn late() -> Sent {
    let outcome = Err(Refusal::new(Cause::UpstreamTimeout, "the copy's answer took too long"));
    Sent { outcome, has_begun: false, usage: None }
}
