//! The guard of one client request.

use std::{
    fmt, mem,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use http::HeaderValue;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::{
    Considered, Decision, Fate, Metrics, Place, Reserved, Series, Source, SpanContext, Standing, Trace, Traced, Used,
    event,
};
use crate::{
    api::{Endpoint, TokenUsage, UsageSource},
    config::Strategy,
    ids,
    money::Usd,
    prices::Price,
    refusal::{Cause, Refusal},
    spool::Ticket,
    wire::openai::{Tap, estimate},
};

/// How a request ended, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client has the whole answer, an error answer included.
    Answered,
    /// The upstream stream broke after its head had been sent.
    Cut,
    /// The client went away.
    Left,
    /// What was kept of an earlier answer was sent.
    Replayed,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Ending::Answered => "answered",
            Ending::Cut => "cut",
            Ending::Left => "client_left",
            Ending::Replayed => "replayed",
        }
    }
}

/// Provider and model of an attempt, with what answers say of them.
#[derive(Debug, Clone)]
pub struct Destination {
    pub place: Arc<Place>,
    /// `x-prism-provider`.
    pub provider_header: HeaderValue,
    /// `x-prism-model-used`.
    pub model_header: HeaderValue,
}

/// Why an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    First,
    /// Another candidate, after one has failed.
    Failover,
    /// Another key of the same provider.
    NextKey,
    /// The same again, after a pause.
    Retry,
    /// A second request beside a slow first one.
    Hedge,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::First, Self::Failover, Self::NextKey, Self::Retry, Self::Hedge];

    pub fn name(self) -> &'static str {
        match self {
            Kind::First => "first",
            Kind::Failover => "failover",
            Kind::NextKey => "next_key",
            Kind::Retry => "retry",
            Kind::Hedge => "hedge",
        }
    }
}

/// One upstream call of a request.
#[derive(Debug, Clone)]
pub struct Attempted {
    pub place: Arc<Place>,
    pub kind: Kind,
    pub began: Instant,
    /// Until its answer began, or it failed; `None` while it is under way.
    pub took: Option<Duration>,
    /// `None` while it is under way: that is how it stays when the client leaves.
    pub outcome: Option<Outcome>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    /// `status` is what the provider answered with, where it did.
    Failed {
        cause: Cause,
        status: Option<u16>,
    },
    /// The other request of a hedge was quicker.
    Outrun,
}

impl Attempted {
    fn end(&mut self, outcome: Outcome) {
        self.took.get_or_insert_with(|| self.began.elapsed());
        self.outcome.get_or_insert(outcome);
    }
}

/// What is known of the price of the model that answered.
#[derive(Debug, Clone, Default)]
pub enum Pricing {
    /// Nobody has answered yet, or costs are not wanted.
    #[default]
    Untracked,
    Unknown,
    Known(Arc<Price>),
}

impl Pricing {
    pub fn price(&self) -> Option<&Price> {
        match self {
            Self::Known(price) => Some(price),
            Self::Untracked | Self::Unknown => None,
        }
    }

    /// US dollars; `None` when there is nothing to pay for, or the price is not known.
    pub fn cost(&self, usage: Option<&TokenUsage>) -> Option<Usd> {
        self.price()?.cost(usage?)
    }
}

