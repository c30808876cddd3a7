//! Where a model is: below AI Studio's versions, or in a project and a location of Vertex AI.

use std::fmt::Write;

use crate::{config::Settings, wire::Target};

const AI_STUDIO: &str = "v1beta";
const VERTEX: &str = "v1";

/// With a project, the format speaks to Vertex AI.
pub(super) fn is_vertex(settings: &Settings) -> bool {
    settings.project.is_some()
}

/// The path of one of a model's methods.
pub(super) fn of(target: Target<'_>, method: &str) -> String {
    let Target { model, settings, .. } = target;
    let version = settings.api_version.as_deref();
    let Some(project) = &settings.project else {
        let (folder, name) = match model.split_once('/') {
            Some((folder @ ("models" | "tunedModels"), name)) => (folder, name),
            _ => ("models", model),
        };
        return format!("/{}/{folder}/{}:{method}", encode(version.unwrap_or(AI_STUDIO)), encode(name));
    };
    let location = settings.location.as_deref().unwrap_or("global");
    let version = encode(version.unwrap_or(VERTEX));
    let (publisher, name) = match model.strip_prefix("publishers/").unwrap_or(model).split_once('/') {
        Some(("models", name)) => ("google", name),
        Some((publisher, name)) => (publisher, name.strip_prefix("models/").unwrap_or(name)),
        None => ("google", model),
    };
    let folder = format!("/{version}/projects/{}/locations/{}", encode(project), encode(location));
    // A model that was tuned or deployed by the project itself: `endpoints/1234`.
    if publisher == "endpoints" {
        return format!("{folder}/endpoints/{}:{method}", encode(name));
    }
    format!("{folder}/publishers/{}/models/{}:{method}", encode(publisher), encode(name))
}

/// The path of the model list.
pub(super) fn list(settings: &Settings) -> String {
    let version = settings.api_version.as_deref();
    if is_vertex(settings) {
        // The publisher's list is in no stable version.
        return "/v1beta1/publishers/google/models".to_owned();
    }
    format!("/{}/models", encode(version.unwrap_or(AI_STUDIO)))
}

/// One segment of a path.
pub(super) fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
