//! A usage event as the gateway writes it, read in one pass: compact JSON whose texts have no escapes and whose numbers are whole.
//!
//! Whatever is otherwise is `None`, and left to who knows all of JSON, at five times the cost. What is skipped is not judged: a
//! record has a checksum, and is what somebody wrote.

use super::{
    event::{Event, Text, hour_as_written},
    sums::{TOKENS, counts},
};
use crate::api::{EventTokens, UsageSource, UsageStatus};

/// Bytes that are left, behind what was read.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// Members that every event has.
const NEEDED: u32 = 8;

pub(super) fn event(text: &str) -> Option<Event<'_>> {
    let mut scan = Scan { text, at: 0 };
    let mut event = Event::default();
    let mut seen = 0;
    scan.members(|scan, name| {
        match name {
            "request_id" => event.request_id = scan.text()?.into(),
            "started_at" => event.hour = hour_as_written(scan.text()?)?,
            "org" => event.org = scan.text()?.into(),
            "endpoint" => event.endpoint = scan.text()?.into(),
            "model" => event.model = scan.text()?.into(),
            "status" => {
                let status = scan.text()?;
                event.status = UsageStatus::ALL.into_iter().find(|one| one.name() == status)?;
            }
            "complete" => event.complete = scan.flag()?,
            "attempt_count" => event.attempt_count = scan.number()?.try_into().ok()?,
            other => return scan.member_that_may_be_absent(other, &mut event),
        }
        seen += 1;
        Some(())
    })?;
    (seen == NEEDED && scan.at == text.len()).then_some(event)
}

impl<'a> Scan<'a> {
    fn member_that_may_be_absent(&mut self, name: &str, event: &mut Event<'a>) -> Option<()> {
        let text = |scan: &mut Self| Some(Some(Text(scan.text()?.into())));
        match name {
            "mirror_of" => event.mirror_of = text(self)?,
            "key_id" => event.key_id = text(self)?,
            "user_id" => event.user_id = text(self)?,
            "provider" => event.provider = text(self)?,
            "model_served" => event.model_served = text(self)?,
            "cost_usd" => event.cost_usd = text(self)?,
            "metadata" => event.metadata = Some(self.skipped()?),
            "tokens" => event.tokens = Some(self.tokens()?),
            "usage_source" => {
                let source = self.text()?;
                let all = [UsageSource::Provider, UsageSource::Estimated];
                event.usage_source = Some(all.into_iter().find(|one| one.name() == source)?);
            }
            "duration_ms" => event.duration_ms = Some(self.number()?),
            "first_token_ms" => event.first_token_ms = Some(self.number()?),
            _ => drop(self.skipped()?),
        }
        Some(())
    }

    fn tokens(&mut self) -> Option<EventTokens> {
        let mut tokens = EventTokens::default();
        let mut seen = 0;
        self.members(|scan, name| {
            let count = scan.number()?;
            let at = TOKENS.iter().position(|one| *one == name)?;
            *counts(&mut tokens)[at] = count;
            seen += u32::from(matches!(name, "input" | "output"));
            Some(())
        })?;
        (seen == 2).then_some(tokens)
    }

