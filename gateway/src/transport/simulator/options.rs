//! `echo?tokens=200&pace=20ms`: a model's name and the options that ride on it.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use http::StatusCode;

use super::rejection::Rejection;

const KNOWN: &str = "tokens=200, pace=20ms, latency=2s, status=503, retry_after=3, stall=N, cut=N, reset=N, error=N, \
    panic=N, fail=0.5, usage=false";
pub(super) const MOST_TOKENS: u32 = 100_000;
const LONGEST_PACE: Duration = Duration::from_secs(60);
const LONGEST_LATENCY: Duration = Duration::from_secs(600);

/// How an answer is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Options {
    /// In words.
    pub tokens: Option<u32>,
    /// Between the chunks of a stream.
    pub pace: Duration,
    /// Before the answer.
    pub latency: Duration,
    pub fault: Option<Fault>,
    /// The probability with which the fault happens.
    pub fail: f64,
    /// Whether usage is reported.
    pub usage: bool,
}

/// What goes wrong. Numbers are content chunks that still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Status { status: StatusCode, retry_after: Option<u32> },
    Stall(u32),
    Cut(u32),
    Reset(u32),
    Error(u32),
    Panic(u32),
}

impl Default for Options {
    fn default() -> Self {
        Self { tokens: None, pace: Duration::ZERO, latency: Duration::ZERO, fault: None, fail: 1.0, usage: true }
    }
}

impl Options {
    /// Splits what was asked for into the model's name and the options.
    pub fn parse(model: &str) -> Result<(&str, Self), Rejection> {
        let (name, query) = model.split_once('?').unwrap_or((model, ""));
        match Self::from_query(query) {
            Ok(options) => Ok((name, options)),
            Err(mistake) => Err(Rejection::invalid(
                "model",
                format!("{mistake}. The simulator's options are {KNOWN}, as in `echo?tokens=200&pace=20ms`."),
            )),
        }
    }

    fn from_query(query: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut retry_after = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("option `{pair}` has no value"))?;
            match name {
                "tokens" => options.tokens = Some(number(name, value, 0..=MOST_TOKENS)?),
                "pace" => options.pace = duration(name, value, LONGEST_PACE)?,
                "latency" => options.latency = duration(name, value, LONGEST_LATENCY)?,
                "fail" => options.fail = number(name, value, 0.0..=1.0)?,
                "usage" => options.usage = value.parse().map_err(|_| unfit(name, value, "true or false"))?,
                "retry_after" => retry_after = Some(number(name, value, 0..=86_400)?),
                _ => {
                    let fault = fault(name, value)?;
                    if options.fault.replace(fault).is_some() {
                        return Err(format!("option `{name}` is a second fault; there can be one"));
                    }
                }
            }
        }
        match (&mut options.fault, retry_after) {
            (_, None) => {}
            (Some(Fault::Status { retry_after, .. }), seconds) => *retry_after = seconds,
            _ => return Err("option `retry_after` needs `status`".to_owned()),
        }
        Ok(options)
    }

    /// The fault that this one answer suffers, if any.
    pub fn draw_fault(&self) -> Option<Fault> {
        self.fault.filter(|_| fastrand::f64() < self.fail)
    }
}

fn fault(name: &str, value: &str) -> Result<Fault, String> {
    let chunks = || number(name, value, 0..=u32::MAX);
    match name {
        "status" => StatusCode::from_u16(number(name, value, 400..=599)?)
            .map(|status| Fault::Status { status, retry_after: None })
            .map_err(|error| error.to_string()),
        "stall" => chunks().map(Fault::Stall),
        "cut" => chunks().map(Fault::Cut),
        "reset" => chunks().map(Fault::Reset),
        "error" => chunks().map(Fault::Error),
        "panic" => chunks().map(Fault::Panic),
        _ => Err(format!("unknown option `{name}`")),
    }
}

fn number<T>(name: &str, value: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(unfit(name, value, &format!("a number from {} to {}", range.start(), range.end()))),
    }
}

/// `250ms`, `1.5s`, `2m`.
fn duration(name: &str, value: &str, longest: Duration) -> Result<Duration, String> {
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => f64::NAN,
    };
    value[..value.len() - unit.len()]
        .parse()
        .ok()
        .and_then(|count: f64| Duration::try_from_secs_f64(count * seconds).ok())
        .filter(|duration| *duration <= longest)
        .ok_or_else(|| unfit(name, value, &format!("a duration like 20ms or 1.5s, at most {}s", longest.as_secs())))
}

fn unfit(name: &str, value: &str, expected: &str) -> String {
    format!("option `{name}` is `{value}`, but has to be {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_ride_on_the_model_name() {
        let (name, options) = Options::parse("echo?tokens=200&pace=20ms&latency=1.5s&usage=false").unwrap();
        assert_eq!(name, "echo");
        let expected = Options {
            tokens: Some(200),
            pace: Duration::from_millis(20),
            latency: Duration::from_millis(1500),
            usage: false,
            ..Options::default()
        };
        assert_eq!(options, expected);
        assert_eq!(Options::parse("echo").unwrap(), ("echo", Options::default()));
        let fault = Options::parse("echo?status=429&retry_after=3").unwrap().1.fault;
        assert_eq!(fault, Some(Fault::Status { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(3) }));
    }

    #[test]
    fn a_bad_option_is_refused_with_the_options_there_are() {
        for (query, mistake) in [
            ("speed=9", "unknown option `speed`"),
            ("tokens", "option `tokens` has no value"),
            ("tokens=100001", "a number from 0 to 100000"),
            ("tokens=-1", "a number from 0 to 100000"),
            ("status=200", "a number from 400 to 599"),
            ("pace=20", "a duration like 20ms"),
            ("pace=61s", "at most 60s"),
            ("pace=.s", "a duration"),
            ("latency=11m", "at most 600s"),
            ("fail=NaN", "a number from 0 to 1"),
            ("usage=no", "true or false"),
            ("cut=1&stall=1", "a second fault"),
            ("retry_after=3", "needs `status`"),
        ] {
            let rejection = Options::parse(&format!("echo?{query}")).unwrap_err();
            assert_eq!(rejection.status, 400);
            assert_eq!(rejection.body.param.as_deref(), Some("model"));
            let message = rejection.body.message;
            assert!(message.contains(mistake) && message.contains(KNOWN), "{query}: {message}");
        }
    }

    #[test]
    fn faults_happen_as_often_as_asked() {
        let draw = |fail| Options { fault: Some(Fault::Cut(1)), fail, ..Options::default() }.draw_fault();
        assert!((0..1000).all(|_| draw(1.0).is_some()));
        assert!((0..1000).all(|_| draw(0.0).is_none()));
        let drawn = (0..1000).filter(|_| draw(0.5).is_some()).count();
        assert!((350..650).contains(&drawn), "{drawn}");
    }
}
