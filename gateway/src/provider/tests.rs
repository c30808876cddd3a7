//! A provider's promises, with a scripted transport and paused time.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use ractor::{Actor, ActorRef, rpc::CallResult};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::task::TaskTracker;

use super::*;
use crate::{
    api::{ClientRequest, Endpoint, ProviderHealth, ProviderState},
    config,
    refusal::Cause,
    telemetry::Metrics,
    transport::{SendFuture, Transport, TransportError, UpstreamBody},
    wire::{self, Payload},
};

/// One step of a scripted body.
enum Step {
    Wait(Duration),
    Send(&'static str),
    Break,
    /// Never anything again.
    Hang,
}

struct Scripted(Mutex<VecDeque<(u16, Vec<Step>)>>);

impl Transport for Scripted {
    fn send(&self, _: http::Request<Payload>) -> SendFuture {
        let next = self.0.lock().unwrap().pop_front();
        Box::pin(async move {
            let (status, steps) = next.ok_or(TransportError::Connect("refused".into()))?;
            let kind = if status == 200 { "text/event-stream" } else { "application/json" };
            let body = ScriptedBody { steps: steps.into(), timer: None };
            let response = http::Response::builder().status(status).header("content-type", kind);
            Ok(response.body(UpstreamBody::Made(Box::pin(body))).unwrap())
        })
    }
}

struct ScriptedBody {
    steps: VecDeque<Step>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        loop {
            if let Some(timer) = &mut self.timer {
                std::task::ready!(timer.as_mut().poll(cx));
                self.timer = None;
            }
            match self.steps.pop_front() {
                Some(Step::Wait(time)) => self.timer = Some(Box::pin(sleep(time))),
                Some(Step::Send(text)) => return Poll::Ready(Some(Ok(Frame::data(text.into())))),
                Some(Step::Break) => return Poll::Ready(Some(Err(TransportError::Broken("reset".into())))),
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

const EVENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn core(script: Vec<(u16, Vec<Step>)>) -> Arc<ProviderCore> {
    let file = "providers: {it: {base_url: 'http://127.0.0.1:1/v1', models: [m], max_concurrent: 2, discover: false, \
                timeouts: {first_byte: 60s, idle: 30s}}}";
    let config = config::parse(file, "test.yaml", &|_| None).unwrap();
    let provider = config.providers.into_iter().next().unwrap();
    let format = wire::format("openai").unwrap();
    ProviderCore::new(Arc::new(provider), format, Arc::new(Scripted(Mutex::new(script.into()))), &Metrics::new())
}

async fn supervised(core: &Arc<ProviderCore>) -> ActorRef<super::supervisor::SupervisorMessage> {
    let (core, models_changed, tasks) = (core.clone(), Arc::new(|| ()), TaskTracker::new());
    let supervised = Supervised { core, models_changed, tasks, notices: None };
    Actor::spawn(None, ProviderSupervisor, supervised).await.unwrap().0
}

fn request(stream: bool) -> ClientRequest {
    let body = format!(r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"x"}}]}}"#);
    wire::openai::read(Endpoint::ChatCompletions, body.into()).unwrap()
}

fn lease(core: &Arc<ProviderCore>) -> Result<Lease, NoLease> {
    core.try_lease(&core.model("m"))
}

async fn try_once(core: &Arc<ProviderCore>) -> Result<Reply, crate::refusal::Refusal> {
    let deadline = Instant::now() + Duration::from_secs(3600);
    let bounds = Bounds { deadline, hurried: false, strict: false, media: None, span: None };
    attempt(lease(core).unwrap(), &request(true), "m", bounds).await
}

fn stream(reply: Reply) -> Box<UpstreamStream> {
    match reply {
        Reply::Stream { stream, .. } => stream,
        Reply::Whole { .. } => panic!("a whole answer"),
    }
}

async fn next(stream: &mut UpstreamStream) -> Option<Result<Bytes, crate::refusal::Refusal>> {
    std::future::poll_fn(|cx| stream.poll_next(cx)).await
}

async fn health(core: &ProviderCore) -> ProviderHealth {
    match core.mailbox().unwrap().call(ProviderMessage::Health, None).await.unwrap() {
        CallResult::Success(health) => health,
        _ => panic!("no answer"),
    }
}

