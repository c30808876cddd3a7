//! The spellings under which a model may stand in the table.

/// Amazon's geographic inference profiles. Where they have prices of their own, the table has them under their full name.
const GEOGRAPHIES: &[&str] = &["us.", "eu.", "apac.", "global.", "jp.", "au.", "ca.", "us-gov."];

/// From the most exact to the loosest:
///
/// - the name itself;
/// - without what stands before it: `models/`, `publishers/…/models/`, an ARN up to its resource's id, the provider's
///   type (`groq/…`), the organisation of a tuned model (`ft:gpt-4o-2024-08-06:org::id`);
/// - without a geography (`us.`, `eu.`, `global.`, …);
/// - without a version behind it: `-2024-08-06`, `-20250929`, `@20250929`, `@default`, `-latest`, `-001`.
pub(super) fn spellings<'a>(kind: &str, model: &'a str) -> impl Iterator<Item = &'a str> {
    let own = model.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
    let bare = bare(own);
    let here = GEOGRAPHIES.iter().find_map(|geography| bare.strip_prefix(geography)).unwrap_or(bare);
    [model, own, bare, here].into_iter().chain([bare, here].into_iter().filter_map(undated))
}

fn bare(model: &str) -> &str {
    if model.starts_with("arn:") {
        return model.rsplit('/').next().unwrap_or(model);
    }
    if model.starts_with("ft:") {
        let end = model.match_indices(':').nth(1).map_or(model.len(), |(at, _)| at);
        return &model[..end];
    }
    let named = |rest: &'static str| model.rsplit_once(rest).map(|(_, name)| name);
    model
        .strip_prefix("models/")
        .or_else(|| named("/models/").filter(|_| model.contains("publishers/")))
        .unwrap_or(model)
}

fn undated(model: &str) -> Option<&str> {
    if let Some((name, _)) = model.rsplit_once('@') {
        return Some(name);
    }
    let ends = ["-dddd-dd-dd", "-dddddddd", "-latest", "-ddd"];
    ends.iter().find_map(|end| {
        let (name, version) = model.split_at_checked(model.len().checked_sub(end.len())?)?;
        let fits = |(is, wanted): (u8, u8)| if wanted == b'd' { is.is_ascii_digit() } else { is == wanted };
        (!name.is_empty() && version.bytes().zip(end.bytes()).all(fits)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_leads_to_its_model() {
        for (kind, model, wanted) in [
            ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
            ("openai", "openai/gpt-4o", "gpt-4o"),
            ("openai", "ft:gpt-4o-2024-08-06:acme::A1b2", "ft:gpt-4o-2024-08-06"),
            ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
            ("anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku"),
            ("gemini", "models/gemini-2.0-flash-001", "gemini-2.0-flash"),
            ("vertexai", "publishers/anthropic/models/claude-opus-4-5@20251101", "claude-opus-4-5"),
            ("vertexai", "claude-opus-4-5@default", "claude-opus-4-5"),
            ("bedrock", "us.anthropic.claude-opus-4-5-v1:0", "anthropic.claude-opus-4-5-v1:0"),
            (
                "bedrock",
                "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
                "amazon.nova-lite-v1:0",
            ),
            ("bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("fireworks", "accounts/fireworks/models/kimi-k2", "accounts/fireworks/models/kimi-k2"),
        ] {
            assert!(spellings(kind, model).any(|spelling| spelling == wanted), "{model}");
            assert_eq!(spellings(kind, model).next(), Some(model), "the name itself comes first");
        }
        let all: Vec<_> = spellings("openai", "gpt-5-mini").collect();
        assert!(all.iter().all(|spelling| *spelling == "gpt-5-mini"), "{all:?}");
    }
}
