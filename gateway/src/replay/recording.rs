//! One answer while it comes and for a while after it.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame};
use tokio::sync::Notify;

use crate::memory::{BodyMemory, Share};

/// An answer is kept whole up to here; of a longer one only what a reader still needs, and the writer waits for readers.
pub const MAX_KEPT: usize = 8 << 20;

/// What comes before the body.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

/// Written by one task, read by any number of clients.
pub struct Recording {
    state: Mutex<State>,
    memory: Arc<BodyMemory>,
    /// Somebody has come, gone or read.
    readers_moved: Notify,
}

#[derive(Default)]
struct State {
    head: Option<Head>,
    /// What is kept of the body; the first piece has the number `dropped`.
    pieces: VecDeque<Bytes>,
    dropped: usize,
    bytes: usize,
    /// What they take of the memory for bodies until the answer is complete.
    share: Share,
    ended: Option<Ended>,
    /// By number: what each waits for, and where it stands.
    readers: HashMap<u64, Standing>,
    next_reader: u64,
}

struct Standing {
    at: usize,
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    /// The writer went away: nothing more will come.
    Broken,
}

impl Recording {
    pub fn new(memory: Arc<BodyMemory>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), memory, readers_moved: Notify::new() })
    }

    pub fn begin(&self, head: Head) {
        let mut state = self.lock();
        state.head = Some(head);
        state.wake();
    }

    /// Appends a piece, when there is room for it.
    pub async fn push(&self, piece: Bytes) {
        loop {
            let moved = self.readers_moved.notified();
            {
                let mut state = self.lock();
                // where no memory is left no more is kept than now
                let with_it = state.bytes + piece.len();
                let most = if state.share.grow(&self.memory, with_it as u64).is_ok() { MAX_KEPT } else { state.bytes };
                if state.make_room(piece.len(), most) {
                    state.bytes += piece.len();
                    state.pieces.push_back(piece);
                    state.wake();
                    return;
                }
            }
            moved.await;
        }
    }

    /// The answer is complete.
    pub fn finish(&self) {
        self.end(Ended::Whole);
    }

    /// The writer goes away; nothing happens to an answer that is complete.
    pub fn abandon(&self) {
        self.end(Ended::Broken);
    }

    fn end(&self, ended: Ended) {
        let mut state = self.lock();
        state.ended.get_or_insert(ended);
        state.share = Share::default();
        state.wake();
    }

    /// Whether all of it can be read again, from its first byte.
    pub fn is_whole(&self) -> bool {
        let state = self.lock();
        state.ended == Some(Ended::Whole) && state.dropped == 0
    }

    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Returns when there has been no reader for so long.
    pub async fn deserted(&self, grace: Duration) {
        loop {
            let moved = self.readers_moved.notified();
            if !self.lock().readers.is_empty() {
                moved.await;
                continue;
            }
            if tokio::time::timeout(grace, moved).await.is_err() && self.lock().readers.is_empty() {
                return;
            }
        }
    }

    /// Reads from the piece with that number; `None` when it is not kept any more, or never was.
    pub fn reader(self: &Arc<Self>, from: usize) -> Option<Reader> {
        let mut state = self.lock();
        let written = state.dropped + state.pieces.len();
        if from < state.dropped || from > written || state.ended == Some(Ended::Broken) {
            return None;
        }
        let number = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(number, Standing { at: from, waker: None });
        drop(state);
        self.readers_moved.notify_waiters();
        Some(Reader { recording: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        self.readers.values_mut().filter_map(|reader| reader.waker.take()).for_each(Waker::wake);
    }

    /// Drops what every reader has passed, until there are at most `most` bytes with those that are needed.
    fn make_room(&mut self, needed: usize, most: usize) -> bool {
        let slowest = self.readers.values().map(|reader| reader.at).min().unwrap_or(self.dropped);
        while self.dropped < slowest && self.bytes + needed > most {
            let Some(piece) = self.pieces.pop_front() else { break };
            self.bytes -= piece.len();
            self.dropped += 1;
        }
        // one piece may be larger than all that is kept
        self.bytes + needed <= most || self.pieces.is_empty()
    }
}

/// One client's place in a recording. While a reader lives, the recording is wanted.
pub struct Reader {
    recording: Arc<Recording>,
    number: u64,
}

impl Reader {
    /// The head, when it has come; `None` when none will.
    pub async fn head(&self) -> Option<Head> {
        std::future::poll_fn(|cx| {
            let mut state = self.recording.lock();
            match (&state.head, state.ended) {
                (Some(head), _) => Poll::Ready(Some(head.clone())),
                (None, Some(_)) => Poll::Ready(None),
                (None, None) => {
                    state.wait(self.number, cx);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl State {
    fn wait(&mut self, number: u64, cx: &Context<'_>) {
        if let Some(reader) = self.readers.get_mut(&number) {
            reader.waker = Some(cx.waker().clone());
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut state = self.recording.lock();
        let State { readers, pieces, dropped, ended, .. } = &mut *state;
        let Some(reader) = readers.get_mut(&self.number) else { return Poll::Ready(None) };
        if let Some(piece) = pieces.get(reader.at - *dropped) {
            reader.at += 1;
            let piece = piece.clone();
            drop(state);
            self.recording.readers_moved.notify_waiters();
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if ended.is_some() {
            return Poll::Ready(None);
        }
        reader.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.recording.lock().readers.remove(&self.number);
        self.recording.readers_moved.notify_waiters();
    }
}
