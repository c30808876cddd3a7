//! What the conditions of routes may ask of a request. Looked at only where there are such routes.

use chrono::{Datelike, Timelike, Utc};
use serde_json::Value as Json;

use super::asked::Asked;
use crate::{admission::Caller, api::ClientRequest, config::Facts};

pub(super) struct Known<'a> {
    pub request: &'a ClientRequest,
    pub asked: &'a Asked<'a>,
    pub caller: Option<&'a Caller>,
}

impl Facts for Known<'_> {
    fn fact(&self, path: &str) -> Option<Json> {
        let envelope = &self.request.envelope;
        match path {
            "model" => Some((*envelope.model).into()),
            "stream" => Some(envelope.stream.into()),
            "endpoint" => Some(format!("/v1{}", self.request.endpoint.path()).into()),
            "user" => self.asked.user_id.map(Json::from).or_else(|| self.field("user")),
            "session" => self.asked.session_id.map(Json::from),
            "key" => self.caller.map(|caller| (*caller.name).into()),
            "max_tokens" => ["max_completion_tokens", "max_tokens"].iter().find_map(|name| self.field(name)),
            "temperature" => self.field(path),
            "message_count" => self.field("messages")?.as_array().map(|all| all.len().into()),
            "prompt_chars" => Some(characters(&self.prompt()?).into()),
            "has_tools" => Some(
                self.field("tools").is_some_and(|tools| tools.as_array().is_some_and(|all| !all.is_empty())).into(),
            ),
            "has_images" => Some(self.field("messages").is_some_and(|messages| has_images(&messages)).into()),
            "hour" => Some(Utc::now().hour().into()),
            "weekday" => Some(Utc::now().weekday().number_from_monday().into()),
            _ => {
                let (family, name) = path.split_once('.')?;
                match family {
                    "metadata" => self.asked.metadata.as_ref()?.get(name).cloned(),
                    "property" => self.asked.property(name).map(Json::from),
                    "key" => self.caller?.metadata.as_ref()?.get(name.strip_prefix("metadata.")?).cloned(),
                    _ => None,
                }
            }
        }
    }
}

impl Known<'_> {
    fn field(&self, name: &str) -> Option<Json> {
        let field = self.request.envelope.field(name)?;
        serde_json::from_slice(&self.request.body[field.value.clone()]).ok()
    }

    fn prompt(&self) -> Option<Json> {
        self.field(self.request.endpoint.essential_field())
    }
}

/// Of all texts that a model reads: strings, and the `content` and `text` of objects.
fn characters(prompt: &Json) -> usize {
    match prompt {
        Json::String(text) => text.chars().count(),
        Json::Array(all) => all.iter().map(characters).sum(),
        Json::Object(part) => ["content", "text"].iter().filter_map(|name| part.get(*name)).map(characters).sum(),
        _ => 0,
    }
}

fn has_images(messages: &Json) -> bool {
    let is_image = |part: &Json| matches!(part["type"].as_str(), Some("image_url" | "input_image" | "image"));
    messages.as_array().is_some_and(|all| {
        all.iter().any(|message| message["content"].as_array().is_some_and(|parts| parts.iter().any(is_image)))
    })
}
