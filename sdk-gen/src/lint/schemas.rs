//! Rules for component schemas.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{is_argument, is_identifier, is_keyword, listed};
use crate::document::{operations, reachable, reference, references, schema, schemas};

/// Names that generated code or the languages themselves need.
const TAKEN: &str = "Any Array AsyncStream BaseModel Blob Boolean Date Dict Error File FormData Headers List Literal Map Mapping \
    Number Object Omit Optional Page Partial Pick Promise Record Request Required Response Sequence Set Stream \
    String Symbol Type TypedDict Union Unknown";

pub fn exist(document: &Value, mistakes: &mut Vec<String>) {
    let missing: BTreeSet<String> =
        references(document).into_iter().filter(|name| schema(document, name).is_null()).collect();
    mistakes.extend(missing.into_iter().map(|name| format!("schema `{name}`: is referred to and does not exist")));
}

pub fn shadow_nothing(document: &Value, mistakes: &mut Vec<String>) {
    let shadowing = schemas(document).filter(|(name, _)| listed(TAKEN, name));
    mistakes.extend(shadowing.map(|(name, _)| format!("schema `{name}`: this name means something else in an SDK")));
}

/// Generators call an untitled variant `ChatMessageOneOf3`.
pub fn title_their_variants(document: &Value, mistakes: &mut Vec<String>) {
    for (name, schema) in schemas(document) {
        for variant in ["oneOf", "anyOf"].into_iter().filter_map(|kind| schema[kind].as_array()).flatten() {
            let structured = variant.get("allOf").is_some() || variant.get("properties").is_some();
            let Some(title) = variant["title"].as_str() else {
                if structured {
                    mistakes.push(format!("schema `{name}`: a variant has no title: {variant}"));
                }
                continue;
            };
            if structured && !document["components"]["schemas"][title].is_null() {
                mistakes.push(format!("schema `{name}`: the variant `{title}` is called like another schema"));
            }
        }
    }
}

/// What is sent becomes arguments at the top, and classes of members below it.
pub fn have_members_that_are_identifiers(document: &Value, mistakes: &mut Vec<String>) {
    let bodies = requested(document);
    for name in reachable(document, bodies.iter().cloned()) {
        for (member, _) in schema(document, &name)["properties"].as_object().into_iter().flatten() {
            if bodies.contains(&name) && !is_argument(member) {
                mistakes.push(format!("schema `{name}`: the member `{member}` cannot be an argument in Python"));
            } else if !is_identifier(member) || is_keyword(member) {
                mistakes.push(format!("schema `{name}`: the member `{member}` is sent and cannot be a name in Python"));
            }
        }
    }
}

/// The bodies of requests, whose members become arguments.
fn requested(document: &Value) -> BTreeSet<String> {
    let operations = operations(document);
    let bodies = operations.iter().filter_map(|operation| operation.body()).flat_map(|content| content.values());
    bodies.filter_map(|content| reference(&content["schema"])).map(str::to_owned).collect()
}

/// Descriptions become docstrings and block comments.
pub fn describe_without_ending_comments(document: &Value, mistakes: &mut Vec<String>) {
    fn walk(value: &Value, place: &str, mistakes: &mut Vec<String>) {
        for (name, member) in value.as_object().into_iter().flatten() {
            if let Some(text) = member.as_str().filter(|_| name == "description" || name == "summary")
                && let Some(sign) =
                    ["\"\"\"", "*/", "\\"].into_iter().find(|sign| text.contains(sign) || text.ends_with('"'))
            {
                mistakes.push(format!("{place}: a description contains `{sign}`, which docstrings do not survive"));
            }
            walk(member, &format!("{place}/{name}"), mistakes);
        }
        value.as_array().into_iter().flatten().for_each(|item| walk(item, place, mistakes));
    }
    for part in ["info", "tags", "paths", "components"] {
        walk(&document[part], part, mistakes);
    }
}
