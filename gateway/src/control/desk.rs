//! The thread of the control plane, and the way to it: requests leave what they want done, and wait for the answer without
//! holding up their core.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use super::{Control, reading::Reading};
use crate::{
    dispatch::{Configurations, Configuring},
    refusal::{Cause, Refusal},
};

/// Tasks that wait for the thread; beyond it 503.
const WAITING: usize = 256;
/// How often it is looked at what others have written to the same store, where the store does not say so by itself.
const LOOK: Duration = Duration::from_millis(500);

enum Task {
    Do(Box<dyn FnOnce(&mut Control) + Send>),
    /// Somebody else has changed something.
    Look,
}

/// Where the control plane is asked. When the last one is dropped, the thread ends.
#[derive(Clone)]
pub struct Desk {
    tasks: Arc<SyncSender<Task>>,
    /// Who reads waits for nobody who writes.
    questions: SyncSender<Question>,
}

type Question = Box<dyn FnOnce(&mut Reading) + Send>;

impl Desk {
    /// `changed` gets the names of organisations whose configuration another process has changed.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(mut control: Control, changed: mpsc::Sender<Vec<String>>) -> io::Result<Self> {
        let (tasks, waiting) = sync_channel(WAITING);
        let tasks = Arc::new(tasks);
        let waking = Arc::downgrade(&tasks);
        // when there is no place, it is looked all the same
        control.on_change(Box::new(move || drop(Weak::upgrade(&waking).map(|tasks| tasks.try_send(Task::Look)))));
        let (questions, asked) = sync_channel::<Question>(WAITING);
        let mut reading = control.reading().map_err(io::Error::other)?;
        thread::Builder::new().name("control-reading".to_owned()).spawn(move || {
            for question in asked {
                drop(catch_unwind(AssertUnwindSafe(|| question(&mut reading))));
            }
        })?;
        thread::Builder::new().name("control".to_owned()).spawn(move || work(control, &waiting, &changed))?;
        Ok(Self { tasks, questions })
    }

    /// Has something done, after what was asked for before.
    ///
    /// # Errors
    /// 503 when too much is asked for; 500 when it panicked.
    pub async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Control) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let task = Task::Do(Box::new(move |control| drop(answer.send(what(control)))));
        self.tasks.try_send(task).map_err(no_place)?;
        answered.await.unwrap_or_else(|_| Err(defect()))
    }
}

fn no_place<T>(error: TrySendError<T>) -> Refusal {
    match error {
        TrySendError::Full(_) => Refusal::new(Cause::Overloaded, "too much is asked of organisations at once")
            .code("control_plane_full")
            .retry_after(Some(Duration::from_secs(1))),
        TrySendError::Disconnected(_) => Refusal::new(Cause::Unavailable, "the control plane has stopped"),
    }
}

fn defect() -> Refusal {
    Refusal::new(Cause::Internal, "a defect in the control plane")
}

impl Configurations for Desk {
    fn of(&self, organisation: &str) -> Configuring {
        let (answer, answered) = oneshot::channel();
        let organisation = organisation.to_owned();
        let question: Question = Box::new(move |reading| drop(answer.send(reading.configuration(&organisation))));
        let sent = self.questions.try_send(question).map_err(no_place);
        Box::pin(async move {
            sent?;
            answered.await.unwrap_or_else(|_| Err(defect()))
        })
    }
}

fn work(mut control: Control, tasks: &Receiver<Task>, changed: &mpsc::Sender<Vec<String>>) {
    let mut looked = Instant::now();
    let mut untold = Vec::new();
    let mut is_due = false;
    loop {
        match tasks.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
            // a task that panics has its answer in that, and the next one is done
            Ok(Task::Do(task)) => drop(catch_unwind(AssertUnwindSafe(|| task(&mut control)))),
            Ok(Task::Look) => is_due = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if is_due || looked.elapsed() >= LOOK {
            is_due = false;
            looked = Instant::now();
            match control.catch_up() {
                Ok(organisations) => untold.extend(organisations),
                Err(error) => tracing::error!(%error, "cannot see what has changed in the store"),
            }
            if !untold.is_empty()
                && let Ok(place) = changed.try_reserve()
            {
                place.send(std::mem::take(&mut untold));
            }
        }
    }
}
