//! Which schemas clients send and which they receive. Those on neither side are dropped: nobody could use them.

use serde_json::{Value, json};

use crate::document::{operations, reachable, references};

pub fn mark(document: &mut Value) {
    let operations = operations(document);
    let sent = reachable(
        document,
        operations.iter().flat_map(|operation| {
            let parameters = operation.parameters().iter().flat_map(references);
            references(&operation.value["requestBody"]).into_iter().chain(parameters)
        }),
    );
    let received =
        reachable(document, operations.iter().flat_map(|operation| references(&operation.value["responses"])));
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    schemas.retain(|name, _| sent.contains(name) || received.contains(name));
    for (name, schema) in schemas {
        for (side, names) in [("x-sdk-request", &sent), ("x-sdk-response", &received)] {
            if names.contains(name) {
                schema[side] = json!(true);
            }
        }
    }
}
