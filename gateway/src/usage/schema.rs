//! What consumers are promised: a JSON Schema for each kind of event, and an AsyncAPI document that says where they are.
//!
//! `prism usage schema` prints them.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value as Json, json};

use crate::api::{ConfigEvent, KeyEvent, ProviderEvent, UsageEvent};

/// A document: its file's name and its text.
pub type Document = (&'static str, String);

struct Event {
    name: &'static str,
    file: &'static str,
    address: &'static str,
    summary: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    schema: fn() -> Json,
}

const ORG: (&str, &str) = ("org", "The organisation.");

const EVENTS: [Event; 4] = [
    Event {
        name: "usage",
        file: "usage.v1.schema.json",
        address: "prism.usage.v1.{org}.{provider}.{model}",
        summary: "One event for each admitted request, when it is over.",
        parameters: &[
            ORG,
            ("provider", "Who answered, or was asked last; `_` where nobody was."),
            ("model", "The model as that provider knows it; `_` where nobody was asked."),
        ],
        schema: schema::<UsageEvent>,
    },
    Event {
        name: "provider",
        file: "provider.v1.schema.json",
        address: "prism.provider.v1.{provider}",
        summary: "A provider's health, circuit breaker, quota or credential has changed, as one gateway sees it.",
        parameters: &[("provider", "The provider's name in the configuration.")],
        schema: schema::<ProviderEvent>,
    },
    Event {
        name: "config",
        file: "config.v1.schema.json",
        address: "prism.config.v1",
        summary: "A gateway has applied a configuration while running.",
        parameters: &[],
        schema: schema::<ConfigEvent>,
    },
    Event {
        name: "key",
        file: "key.v1.schema.json",
        address: "prism.key.v1.{org}",
        summary: "A client key was made, changed or taken away.",
        parameters: &[ORG],
        schema: schema::<KeyEvent>,
    },
];

/// Every document, the AsyncAPI one last.
pub fn documents() -> Vec<Document> {
    let schemas = EVENTS.iter().map(|event| (event.file, pretty(&(event.schema)())));
    schemas.chain([("asyncapi.json", pretty(&asyncapi()))]).collect()
}

fn schema<T: JsonSchema>() -> Json {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

fn pretty(document: &Json) -> String {
    serde_json::to_string_pretty(document).expect("a document serialises") + "\n"
}

fn asyncapi() -> Json {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for Event { name, file, address, summary, parameters, .. } in &EVENTS {
        let parameters: Map<_, _> = parameters
            .iter()
            .map(|(name, text)| ((*name).to_owned(), json!({ "description": format!("{text} {ESCAPED}") })))
            .collect();
        let message = format!("#/components/messages/{name}");
        let mut channel = json!({
            "address": address,
            "description": summary,
            "messages": { (*name): { "$ref": message } },
        });
        if !parameters.is_empty() {
            channel["parameters"] = Json::Object(parameters);
        }
        channels.insert((*name).to_owned(), channel);
        operations.insert(
            format!("publish_{name}"),
            json!({
                "action": "send",
                "channel": { "$ref": format!("#/channels/{name}") },
                "summary": summary,
                "messages": [{ "$ref": format!("#/channels/{name}/messages/{name}") }],
            }),
        );
        let header = "Unique for each event: the `request_id` of a usage event, the `event_id` of any other. JetStream drops what \
                      comes a second time within the stream's dedup window; consumers do well to drop it after that too.";
        messages.insert(
            (*name).to_owned(),
            json!({
                "name": format!("prism.{name}.v1"),
                "contentType": "application/json",
                "headers": {
                    "type": "object",
                    "required": ["Nats-Msg-Id"],
                    "properties": { "Nats-Msg-Id": { "type": "string", "description": header } },
                },
                "payload": { "schemaFormat": "application/schema+json;version=draft-2020-12", "schema": { "$ref": format!("./{file}") } },
            }),
        );
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Prism events",
            "version": "1.0.0",
            "description": "What Prism gateways publish to NATS JetStream, by default in the stream `PRISM_USAGE`. Within a version \
                            members are only added: consumers ignore what they do not know.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": { "host": "127.0.0.1:4222", "protocol": "nats", "description": "As configured in `nats.url`." },
        },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

const ESCAPED: &str = "Every byte outside `[A-Za-z0-9_-]` is written `%XX`, as in URLs: `gpt-4.1` is `gpt-4%2E1`.";