/// One request from head to end. It is counted and logged once, in its drop: until [`Exchange::end`] says otherwise, the
/// client is taken to have left.
pub struct Exchange {
    metrics: Arc<Metrics>,
    pub series: Arc<Series>,
    pub began: Instant,
    pub started_at: SystemTime,
    pub endpoint: Endpoint,
    pub request_id: String,
    pub client_request_id: Option<Box<str>>,
    pub trace_id: Option<Box<str>>,
    /// Whose key it came with; `None` without one.
    pub organisation: Option<Arc<str>>,
    pub key: Option<Arc<str>>,
    /// What the key's owner said of it: scalars by name.
    pub key_metadata: Option<Arc<Map<String, Value>>>,
    /// The model as the client named it.
    pub model: Option<Box<str>>,
    /// Where the latest attempt went.
    pub destination: Option<Destination>,
    /// What became of each; one that is under way is the last.
    pub attempted: SmallVec<[Attempted; 1]>,
    /// What said who serves the model.
    pub source: Option<Source>,
    considered: SmallVec<[Considered; 1]>,
    passed_over: Vec<(Arc<Place>, &'static str)>,
    /// Somebody else than the first choice was asked.
    pub fell_back: bool,
    /// How the candidates were ordered, for `x-prism-routing-strategy`.
    pub strategy: Strategy,
    /// What bounds the request; zero before it is known.
    pub timeout: Duration,
    pub stream: bool,
    pub status: u16,
    pub usage: Option<TokenUsage>,
    /// What the request is likely to hold, in tokens, where the provider counts nothing.
    pub likely_input: u64,
    /// What has passed to the client.
    pub tap: Tap,
    /// What the model that answered costs.
    pub pricing: Pricing,
    /// The client wants a stream's cost in its usage chunk (`x-prism-include-cost`).
    pub include_cost: bool,
    /// What was put aside for it where there are limits.
    pub reserved: Option<Box<dyn Reserved>>,
    /// How those limits stand.
    pub standing: Standing,
    pub first_content: Option<Duration>,
    /// What the client was told went wrong.
    pub error: Option<Box<str>>,
    ending: Ending,
    /// Where its usage event is kept; `None` before it is admitted, and where none is wanted.
    ticket: Option<Ticket>,
    /// `None` when it is not traced.
    pub trace: Option<Box<Trace>>,
}

impl Exchange {
    pub fn begin(metrics: &Arc<Metrics>, endpoint: Endpoint) -> Box<Self> {
        let started_at = SystemTime::now();
        metrics.in_flight.inc();
        Box::new(Self {
            series: metrics.nobody().clone(),
            metrics: metrics.clone(),
            began: Instant::now(),
            started_at,
            endpoint,
            request_id: ids::request_id(started_at),
            client_request_id: None,
            trace_id: None,
            organisation: None,
            key: None,
            key_metadata: None,
            model: None,
            destination: None,
            attempted: SmallVec::new(),
            source: None,
            considered: SmallVec::new(),
            passed_over: Vec::new(),
            fell_back: false,
            strategy: Strategy::default(),
            timeout: Duration::ZERO,
            stream: false,
            status: 0,
            usage: None,
            likely_input: 0,
            tap: Tap::default(),
            pricing: Pricing::default(),
            include_cost: false,
            reserved: None,
            standing: Standing::default(),
            first_content: None,
            error: None,
            ending: Ending::Left,
            ticket: None,
            trace: None,
        })
    }

    /// In which order candidates are to be asked.
    pub fn considered(&mut self, places: &Arc<[Arc<Place>]>, order: &[usize]) {
        let order = order.iter().filter_map(|&at| u8::try_from(at).ok()).collect();
        self.considered.push(Considered { places: places.clone(), order });
    }

    /// A candidate was not asked when it was its turn.
    pub fn passed_over(&mut self, place: &Arc<Place>, why: &'static str) {
        self.passed_over.push((place.clone(), why));
    }

    /// An attempt begins. Answers its number.
    pub fn attempt(&mut self, destination: Destination, series: Arc<Series>, kind: Kind) -> usize {
        self.fell_back |= kind == Kind::Failover;
        self.metrics.attempt(&series, kind);
        let place = destination.place.clone();
        self.attempted.push(Attempted { place, kind, began: Instant::now(), took: None, outcome: None });
        self.answered_by(destination, series);
        self.attempted.len() - 1
    }

    /// Whose answer the client gets.
    pub fn answered_by(&mut self, destination: Destination, series: Arc<Series>) {
        self.destination = Some(destination);
        self.series = series;
    }

    /// An attempt has been answered, or why not.
    pub fn attempted(&mut self, number: usize, refusal: Option<&Refusal>) {
        let outcome = refusal.map_or(Outcome::Answered, |refusal| Outcome::Failed {
            cause: refusal.cause,
            status: refusal.upstream_status,
        });
        self.attempted[number].end(outcome);
    }

