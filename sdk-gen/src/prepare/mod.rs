//! The document as the templates want it. Mustache cannot think, so everything is decided here, from what the gateway
//! says and one hand-written fact per operation, `x-sdk-method: chat.completions.create`:
//!
//! | where | what | meaning |
//! |---|---|---|
//! | operation | `x-sdk-py`, `x-sdk-ts` | the method's name in either language |
//! | operation | `x-sdk-args: [{name, required, doc}]` | all arguments, for documentation |
//! | operation | `x-sdk-stream: {param, event, end}` | `stream` chooses an event stream of this type, whose last event is `end` |
//! | operation | `x-sdk-page: {item}` | a list with a cursor, to be walked |
//! | operation | `x-sdk-binary` | the answer is bytes |
//! | operation, schema, member | `x-sdk-doc` | documentation, as wrapped lines |
//! | operation | `x-sdk-returns` | what a good answer is, in words |
//! | operation | `x-sdk-errors: [{status, doc}]` | what a bad one means |
//! | operation | `x-sdk-class` | the class of its resource |
//! | member | `x-sdk-py`, `x-sdk-alias` | its name in Python, and the wire's where that is another |
//! | body member | `x-sdk-stream-flag` | the member that overloads leave out |
//! | schema | `x-sdk-request`, `x-sdk-response` | on which side it occurs; a schema on neither is dropped |
//! | tag | `x-sdk-resource: {class, path, py, ts, children}` | the resource whose operations carry the tag |
//! | root | `x-sdk-roots`, `x-sdk-namespaces` | the tree's first level, and its nodes without operations |
//! | root | `x-sdk-headers: [{name, py, ts, type, doc}]` | request headers of the gateway's own |
//!
//! Written by hand where wanted: `x-sdk-server: control_plane` (the other base URL), `x-sdk-body: config` (the body is one
//! argument of that name instead of one per member) and `x-sdk-stream-end` (the last event of a stream, where it is not
//! `[DONE]`; empty where there is none).

mod canonical;
mod docs;
mod headers;
mod members;
mod names;
mod operations;
mod reach;
#[cfg(test)]
mod tests;
mod tree;
mod unions;

use serde_json::Value;

/// Pure and deterministic. The document has passed the lints.
pub fn prepare(mut document: Value) -> Value {
    unions::hoist(&mut document);
    members::describe(&mut document);
    members::name(&mut document);
    operations::derive(&mut document);
    tree::grow(&mut document);
    headers::gather(&mut document);
    reach::mark(&mut document);
    docs::wrap(&mut document);
    canonical::sort(&mut document);
    document
}
