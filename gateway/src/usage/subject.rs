//! Under which subject a record is published, and with which id.
//!
//! A name is one token of the subject: every byte outside `[A-Za-z0-9_-]` is written `%XX`, as in URLs, so that
//! `gpt-4.1` is `gpt-4%2E1` and any URL library reads it back. `_` alone stands for nobody and nothing; a name that is `_`
//! is `%5F`.

use std::{borrow::Cow, fmt::Write};

use serde::Deserialize;

use crate::{api::counted, spool::Kind};

/// Usage events, among what a stream takes.
pub const USAGE: &str = "prism.usage.v1.>";
/// What a stream has to take.
pub const SUBJECTS: [&str; 4] = [USAGE, "prism.provider.v1.>", "prism.config.v1", "prism.key.v1.>"];

/// Where a record goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub subject: String,
    /// The message's `Nats-Msg-Id`.
    pub id: String,
}

/// The members of a usage event that its subject is made of.
#[derive(Deserialize)]
struct UsageNames<'a> {
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    org: Cow<'a, str>,
    #[serde(default)]
    provider: Option<Cow<'a, str>>,
    #[serde(default)]
    model_served: Option<Cow<'a, str>>,
}

/// Those of a notice.
#[derive(Deserialize)]
struct NoticeNames<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(default)]
    provider: Option<Cow<'a, str>>,
    #[serde(default)]
    org: Option<Cow<'a, str>>,
}

impl<'a> UsageNames<'a> {
    /// Those of a record, or of the JSON that is published of it.
    fn of(record: &'a [u8]) -> Option<Self> {
        match counted(record) {
            Some(counted) => Some(Self {
                request_id: counted.request_id.into(),
                org: counted.org.into(),
                provider: counted.provider.map(Cow::Borrowed),
                model_served: counted.model_served.map(Cow::Borrowed),
            }),
            None => serde_json::from_slice(record).ok(),
        }
    }
}

impl Subject {
    /// `None` when the record is not what its kind says.
    pub fn of(kind: Kind, record: &[u8]) -> Option<Self> {
        if kind == Kind::Usage {
            let names = UsageNames::of(record)?;
            let mut subject = String::with_capacity(96);
            subject.push_str("prism.usage.v1");
            let nobody = || Cow::Borrowed("");
            let (provider, model) = (names.provider.unwrap_or_else(nobody), names.model_served.unwrap_or_else(nobody));
            [&names.org, &provider, &model].into_iter().for_each(|name| token(&mut subject, name));
            return Some(Self { subject, id: names.request_id.into_owned() });
        }
        let names: NoticeNames<'_> = serde_json::from_slice(record).ok()?;
        let (mut subject, name) = match kind {
            Kind::Provider => ("prism.provider.v1".to_owned(), Some(names.provider?)),
            Kind::Key => ("prism.key.v1".to_owned(), Some(names.org?)),
            Kind::Config | Kind::Usage => ("prism.config.v1".to_owned(), None),
        };
        if let Some(name) = name {
            token(&mut subject, &name);
        }
        Some(Self { subject, id: names.event_id.into_owned() })
    }
}

fn token(subject: &mut String, name: &str) {
    subject.push('.');
    match name {
        "" => subject.push('_'),
        "_" => subject.push_str("%5F"),
        name => {
            for byte in name.bytes() {
                if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
                    subject.push(char::from(byte));
                } else {
                    write!(subject, "%{byte:02X}").expect("writing to memory cannot fail");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::{Ending, Opening, json};

    fn of(kind: Kind, record: &str) -> (String, String) {
        let Subject { subject, id } = Subject::of(kind, record.as_bytes()).unwrap();
        (subject, id)
    }

    #[test]
    fn an_event_goes_to_its_organisation_provider_and_model() {
        let event = r#"{"schema":"x","request_id":"req_1","org":"acme","model":"fast","provider":"openai","model_served":"gpt-4.1"}"#;
        assert_eq!(of(Kind::Usage, event), ("prism.usage.v1.acme.openai.gpt-4%2E1".into(), "req_1".into()));
        let nobody = r#"{"request_id":"req_2","org":"_","model":"x"}"#;
        assert_eq!(of(Kind::Usage, nobody), ("prism.usage.v1.%5F._._".into(), "req_2".into()));
    }

    #[test]
    fn a_notice_goes_to_whom_it_is_about() {
        let notice = r#"{"event_id":"e","provider":"a b","org":"acme*"}"#;
        assert_eq!(of(Kind::Provider, notice).0, "prism.provider.v1.a%20b");
        assert_eq!(of(Kind::Key, notice).0, "prism.key.v1.acme%2A");
        assert_eq!(of(Kind::Config, notice).0, "prism.config.v1");
    }

    #[test]
    fn a_record_has_the_subject_of_what_is_published_of_it() {
        let opening = Opening { request_id: "req_1", org: "acme", model: "fast", ..Opening::default() };
        for provider in [Some("openai"), None] {
            let ending = Ending { provider, model_served: provider.map(|_| "gpt-4.1"), ..Ending::default() };
            let mut record = vec![0; 1 << 10];
            let beginning = opening.write(&mut record).unwrap();
            let whole = beginning + ending.write(&mut record[beginning..]).unwrap();
            let event = json(&record[..whole]).unwrap();
            assert!(Subject::of(Kind::Usage, &event).is_some());
            assert_eq!(Subject::of(Kind::Usage, &record[..whole]), Subject::of(Kind::Usage, &event));
        }
    }

    #[test]
    fn what_is_no_event_has_no_subject() {
        for record in ["", "[]", "{}", r#"{"request_id":"a"}"#] {
            assert_eq!(Subject::of(Kind::Usage, record.as_bytes()), None, "{record}");
        }
        assert_eq!(Subject::of(Kind::Provider, br#"{"event_id":"e"}"#), None);
    }

    proptest! {
        #[test]
        fn any_name_is_one_token_and_can_be_read_back(name in ".{0,20}") {
            let mut subject = String::new();
            token(&mut subject, &name);
            let token = &subject[1..];
            prop_assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-%".contains(&b)));
            let encoded = format!("x={token}");
            let (_, read) = form_urlencoded::parse(encoded.as_bytes()).next().unwrap();
            prop_assert_eq!(if token == "_" { "" } else { &*read }, name);
        }
    }
}
