//! `POST /v1/chat/completions`: OpenAI's chat format, complete, as of its SDK 3.54 (September 2026).
//!
//! These types document the endpoint, and they are the hub between provider formats. What they do not know they keep:
//! `extra` holds members without a name here, and enums that may grow hold values without one. Members that are absent
//! and members that are `null` mean the same to OpenAI and are the same here; [`ChatCompletionChunk::usage`] is the
//! exception.

mod content;
mod message;
mod moderation;
mod options;
mod request;
mod response;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod usage;

pub use content::*;
pub use message::*;
pub use moderation::*;
pub use options::*;
pub use request::*;
pub use response::*;
pub use stream::*;
pub use tools::*;
pub use usage::*;
