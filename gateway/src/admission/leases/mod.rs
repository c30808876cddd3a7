//! Budgets that several gateways have together: exact, as long as they hear of each other.
//!
//! A key-value bucket of NATS has one value for each budget: what is spent of it, and the leases, what each gateway may spend
//! of the rest. A gateway that has leased enough asks nobody; when it has not, the request waits for the answer, a few
//! milliseconds. Whoever cannot reach NATS goes on alone, with what it was told last: then, and only then, gateways may together
//! spend more than the limit, each at most what was left of it when they parted.
//!
//! `record` is that value and how it is changed, pure; `exchange` the task that changes it and hears what others change.

mod exchange;
mod record;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Accounts, budgets::Spend};
use crate::{config::Nats, nats::BucketSettings};

/// Of processes that share a folder.
const WAITING: usize = 16;

/// Where the budgets are.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    pub nats: Nats,
    pub bucket: BucketSettings,
    /// The gateway's name, as the server lists it.
    pub name: String,
}

/// What has been spent, for the others to know.
#[derive(Debug, Clone)]
pub struct Told {
    pub who: String,
    /// What they know of, for a value that is not there yet.
    pub known: Spend,
    pub spent: Spend,
}

struct Question {
    told: Vec<Told>,
    /// Of whom nothing is to be kept.
    gone: Vec<String>,
    answer: oneshot::Sender<Vec<Spend>>,
}

/// The way to the others.
#[derive(Debug, Clone)]
pub struct Leases {
    questions: mpsc::Sender<Question>,
    /// Whether somebody is there who can tell the others.
    listens: Arc<AtomicBool>,
}

impl Leases {
    /// Begins to share the budgets of these accounts, until it is told to stop.
    pub fn start(
        settings: LeaseSettings,
        accounts: Arc<Accounts>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (sender, questions) = mpsc::channel(WAITING);
        let listens = Arc::<AtomicBool>::default();
        tasks.spawn(exchange::Exchange::new(settings, accounts, (questions, listens.clone()), stop).run());
        Self { questions: sender, listens }
    }

    /// Tells the others, takes away what is kept of those who are `gone`, and answers what all have spent then, in the order of
    /// what was told; `None` when they cannot be told, which is known at once while they are out of reach. It waits, and is not to
    /// be called where a task runs.
    pub fn tell(&self, told: Vec<Told>, gone: Vec<String>) -> Option<Vec<Spend>> {
        if !self.listens.load(SeqCst) {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        self.questions.blocking_send(Question { told, gone, answer }).ok()?;
        answered.blocking_recv().ok()
    }
}
