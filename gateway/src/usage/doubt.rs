//! What may have been stored before it was acknowledged: sent when a connection broke, or when the process was killed.
//!
//! JetStream recognises a message id that comes a second time, within the stream's dedup window. What is older is looked for in the
//! stream itself before it is sent again. Only the beginning of a log can be in doubt ([`DOUBTFUL`]): the publisher never runs
//! further ahead of what it has written down.

use std::{
    collections::{BTreeSet, HashSet},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use super::{
    lane::{DOUBTFUL, Lane},
    subject::Subject,
};
use crate::nats::{self, Connection, Trouble};

/// The clocks of gateway and server differ by less.
const CLOCKS: Duration = Duration::from_secs(300);
/// More subjects than this are asked for as one pattern.
const MOST_SUBJECTS: usize = 64;

/// Looks for the doubtful records of a lane that are too old for the dedup window; the lane passes over those that are found.
///
/// # Errors
/// When that cannot be found out.
pub(super) async fn settle(
    connection: &mut Connection,
    stream: &str,
    lane: &mut Lane,
    dedup_window: Duration,
) -> Result<(), Trouble> {
    lane.rewind();
    lane.held.clear();
    let end = lane.released() + DOUBTFUL;
    // half of it: sending takes time too
    let young = SystemTime::now() - dedup_window / 2;
    let young = u64::try_from(millis(young)).unwrap_or(0);
    let (mut ids, mut subjects, mut oldest) = (HashSet::new(), BTreeSet::new(), u64::MAX);
    'reads: while lane.position() < end {
        let records = lane.read().await.map_err(Trouble::Broken)?;
        if records.is_empty() {
            break;
        }
        for record in records {
            if record.end > end {
                break 'reads;
            }
            if record.millis >= young {
                continue;
            }
            if let Some(Subject { subject, id }) = Subject::of(record.kind, &record.bytes) {
                subjects.insert(subject);
                ids.insert(id);
                oldest = oldest.min(record.millis);
            }
        }
    }
    lane.rewind();
    if ids.is_empty() {
        return Ok(());
    }
    let subjects: Vec<String> = if subjects.len() > MOST_SUBJECTS {
        super::SUBJECTS.iter().map(|&subject| subject.to_owned()).collect()
    } else {
        subjects.into_iter().collect()
    };
    let since =
        i64::try_from(oldest).ok().and_then(DateTime::<Utc>::from_timestamp_millis).unwrap_or_default() - CLOCKS;
    let (doubtful, mut held) = (ids.len(), HashSet::new());
    nats::read_back(connection, stream, &subjects, since, |message_id| {
        if ids.remove(message_id) {
            held.insert(message_id.to_owned());
        }
        !ids.is_empty()
    })
    .await?;
    tracing::info!(doubtful, held = held.len(), "looked in the stream for events that may have arrived before");
    lane.held = held;
    Ok(())
}

fn millis(moment: SystemTime) -> u128 {
    moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()
}
