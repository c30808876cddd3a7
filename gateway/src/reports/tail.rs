//! `prism usage tail`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Tail, stream, table::count};
use crate::{
    api::UsageEvent,
    config::{self, Nats},
    spool::{Follower, Kind},
    usage::published,
};

/// How often it looks into the spool.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the events are.
enum Place {
    Spool(PathBuf),
    Stream { nats: Nats, stream: String },
}

pub(super) fn run(asked: &Tail, out: &mut impl Write) -> Result<(), String> {
    let mut show = |events: &mut dyn Iterator<Item = &[u8]>| -> bool {
        for event in events {
            let line = if asked.json { String::from_utf8_lossy(event).into_owned() } else { told(event) };
            if writeln!(out, "{line}").is_err() {
                return false; // nobody reads it any more
            }
        }
        out.flush().is_ok()
    };
    match place(asked)? {
        Place::Spool(store) => from_spool(&store, asked.all, &mut show),
        Place::Stream { nats, stream } => {
            stream::follow(&nats, &stream, asked.all, |event| show(&mut std::iter::once(event)))
        }
    }
}

fn place(asked: &Tail) -> Result<Place, String> {
    if let Some(store) = &asked.store {
        return Ok(Place::Spool(store.clone()));
    }
    let config = asked.config.as_deref().map(config::load).transpose().map_err(|mistakes| mistakes.to_string())?;
    let (nats, stream, store) = match config {
        Some(config) => (config.nats, config.usage.stream, config.store.path),
        None => (None, config::USUAL_STREAM.to_owned(), config::USUAL_STORE.into()),
    };
    let nats = match &asked.nats_url {
        None => nats,
        Some(url) => Some(Nats::over(nats, url).map_err(|message| format!("`--nats-url`: {message}"))?),
    };
    Ok(nats.map_or(Place::Spool(store), |nats| Place::Stream { nats, stream }))
}

fn from_spool(
    store: &Path,
    from_the_beginning: bool,
    show: &mut impl FnMut(&mut dyn Iterator<Item = &[u8]>) -> bool,
) -> Result<(), String> {
    let spool = store.join("spool");
    let cannot = |error| format!("cannot read `{}`: {error}", spool.display());
    let mut follower = Follower::begin(&spool, from_the_beginning)
        .map_err(|error| format!("{} (`--store` is a gateway's `store.path`)", cannot(error)))?;
    loop {
        let records = follower.read().map_err(cannot)?;
        let usage = records.iter().filter(|record| record.kind == Kind::Usage);
        let usage: Vec<_> =
            usage.map(|record| published(record.kind, &record.bytes).unwrap_or_else(|| record.bytes.clone())).collect();
        if !show(&mut usage.iter().map(|event| &event[..])) {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

fn told(event: &[u8]) -> String {
    match serde_json::from_slice::<UsageEvent>(event) {
        Ok(event) => line(&event),
        Err(error) => format!("an event that cannot be read: {error}"),
    }
}

fn line(event: &UsageEvent) -> String {
    let mut words = vec![
        event.started_at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        format!("{:<11}", event.status.name()),
        event.http_status.map_or("  -".to_owned(), |status| status.to_string()),
    ];
    words.push(match (&event.provider, &event.model_served) {
        (Some(provider), Some(model)) => format!("{provider}/{model}"),
        _ => event.model.clone(),
    });
    words.extend(event.key_id.as_ref().map(|key| format!("key={key}")));
    words.extend(event.user_id.as_ref().map(|user| format!("user={user}")));
    words.extend(event.tokens.map(|tokens| {
        let estimated = if event.usage_source == Some(crate::api::UsageSource::Estimated) { "~" } else { "" };
        format!("{estimated}{}+{} tokens", count(tokens.input), count(tokens.output))
    }));
    words.extend(event.cost_usd.as_ref().map(|cost| format!("${cost}")));
    words.extend(event.first_token_ms.map(|millis| format!("first {} ms", count(millis))));
    words.extend(event.duration_ms.map(|millis| format!("{} ms", count(millis))));
    words.extend((event.attempt_count > 1).then(|| format!("{} attempts", event.attempt_count)));
    words.push(event.request_id.clone());
    words.extend(event.mirror_of.as_ref().map(|original| format!("mirror of {original}")));
    words.extend(event.error.as_ref().map(|error| format!("{error:?}")));
    words.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let event = serde_json::json!({
            "schema": "prism.usage.v1", "request_id": "req_1", "started_at": "2026-11-28T09:00:00.25Z", "gateway": "g",
            "org": "default", "key_id": "app", "endpoint": "chat.completions", "stream": true, "model": "fast",
            "status": "cut", "http_status": 200, "complete": false, "provider": "acme", "model_served": "large",
            "tokens": {"input": 1200, "output": 5}, "usage_source": "estimated", "cost_usd": "0.0012", "duration_ms": 812,
            "first_token_ms": 90, "attempt_count": 2, "error": "it \"broke\"",
        });
        let line = line(&serde_json::from_value(event).unwrap());
        assert_eq!(
            line,
            "2026-11-28T09:00:00.250Z  cut          200  acme/large  key=app  ~1,200+5 tokens  $0.0012  first 90 ms  \
             812 ms  2 attempts  req_1  \"it \\\"broke\\\"\""
        );
    }
}
