//! Images, sound and documents as parts.

use std::borrow::Cow;

use super::body::{Blob, Data, FileData};
use crate::{
    api::{AudioPart, FilePart, ImagePart},
    refusal::Refusal,
    wire::hub::inline::DataUrl,
};

/// Media types by a file's extension; Vertex AI does not guess them.
const TYPES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("json", "application/json"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("m4a", "audio/m4a"),
    ("aac", "audio/aac"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mpeg", "video/mpeg"),
];

/// Where a part stands in the request, for refusals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub message: usize,
    pub part: usize,
    pub vertex: bool,
}

impl Place {
    fn refuse(self, member: &str, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::invalid(format!("messages[{}].content[{}].{member}", self.message, self.part), message)
    }
}

pub(super) fn image(part: &ImagePart, place: Place) -> Result<Data<'_>, Refusal> {
    let url = part.image_url.url.as_str();
    if is_data(url) {
        return inline(url).ok_or_else(|| {
            place.refuse(
                "image_url.url",
                "a `data:` URL must name its media type and hold base64 (`data:image/png;base64,…`)",
            )
        });
    }
    by_address(url, None, place, "image_url.url")
}

pub(super) fn audio(part: &AudioPart) -> Data<'_> {
    let sound = &part.input_audio;
    let data = DataUrl::read(&sound.data).map_or(sound.data.as_str(), |url| url.base64);
    let mime_type = match sound.format.as_str() {
        "wav" => "audio/wav".into(),
        "mp3" => "audio/mp3".into(),
        other => format!("audio/{other}").into(),
    };
    Data::Inline(Blob { mime_type, data })
}

pub(super) fn file(part: &FilePart, place: Place) -> Result<Data<'_>, Refusal> {
    let file = &part.file;
    let named = file.filename.as_deref().and_then(by_extension);
    match (&file.file_data, &file.file_id) {
        (Some(data), _) if is_data(data) => inline(data)
            .ok_or_else(|| place.refuse("file.file_data", "a `data:` URL must name its media type and hold base64")),
        (Some(data), _) => {
            match named {
                Some(mime_type) => Ok(Data::Inline(Blob { mime_type: mime_type.into(), data })),
                None => Err(place
                    .refuse("file.file_data", "bare base64 needs a `filename` whose extension tells the media type")),
            }
        }
        (None, Some(id)) => by_address(id, named, place, "file.file_id"),
        (None, None) => Err(place.refuse("file", "a file needs `file_data` or `file_id`")),
    }
}

fn by_address<'a>(
    url: &'a str,
    named: Option<&'static str>,
    place: Place,
    member: &'static str,
) -> Result<Data<'a>, Refusal> {
    if !["https://", "http://", "gs://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(
            place.refuse(member, "this provider takes `data:` URLs, and addresses that begin with https:// or gs://")
        );
    }
    let mime_type = named.or_else(|| by_extension(url));
    if mime_type.is_none() && place.vertex {
        let message = "Vertex AI has to be told the media type of a file, and this address ends in no known extension; \
                       send the file as a `data:` URL";
        return Err(place.refuse(member, message));
    }
    Ok(Data::File(FileData { mime_type, file_uri: url }))
}

fn is_data(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

fn inline(url: &str) -> Option<Data<'_>> {
    let url = DataUrl::read(url).filter(|url| !url.media_type.is_empty() && !url.base64.is_empty())?;
    let mime_type = match url.media_type {
        "image/jpg" => "image/jpeg",
        own => own,
    };
    Some(Data::Inline(Blob { mime_type: mime_type.into(), data: url.base64 }))
}

fn by_extension(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, mime_type)| *mime_type)
}
