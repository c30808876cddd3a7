//! The request body: the shape of a short chat, with about so many bytes of the user's text.

use serde_json::{Value, json};

pub struct Prompt {
    pub model: String,
    pub bytes: usize,
    pub include_usage: bool,
}

impl Default for Prompt {
    fn default() -> Self {
        Prompt { model: "gpt-4o-mini".into(), bytes: 1000, include_usage: true }
    }
}

/// Has quotes, a backslash and an `n` in it, so that a body holds escapes as real prompts do.
const TEXT: &str = concat!(
    "Summarise the incident: latency rose at \"edge-7\" after the deploy; ",
    "list causes, risks and next steps.\\n "
);

impl Prompt {
    pub fn body(&self, stream: bool, anthropic: bool) -> String {
        let text: String = TEXT.chars().cycle().take(self.bytes).collect();
        let mut messages = vec![
            message("user", "Hi, I need help with a report."),
            message("assistant", "Sure, paste it."),
            message("user", &text),
        ];
        if !anthropic {
            messages.insert(0, message("system", "You are a careful assistant."));
        }
        // Keys in alphabetical order, whatever serde_json's features: `model` comes after the long text, the harder place.
        let mut body = json!({"max_tokens": 512, "messages": messages, "model": self.model});
        if stream {
            body["stream"] = true.into();
            if self.include_usage && !anthropic {
                body["stream_options"] = json!({"include_usage": true});
            }
        }
        body["temperature"] = json!(0.2);
        body.to_string()
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"content": content, "role": role})
}
