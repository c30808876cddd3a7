//! What one message contains: text, media, and the marks after them where a cached prompt ends.

use serde_json::{Map, Value};

use super::{
    body::{Block, CachePoint},
    families::Family,
    media,
    messages::Writer,
};
use crate::{
    api::{ContentPart, ImageDetail, MessageContent, PromptCacheBreakpoint},
    refusal::Refusal,
    wire::hub::Losses,
};

/// Whose content it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    System,
    User,
    Assistant,
    Result,
}

impl<'a> Writer<'a, '_> {
    /// The blocks of one message's content; blank text is left out, because Bedrock refuses it.
    pub(super) fn content(
        &mut self,
        content: &'a MessageContent,
        extra: Option<&'a Map<String, Value>>,
        at: usize,
        place: Place,
    ) -> Result<Vec<Block<'a>>, Refusal> {
        let mut blocks = Vec::new();
        match content {
            MessageContent::Text(text) if text.trim().is_empty() => {}
            MessageContent::Text(text) => blocks.push(Block::Text(text.as_str().into())),
            MessageContent::Parts(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    self.part(part, &format!("messages[{at}].content[{number}]"), place, &mut blocks)?;
                }
            }
        }
        if let (false, Some(extra)) = (blocks.is_empty(), extra) {
            let point = self.marker(extra);
            blocks.extend(point);
        }
        Ok(blocks)
    }

    fn part(
        &mut self,
        part: &'a ContentPart,
        path: &str,
        place: Place,
        to: &mut Vec<Block<'a>>,
    ) -> Result<(), Refusal> {
        let text_only = matches!(place, Place::System | Place::Assistant);
        let (extra, breakpoint) = match part {
            ContentPart::Text(part) => (&part.extra, &part.prompt_cache_breakpoint),
            ContentPart::Refusal(part) => (&part.extra, &None),
            ContentPart::ImageUrl(part) => (&part.extra, &part.prompt_cache_breakpoint),
            ContentPart::InputAudio(part) => (&part.extra, &part.prompt_cache_breakpoint),
            ContentPart::File(part) => (&part.extra, &part.prompt_cache_breakpoint),
        };
        match part {
            ContentPart::Text(_) | ContentPart::Refusal(_) => match part.text() {
                Some(text) if !text.trim().is_empty() => to.push(Block::Text(text.into())),
                _ => return Ok(()),
            },
            _ if text_only => {
                return Err(Refusal::invalid(path.to_owned(), "Bedrock takes only text in a message of this role"));
            }
            ContentPart::ImageUrl(part) => {
                if !matches!(part.image_url.detail, None | Some(ImageDetail::Auto)) {
                    self.losses.dropped("messages[].content[].image_url.detail");
                }
                to.push(media::image(part, self.media, path)?);
            }
            ContentPart::InputAudio(_) if place == Place::Result => {
                return Err(Refusal::invalid(path.to_owned(), "Bedrock takes no audio in the result of a tool"));
            }
            ContentPart::InputAudio(part) => to.push(media::sound(part, path)?),
            ContentPart::File(part) => to.push(media::document(part, self.media, path, &mut self.names)?),
        }
        let point = self.breakpoint(breakpoint.as_ref()).or_else(|| self.marker(extra));
        to.extend(point);
        Ok(())
    }

    pub(super) fn marker(&mut self, extra: &'a Map<String, Value>) -> Option<Block<'a>> {
        cache_point(extra, self.family, self.losses).map(Block::CachePoint)
    }

    fn breakpoint(&mut self, breakpoint: Option<&PromptCacheBreakpoint>) -> Option<Block<'a>> {
        let breakpoint = breakpoint?;
        if !self.family.cache {
            self.losses.dropped("messages[].content[].prompt_cache_breakpoint");
            return None;
        }
        if breakpoint.ttl.is_some() {
            self.losses.approximated("messages[].content[].prompt_cache_breakpoint");
        }
        Some(Block::CachePoint(CachePoint { kind: "default", ttl: None }))
    }
}

/// The cache point that a `cache_control` of that object asks for.
pub(super) fn cache_point<'a>(
    extra: &'a Map<String, Value>,
    family: &Family,
    losses: &mut Losses,
) -> Option<CachePoint<'a>> {
    let control = extra.get("cache_control").filter(|control| control.is_object())?;
    if !family.cache {
        losses.dropped("cache_control");
        return None;
    }
    let ttl = control.get("ttl").and_then(Value::as_str);
    let known = ttl.filter(|ttl| family.cache_ttl && matches!(*ttl, "5m" | "1h"));
    if ttl != known && ttl != Some("5m") {
        losses.approximated("cache_control");
    }
    Some(CachePoint { kind: "default", ttl: known })
}
