//! Values as people write them: durations, sizes, networks, moments, addresses.
//!
//! Each is a newtype with one parser, whose error says what was expected and never what was found: what was found may
//! be a secret in the wrong place.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use crate::money::{Rate, Usd};

const YEAR: f64 = 365.0 * 24.0 * 3600.0;

/// As it stands in a file, where `shape` has made a text of it, or in a record of the store.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

/// Declares a newtype that is parsed from text and named by a `format` in the schema.
macro_rules! written {
    ($(#[$doc:meta])* $name:ident($inner:ty), $format:literal, $types:tt, $description:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(super) struct $name(pub $inner);

        impl $name {
            pub(super) fn parse(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Option<$inner> = $parse;
                parse(text.trim()).map(Self).ok_or_else(|| concat!("expected ", $description).to_owned())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = match Written::deserialize(deserializer)? {
                    Written::Text(text) => text,
                    Written::Number(number) => number.to_string(),
                };
                Self::parse(&text).map_err(D::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": $types, "format": $format, "description": $description })
            }
        }
    };
}

written! {
    /// A length of time, at most a year.
    Span(Duration), "prism-duration", ["string", "number"],
    "a duration such as `500ms`, `30s`, `5m`, `1h` or a number of seconds, at most a year", duration
}

written! {
    /// A number of bytes.
    Size(u64), "prism-size", ["string", "integer"], "a size such as `32MiB`, `10MB` or a number of bytes", size
}

written! {
    /// A network; a plain address is the network of that one address.
    Network(IpNet), "prism-ip-network", ["string"], "an IP address or a network such as `10.0.0.0/8`", network
}

written! {
    /// A moment in time; a date alone is its first instant in UTC.
    Moment(DateTime<Utc>), "prism-moment", ["string"], "a time such as `2027-01-01T00:00:00Z`", moment
}

written! {
    /// An address to listen on.
    Host(IpAddr), "prism-host", ["string"], "an IP address to listen on, such as `127.0.0.1`, or `localhost`", host
}

written! {
    /// An address with its port.
    Address(SocketAddr), "prism-address", ["string"], "an IP address with a port, such as `127.0.0.1:9090`",
    |text| text.parse().ok()
}

written! {
    /// US dollars per million.
    Dollars(Rate), "prism-rate", ["string", "number"],
    "US dollars per million, such as `2.5` or `0.075`, with up to twelve decimals", Rate::per_million
}

written! {
    /// An amount of US dollars.
    Money(Usd), "prism-usd", ["string", "number"], "US dollars, such as `10` or `0.5`", Usd::parse
}

/// Whether a text is of one of the formats above; `None` when the format is none of them.
pub(super) fn conforms(format: &str, text: &str) -> Option<Result<(), String>> {
    Some(match format {
        "prism-duration" => Span::parse(text).map(drop),
        "prism-size" => Size::parse(text).map(drop),
        "prism-ip-network" => Network::parse(text).map(drop),
        "prism-moment" => Moment::parse(text).map(drop),
        "prism-usd" => Money::parse(text).map(drop),
        "prism-rate" => Dollars::parse(text).map(drop),
        "prism-host" => Host::parse(text).map(drop),
        "prism-address" => Address::parse(text).map(drop),
        _ => return None,
    })
}

/// A number and its unit, as in `1.5 h`.
fn measure(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = measure(text)?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86400.0,
        _ => return None,
    };
    (seconds <= YEAR).then(|| Duration::from_secs_f64(seconds))
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = measure(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    let bytes = number * factor as f64;
    // Past 2^53 a float no longer counts bytes; nobody's body is that large.
    (bytes.fract() == 0.0 && bytes < (1_u64 << 53) as f64).then_some(bytes as u64)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let exact = DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc));
    exact.or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc()))
}

fn host(text: &str) -> Option<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") { Some(Ipv4Addr::LOCALHOST.into()) } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("2", 2_000),
            ("1.5s", 1_500),
            ("0", 0),
        ] {
            assert_eq!(Span::parse(text), Ok(Span(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "s", "-1s", "1 fortnight", "1e9", "9999d", "1.2.3s", "inf", "NaN"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_in_powers_of_two_and_ten() {
        for (text, bytes) in [("32MiB", 32 << 20), ("10MB", 10_000_000), ("512", 512), ("1 KiB", 1024), ("1.5kB", 1500)]
        {
            assert_eq!(Size::parse(text), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "MiB", "-1", "3 bananas", "0.5", "99999999999GB"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        assert_eq!(Network::parse("10.1.2.3"), Network::parse("10.1.2.3/32"));
        assert!(Network::parse("10.0.0.0/33").is_err());
        assert!(Network::parse("fd00::/8").is_ok());
    }

    #[test]
    fn a_date_is_its_first_instant() {
        assert_eq!(Moment::parse("2027-01-01"), Moment::parse("2027-01-01T01:00:00+01:00"));
        assert!(Moment::parse("next year").is_err());
    }
}
