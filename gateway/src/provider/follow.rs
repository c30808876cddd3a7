//! Makes an ordinary answer of a job: what was created is asked after until it is over, or listened to.
//!
//! The caller reads a body of JSON or of events, as from a provider that answers at once. Until the job is over a
//! [`Running`] goes with it, whose drop cancels it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, header::CONTENT_TYPE, response::Parts};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    ProviderCore,
    call::{is_event_stream, too_slow},
    running::{Asker, Created, Running},
};
use crate::{
    refusal::{Cause, Refusal},
    transport::{TransportError, UpstreamBody},
    wire::{Job, Jobs, Payload, job_event, sse::Events},
};

/// The pause before a job is asked after again, half as long again each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many questions in a row may fail: the job runs, and was paid for.
const MOST_FAILURES: u32 = 3;
/// After a stream's end, how long it is waited for what it cost.
const SUMMARY: Duration = Duration::from_secs(3);

/// When what must have arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub stream: bool,
    /// The creation, and a stream's first content.
    pub first: Instant,
    /// The result of a job that has no stream.
    pub whole: Instant,
}

/// Creates a job and gives its answer: the result, or for who wants a stream its events.
///
/// # Errors
/// When the provider does not answer, or not in time.
pub(super) async fn follow(
    core: &Arc<ProviderCore>,
    jobs: &'static dyn Jobs,
    request: Request<Payload>,
    due: Due,
) -> Result<(Parts, UpstreamBody), Refusal> {
    let mut running = Running::create(core, jobs, request);
    let created = timeout_at(due.first, running.created()).await.map_err(|_| too_slow())??;
    let (mut head, mut body, job) = match created {
        Created::Job { head, body, job } => (head, body, job),
        Created::Refused { head, body } => return Ok((head, body)),
    };
    if !job.over {
        if let (true, Some(url)) = (due.stream, &job.events) {
            return timeout_at(due.first, listen(url, job_event(&body), &job, running))
                .await
                .unwrap_or_else(|_| Err(too_slow()));
        }
        (head, body) = until_over(&running.asker, &job.path, FIRST_PAUSE, due.whole).await?;
        running.over();
    }
    if due.stream {
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        body = job_event(&body);
    }
    let body = Full::new(body).map_err(|never| match never {});
    Ok((head, UpstreamBody::Made(Box::pin(body))))
}

/// Asks after a job until it is over.
async fn until_over(
    asker: &Asker,
    path: &str,
    mut pause: Duration,
    deadline: Instant,
) -> Result<(Parts, Bytes), Refusal> {
    let mut failures = 0;
    loop {
        let paused = sleep(pause);
        let asking = async {
            paused.await;
            asker.ask(path, deadline).await
        };
        pause = (pause * 3 / 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        match timeout_at(deadline, asking).await.map_err(|_| too_slow())? {
            Ok((head, body, job)) if job.over => return Ok((head, body)),
            Ok(_) => failures = 0,
            Err(refusal) if failures < MOST_FAILURES && refusal.cause.fails_over() => {
                failures += 1;
                pause = pause.max(refusal.retry_after.unwrap_or_default());
            }
            Err(refusal) => return Err(refusal),
        }
    }
}

/// Opens the stream of a job that runs.
async fn listen(url: &str, announced: Bytes, job: &Job, running: Running) -> Result<(Parts, UpstreamBody), Refusal> {
    let (head, events) = running.asker.listen(url).await?;
    if !head.status.is_success() {
        return Ok((head, events));
    }
    if !is_event_stream(&head) {
        return Err(Refusal::new(Cause::Upstream, "the provider's stream is no event stream"));
    }
    let body = Listening {
        announced: Some(announced),
        stage: Stage::Live { body: events, events: Events::default() },
        path: job.path.clone(),
        running,
    };
    Ok((head, UpstreamBody::Made(Box::pin(body))))
}

/// The job as it was created, its events, and the job as it ended, which tells its usage.
struct Listening {
    announced: Option<Bytes>,
    stage: Stage,
    path: String,
    running: Running,
}

enum Stage {
    Live { body: UpstreamBody, events: Events },
    Summing(Pin<Box<dyn Future<Output = Option<Bytes>> + Send>>),
    Ended,
}

impl Body for Listening {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if let Some(announced) = self.announced.take() {
            return Poll::Ready(Some(Ok(Frame::data(announced))));
        }
        let this = self.get_mut();
        match &mut this.stage {
            Stage::Live { body, events } => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                let mut last = false;
                if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
                    let name = this.running.asker.jobs.last_event();
                    // what is too long for an event is the decoder's to judge
                    let _ = events.feed(data.map_or(&[], |data| data), |event| last |= event.kind == name);
                }
                if last {
                    this.running.over();
                    this.stage = Stage::Summing(Box::pin(summary(this.running.asker.clone(), this.path.clone())));
                }
                Poll::Ready(frame)
            }
            Stage::Summing(summary) => {
                let summary = ready!(summary.as_mut().poll(cx));
                this.stage = Stage::Ended;
                Poll::Ready(summary.map(|summary| Ok(Frame::data(summary))))
            }
            Stage::Ended => Poll::Ready(None),
        }
    }
}

