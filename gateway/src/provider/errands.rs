//! Small work that outlives the call it comes from: on the runtime of the actors, tracked, and bounded.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::task::TaskTracker;

/// More than this many at once, and the rest is not done.
const MOST: usize = 256;

/// A core's runtime ends with its connections, and a provider's actor may be restarting: errands depend on neither.
pub(super) struct Errands {
    tasks: TaskTracker,
    runtime: Handle,
    places: Arc<Semaphore>,
}

impl Errands {
    /// On the runtime that this is called on.
    pub(super) fn new(tasks: TaskTracker) -> Self {
        Self { tasks, runtime: Handle::current(), places: Arc::new(Semaphore::new(MOST)) }
    }

    /// Starts it; `false` when too many are running.
    pub(super) fn run(&self, errand: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(place) = self.places.clone().try_acquire_owned() else { return false };
        let errand = async move {
            errand.await;
            drop(place);
        };
        self.tasks.spawn_on(errand, &self.runtime);
        true
    }

    /// When all that has been started has ended.
    #[cfg(test)]
    pub(super) async fn done(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn errands_are_bounded() {
        let errands = Errands::new(TaskTracker::new());
        assert!((0..MOST).all(|_| errands.run(std::future::pending())));
        assert!(!errands.run(async {}));
    }
}
