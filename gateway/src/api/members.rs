//! One JSON object, written member by member into a buffer that does not grow.
//!
//! Why not serde_json: such an object is written for every request, and formatting it through `serde` costs three times
//! as much. Names come with everything that stands before their value (`,"model":`), so that each is one copy.

use std::{fmt, io::Cursor};

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serialize;

/// What is written so far. Once something has not fitted, nothing more is written.
pub(super) struct Members<'a> {
    out: &'a mut [u8],
    /// `None` when something has not fitted.
    at: Option<usize>,
}

impl<'a> Members<'a> {
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: Some(0) }
    }

    /// How many bytes have been written; `None` when they do not fit.
    pub fn length(&self) -> Option<usize> {
        self.at
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.at = self.at.and_then(|at| {
            let end = at + bytes.len();
            self.out.get_mut(at..end)?.copy_from_slice(bytes);
            Some(end)
        });
        self
    }

    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name.as_bytes());
        // RFC 8259 §7: control characters, the quotation mark and the backslash are escaped
        // (no `any`: one that does not stop looks at many bytes at a time)
        if value.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\')) {
            return self.value(value);
        }
        self.raw(b"\"").raw(value.as_bytes()).raw(b"\"")
    }

    pub fn text_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value { self.text(name, value) } else { self }
    }

    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.raw(name.as_bytes()).raw(itoa::Buffer::new().format(value).as_bytes())
    }

    pub fn number_if(&mut self, name: &str, value: Option<u64>) -> &mut Self {
        if let Some(value) = value { self.number(name, value) } else { self }
    }

    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name.as_bytes()).raw(if value { b"true" } else { b"false" })
    }

    /// RFC 3339 in UTC, with milliseconds.
    pub fn moment(&mut self, name: &str, moment: DateTime<Utc>) -> &mut Self {
        let (date, time) = (moment.date_naive(), moment.time());
        // a leap second has more than 999 milliseconds
        let millis = (time.nanosecond() / 1_000_000).min(999);
        let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
        let numbers = [
            (1..5, date.year().unsigned_abs()),
            (6..8, date.month()),
            (9..11, date.day()),
            (12..14, time.hour()),
            (15..17, time.minute()),
            (18..20, time.second()),
            (21..24, millis),
        ];
        for (place, mut number) in numbers {
            for digit in text[place].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        self.raw(name.as_bytes()).raw(&text)
    }

    /// What needs no escaping, in quotation marks.
    pub fn display(&mut self, name: &str, value: &impl fmt::Display) -> &mut Self {
        self.raw(name.as_bytes()).raw(b"\"");
        // what has not fitted is remembered in `at`
        let _ = fmt::write(self, format_args!("{value}"));
        self.raw(b"\"")
    }

    /// Whatever it is, by its own `Serialize`.
    pub fn value(&mut self, value: &(impl Serialize + ?Sized)) -> &mut Self {
        self.at = self.at.and_then(|at| {
            let mut rest = Cursor::new(self.out.get_mut(at..)?);
            serde_json::to_writer(&mut rest, value).ok()?;
            Some(at + usize::try_from(rest.position()).ok()?)
        });
        self
    }
}

impl fmt::Write for Members<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.raw(text.as_bytes()).at.map(drop).ok_or(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl for<'a, 'b> FnOnce(&'a mut Members<'b>) -> &'a mut Members<'b>) -> String {
        let mut out = [0; 1 << 10];
        let mut members = Members::new(&mut out);
        write(&mut members);
        let length = members.length().unwrap();
        String::from_utf8(out[..length].to_vec()).unwrap()
    }

    #[test]
    fn moments_are_those_of_the_rfc() {
        let moment = "2026-02-03T04:05:06.789Z".parse().unwrap();
        assert_eq!(written(|to| to.moment("", moment)), r#""2026-02-03T04:05:06.789Z""#);
        let leap = DateTime::from_timestamp(1_483_228_799, 1_500_000_000).unwrap();
        assert_eq!(written(|to| to.moment("", leap)), r#""2016-12-31T23:59:59.999Z""#);
    }

    #[test]
    fn what_does_not_fit_is_said_and_nothing_is_written_behind_it() {
        let mut out = [0; 8];
        let mut members = Members::new(&mut out);
        members.raw(b"{").text("\"a\":", "too long").raw(b"}");
        assert_eq!(members.length(), None);
    }

    proptest! {
        #[test]
        fn texts_and_numbers_are_what_serde_makes_of_them(text in any::<String>(), number in any::<u64>(), flag in any::<bool>()) {
            prop_assume!(text.len() < 150); // six bytes for each at most
            prop_assert_eq!(written(|to| to.text("", &text)), serde_json::to_string(&text).unwrap());
            prop_assert_eq!(written(|to| to.number("", number)), number.to_string());
            prop_assert_eq!(written(|to| to.flag("", flag)), flag.to_string());
        }
    }
}
