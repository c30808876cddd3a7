//! What the messages contain, seen on the way past.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{api::MessageFacts, refusal::Refusal};

/// Looks at each message without keeping any of it.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pub facts: MessageFacts,
    /// How many messages were begun.
    begun: usize,
    /// A role is being read.
    at_role: bool,
    pub refused: Option<Refusal>,
}

impl Messages {
    /// The refusal behind an error of the JSON reader that is about types: only a message can have the wrong one.
    pub(super) fn wrong_type(&self) -> Refusal {
        if self.at_role {
            return self.role("must be a string");
        }
        let at = self.begun.saturating_sub(1);
        Refusal::invalid(format!("messages[{at}]"), format!("`messages[{at}]` must be an object"))
    }

    fn role(&self, complaint: &str) -> Refusal {
        let param = format!("messages[{}].role", self.begun - 1);
        let message = format!("`{param}` {complaint}");
        Refusal::invalid(param, message)
    }

    fn refuse<E: Error>(&mut self, refusal: Refusal) -> E {
        self.refused = Some(refusal);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for &mut Messages {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Messages {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Message(self))?.is_some() {}
        if self.begun > 0 {
            return Ok(());
        }
        Err(self.refuse(Refusal::invalid("messages", "`messages` must not be empty")))
    }
}

struct Message<'a>(&'a mut Messages);

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.begun += 1;
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Message(messages) = self;
        let mut has_role = false;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Role => {
                    has_role = true;
                    messages.at_role = true;
                    messages.facts.developer |= map.next_value::<Role>()?.0;
                    messages.at_role = false;
                    continue;
                }
                Key::Plain => {}
                Key::Name => messages.facts.named = true,
                Key::ToolIds => messages.facts.tool_ids = true,
                Key::Foreign => messages.facts.foreign_fields = true,
            }
            map.next_value::<IgnoredAny>()?;
        }
        if has_role {
            return Ok(());
        }
        let refusal = messages.role("is required");
        Err(messages.refuse(refusal))
    }
}

/// A member of a message, as far as anybody cares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Role,
    /// Of OpenAI's format, and of no interest.
    Plain,
    Name,
    ToolIds,
    /// Not of OpenAI's request format.
    Foreign,
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        match name {
            "role" => Key::Role,
            "content" | "refusal" | "audio" | "function_call" => Key::Plain,
            "name" => Key::Name,
            "tool_calls" | "tool_call_id" => Key::ToolIds,
            _ => Key::Foreign,
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::from(name))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// A role, and whether it is `developer`.
struct Role(bool);

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Role;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a role")
            }

            fn visit_str<E: Error>(self, role: &str) -> Result<Role, E> {
                Ok(Role(role == "developer"))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// `messages[].NAME`, for reports; a name that is not plain is not repeated.
pub(super) fn loss_name(name: &str) -> Cow<'static, str> {
    if super::is_plain(name) { format!("messages[].{name}").into() } else { "messages[].*".into() }
}