#[tokio::test]
async fn a_defect_restarts_the_actor_and_cuts_no_call() {
    let core = core(vec![(200, vec![Step::Send(EVENT), Step::Wait(Duration::from_millis(50)), Step::Send(DONE)])]);
    let _supervisor = supervised(&core).await;
    let mut running = stream(try_once(&core).await.unwrap());
    let first = core.mailbox().unwrap().get_id();
    core.cast(ProviderMessage::Defect);
    let restarted = async {
        while core.mailbox().unwrap().get_id() == first {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), restarted).await.expect("restarted at once");
    assert_eq!(health(&core).await.restarts, 1);
    assert!(next(&mut running).await.unwrap().is_ok());
    assert_eq!(next(&mut running).await.unwrap().unwrap(), DONE);
    assert!(next(&mut running).await.is_none(), "the stream that ran through the crash ended well");
    drop(running);
    assert_eq!(core.in_flight(), 0);
    assert_eq!(core.stats.succeeded.load(Relaxed), 1, "what was counted before the crash still counts");
}

#[tokio::test]
async fn callers_of_a_crashing_actor_do_not_hang() {
    let core = core(vec![]);
    let _supervisor = supervised(&core).await;
    let actor = core.mailbox().unwrap();
    core.cast(ProviderMessage::Defect);
    let asked = actor.call(ProviderMessage::Health, None).await;
    assert!(!matches!(asked, Ok(CallResult::Success(_))), "the question died with the actor: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_keeps_crashing_is_restarted_with_growing_pauses() {
    let core = core(vec![]);
    let _supervisor = supervised(&core).await;
    for _ in 0..4 {
        let old = core.mailbox().unwrap().get_id();
        core.cast(ProviderMessage::Defect);
        while core.mailbox().unwrap().get_id() == old {
            sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(health(&core).await.restarts, 4);
}

#[tokio::test]
async fn permits_are_bounded_and_come_back_however_a_call_ends() {
    let answer = || (200, vec![Step::Send(EVENT), Step::Hang]);
    let core = core(vec![answer(), answer(), (500, vec![])]);
    let one = try_once(&core).await.unwrap();
    let two = try_once(&core).await.unwrap();
    assert_eq!(lease(&core).err(), Some(NoLease::Full));
    drop(one); // the client left
    assert_eq!(core.in_flight(), 1);
    assert!(try_once(&core).await.is_err());
    assert_eq!(core.in_flight(), 1);
    drop(two);
    assert_eq!(core.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn leaving_says_nothing_about_the_provider_and_failing_does() {
    let core = core(vec![
        (200, vec![Step::Send(EVENT), Step::Hang]),
        (503, vec![]),
        (200, vec![Step::Send(EVENT), Step::Break]),
        (400, vec![Step::Send(r#"{"error":{"message":"no"}}"#)]),
    ]);
    let _supervisor = supervised(&core).await;
    drop(try_once(&core).await.unwrap());
    assert_eq!(health(&core).await.failures, 0);
    assert_eq!(try_once(&core).await.err().unwrap().cause, Cause::Unavailable);
    let mut cut = stream(try_once(&core).await.unwrap());
    assert!(next(&mut cut).await.unwrap().is_ok());
    let end = next(&mut cut).await.unwrap().unwrap_err();
    assert_eq!(end.code.as_deref(), Some("stream_cut"));
    assert!(next(&mut cut).await.is_none(), "nothing follows the error");
    assert_eq!(try_once(&core).await.err().unwrap().cause, Cause::Invalid);
    let health = health(&core).await;
    assert_eq!((health.failures, health.state), (2, ProviderState::Degraded));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_ends_after_its_idle_time_and_a_long_one_does_not() {
    let mut steps = vec![Step::Send(EVENT)];
    for _ in 0..100 {
        steps.extend([Step::Wait(Duration::from_secs(29)), Step::Send(EVENT)]);
    }
    steps.push(Step::Hang);
    let core = core(vec![(200, steps)]);
    let began = Instant::now();
    let mut long = stream(try_once(&core).await.unwrap());
    for _ in 0..=100 {
        assert!(next(&mut long).await.unwrap().is_ok());
    }
    assert_eq!(began.elapsed().as_secs(), 2900, "no total timeout cuts a live stream");
    let end = next(&mut long).await.unwrap().unwrap_err();
    assert_eq!((end.cause, end.code.as_deref()), (Cause::UpstreamTimeout, Some("stream_idle")));
    assert_eq!(began.elapsed().as_secs(), 2930);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_floods_leaves_turns_to_others() {
    let flood = std::iter::repeat_n(EVENT, 5_000).chain([DONE]);
    let length: usize = flood.clone().map(str::len).sum();
    let core = core(vec![(200, flood.map(Step::Send).collect())]);
    let mut flood = stream(try_once(&core).await.unwrap());
    let mut turns = vec![0];
    std::future::poll_fn(|cx| {
        loop {
            match flood.poll_next(cx) {
                Poll::Ready(Some(piece)) => *turns.last_mut().unwrap() += piece.unwrap().len(),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => {
                    turns.push(0);
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
    assert_eq!(turns.iter().sum::<usize>(), length);
    assert!(turns.iter().all(|bytes| *bytes < super::pace::TURN + 100), "{turns:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_floods_is_slowed_down_and_comes_whole() {
    let event: &'static str = format!("data: {{\"text\":\"{}\"}}\n\n", "x".repeat(32_768 - 20)).leak();
    let events = 32 * 40; // forty megabytes
    let steps = std::iter::repeat_n(event, events)
        .map(Step::Send)
        .chain([Step::Wait(Duration::from_secs(29)), Step::Send(DONE)]);
    let core = core(vec![(200, steps.collect())]);
    let mut flood = stream(try_once(&core).await.unwrap());
    let (began, mut bytes) = (Instant::now(), 0);
    while bytes < events * event.len() {
        bytes += next(&mut flood).await.unwrap().unwrap().len();
    }
    assert_eq!(began.elapsed().as_secs_f64().round(), 4.0, "eight megabytes at once, eight a second");
    assert_eq!(next(&mut flood).await.unwrap().unwrap(), DONE, "it has been quiet for less long than it may");
    assert!(next(&mut flood).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_slow_first_token_is_bridged_with_comments_and_bounded() {
    let core = core(vec![
        (200, vec![Step::Wait(Duration::from_secs(25)), Step::Send(EVENT), Step::Send(DONE)]),
        (200, vec![Step::Hang]),
    ]);
    let began = Instant::now();
    let mut slow = stream(try_once(&core).await.unwrap());
    assert_eq!(began.elapsed().as_secs(), 10, "the head is committed after ten silent seconds");
    assert_eq!(next(&mut slow).await.unwrap().unwrap(), ": keep-alive\n\n");
    assert_eq!(next(&mut slow).await.unwrap().unwrap(), ": keep-alive\n\n");
    assert_eq!(next(&mut slow).await.unwrap().unwrap(), EVENT);
    assert_eq!(began.elapsed().as_secs(), 25);

    let began = Instant::now();
    let mut dead = stream(try_once(&core).await.unwrap());
    let end = loop {
        if let Err(end) = next(&mut dead).await.unwrap() {
            break end;
        }
    };
    assert_eq!((end.cause, began.elapsed().as_secs()), (Cause::UpstreamTimeout, 60));
}

#[tokio::test]
async fn an_error_in_place_of_the_first_event_is_an_error_answer() {
    let core = core(vec![
        (200, vec![Step::Send(": hold on\n\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\n"), Step::Send(DONE)]),
        (200, vec![]),
    ]);
    assert!(try_once(&core).await.err().unwrap().cause.fails_over());
    assert!(try_once(&core).await.err().unwrap().cause.fails_over(), "an empty stream is no success");
    assert_eq!(core.in_flight(), 0);
}

#[tokio::test]
async fn a_provider_that_is_removed_takes_no_new_call_and_ends_none() {
    let core = core(vec![(200, vec![Step::Send(EVENT), Step::Send(DONE)])]);
    let mut running = stream(try_once(&core).await.unwrap());
    core.drain();
    assert_eq!(lease(&core).err(), Some(NoLease::Draining));
    assert!(next(&mut running).await.unwrap().is_ok());
}
