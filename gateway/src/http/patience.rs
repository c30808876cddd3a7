//! How long a connection may take over its next head: long before it begins, briefly once it has.
//!
//! hyper has one clock for both (`header_read_timeout`), started where the wait for a head starts. This is that clock: it
//! runs for `idle` until the first byte has come, and for `head` from then on. A connection's first head gets no idle time.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};
use pin_project_lite::pin_project;

use super::heads::Seen;

/// The clock of one connection.
pub(super) struct Patience {
    head: Duration,
    idle: Duration,
    seen: Arc<Seen>,
    is_first: AtomicBool,
}

impl Patience {
    pub fn new(head: Duration, idle: Duration, seen: Arc<Seen>) -> Self {
        Self { head, idle, seen, is_first: AtomicBool::new(true) }
    }
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    /// A head is waited for from now on; `deadline` is when it would be too late had it begun.
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.seen.wait();
        let idle = !self.is_first.swap(false, Relaxed);
        let until = if idle { tokio::time::Instant::now() + self.idle } else { deadline.into() };
        let timer = tokio::time::sleep_until(until);
        Box::pin(Waiting { timer, idle, head: self.head, seen: self.seen.clone() })
    }
}

pin_project! {
    struct Waiting {
        #[pin]
        timer: tokio::time::Sleep,
        // nothing of the head had come when it was last looked at
        idle: bool,
        head: Duration,
        seen: Arc<Seen>,
    }
}

impl Sleep for Waiting {}

impl Future for Waiting {
    type Output = ();

    /// hyper asks after everything that it has read.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if *this.idle && this.seen.begun() {
            *this.idle = false;
            this.timer.as_mut().reset(tokio::time::Instant::now() + *this.head);
        }
        ready!(this.timer.poll(cx));
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(75);

    /// When a wait ends into which the first byte comes after so many seconds.
    async fn ends(patience: &Patience, byte: Option<u64>) -> u64 {
        let (began, at) = (Instant::now(), std::time::Instant::now());
        let mut waiting = patience.sleep_until(at + HEAD);
        if let Some(seconds) = byte {
            assert!(timeout(Duration::from_secs(seconds), &mut waiting).await.is_err());
            patience.seen.come();
        }
        waiting.await;
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_waits_for_long_and_a_slow_head_does_not() {
        let patience = Patience::new(HEAD, IDLE, Arc::default());
        assert!((9..=10).contains(&ends(&patience, None).await), "nobody is waited for who has never said anything");
        assert_eq!(ends(&patience, None).await, 75);
        assert_eq!(ends(&patience, Some(40)).await, 50);
        assert_eq!(ends(&patience, Some(70)).await, 80, "who begins late has as much time as who begins early");
        assert_eq!(ends(&patience, None).await, 75);
    }
}