    /// Another attempt has answered first, and this one was cancelled.
    pub fn outrun(&mut self, number: usize) {
        self.attempted[number].end(Outcome::Outrun);
    }

    /// How many there have been.
    pub fn attempts(&self) -> u32 {
        self.attempted.len() as u32
    }

    /// Requests in progress in the whole process.
    pub fn active(&self) -> usize {
        usize::try_from(self.metrics.in_flight.get()).unwrap_or(0)
    }

    pub fn end(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// It is admitted: whatever ends it now leaves one usage event.
    pub fn admitted(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
    }

    /// The span of one of its attempts.
    pub fn span(&self, number: usize) -> Option<SpanContext> {
        self.trace.as_ref().map(|trace| trace.span.attempt(number))
    }

    fn traced(&self, trace: Trace, status: u16, took: Duration) -> Traced {
        let broken = match self.ending {
            Ending::Left => Some("the client left"),
            Ending::Cut | Ending::Answered if status >= 500 || self.ending == Ending::Cut => {
                Some(self.error.as_deref().unwrap_or("the provider's stream was cut"))
            }
            _ => None,
        };
        Traced {
            trace,
            began: self.began,
            took,
            request_id: self.request_id.clone(),
            endpoint: self.endpoint,
            stream: self.stream,
            status,
            error: broken.map(Into::into),
            key: self.key.clone(),
            model: self.model.clone(),
            served_by: self.destination.as_ref().map(|to| to.place.clone()),
            strategy: self.strategy,
            usage: self.usage,
            cost: self.cost(),
            finish_reason: self.tap.finish_reason().map(Into::into),
            first_content: self.first_content,
            attempts: self.attempted.clone(),
        }
    }

    /// What the provider counted; where it has not counted, or not to the end, what the texts are likely to be.
    fn count(&mut self) -> Option<UsageSource> {
        let complete = self.ending == Ending::Answered;
        if complete && self.usage.is_some() {
            return Some(UsageSource::Provider);
        }
        // nothing was asked, it failed, or it is not over
        let asked = self.attempted.last().is_some_and(|last| !matches!(last.outcome, Some(Outcome::Failed { .. })));
        if !asked || self.ending == Ending::Replayed || (complete && self.status != 200) {
            return self.usage.map(|_| UsageSource::Provider);
        }
        let passed = estimate(self.tap.text());
        match &mut self.usage {
            Some(usage) if usage.output >= passed => Some(UsageSource::Provider),
            // some count as they go, and the last count never came
            Some(usage) => {
                usage.output = passed;
                Some(UsageSource::Estimated)
            }
            none => {
                let input = self.likely_input;
                *none = Some(TokenUsage { input, output: passed, ..TokenUsage::default() });
                Some(UsageSource::Estimated)
            }
        }
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The first content of a stream has arrived.
    pub fn content_began(&mut self) {
        if self.first_content.is_none() {
            self.first_content = Some(self.began.elapsed());
        }
    }

    /// US dollars; `None` when there is nothing to pay for, or the price is not known.
    pub fn cost(&self) -> Option<Usd> {
        self.pricing.cost(self.usage.as_ref())
    }

    /// Settles what was reserved; early where the answer is to show how the limits stand, else in the drop.
    pub fn settle(&mut self) {
        let Some(mut reserved) = self.reserved.take() else { return };
        let price = self.pricing.price();
        let used = Used { fate: self.fate(), usage: self.usage.as_ref(), price, sent: self.tap.text() };
        self.standing = reserved.settle(&used);
    }

    /// Of the request as it stands, as if it ended now.
    fn fate(&self) -> Fate {
        match (self.attempted.last(), self.ending, self.status) {
            (None, ..) => Fate::Unsent,
            (_, Ending::Answered, 200) => Fate::Answered,
            (_, Ending::Cut, _) | (_, Ending::Left, 200) => Fate::Broken,
            (Some(last), Ending::Left, _) if last.outcome.is_none() => Fate::Abandoned,
            _ => Fate::Failed,
        }
    }

    fn log(&self, status: u16, took: Duration) {
        let usage = self.usage.unwrap_or_default();
        tracing::info!(
            target: "prism::access",
            request_id = %self.request_id,
            client_request_id = self.client_request_id.as_deref(),
            trace_id = self.trace_id.as_deref(),
            endpoint = self.endpoint.name(),
            status,
            ending = self.ending.name(),
            organisation = self.organisation.as_deref(),
            key = self.key.as_deref(),
            key_metadata = self.key_metadata.as_deref().and_then(|known| serde_json::to_string(known).ok()),
            model = self.model.as_deref(),
            provider = self.destination.as_ref().map(|to| &*to.place.provider),
            attempts = self.attempts(),
            attempted = (self.attempts() > 1).then(|| tracing::field::display(Journey(&self.attempted))),
            stream = self.stream,
            input_tokens = usage.input,
            output_tokens = usage.output,
            cost = self.cost().map(tracing::field::display),
            search_units = (usage.searches > 0).then_some(usage.searches),
            first_content_ms = self.first_content.map(|took| took.as_millis() as u64),
            took_ms = took.as_millis() as u64,
            error = self.error.as_deref(),
            "request"
        );
    }
}

/// `openai failed (503, 12 ms), azure answered (340 ms)`, for people.
struct Journey<'a>(&'a [Attempted]);

impl fmt::Display for Journey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.0.iter().enumerate() {
            let separator = if at > 0 { ", " } else { "" };
            write!(f, "{separator}{} {} ", one.place.provider, one.kind.name())?;
            match one.outcome {
                None => write!(f, "left")?,
                Some(Outcome::Answered) => write!(f, "answered")?,
                Some(Outcome::Outrun) => write!(f, "outrun")?,
                Some(Outcome::Failed { status: Some(status), .. }) => write!(f, "failed ({status})")?,
                Some(Outcome::Failed { cause, status: None }) => write!(f, "failed ({})", cause.name())?,
            }
            if let Some(took) = one.took {
                write!(f, " in {} ms", took.as_millis())?;
            }
        }
        Ok(())
    }
}

