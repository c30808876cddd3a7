//! Counting happens on a thread that gives way to those of requests.

use tokio::sync::oneshot;

/// Its share of a busy core is a third of another thread's: enough to keep up, and a request that comes meanwhile goes first.
const NICENESS: i32 = 5;

/// Does it on a thread of its own, which may wait for disks; `None` when it has panicked.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    let work = move || {
        // of this thread alone, and never back: why it is not one of the runtime's
        let usual = rustix::process::getpriority_process(None).unwrap_or_default();
        let _ = rustix::process::setpriority_process(None, usual + NICENESS);
        let _ = done.send(work());
    };
    std::thread::Builder::new().name("analytics".into()).spawn(work).ok()?;
    result.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_gives_way_alone_and_may_fail() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let aside_of_it = aside(|| rustix::process::getpriority_process(None).unwrap()).await;
        assert_eq!(aside_of_it, Some((before + NICENESS).min(19)));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
        assert_eq!(aside(|| panic!("on purpose")).await, None::<()>);
    }
}
