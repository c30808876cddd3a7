//! Shadow traffic: a copy of some requests goes elsewhere. It has no part in the request's answer, time or bill.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use super::{Candidate, RouteTable, hedge::has_room};
use crate::{
    api::ClientRequest,
    config::{Mirror, Routing},
    provider::{Bounds, Lease, Reply, attempt},
    telemetry::Metrics,
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
}

impl Mirrors {
    pub fn new(metrics: &Arc<Metrics>) -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), metrics: metrics.clone() }
    }

    /// Copies the request where a rule says so: in the background, to a provider that has room.
    pub fn copy(&self, request: &ClientRequest, table: &RouteTable, routing: &Routing) {
        let model = &*request.envelope.model;
        let meets = |rule: &&Mirror| rule.covers(model) && fastrand::f64() < rule.sample_rate;
        for rule in routing.mirrors.iter().filter(meets) {
            let target = rule.target_model.as_deref().unwrap_or(model);
            let Some(route) = table.locked(&rule.target_provider, target) else { continue };
            let candidate = route.candidates[0].clone();
            let lease = has_room(&candidate).then(|| candidate.core.try_lease(&candidate.model).ok()).flatten();
            let (Some(lease), Ok(place)) = (lease, self.places.clone().try_acquire_owned()) else {
                self.metrics.mirrored(candidate.core.config.label(), "skipped");
                continue;
            };
            let (endpoint, body, metrics) = (request.endpoint, request.body.clone(), self.metrics.clone());
            tokio::spawn(async move {
                let _place = place;
                // read again: what is read of a request belongs to it
                let Ok(request) = openai::read(endpoint, body) else { return };
                let answered = tokio::time::timeout(PATIENCE, send(&candidate, lease, &request)).await;
                let outcome = if answered == Ok(true) { "answered" } else { "failed" };
                metrics.mirrored(candidate.core.config.label(), outcome);
            });
        }
    }
}

/// Whether the whole answer came.
async fn send(candidate: &Candidate, lease: Lease, request: &ClientRequest) -> bool {
    // what a copy names by address is not fetched a second time: it would show at the host
    let bounds = Bounds { deadline: Instant::now() + PATIENCE, hurried: false, strict: false, media: None, span: None };
    match attempt(lease, request, &candidate.upstream, bounds).await {
        Ok(Reply::Whole { .. }) => true,
        Ok(Reply::Stream { mut stream, .. }) => loop {
            match std::future::poll_fn(|cx| stream.poll_next(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return false,
                None => return true,
            }
        },
        Err(_) => false,
    }
}
