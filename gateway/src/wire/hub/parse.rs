//! Reads a request body; a mistake in it is traced to the member that is at fault.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Finding the culprit means reading the body again and again, so that it is done for these bodies only, in bytes.
const TRACEABLE: usize = 256 * 1024;
/// Members of one object that are suspected.
const SUSPECTS: usize = 64;

/// What is wrong with a body, and with which member of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    pub param: Option<String>,
}

/// # Errors
/// The first mistake, with the path of its member.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Mistake> {
    if let Ok(request) = serde_json::from_slice(body) {
        return Ok(request);
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| rejection(None, format!("We could not parse the JSON body of your request: {error}.")))?;
    T::deserialize(&value).map_err(|error| {
        let message = error.to_string();
        let traceable = body.len() <= TRACEABLE;
        match traceable.then(|| culprit::<T>(&value, &message)).flatten() {
            Some(param) => rejection(Some(&param), format!("Invalid '{param}': {message}.")),
            None => rejection(None, format!("Invalid request: {message}.")),
        }
    })
}

fn rejection(param: Option<&str>, message: String) -> Mistake {
    Mistake { message, param: param.map(str::to_owned) }
}

/// The path of the member without which the error would be another one, such as `messages[2].content`.
fn culprit<T: DeserializeOwned>(root: &Value, message: &str) -> Option<String> {
    let differs = |suspect: &Value| T::deserialize(suspect).err().is_none_or(|error| error.to_string() != message);
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (mut path, mut pointer) = (String::new(), String::new());
    loop {
        let step = match root.pointer(&pointer)? {
            Value::Object(members) => {
                let absent = missing
                    .filter(|name| !members.contains_key(*name))
                    .filter(|name| differs(&edited(root, &pointer, |value| value[*name] = Value::Null)));
                if let Some(name) = absent {
                    push_name(&mut path, name);
                    break;
                }
                let mut suspects: Vec<&String> = members.keys().take(SUSPECTS).collect();
                // Without its tag nothing can be read, so that the tag would always be the culprit.
                suspects.sort_by_key(|name| matches!(name.as_str(), "role" | "type"));
                let found = suspects.into_iter().find(|name| {
                    differs(&edited(root, &pointer, |value| {
                        value.as_object_mut().and_then(|members| members.shift_remove(*name));
                    }))
                });
                found.map(|name| {
                    push_name(&mut path, name);
                    name.replace('~', "~0").replace('/', "~1")
                })
            }
            Value::Array(items) => {
                let harmless = |len: usize| {
                    differs(&edited(root, &pointer, |value| {
                        if let Value::Array(items) = value {
                            items.truncate(len);
                        }
                    }))
                };
                first_harmful(items.len(), harmless).map(|index| {
                    path.push_str(&format!("[{index}]"));
                    index.to_string()
                })
            }
            _ => None,
        };
        match step {
            Some(step) => pointer = format!("{pointer}/{step}"),
            None => break,
        }
    }
    (!path.is_empty()).then_some(path)
}

/// The item with which an array becomes harmful: the first `len` items are harmless up to some length, and not beyond.
fn first_harmful(len: usize, harmless: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, len);
    if !harmless(0) || harmless(len) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if harmless(middle) { low = middle } else { high = middle }
    }
    Some(low)
}

fn edited(root: &Value, pointer: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let mut copy = root.clone();
    if let Some(value) = copy.pointer_mut(pointer) {
        edit(value);
    }
    copy
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ChatCompletionRequest, EmbeddingRequest};

    fn rejected<T: DeserializeOwned>(body: &str) -> (String, Option<String>) {
        match parse::<T>(body.as_bytes()) {
            Ok(_) => panic!("was accepted: {body}"),
            Err(mistake) => (mistake.message, mistake.param),
        }
    }

    #[test]
    fn a_mistake_is_traced_to_the_member_at_fault() {
        for (body, param) in [
            (r#"{"messages":[]}"#, "model"),
            (r#"{"model":"echo"}"#, "messages"),
            (r#"{"model":5,"messages":[]}"#, "model"),
            (r#"{"model":"echo","messages":"hi"}"#, "messages"),
            (r#"{"model":"echo","temperature":"hot","messages":[]}"#, "temperature"),
            (
                r#"{"model":"echo","messages":[{"role":"user","content":"a"},{"role":"bot","content":"b"}]}"#,
                "messages[1].role",
            ),
            (r#"{"model":"echo","messages":[{"role":"user"}]}"#, "messages[0].content"),
            (r#"{"model":"echo","messages":[{"content":"a"}]}"#, "messages[0].role"),
            (r#"{"model":"echo","messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
            (r#"{"model":"echo","messages":[{"role":"tool","content":"a"}]}"#, "messages[0].tool_call_id"),
            (
                r#"{"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"smell"}]}]}"#,
                "messages[0].content[1].type",
            ),
            (
                r#"{"model":"echo","messages":[],"stream_options":{"include_usage":"yes"},"x":1}"#,
                "stream_options.include_usage",
            ),
            (r#"{"model":"echo","messages":[],"tools":[{"type":"function","function":{}}]}"#, "tools[0].function.name"),
            (r#"{"model":"echo","messages":[],"tool_choice":{"type":"function"}}"#, "tool_choice"),
        ] {
            assert_eq!(rejected::<ChatCompletionRequest>(body).1.as_deref(), Some(param), "{body}");
        }
        let (message, param) = rejected::<EmbeddingRequest>(r#"{"model":"embedding","input":[1,"a"]}"#);
        assert_eq!(param.as_deref(), Some("input[1]"));
        assert!(message.contains("an array of strings"), "{message}");
    }

    #[test]
    fn what_is_not_json_has_no_member_at_fault() {
        assert_eq!(rejected::<ChatCompletionRequest>("{").1, None);
        assert_eq!(rejected::<ChatCompletionRequest>("").1, None);
        assert_eq!(rejected::<ChatCompletionRequest>("[]").1, None);
    }
}