    /// An object, member by member.
    fn members(&mut self, mut each: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.byte(b'{')?;
        loop {
            let name = self.text()?;
            self.byte(b':')?;
            each(self, name)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn text(&mut self) -> Option<&'a str> {
        self.byte(b'"')?;
        let rest = &self.text[self.at..];
        // a loop: most are shorter than what it costs to begin a search that is quicker for long ones
        let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
        self.at += length;
        self.byte(b'"')?;
        Some(&rest[..length])
    }

    fn number(&mut self) -> Option<u64> {
        let begin = self.at;
        let mut number: u64 = 0;
        while let Some(digit) = self.text.as_bytes().get(self.at).filter(|byte| byte.is_ascii_digit()) {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        (self.at > begin).then_some(number)
    }

    fn flag(&mut self) -> Option<bool> {
        let rest = &self.text[self.at..];
        let (flag, length) = if rest.starts_with("true") { (true, 4) } else { (false, 5) };
        self.at += length;
        (flag || rest.starts_with("false")).then_some(flag)
    }

    /// A value of any kind, as it is written.
    fn skipped(&mut self) -> Option<&'a str> {
        let begin = self.at;
        let mut depth = 0_u32;
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b'"' => drop(self.text()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                // a number or a word
                byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                    let rest = &self.text.as_bytes()[self.at..];
                    self.at += rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']'))?;
                }
                _ => return None,
            }
            if depth == 0 {
                return Some(&self.text[begin..self.at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::json;

    use super::*;
    use crate::api::USAGE_SCHEMA;

    /// Both ways.
    fn read(record: &str) -> (Option<Event<'_>>, serde_json::Result<Event<'_>>) {
        (event(record), serde_json::from_str(record))
    }

    /// An event as it is written, whose names are these.
    fn written(texts: &[String], counts: &[u64], parts: &[bool]) -> String {
        let text = |at: usize| texts[at % texts.len()].as_str();
        let count = |at: usize| counts[at % counts.len()];
        let part = |at: usize| parts[at % parts.len()];
        let mut members = serde_json::Map::new();
        let mut add = |is_there: bool, name: &str, value: serde_json::Value| {
            if is_there {
                members.insert(name.to_owned(), value);
            }
        };
        add(true, "schema", json!(USAGE_SCHEMA));
        add(true, "request_id", json!(text(0)));
        add(part(0), "mirror_of", json!(text(1)));
        add(true, "started_at", json!("2026-11-29T10:20:30.400Z"));
        add(true, "gateway", json!(text(2)));
        add(true, "org", json!(text(3)));
        add(part(1), "key_id", json!(text(4)));
        add(true, "endpoint", json!("chat.completions"));
        add(true, "stream", json!(part(2)));
        add(true, "model", json!(text(5)));
        add(part(3), "user_id", json!(text(6)));
        add(
            part(4),
            "metadata",
            json!({text(7): count(0), "deep": [text(8), null, -1.5e3, {"a": part(5)}], "none": {}}),
        );
        add(true, "status", json!(UsageStatus::ALL[count(1) as usize % 6].name()));
        add(part(6), "http_status", json!(200));
        add(true, "complete", json!(part(7)));
        add(part(8), "provider", json!(text(9)));
        add(part(9), "model_served", json!(text(10)));
        add(part(10), "tokens", json!({"input": count(2), "output": count(3), "search_units": count(4)}));
        add(part(11), "usage_source", json!("estimated"));
        add(part(12), "cost_usd", json!("0.00015"));
        add(part(13), "duration_ms", json!(count(5)));
        add(part(14), "first_token_ms", json!(count(6)));
        add(true, "attempt_count", json!(2));
        add(
            part(15),
            "attempts",
            json!([{"provider": text(11), "model": text(12), "kind": "first"}, {"kind": "retry"}]),
        );
        add(part(16), "error", json!(text(13)));
        serde_json::Value::Object(members).to_string()
    }

    proptest! {
        #[test]
        fn an_event_is_read_as_serde_reads_it(
            texts in vec("[ -~äß\u{2028}]{0,12}", 1..14), counts in vec(any::<u64>(), 1..8), parts in vec(any::<bool>(), 1..18),
        ) {
            let record = written(&texts, &counts, &parts);
            let (quick, known) = read(&record);
            let known = known.unwrap();
            if let Some(quick) = &quick {
                prop_assert_eq!(quick, &known);
            }
            let is_plain = !record.contains('\\');
            prop_assert_eq!(quick.is_some(), is_plain, "{}", record);
        }

        #[test]
        fn damage_is_no_panic_and_no_other_event(
            cut in option::of(0_usize..600), place in 0_usize..600, byte in "[ -~]",
        ) {
            let record = written(&["name".to_owned()], &[7], &[true]);
            let mut damaged = record.clone();
            let place = place % damaged.len();
            damaged.replace_range(place..=place, &byte);
            damaged.truncate(cut.map_or(damaged.len(), |cut| cut.min(damaged.len())));
            if let (Some(quick), Ok(known)) = read(&damaged) {
                prop_assert_eq!(quick, known);
            }
        }
    }

    #[test]
    fn what_is_not_as_the_gateway_writes_it_is_left_to_serde() {
        let plain = written(&["name".to_owned()], &[7], &[true]);
        assert!(event(&plain).is_some());
        for (from, to) in [
            (r#""org":"name""#, r#""org":"na\"me""#),
            (r#""org":"name""#, r#""org": "name""#),
            (r#""org":"name","#, ""),
            (r#""attempt_count":2"#, r#""attempt_count":-2"#),
            (r#""attempt_count":2"#, r#""attempt_count":4294967296"#),
            (r#""input":7"#, r#""input":7.0"#),
            (r#""input":7,"#, ""),
            (r#""complete":true"#, r#""complete":null"#),
            (r#""2026-11-29T10:20:30.400Z""#, r#""2026-11-29T10:20:30Z""#),
            (r#""status":"#, r#""status":"unheard-of","status":"#),
        ] {
            assert!(plain.contains(from), "{from}");
            assert!(event(&plain.replacen(from, to, 1)).is_none(), "{to}");
        }
        assert!(event(&plain[..plain.len() - 1]).is_none() && event(&format!("{plain} ")).is_none());
    }
}