/// nginx's number for a client that closed the connection before it had its answer.
const CLIENT_LEFT: u16 = 499;

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.settle();
        let status = match (self.ending, self.status) {
            (Ending::Left, 0) => CLIENT_LEFT,
            (_, status) => status,
        };
        self.metrics.in_flight.dec();
        self.metrics.request(&self.series, self.endpoint, status, took);
        if let Some(usage) = &self.usage {
            self.metrics.tokens(&self.series, usage);
        }
        let cost = self.cost();
        match cost {
            Some(cost) => self.metrics.cost(&self.series, cost),
            None if matches!(self.pricing, Pricing::Untracked) => {}
            None => self.metrics.unpriced(&self.series),
        }
        if let Some(first) = self.first_content {
            self.metrics.first_content(&self.series, first);
        }
        if tracing::enabled!(target: "prism::access", tracing::Level::INFO) {
            self.log(status, took);
        }
        if let Some(trace) = self.trace.take() {
            trace.finish(|trace| self.traced(trace, status, took));
        }
        if let Some(ticket) = self.ticket.take() {
            // after the metrics: they say what providers have counted
            let counted_by = self.count();
            let cost = if counted_by == Some(UsageSource::Estimated) { self.cost() } else { cost };
            event::finish(self, ticket, &event::Facts { status, ending: self.ending, took, counted_by, cost });
        }
        self.metrics.decisions.keep(Decision {
            request_id: mem::take(&mut self.request_id),
            key: self.key.take(),
            model: self.model.take(),
            endpoint: self.endpoint,
            strategy: self.strategy,
            source: self.source,
            considered: mem::take(&mut self.considered),
            passed_over: mem::take(&mut self.passed_over),
            attempted: mem::take(&mut self.attempted),
            status,
            began: self.began,
            took,
        });
    }
}
