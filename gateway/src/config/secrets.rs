//! Where a configuration holds secrets: found by the schema, so that no list of fields can fall behind it.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::{
    organisation,
    shape::{forms, is},
};

static SCHEMA: LazyLock<Json> = LazyLock::new(organisation::schema);

/// The path of a secret, as in `providers`, `openai`, `api_keys`, `0`, `key`.
pub type Place<'a> = &'a [String];

/// Shows every secret of an organisation's configuration, in its order: texts, and the objects that stand for texts. What
/// does not fit the schema is passed over; it is not accepted anyway.
pub fn each_secret(document: &mut Json, see: &mut dyn FnMut(Place<'_>, &mut Json)) {
    walk(document, &SCHEMA, &mut Vec::new(), see);
}

fn walk(value: &mut Json, schema: &Json, path: &mut Vec<String>, see: &mut dyn FnMut(Place<'_>, &mut Json)) {
    let forms = forms(&SCHEMA, schema);
    let may_be_secret = forms.iter().any(|form| form["writeOnly"] == true);
    if may_be_secret && (value.is_string() || stands_for_secret(value)) {
        return see(path, value);
    }
    match value {
        Json::Object(object) => {
            let Some(form) = forms.iter().find(|form| is(form, "object")) else { return };
            for (key, value) in object {
                let below = form.get("properties").and_then(|properties| properties.get(key));
                if let Some(below) = below.or_else(|| form.get("additionalProperties")) {
                    path.push(key.clone());
                    walk(value, below, path, see);
                    path.pop();
                }
            }
        }
        Json::Array(items) => {
            let Some(form) = forms.iter().find(|form| is(form, "array")) else { return };
            for (index, value) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                walk(value, &form["items"], path, see);
                path.pop();
            }
        }
        _ => {}
    }
}

/// An object that is shown, or kept, in a secret's place.
fn stands_for_secret(value: &Json) -> bool {
    ["set", "sealed", "reference"].iter().any(|key| value.get(key).is_some())
}