/// The job as it ended, if the provider tells it soon.
async fn summary(asker: Asker, path: String) -> Option<Bytes> {
    let ended = until_over(&asker, &path, Duration::ZERO, Instant::now() + SUMMARY).await;
    ended.ok().map(|(_, body)| job_event(&body))
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{
        config,
        provider::errands::Errands,
        telemetry::Metrics,
        transport::{SendFuture, Transport},
        wire,
    };

    const CREATE: &str = "POST /v1/models/o/n/predictions";
    const ASK: &str = "GET /v1/predictions/p1";
    const CANCEL: &str = "POST /v1/predictions/p1/cancel";
    const RUNNING: &str = r#"{"id":"p1","status":"processing"}"#;
    const OVER: &str = r#"{"id":"p1","status":"succeeded","output":["a"]}"#;

    /// Answers one after the other, each after a while, and remembers what was asked when.
    struct Scripted {
        began: Instant,
        answers: Mutex<VecDeque<(u64, u16, &'static str)>>,
        asked: Mutex<Vec<(u64, String)>>,
    }

    impl Transport for Scripted {
        fn send(&self, request: Request<Payload>) -> SendFuture {
            let asked = format!("{} {}", request.method(), request.uri().path());
            self.asked.lock().unwrap().push((self.began.elapsed().as_millis() as u64, asked));
            let next = self.answers.lock().unwrap().pop_front();
            Box::pin(async move {
                let (after, status, body) = next.ok_or(TransportError::Connect("refused".into()))?;
                sleep(Duration::from_millis(after)).await;
                let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {});
                Ok(http::Response::builder().status(status).body(UpstreamBody::Made(Box::pin(body))).unwrap())
            })
        }
    }

    fn provider(answers: &[(u64, u16, &'static str)]) -> (Arc<ProviderCore>, Arc<Scripted>) {
        let file = "providers: {it: {type: replicate, api_key: k}}";
        let config = config::parse(file, "test.yaml", &|_| None).unwrap().providers.remove(0);
        let answers = Mutex::new(answers.iter().copied().collect());
        let scripted = Arc::new(Scripted { began: Instant::now(), answers, asked: Mutex::default() });
        let format = wire::format(&config.api_format).unwrap();
        let core = ProviderCore::new(Arc::new(config), format, scripted.clone(), &Metrics::new());
        let _ = core.errands.set(Errands::new(TaskTracker::new()));
        (core, scripted)
    }

    async fn followed(core: &Arc<ProviderCore>, seconds: u64) -> Result<String, Refusal> {
        let mut request = Request::new(Payload::default());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = core.uri("/v1/models/o/n/predictions").unwrap();
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let due = Due { stream: false, first: deadline, whole: deadline };
        let (_, body) = follow(core, core.format.jobs().unwrap(), request, due).await?;
        Ok(String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    /// What was asked, once all errands are done.
    async fn asked(core: &ProviderCore, scripted: &Scripted) -> Vec<(u64, String)> {
        core.errands.get().unwrap().done().await;
        scripted.asked.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_asked_after_with_growing_pauses() {
        let mut answers = vec![(0, 201, RUNNING); 12];
        answers.push((0, 200, OVER));
        let (core, scripted) = provider(&answers);
        assert_eq!(followed(&core, 600).await.unwrap(), OVER);
        let asked = asked(&core, &scripted).await;
        let times: Vec<u64> = asked.iter().map(|(at, _)| *at).collect();
        let pauses: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.is_sorted() && pauses[0] >= 250 && pauses[11] == 5000, "{pauses:?}");
        assert!(asked[1..].iter().all(|(_, what)| what == ASK), "{asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_creation_that_is_abandoned_is_cancelled_when_it_is_answered() {
        let (core, scripted) = provider(&[(5000, 201, RUNNING), (0, 200, RUNNING)]);
        let left = tokio::time::timeout(Duration::from_secs(1), followed(&core, 600)).await;
        assert!(left.is_err());
        let asked = asked(&core, &scripted).await;
        assert_eq!(asked, [(0, CREATE.to_owned()), (5000, CANCEL.to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_cancelled_at_its_deadline_until_the_provider_takes_note() {
        let (core, scripted) =
            provider(&[(0, 201, RUNNING), (60_000, 200, OVER), (0, 503, ""), (0, 429, ""), (0, 404, "")]);
        assert_eq!(followed(&core, 2).await.unwrap_err().cause, Cause::UpstreamTimeout);
        let asked = asked(&core, &scripted).await;
        assert_eq!(asked[2..].iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>(), [CANCEL; 3]);
        assert_eq!(asked[2].0, 2000, "at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_over_is_left_alone() {
        for answers in [&[(0, 201, OVER)][..], &[(0, 422, "{}")], &[(0, 201, RUNNING), (0, 200, OVER)]] {
            let (core, scripted) = provider(answers);
            let _ = followed(&core, 600).await;
            assert_eq!(asked(&core, &scripted).await.len(), answers.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_failed_questions_are_forgiven_and_then_it_is_given_up() {
        let (core, scripted) = provider(&[(0, 201, RUNNING), (0, 500, ""), (0, 503, ""), (0, 429, ""), (0, 200, OVER)]);
        assert_eq!(followed(&core, 600).await.unwrap(), OVER);
        assert_eq!(asked(&core, &scripted).await.len(), 5);
        let (core, scripted) =
            provider(&[(0, 201, RUNNING), (0, 500, ""), (0, 500, ""), (0, 500, ""), (0, 500, ""), (0, 200, "")]);
        assert_eq!(followed(&core, 600).await.unwrap_err().cause, Cause::Upstream);
        assert_eq!(asked(&core, &scripted).await.last().unwrap().1, CANCEL);
    }
}
