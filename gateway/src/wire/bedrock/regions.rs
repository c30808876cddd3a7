//! Inference profiles and the geographies that they belong to.

/// What may stand before a model's own name.
const PREFIXES: &[&str] = &["us-gov", "us", "eu", "apac", "jp", "au", "ca", "in", "global"];

/// (beginning of a region's name, the geographies of profiles that can be called there, the preferred one first).
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
const GEOGRAPHIES: &[(&str, &[&str])] = &[
    ("us-gov-", &["us-gov"]),
    ("us-", &["us"]),
    ("ca-", &["us", "ca"]),
    ("eu-", &["eu"]),
    ("ap-northeast-1", &["jp", "apac"]),
    ("ap-northeast-3", &["jp", "apac"]),
    ("ap-southeast-2", &["au", "apac"]),
    ("ap-southeast-4", &["au", "apac"]),
    ("ap-south-", &["apac", "in"]),
    ("ap-", &["apac"]),
];

/// Models from before Japan and Australia had profiles of their own.
const APAC_ONLY: &[&str] = &[
    "anthropic.claude-3",
    "anthropic.claude-sonnet-4-2",
    "anthropic.claude-opus-4-2",
    "amazon.nova-lite",
    "amazon.nova-micro",
    "amazon.nova-pro",
];

/// The id under which the model is called in that region: the prefix of another geography is replaced by the region's.
/// `global.`, names without a prefix, ARNs and unknown regions are left alone.
pub(super) fn model_in(region: Option<&str>, model: &str) -> String {
    let (Some(region), Some((prefix, base))) = (region, split(model)) else { return model.to_owned() };
    let row = GEOGRAPHIES.iter().find(|(beginning, _)| region.starts_with(beginning));
    match row {
        Some((_, valid)) if prefix != "global" && !valid.contains(&prefix) => {
            let is_old = APAC_ONLY.iter().any(|beginning| base.starts_with(beginning));
            let prefix = if is_old && valid.contains(&"apac") { "apac" } else { valid[0] };
            format!("{prefix}.{base}")
        }
        _ => model.to_owned(),
    }
}

/// The model's own name: without prefix, and out of an ARN.
pub(super) fn base(model: &str) -> &str {
    let name = if model.starts_with("arn:") { model.rsplit('/').next().unwrap_or(model) } else { model };
    split(name).map_or(name, |(_, base)| base)
}

fn split(model: &str) -> Option<(&str, &str)> {
    let (prefix, base) = model.split_once('.')?;
    // `us.anthropic.claude…` has a prefix, `us.something` would be a vendor
    (PREFIXES.contains(&prefix) && base.contains('.')).then_some((prefix, base))
}

/// An id as one segment of a path.
pub(super) fn encoded(id: &str) -> String {
    use std::fmt::Write;
    let mut path = String::with_capacity(id.len() + 8);
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}
