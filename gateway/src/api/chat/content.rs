//! What messages contain.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{PromptCacheMode, PromptCacheTtl};
use crate::api::shapes::open_enum;

/// What a message contains: text, or parts. Developer, system and tool messages hold text parts, assistant messages text
/// and refusals, user messages everything but refusals.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum MessageContent {
    #[schema(title = "MessageText")]
    Text(String),
    #[schema(title = "MessageParts")]
    Parts(Vec<ContentPart>),
}

/// Text, or text parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a string or an array of text parts")]
pub enum TextContent {
    #[schema(title = "PlainText")]
    Text(String),
    #[schema(title = "TextParts")]
    Parts(Vec<ContentPart>),
}

impl MessageContent {
    /// The text in it; parts of text are separate lines.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Parts(parts) => {
                let texts: Vec<&str> = parts.iter().filter_map(ContentPart::text).collect();
                match texts[..] {
                    [one] => one.into(),
                    _ => texts.join("\n").into(),
                }
            }
        }
    }
}

impl From<&str> for MessageContent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// By hand, so that a mistake in a part is named, which serde's untagged enums do not do.
impl<'de> Deserialize<'de> for MessageContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Content;

        impl<'de> Visitor<'de> for Content {
            type Value = MessageContent;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of content parts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MessageContent, E> {
                Ok(MessageContent::Text(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<MessageContent, E> {
                Ok(MessageContent::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<MessageContent, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(parts)).map(MessageContent::Parts)
            }
        }

        deserializer.deserialize_any(Content)
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    #[schema(title = "TextContentPart")]
    Text(TextPart),
    #[schema(title = "ImageContentPart")]
    ImageUrl(ImagePart),
    #[schema(title = "AudioContentPart")]
    InputAudio(AudioPart),
    #[schema(title = "FileContentPart")]
    File(FilePart),
    #[schema(title = "RefusalContentPart")]
    Refusal(RefusalPart),
}

impl ContentPart {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(part) => Some(&part.text),
            Self::Refusal(part) => Some(&part.refusal),
            Self::ImageUrl(_) | Self::InputAudio(_) | Self::File(_) => None,
        }
    }
}

/// Text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TextPart {
    pub text: String,
    /// Marks the end of a prompt that is worth caching.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_breakpoint: Option<PromptCacheBreakpoint>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImagePart {
    pub image_url: ImageUrl,
    /// Marks the end of a prompt that is worth caching.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_breakpoint: Option<PromptCacheBreakpoint>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where an image is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageUrl {
    /// Its address, or the image itself as a `data:` URL.
    pub url: String,
    /// How closely the model looks at it; `auto` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<ImageDetail>,
}

open_enum! {
    /// How closely a model looks at an image.
    pub enum ImageDetail {
        Auto = "auto",
        Low = "low",
        High = "high",
        Original = "original",
    }
}

/// Recorded sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioPart {
    pub input_audio: InputAudio,
    /// Marks the end of a prompt that is worth caching.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_breakpoint: Option<PromptCacheBreakpoint>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Recorded sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputAudio {
    /// Base64.
    pub data: String,
    pub format: AudioInputFormat,
}

open_enum! {
    /// How recorded sound is encoded.
    pub enum AudioInputFormat {
        Wav = "wav",
        Mp3 = "mp3",
    }
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FilePart {
    pub file: FileSource,
    /// Marks the end of a prompt that is worth caching.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_breakpoint: Option<PromptCacheBreakpoint>,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A document that was uploaded before (`file_id`) or is sent along (`file_data` and `filename`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileSource {
    /// The document as a `data:` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_data: Option<String>,
    /// The identifier of an uploaded document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// The document's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// What the model said instead of answering.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefusalPart {
    pub refusal: String,
    /// Anything else that the provider understands.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Marks the exact end of a prompt that is worth caching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PromptCacheBreakpoint {
    /// Always `explicit`.
    pub mode: PromptCacheMode,
    /// The least time that it is kept; that of the request's `prompt_cache_options` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<PromptCacheTtl>,
}
