//! What a provider's headers say of a quota.

use std::time::{Duration, SystemTime};

use chrono::DateTime;
use http::{HeaderMap, header::DATE};
use smallvec::SmallVec;

use crate::wire;

/// Longer waits are not believed.
const MAX_RESET: Duration = Duration::from_secs(24 * 60 * 60);
/// Numbers from here on are points in time: seconds, then milliseconds since 1970.
const EPOCH_SECONDS: f64 = 1e9;
const EPOCH_MILLIS: f64 = 1e12;
/// Every level that is shown, of requests and tokens, by the minute and by the day, beyond what any provider sends.
const MAX_LEVELS: usize = 16;

/// The quota that one answer shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    pub levels: SmallVec<[Level; 4]>,
    pub retry_after: Option<Duration>,
}

/// How much is left of one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub of: Quota,
    pub remaining: u64,
    pub limit: Option<u64>,
    /// Until all of it is back: most providers refill continuously. Read only where little is left.
    pub reset: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    Requests,
    Tokens,
}

/// One quota's headers, found one by one.
struct Found<'a> {
    /// The name without its prefix, before and after the word that says which number this is.
    name: (&'a str, &'a str),
    of: Quota,
    remaining: Option<&'a str>,
    limit: Option<&'a str>,
    reset: Option<&'a str>,
}

impl Observed {
    /// `None` when the headers say nothing. `now` is the wall clock, for answers without a date.
    ///
    /// One reading for all: `x-ratelimit-remaining-tokens` (OpenAI, Azure, Groq), `x-ratelimit-remaining-tokens-minute`
    /// (Cerebras), `x-ratelimit-remaining-req-minute` (Mistral), `x-ratelimit-remaining` (Together, OpenRouter),
    /// `anthropic-ratelimit-input-tokens-remaining`.
    pub fn read(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let mut found = SmallVec::<[Found<'_>; 4]>::new();
        for (name, value) in headers {
            let Some(name) = prefixed(name.as_str()) else { continue };
            let Ok(value) = value.to_str() else { continue };
            note(&mut found, name, value.trim());
        }
        let levels = found.iter().filter_map(|found| found.level(headers, now)).collect();
        let observed = Self { levels, retry_after: wire::retry_after(headers) };
        (observed != Self::default()).then_some(observed)
    }

    /// How long a refused request should wait, as far as the headers tell.
    pub fn wait(&self) -> Option<Duration> {
        let empty = self.levels.iter().filter(|level| level.remaining == 0);
        self.retry_after.or_else(|| empty.filter_map(|level| level.reset).max())
    }
}

impl Level {
    /// Whether there is so little left that it matters how much.
    pub(super) fn is_scarce(&self) -> bool {
        self.limit.is_none_or(|limit| self.remaining < limit / 5) || self.remaining == 0
    }
}

impl Found<'_> {
    fn level(&self, headers: &HeaderMap, now: SystemTime) -> Option<Level> {
        let count = |text: &str| text.parse().ok();
        let remaining = self.remaining.and_then(count)?;
        let mut level = Level { of: self.of, remaining, limit: self.limit.and_then(count), reset: None };
        if level.is_scarce() {
            level.reset = self.reset.and_then(|text| until(text, headers, now));
        }
        Some(level)
    }
}

fn prefixed(name: &str) -> Option<&str> {
    ["x-ratelimit-", "anthropic-ratelimit-"].iter().find_map(|prefix| name.strip_prefix(prefix))
}

fn note<'a>(found: &mut SmallVec<[Found<'a>; 4]>, name: &'a str, value: &'a str) {
    let word = |word: &str| {
        let at = name.find(word)?;
        let (before, after) = (&name[..at], &name[at + word.len()..]);
        let whole = (before.is_empty() || before.ends_with('-')) && (after.is_empty() || after.starts_with('-'));
        whole.then_some((before.trim_end_matches('-'), after.trim_start_matches('-')))
    };
    let words = ["remaining", "limit", "reset"];
    let Some((which, rest)) = words.iter().enumerate().find_map(|(which, text)| Some((which, word(text)?))) else {
        return;
    };
    let of = match rest {
        (before, after) if before.contains("token") || after.contains("token") => Quota::Tokens,
        ("", "") => Quota::Requests,
        (before, after) if before.contains("req") || after.contains("req") => Quota::Requests,
        _ => return, // seconds of audio, pages, images
    };
    let at = found.iter().position(|found| found.name == rest).unwrap_or(found.len());
    if at == found.len() {
        if at == MAX_LEVELS {
            return;
        }
        found.push(Found { name: rest, of, remaining: None, limit: None, reset: None });
    }
    let field = match which {
        0 => &mut found[at].remaining,
        1 => &mut found[at].limit,
        _ => &mut found[at].reset,
    };
    *field = Some(value);
}

/// `6m0s`, `20ms`, `1.5` (seconds), seconds or milliseconds since 1970, RFC 3339.
fn until(text: &str, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // the provider's own clock, where it shows it
    let now = || {
        let date = headers.get(DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
        date.map_or(now, SystemTime::from)
    };
    let wait = if let Ok(number) = text.parse::<f64>() {
        let since = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(seconds).ok()?);
        match number {
            seconds if seconds < EPOCH_SECONDS => Duration::try_from_secs_f64(seconds).ok()?,
            // beyond the year 2286 it is neither
            seconds if seconds < 10.0 * EPOCH_SECONDS => since(seconds)?.duration_since(now()).unwrap_or_default(),
            millis if (EPOCH_MILLIS..10.0 * EPOCH_MILLIS).contains(&millis) => {
                since(millis / 1000.0)?.duration_since(now()).unwrap_or_default()
            }
            _ => return None,
        }
    } else if let Some(wait) = go_duration(text) {
        wait
    } else {
        SystemTime::from(DateTime::parse_from_rfc3339(text).ok()?).duration_since(now()).unwrap_or_default()
    };
    Some(wait.min(MAX_RESET))
}

/// As Go prints durations: `1h2m3.5s`, `20ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut whole) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match &rest[..unit] {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        whole = whole.saturating_add(Duration::try_from_secs_f64(number * seconds).ok()?);
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(whole)
}
