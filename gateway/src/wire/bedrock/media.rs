//! Images, recordings and documents: bytes with a format, or an object in S3. What is elsewhere is fetched before.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use super::body::{Block, Media, Source};
use crate::{
    api::{AudioPart, ChatMessage, ContentPart, FilePart, FileSource, ImagePart, Medium, MessageContent, Wanted},
    refusal::Refusal,
    wire::hub::inline::DataUrl,
};

/// (media type or file extension, Converse's format).
const IMAGES: &[(&str, &str)] = &[
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("png", "png"),
    ("jpeg", "jpeg"),
    ("jpg", "jpeg"),
    ("gif", "gif"),
    ("webp", "webp"),
];
const SOUNDS: &[&str] =
    &["mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm", "webm"];
const DOCUMENTS: &[(&str, &str)] = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("pdf", "pdf"),
    ("csv", "csv"),
    ("doc", "doc"),
    ("docx", "docx"),
    ("xls", "xls"),
    ("xlsx", "xlsx"),
    ("html", "html"),
    ("htm", "html"),
    ("txt", "txt"),
    ("md", "md"),
];
/// Media types that are fetched.
const FETCHED_IMAGES: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp"];
const FETCHED_DOCUMENTS: &[&str] = &[
    "application/pdf",
    "text/csv",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/html",
    "text/plain",
    "text/markdown",
];
/// In characters.
const MAX_NAME: usize = 200;

/// Names that documents of this request have; no two may be the same.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

/// Every address in the conversation that has to be fetched.
pub(super) fn wanted(messages: &[ChatMessage]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let (ChatMessage::User(_) | ChatMessage::Tool(_)) = message else { continue };
        let Some(MessageContent::Parts(parts)) = message.content() else { continue };
        for (number, part) in parts.iter().enumerate() {
            let (url, member, takes) = match part {
                ContentPart::ImageUrl(part) => (part.image_url.url.as_str(), "image_url.url", FETCHED_IMAGES),
                ContentPart::File(part) => match address(&part.file) {
                    Some((url, member)) => (url, member, FETCHED_DOCUMENTS),
                    None => continue,
                },
                _ => continue,
            };
            if is_remote(url) {
                let param = format!("messages[{at}].content[{number}].{member}");
                wanted.push(Wanted { url: url.to_owned(), param, takes });
            }
        }
    }
    wanted
}

/// Clients of other providers write a document's address in either field.
fn address(file: &FileSource) -> Option<(&str, &'static str)> {
    let data = file.file_data.as_deref().map(|data| (data, "file.file_data"));
    data.or(file.file_id.as_deref().map(|id| (id, "file.file_id"))).filter(|(url, _)| is_remote(url))
}

fn is_remote(url: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Media type and bytes of what was at an address.
fn fetched<'a>(
    url: &str,
    fetched: &'a [Arc<Medium>],
    param: &dyn Fn() -> String,
) -> Result<(String, Source<'a>), Refusal> {
    let Some(medium) = fetched.iter().find(|medium| medium.url == url) else {
        let message = "Bedrock fetches nothing itself: send a `data:` URL (`data:image/png;base64,…`) or an `s3://` address, or \
                       let the gateway fetch `https` addresses with `security: {fetch_remote_media: true}` in its configuration";
        return Err(Refusal::invalid(param(), message));
    };
    Ok((medium.media_type.to_owned(), Source::Bytes(medium.base64.as_str().into())))
}

pub(super) fn image<'a>(part: &'a ImagePart, media: &'a [Arc<Medium>], path: &str) -> Result<Block<'a>, Refusal> {
    let param = || format!("{path}.image_url.url");
    let url = part.image_url.url.as_str();
    let (kind, source) = if url.starts_with("s3://") {
        (extension(url), Source::S3Location { uri: url })
    } else if let Some(data) = DataUrl::read(url) {
        (data.media_type.to_ascii_lowercase(), bytes(data.base64, &param)?)
    } else if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return Err(Refusal::invalid(param(), "a `data:` URL must name its media type and hold base64"));
    } else {
        fetched(url, media, &param)?
    };
    let Some(format) = find(IMAGES, &kind) else {
        return Err(Refusal::invalid(param(), "Bedrock takes png, jpeg, gif and webp images"));
    };
    Ok(Block::Image(Media { format, name: None, source, citations: None }))
}

