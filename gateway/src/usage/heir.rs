//! Processes that share a folder come and go. What one that is gone has left in the spool is taken over here, for whoever
//! carries events away.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::spool::Spool;

/// How often it looks.
const PAUSE: Duration = Duration::from_secs(30);

/// Looks until it is told to stop.
pub async fn inherit(spool: Arc<Spool>, stop: CancellationToken) {
    loop {
        tokio::select! { () = sleep(PAUSE) => {}, () = stop.cancelled() => return }
        let spool = spool.clone();
        match tokio::task::spawn_blocking(move || spool.inherit()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "cannot read what another process has left in the spool"),
            Err(error) => tracing::error!(%error, "taking over what another process has left in the spool has failed"),
        }
    }
}
