//! Which tools a key may offer to a model.

use serde::Deserialize;

use crate::{
    api::ClientRequest,
    config::{ToolRules, wildcard},
    refusal::{Cause, Refusal},
};

/// A tool as far as it has names: those of functions are the operator's own, types are the provider's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tool {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    function: Option<Named>,
    custom: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

impl Tool {
    /// Whatever it may be called by a rule; the first is what it is called to its owner.
    fn names(self) -> Vec<String> {
        let kind = self.kind.filter(|kind| kind != "function" && kind != "custom");
        let own = self.function.or(self.custom).map(|named| named.name).or(self.name);
        own.into_iter().chain(kind).collect()
    }
}

impl ToolRules {
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.denied.is_empty()
    }

    /// Whether a request offers only what it may: `tools`, the older `functions`, and the search that
    /// `web_search_options` switches on.
    ///
    /// # Errors
    /// 403 naming the first tool that it may not offer, 400 when a tool cannot be read.
    pub fn check(&self, request: &ClientRequest) -> Result<(), Refusal> {
        for field in ["tools", "functions"] {
            for tool in tools(request, field)? {
                self.judge(field, &tool.names())?;
            }
        }
        let search =
            request.envelope.field("web_search_options").filter(|field| &request.body[field.value.clone()] != b"null");
        match search {
            Some(_) => self.judge("web_search_options", &["web_search".to_owned()]),
            None => Ok(()),
        }
    }

    fn judge(&self, field: &'static str, names: &[String]) -> Result<(), Refusal> {
        let fits =
            |patterns: &[String]| names.iter().any(|name| patterns.iter().any(|pattern| wildcard(pattern, name)));
        if !fits(&self.denied) && (self.allowed.is_empty() || fits(&self.allowed)) {
            return Ok(());
        }
        let message = match names.first() {
            Some(name) => {
                format!("this API key may not use the tool `{}`", &name[..name.floor_char_boundary(MAX_NAME)])
            }
            None => "this API key may not use a tool without a name".to_owned(),
        };
        Err(Refusal::new(Cause::Forbidden, message).param(field).code("tool_not_allowed"))
    }
}

/// As much of a name as is repeated.
const MAX_NAME: usize = 64;

fn tools(request: &ClientRequest, field: &'static str) -> Result<Vec<Tool>, Refusal> {
    let Some(given) = request.envelope.field(field) else { return Ok(Vec::new()) };
    let read: Result<Option<Vec<Tool>>, _> = serde_json::from_slice(&request.body[given.value.clone()]);
    let message = "must be a list of objects whose names are strings, each given once";
    read.map(Option::unwrap_or_default).map_err(|_| Refusal::invalid(field, format!("`{field}` {message}")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{api::Endpoint, wire::openai::read};

    fn check(allowed: &[&str], denied: &[&str], fields: &str) -> Result<(), (Cause, String)> {
        let list = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}],{fields}}}"#);
        let request = read(Endpoint::ChatCompletions, Bytes::from(body)).unwrap();
        let rules = ToolRules { allowed: list(allowed), denied: list(denied) };
        rules.check(&request).map_err(|refusal| (refusal.cause, refusal.message.into_owned()))
    }

    const WEATHER: &str = r#""tools":[{"type":"function","function":{"name":"get_weather","parameters":{}}}]"#;

    #[test]
    fn functions_are_known_by_name_and_other_tools_by_type() {
        let search = r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#;
        for (allowed, denied, fields, fits) in [
            (&["get_*"][..], &[][..], WEATHER, true),
            (&["set_*"], &[], WEATHER, false),
            (&["*"], &["get_weather"], WEATHER, false),
            (&[], &["function"], WEATHER, true),
            (&["web_search*"], &[], search, true),
            (&[], &["web_search"], search, false),
            (&[], &["web_search_2025*"], search, false),
            (&["mcp"], &[], r#""tools":[{"type":"mcp","server_url":"https://x"}]"#, true),
            (&["mcp"], &[], r#""tools":[{"type":"code_interpreter"}]"#, false),
            (&["a"], &[], r#""tools":[{"type":"custom","custom":{"name":"a"}}]"#, true),
            (&["a"], &[], r#""functions":[{"name":"a"},{"name":"b"}]"#, false),
            (&["a"], &[], r#""web_search_options":{}"#, false),
            (&["a"], &[], r#""web_search_options":null"#, true),
            (&["a"], &[], r#""tools":[{}]"#, false),
            (&["a"], &[], r#""tools":null,"seed":1"#, true),
        ] {
            let checked = check(allowed, denied, fields);
            assert_eq!(checked.is_ok(), fits, "{fields}: {checked:?}");
            assert!(checked.err().is_none_or(|(cause, _)| cause == Cause::Forbidden), "{fields}");
        }
    }

    #[test]
    fn the_refusal_names_the_tool_and_a_tool_with_two_names_is_none() {
        let (_, message) = check(&["a"], &[], WEATHER).unwrap_err();
        assert_eq!(message, "this API key may not use the tool `get_weather`");
        let twice = r#""tools":[{"type":"function","function":{"name":"a"},"function":{"name":"b"}}]"#;
        assert_eq!(check(&["a"], &[], twice).unwrap_err().0, Cause::Invalid);
        assert_eq!(check(&["a"], &[], r#""tools":[7]"#).unwrap_err().0, Cause::Invalid);
    }
}