pub(super) fn sound<'a>(part: &'a AudioPart, path: &str) -> Result<Block<'a>, Refusal> {
    let sound = &part.input_audio;
    let Some(format) = SOUNDS.iter().find(|known| **known == sound.format.as_str()) else {
        let message = format!("Bedrock takes no audio in this format, only {}", SOUNDS.join(", "));
        return Err(Refusal::invalid(format!("{path}.input_audio.format"), message));
    };
    let base64 = DataUrl::read(&sound.data).map_or(sound.data.as_str(), |url| url.base64);
    let source = bytes(base64, &|| format!("{path}.input_audio.data"))?;
    Ok(Block::Audio(Media { format, name: None, source, citations: None }))
}

pub(super) fn document<'a>(
    part: &'a FilePart,
    media: &'a [Arc<Medium>],
    path: &str,
    names: &mut Names,
) -> Result<Block<'a>, Refusal> {
    let file = &part.file;
    let remote = address(file);
    let filename = file.filename.as_deref().or(remote.map(|(url, _)| last_segment(url))).unwrap_or_default();
    let (kind, source) = match (&file.file_data, &file.file_id) {
        _ if let Some((url, member)) = remote => fetched(url, media, &|| format!("{path}.{member}"))?,
        (Some(text), _) => {
            let data = DataUrl::read(text).unwrap_or(DataUrl { media_type: "", base64: text });
            let source = bytes(data.base64, &|| format!("{path}.file.file_data"))?;
            (data.media_type.to_ascii_lowercase(), source)
        }
        (None, Some(uri)) if uri.starts_with("s3://") => (extension(uri), Source::S3Location { uri }),
        (None, Some(_)) => {
            let message = "Bedrock has no uploaded files: send `file_data`, or an `s3://` address as `file_id`";
            return Err(Refusal::invalid(format!("{path}.file.file_id"), message));
        }
        (None, None) => return Err(Refusal::invalid(format!("{path}.file"), "a file needs `file_data` or `file_id`")),
    };
    let Some(format) = find(DOCUMENTS, &kind).or_else(|| find(DOCUMENTS, &extension(filename))) else {
        let message = "Bedrock takes pdf, csv, doc, docx, xls, xlsx, html, txt and md documents; the media type of the \
                       `data:` URL or the extension of `filename` has to be one of them";
        return Err(Refusal::invalid(format!("{path}.file"), message));
    };
    let name = Some(names.unique(filename));
    let citations = part.extra.get("citations").filter(|value| value.get("enabled").is_some_and(|on| on.is_boolean()));
    Ok(Block::Document(Media { format, name, source, citations }))
}

impl Names {
    /// What Bedrock takes as a document's name: letters, digits, `-()[]` and single spaces. The extension goes.
    fn unique(&mut self, filename: &str) -> String {
        let stem = filename.rsplit_once('.').map_or(filename, |(stem, _)| stem);
        let mut name = String::new();
        for c in stem.chars() {
            let c = if c.is_ascii_alphanumeric() || "-()[] ".contains(c) { c } else { '-' };
            if !(c == ' ' && (name.is_empty() || name.ends_with(' '))) {
                name.push(c);
            }
        }
        name.truncate(MAX_NAME - 8);
        let name = name.trim_end();
        let name = if name.trim_matches('-').is_empty() { "document" } else { name };
        let mut candidate = name.to_owned();
        let mut number = 1;
        while !self.0.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name} {number}");
        }
        candidate
    }
}

/// Checked, since Bedrock's own answer to bad base64 names no field. White space is taken out.
fn bytes<'a>(base64: &'a str, param: &dyn Fn() -> String) -> Result<Source<'a>, Refusal> {
    let text: Cow<'a, str> = if base64.bytes().any(|byte| byte.is_ascii_whitespace()) {
        base64.split_ascii_whitespace().collect::<String>().into()
    } else {
        base64.into()
    };
    let body = text.trim_end_matches('=').as_bytes();
    let is_base64 = body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if body.is_empty() || !is_base64 || !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return Err(Refusal::invalid(param(), "this is not base64 with padding, or it is empty"));
    }
    Ok(Source::Bytes(text))
}

fn find(table: &'static [(&str, &'static str)], kind: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == kind).map(|(_, format)| *format)
}

/// What a document at an address is called.
fn last_segment(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}
