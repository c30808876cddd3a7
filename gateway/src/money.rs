//! US dollars, exactly: whole numbers of attodollars, so that sums neither round nor depend on their order.
//!
//! Integers and not a decimal type with a floating scale: prices have at most twelve decimals a million tokens, so every
//! price of one token is a whole number of attodollars, every product and sum is exact in 128 bits, and nothing rounds.

use std::{fmt, iter::Sum, ops::Add};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Attodollars in a dollar, as a power of ten.
const USD_PLACES: usize = 18;
/// A dollar in attodollars.
const ONE_USD: u128 = 10_u128.pow(USD_PLACES as u32);
/// A dollar a million tokens is 10¹² attodollars a token.
const RATE_PLACES: usize = 12;

/// An amount of US dollars; never negative.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(u128);

impl Usd {
    /// Reads a plain decimal: digits with up to eighteen decimals, below a trillion.
    pub fn parse(text: &str) -> Option<Self> {
        decimal(text, USD_PLACES).filter(|amount| *amount < 10_u128.pow(12 + USD_PLACES as u32)).map(Self)
    }

    /// A share of it, 0 to 1, as exactly as a float says it.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self((self.0 as f64 * share) as u128)
    }

    /// What is left of it without another; never less than nothing.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// For counters that are floats: rounded to the nearest one.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e18
    }

    /// How far they are apart.
    pub fn distance(self, other: Self) -> Self {
        Self(self.0.abs_diff(other.0))
    }

    pub fn attodollars(self) -> u128 {
        self.0
    }

    pub fn from_attodollars(amount: u128) -> Self {
        Self(amount)
    }

    /// Whole dollars, and the attodollars beyond them: two numbers that fit where 128 bits do not.
    pub fn split(self) -> (u64, u64) {
        (u64::try_from(self.0 / ONE_USD).unwrap_or(u64::MAX), (self.0 % ONE_USD) as u64)
    }

    /// What [`Usd::split`] has split.
    pub fn joined(dollars: u64, attodollars: u64) -> Self {
        Self(u128::from(dollars) * ONE_USD + u128::from(attodollars))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// Plain decimals without an exponent or trailing zeros: `0.00325`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        plain(f, self.0 / ONE_USD, (self.0 % ONE_USD) as u64, USD_PLACES)
    }
}

/// As a text, since JSON's numbers are floats to many.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected US dollars as a plain decimal"))
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

/// What one of something costs; written, read and shown as dollars per million.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// Reads dollars per million: digits with up to twelve decimals, below eighteen million.
    pub fn per_million(text: &str) -> Option<Self> {
        decimal(text, RATE_PLACES).and_then(|rate| u64::try_from(rate).ok()).map(Self)
    }

    /// What so many cost.
    pub fn of(self, count: u64) -> Usd {
        Usd(u128::from(self.0) * u128::from(count))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(RATE_PLACES as u32);
        plain(f, (self.0 / one).into(), self.0 % one, RATE_PLACES)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}/M")
    }
}

/// Digits with up to so many decimals, as a whole number of the last of them.
fn decimal(text: &str, places: usize) -> Option<u128> {
    let mut number: u128 = 0;
    let mut point = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u128::from(byte - b'0'))?,
            // digits stand before and behind it
            b'.' if at > 0 && point.is_none() => point = Some(at + 1),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |point| text.len() - point);
    if text.is_empty() || point == Some(text.len()) || decimals > places {
        return None;
    }
    number.checked_mul(10_u128.pow((places - decimals) as u32))
}

/// Every event has one: without `write!`, which takes five times as long.
fn plain(f: &mut fmt::Formatter<'_>, whole: u128, mut decimals: u64, places: usize) -> fmt::Result {
    f.write_str(itoa::Buffer::new().format(whole))?;
    if decimals == 0 {
        return Ok(());
    }
    let mut text = [b'0'; 1 + USD_PLACES];
    text[0] = b'.';
    let digits = &mut text[1..=places];
    let mut length = places;
    while decimals.is_multiple_of(10) {
        decimals /= 10;
        length -= 1;
    }
    for digit in digits[..length].iter_mut().rev() {
        *digit += (decimals % 10) as u8;
        decimals /= 10;
    }
    f.write_str(str::from_utf8(&text[..=length]).expect("digits are ASCII"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_read_and_shown_exactly() {
        for text in ["0", "3", "2.5", "0.075", "1.12497", "0.000000000001", "18446743"] {
            assert_eq!(Rate::per_million(text).unwrap().to_string(), text);
        }
        assert_eq!(Rate::per_million("2.50"), Rate::per_million("2.5"));
        for text in ["", ".5", "1.", "-1", "+1", "1e-3", "1,5", "0.0000000000001", "18446745", "NaN", "1_0"] {
            assert_eq!(Rate::per_million(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_plain_decimals() {
        let rate = |text| Rate::per_million(text).unwrap();
        assert_eq!(rate("2.5").of(100).to_string(), "0.00025");
        assert_eq!(rate("0.000000000001").of(1).to_string(), "0.000000000000000001");
        assert_eq!(rate("10").of(2_000_000).to_string(), "20");
        assert_eq!(Usd::default().to_string(), "0");
        assert_eq!((rate("15").of(1) + rate("15").of(2)).to_string(), "0.000045");
        assert!((rate("2.5").of(1_000_000).as_f64() - 2.5).abs() < 1e-12);
    }

    #[test]
    fn amounts_are_read_exactly_and_never_become_less_than_nothing() {
        let usd = |text| Usd::parse(text).unwrap();
        for text in ["0", "10", "0.5", "0.000000000000000001", "999999999999.999999999999999999"] {
            assert_eq!(usd(text).to_string(), text);
            let json = serde_json::to_string(&usd(text)).unwrap();
            assert_eq!(serde_json::from_str::<Usd>(&json).unwrap(), usd(text));
        }
        for text in ["", "-1", "1e3", "1.", "0.0000000000000000001", "1000000000000", "10 $"] {
            assert_eq!(Usd::parse(text), None, "{text}");
        }
        assert_eq!(usd("1.5").minus(usd("0.25")), usd("1.25"));
        assert_eq!(usd("1").minus(usd("2")), Usd::default());
        assert_eq!(usd("10").share(0.5), usd("5"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again_and_what_is_split_joined(dollars in 0..1_000_000_000_000_u64, attodollars in 0..ONE_USD as u64) {
            let amount = Usd::joined(dollars, attodollars);
            prop_assert_eq!(Usd::parse(&amount.to_string()), Some(amount));
            prop_assert_eq!(amount.split(), (dollars, attodollars));
        }

        #[test]
        fn the_price_of_a_sum_is_the_sum_of_the_prices(rate: u64, a in 0_u64..1 << 62, b in 0_u64..1 << 62) {
            let rate = Rate(rate);
            prop_assert_eq!(rate.of(a) + rate.of(b), rate.of(a + b));
        }
    }
}
