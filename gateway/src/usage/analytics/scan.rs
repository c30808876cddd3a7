//! A usage event as gateways publish it ([`json`]), read in one pass: its members in their order, compact, texts without escapes.
//!
//! Whatever is otherwise is `None`, and left to who knows all of JSON, at ten times the cost. What is skipped is not judged: it is
//! what a gateway wrote.
//!
//! [`json`]: crate::api::json

use memchr::memchr2;

use super::event::{Event, Text, hour_as_written};
use crate::{
    api::{EventTokens, UsageSource, UsageStatus},
    money::Usd,
};

/// What is left to read.
struct Scan<'a> {
    rest: &'a str,
}

pub(super) fn event(text: &str) -> Option<Event<'_>> {
    let mut scan = Scan { rest: text };
    scan.text(r#"{"schema":""#)?;
    let request_id = scan.text(r#","request_id":""#)?;
    let mirror_of = scan.text_if(r#","mirror_of":""#)?;
    let hour = hour_as_written(scan.text(r#","started_at":""#)?)?;
    scan.text(r#","gateway":""#)?;
    let org = scan.text(r#","org":""#)?;
    let key_id = scan.text_if(r#","key_id":""#)?;
    let endpoint = scan.text(r#","endpoint":""#)?;
    scan.flag(r#","stream":"#)?;
    let model = scan.text(r#","model":""#)?;
    let user_id = scan.text_if(r#","user_id":""#)?;
    for name in [
        r#","session_id":""#,
        r#","session_name":""#,
        r#","session_path":""#,
        r#","client_request_id":""#,
        r#","trace_id":""#,
    ] {
        scan.text_if(name)?;
    }
    let metadata = scan.object_if(r#","metadata":"#)?;
    scan.object_if(r#","properties":"#)?;

    let status = scan.text(r#","status":""#)?;
    scan.number_if(r#","http_status":"#)?;
    let complete = scan.flag(r#","complete":"#)?;
    let provider = scan.text_if(r#","provider":""#)?;
    scan.text_if(r#","region":""#)?;
    let model_served = scan.text_if(r#","model_served":""#)?;
    scan.text_if(r#","finish_reason":""#)?;
    let tokens = scan.tokens()?;
    let usage_source = scan.text_if(r#","usage_source":""#)?;
    let cost_usd = scan.text_if(r#","cost_usd":""#)?;
    scan.text_if(r#","price_version":""#)?;
    scan.text_if(r#","tier":""#)?;
    let duration_ms = scan.number_if(r#","duration_ms":"#)?;
    let first_token_ms = scan.number_if(r#","first_token_ms":"#)?;
    scan.text_if(r#","routing_strategy":""#)?;
    if scan.rest.starts_with(r#","fallback_used":"#) {
        scan.flag(r#","fallback_used":"#)?;
    }
    let attempt_count = scan.number_if(r#","attempt_count":"#)??;
    // attempts and an error, which are not counted
    let is_whole = scan.rest == "}"
        || scan.rest.ends_with('}')
            && [r#","attempts":["#, r#","error":""#].iter().any(|name| scan.rest.starts_with(name));

    is_whole.then_some(Event {
        request_id: request_id.into(),
        mirror_of: mirror_of.map(Text::from),
        hour,
        org: org.into(),
        key_id: key_id.map(Text::from),
        endpoint: endpoint.into(),
        model: model.into(),
        user_id: user_id.map(Text::from),
        metadata,
        status: UsageStatus::ALL.into_iter().find(|one| one.name() == status)?,
        complete,
        provider: provider.map(Text::from),
        model_served: model_served.map(Text::from),
        tokens,
        usage_source: match usage_source {
            None => None,
            Some(source) => {
                Some([UsageSource::Provider, UsageSource::Estimated].into_iter().find(|one| one.name() == source)?)
            }
        },
        cost_usd: cost_usd.and_then(Usd::parse),
        duration_ms,
        first_token_ms,
        attempt_count: attempt_count.try_into().ok()?,
    })
}

/// Names come with all that stands before their value. Of what may be absent, `None` is the end of reading and `Some(None)` an
/// absent member.
impl<'a> Scan<'a> {
    #[inline]
    fn passes(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    #[inline]
    fn text(&mut self, name: &str) -> Option<&'a str> {
        self.passes(name)?;
        self.quoted()
    }

    #[inline]
    fn text_if(&mut self, name: &str) -> Option<Option<&'a str>> {
        match self.passes(name) {
            Some(()) => self.quoted().map(Some),
            None => Some(None),
        }
    }

    /// What is left of a text behind its first quotation mark.
    fn quoted(&mut self) -> Option<&'a str> {
        let (text, rest) = self.rest.split_at(memchr2(b'"', b'\\', self.rest.as_bytes())?);
        self.rest = rest.strip_prefix('"')?;
        Some(text)
    }

    #[inline]
    fn number_if(&mut self, name: &str) -> Option<Option<u64>> {
        match self.passes(name) {
            Some(()) => self.number().map(Some),
            None => Some(None),
        }
    }

    fn number(&mut self) -> Option<u64> {
        let mut number: u64 = 0;
        let mut length = 0;
        for digit in self.rest.bytes().take_while(u8::is_ascii_digit) {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            length += 1;
        }
        self.rest = &self.rest[length..];
        (length > 0).then_some(number)
    }

    #[inline]
    fn flag(&mut self, name: &str) -> Option<bool> {
        self.passes(name)?;
        let flag = self.rest.starts_with("true");
        self.passes(if flag { "true" } else { "false" })?;
        Some(flag)
    }

    #[expect(clippy::option_option, reason = "as with all that may be absent")]
    fn tokens(&mut self) -> Option<Option<EventTokens>> {
        let mut counts = [0; EventTokens::NAMES.len()];
        let Some(input) = self.number_if(r#","tokens":{"input":"#)? else { return Some(None) };
        counts[0] = input;
        counts[1] = self.number_if(r#","output":"#)??;
        while self.passes("}").is_none() {
            let name = self.text(r#",""#)?;
            self.passes(":")?;
            let at = EventTokens::NAMES.iter().position(|one| *one == name)?;
            counts[at] = self.number()?;
        }
        Some(Some(EventTokens::of(counts)))
    }

    /// An object, as it is written.
    fn object_if(&mut self, name: &str) -> Option<Option<&'a str>> {
        if self.passes(name).is_none() {
            return Some(None);
        }
        let from = self.rest;
        if !from.starts_with('{') {
            return None;
        }
        let mut depth = 0_u32;
        loop {
            let (at, byte) = self.rest.bytes().enumerate().find(|(_, byte)| matches!(byte, b'"' | b'{' | b'}'))?;
            self.rest = &self.rest[at + 1..];
            match byte {
                b'"' => drop(self.quoted()?),
                b'{' => depth += 1,
                _ => depth = depth.checked_sub(1)?,
            }
            if depth == 0 {
                return Some(Some(&from[..from.len() - self.rest.len()]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::json;

    use super::*;
    use crate::api::{AttemptEnding, Ending, Opening, Word, json as as_json};

    /// Both ways.
    fn read(record: &str) -> (Option<Event<'_>>, serde_json::Result<Event<'_>>) {
        (event(record), serde_json::from_str(record))
    }

    /// An event as it is written, with these texts and counts, and those of its parts that may be absent.
    fn written(texts: &[String], counts: &[u64], parts: &[bool]) -> String {
        let text = |at: usize| texts[at % texts.len()].as_str();
        let count = |at: usize| counts[at % counts.len()];
        let part = |at: usize| parts[at % parts.len()];
        let text_if = |at: usize| part(at).then(|| text(at));
        let metadata =
            json!({text(7): count(0), "deep": [text(8), null, -1.5e3, {"a": part(5)}], "none": {}}).to_string();
        let mut out = vec![0; 8 << 10];
        let opening = Opening {
            request_id: text(0),
            mirror_of: text_if(1),
            started_at: "2026-11-29T10:20:30.400Z".parse().unwrap(),
            gateway: text(2),
            org: text(3),
            key_id: text_if(4),
            endpoint: Word("chat.completions"),
            stream: part(2),
            model: text(5),
            user_id: text_if(6),
            session_id: text_if(7),
            session_name: text_if(8),
            session_path: text_if(9),
            client_request_id: text_if(10),
            trace_id: text_if(11),
            metadata: part(12).then_some(&*metadata),
            properties: if part(13) { &[("one", text(1)), ("other", text(2))] } else { &[] },
        };
        let length = opening.write(&mut out).unwrap();
        let attempt = AttemptEnding {
            provider: text(9),
            region: text_if(12),
            model: text(11),
            kind: Word("first"),
            outcome: None,
            cause: None,
            http_status: None,
            duration_ms: Some(count(4)),
        };
        let tokens = EventTokens {
            input: count(2),
            output: count(3),
            reasoning: count(4),
            search_units: count(5),
            ..Default::default()
        };
        let ending = Ending {
            status: UsageStatus::ALL[count(1) as usize % 6],
            http_status: part(14).then_some(200),
            complete: part(15),
            provider: text_if(16),
            region: text_if(17),
            model_served: text_if(18),
            finish_reason: text_if(19).map(Word),
            tokens: part(20).then_some(tokens),
            usage_source: part(21).then_some(UsageSource::Estimated),
            cost_usd: part(22).then(|| Usd::parse("0.00015").unwrap()),
            price_version: text_if(23),
            tier: part(24).then_some("batch"),
            duration_ms: Some(count(5)),
            first_token_ms: part(25).then(|| count(6)),
            routing_strategy: part(26).then_some(Word("priority")),
            fallback_used: part(27),
            attempt_count: 2,
            attempts: &[attempt; 2][..usize::from(part(28)) * 2],
            error: text_if(29),
        };
        let whole = length + ending.write(&mut out[length..]).unwrap();
        String::from_utf8(as_json(&out[..whole]).unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn an_event_is_read_as_serde_reads_it(
            texts in vec("[ -~äß\u{2028}]{0,12}", 1..14), counts in vec(any::<u64>(), 1..8), parts in vec(any::<bool>(), 1..31),
        ) {
            let record = written(&texts, &counts, &parts);
            let (quick, known) = read(&record);
            let known = known.unwrap();
            if let Some(quick) = &quick {
                prop_assert_eq!(quick, &known);
            }
            let is_plain = !record.contains('\\');
            prop_assert!(quick.is_some() || !is_plain, "{}", record);
        }

        #[test]
        fn damage_is_no_panic_and_no_other_event(
            cut in option::of(0_usize..1200), place in 0_usize..1200, byte in "[ -~]",
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
            (r#""metadata":{"#, r#""metadata":[{"#),
            (r#""attempt_count":2"#, r#""attempt_count":-2"#),
            (r#""attempt_count":2"#, r#""attempt_count":4294967296"#),
            (r#""input":7"#, r#""input":7.0"#),
            (r#""input":7,"#, ""),
            (r#""reasoning":7"#, r#""thinking":7"#),
            (r#""complete":true"#, r#""complete":null"#),
            (r#""2026-11-29T10:20:30.400Z""#, r#""2026-11-29T10:20:30Z""#),
            (r#""status":"#, r#""status":"unheard-of","status":"#),
            (r#""attempts":"#, r#""attempted":"#),
        ] {
            assert!(plain.contains(from), "{from}");
            assert!(event(&plain.replacen(from, to, 1)).is_none(), "{to}");
        }
        assert!(event(&plain[..plain.len() - 1]).is_none() && event(&format!("{plain} ")).is_none());
    }

    #[test]
    fn a_request_that_nobody_ended_is_read_like_the_others() {
        let plain = written(&["name".to_owned()], &[7], &[true]);
        let opening = &plain[..plain.find(r#","status":"#).unwrap()];
        let record = format!(r#"{opening},"status":"interrupted","complete":false,"attempt_count":0}}"#);
        let (quick, known) = read(&record);
        assert_eq!(quick.unwrap(), known.unwrap());
    }
}
