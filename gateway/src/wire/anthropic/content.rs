//! What messages contain: text, images and documents as blocks.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::blocks::{Block, Cache, Source};
use crate::{
    api::{ContentPart, FilePart, ImageDetail, ImagePart, MessageContent, PromptCacheBreakpoint, PromptCacheTtl},
    refusal::Refusal,
    wire::hub::{
        Losses,
        inline::{self, DataUrl},
    },
};

const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];
const PDF: &str = "application/pdf";

/// The content as blocks, without blank text, which is answered with 400.
///
/// # Errors
/// 400 naming the part that Claude cannot take.
pub(super) fn blocks<'a>(
    at: usize,
    content: &'a MessageContent,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Refusal> {
    match content {
        MessageContent::Text(text) if text.trim().is_empty() => Ok(Vec::new()),
        MessageContent::Text(text) => Ok(vec![Block::text(text)]),
        MessageContent::Parts(parts) => {
            let blocks = parts.iter().enumerate().map(|(number, part)| {
                block(part, losses)
                    .map_err(|message| Refusal::invalid(format!("messages[{at}].content[{number}]"), message))
            });
            Ok(blocks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
    }
}

/// The mark for the prompt cache that a message or tool carries.
pub(super) fn mark(extra: &Map<String, Value>) -> Cache<'_> {
    extra.get("cache_control").filter(|mark| !mark.is_null()).map(Cow::Borrowed)
}

type Outcome<'a> = Result<Option<Block<'a>>, String>;

fn block<'a>(part: &'a ContentPart, losses: &mut Losses) -> Outcome<'a> {
    match part {
        ContentPart::Text(part) if part.text.trim().is_empty() => Ok(None),
        ContentPart::Text(part) => {
            let cache_control = cache(&part.extra, part.prompt_cache_breakpoint.as_ref(), losses);
            Ok(Some(Block::Text { text: Cow::Borrowed(&part.text), cache_control }))
        }
        ContentPart::Refusal(part) if part.refusal.trim().is_empty() => Ok(None),
        ContentPart::Refusal(part) => Ok(Some(Block::text(&part.refusal))),
        ContentPart::ImageUrl(part) => image(part, losses),
        ContentPart::File(part) => file(part, losses),
        ContentPart::InputAudio(_) => Err("Claude does not listen to audio".to_owned()),
    }
}

fn image<'a>(part: &'a ImagePart, losses: &mut Losses) -> Outcome<'a> {
    let image = &part.image_url;
    let detailed = image.detail.as_ref().is_some_and(|detail| *detail != ImageDetail::Auto);
    losses.drop_if("messages[].content[].image_url.detail", detailed);
    let cache_control = cache(&part.extra, part.prompt_cache_breakpoint.as_ref(), losses);
    let source = match DataUrl::read(&image.url) {
        Some(data) => Source::Base64 { media_type: image_type(data.media_type)?, data: data.base64 },
        None if is_https(&image.url) => Source::Url { url: &image.url },
        None => return Err("an image is an `https:` address or a base64 `data:` URL".to_owned()),
    };
    Ok(Some(Block::Image { source, cache_control }))
}

fn file<'a>(part: &'a FilePart, losses: &mut Losses) -> Outcome<'a> {
    let file = &part.file;
    let cache_control = cache(&part.extra, part.prompt_cache_breakpoint.as_ref(), losses);
    let title = file.filename.as_deref().filter(|name| !name.trim().is_empty());
    let source = match (&file.file_data, &file.file_id) {
        (Some(data), _) => match DataUrl::read(data) {
            Some(DataUrl { media_type, base64 }) if media_type.starts_with("image/") => {
                let source = Source::Base64 { media_type: image_type(media_type)?, data: base64 };
                return Ok(Some(Block::Image { source, cache_control }));
            }
            Some(DataUrl { media_type: PDF, base64 }) => Source::Base64 { media_type: PDF, data: base64 },
            Some(DataUrl { media_type, base64 }) if media_type.starts_with("text/") => {
                let bytes = inline::decode(base64).ok_or("the document is not base64")?;
                let data = String::from_utf8(bytes).map_err(|_| "a text document is UTF-8")?;
                Source::Text { media_type: "text/plain", data }
            }
            Some(DataUrl { media_type, .. }) => {
                return Err(format!("`{media_type}`: Claude reads PDF, text and images"));
            }
            None if is_https(data) => Source::Url { url: data },
            // Bare base64, as some clients send it.
            None if !data.contains(':') && is_pdf(data) => Source::Base64 { media_type: PDF, data },
            None => return Err("a document is a base64 `data:` URL".to_owned()),
        },
        (None, Some(file_id)) => Source::File { file_id },
        (None, None) => return Err("a file has `file_data` or `file_id`".to_owned()),
    };
    Ok(Some(Block::Document { source, title, cache_control }))
}

/// `%PDF` in base64.
fn is_pdf(base64: &str) -> bool {
    base64.starts_with("JVBER")
}

fn image_type(media_type: &str) -> Result<&'static str, String> {
    let media_type = if media_type.eq_ignore_ascii_case("image/jpg") { "image/jpeg" } else { media_type };
    let known = IMAGES.iter().find(|known| known.eq_ignore_ascii_case(media_type));
    known.copied().ok_or_else(|| format!("`{media_type}`: Claude sees JPEG, PNG, GIF and WebP"))
}

fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// LiteLLM's `cache_control`, or OpenAI's breakpoint: Claude keeps prompts for five minutes, or for an hour.
fn cache<'a>(
    extra: &'a Map<String, Value>,
    breakpoint: Option<&PromptCacheBreakpoint>,
    losses: &mut Losses,
) -> Cache<'a> {
    mark(extra).or_else(|| {
        let ttl = breakpoint?.ttl.as_ref();
        if ttl.is_some_and(|ttl| *ttl != PromptCacheTtl::HalfHour) {
            losses.approximated("messages[].content[].prompt_cache_breakpoint");
        }
        Some(Cow::Owned(match ttl {
            Some(_) => json!({"type": "ephemeral", "ttl": "1h"}),
            None => json!({"type": "ephemeral"}),
        }))
    })
}
