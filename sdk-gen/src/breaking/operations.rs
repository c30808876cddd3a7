//! Operations that are gone, are called otherwise, ask for more or answer something else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schemas::{alternatives, missing};
use crate::document::{Operation, operations, reference};

pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let after: BTreeMap<String, Operation<'_>> =
        operations(new).into_iter().map(|operation| (operation.name(), operation)).collect();
    let mut found = Vec::new();
    for before in operations(old) {
        match after.get(&before.name()) {
            None => found.push(format!("{}: removed", before.name())),
            Some(after) => compare(&before, after, &mut found),
        }
    }
    found
}

fn compare(old: &Operation<'_>, new: &Operation<'_>, found: &mut Vec<String>) {
    let name = old.name();
    let method = |operation: &Operation<'_>| operation.value["x-sdk-method"].as_str().unwrap_or("nothing").to_owned();
    if method(old) != method(new) {
        found.push(format!("{name}: called {} instead of {}", method(new), method(old)));
    }
    parameters(old, new, found);
    content(&name, "body", old.body(), new.body(), found);
    content(&name, "answer", old.success(), new.success(), found);
}

fn parameters(old: &Operation<'_>, new: &Operation<'_>, found: &mut Vec<String>) {
    let name = old.name();
    let same = |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
    for after in new.parameters() {
        let what = after["name"].as_str().unwrap_or_default();
        match old.parameters().iter().find(|before| same(before, after)) {
            None if after["required"] == true => found.push(format!("{name}: new required parameter {what}")),
            Some(before) if after["required"] == true && before["required"] != true => {
                found.push(format!("{name}: parameter {what} became required"));
            }
            Some(before) => {
                let lost = missing(&alternatives(&before["schema"]), &alternatives(&after["schema"]));
                found.extend(lost.into_iter().map(|lost| format!("{name}: parameter {what} is no longer {lost}")));
            }
            None => {}
        }
    }
    for before in old.parameters().iter().filter(|before| !new.parameters().iter().any(|after| same(before, after))) {
        found.push(format!("{name}: parameter {} removed", before["name"].as_str().unwrap_or_default()));
    }
}

/// The media types and the components that they hold.
fn content(
    name: &str,
    side: &str,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
    found: &mut Vec<String>,
) {
    if side == "body" && old.is_none() && new.is_some() {
        found.push(format!("{name}: asks for a body"));
    }
    for (media, before) in old.into_iter().flatten() {
        let Some(after) = new.and_then(|new| new.get(media)) else {
            found.push(format!("{name}: {side} is no longer {media}"));
            continue;
        };
        let [before, after] =
            [before, after].map(|content| reference(&content["schema"]).unwrap_or("written in place"));
        if before != after {
            found.push(format!("{name}: {side} {media} is {after} instead of {before}"));
        }
    }
}
