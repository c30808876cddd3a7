//! What a form has to know to ask for a provider: every type with its fields, from the table of presets and the schema.

use serde_json::Value as Json;

use super::{
    PRESETS, Preset, file_provider as written,
    preset::{COMPATIBLE, Cloud},
    shape::{forms, is},
};

/// A type of provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderType {
    pub name: &'static str,
    pub api_format: &'static str,
    /// Where it is unless something else is said.
    pub base_url: Option<&'static str>,
    /// What else its `base_url` comes from, or is.
    pub note: Option<&'static str>,
    pub fields: Vec<ProviderField>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ProviderField {
    pub name: String,
    /// `string`, `integer`, `boolean`, `array`, `object`, `duration`.
    pub kind: &'static str,
    pub secret: bool,
    /// Without it, or what stands in for it, the provider cannot be called.
    pub required: bool,
    pub description: String,
    /// What it can be, where that is a few words.
    pub values: Vec<String>,
}

/// Every type that an organisation may have, in the order of the table.
pub fn provider_types() -> Vec<ProviderType> {
    let schema = schemars::schema_for!(written::Provider).to_value();
    PRESETS.iter().chain([&COMPATIBLE]).map(|preset| of(preset, &schema)).collect()
}

/// Fields that mean nothing, or are refused, in an organisation's configuration.
const FILE_ONLY: &[&str] = &["type", "shared", "profile", "credentials_file", "ca_file", "local"];

fn of(preset: &Preset, schema: &Json) -> ProviderType {
    let special = |name: &str| PRESETS.iter().any(|preset| preset.fields.contains(&name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties
        .filter(|(name, field)| {
            let own = preset.fields.contains(&name.as_str()) || !special(name);
            own && field.get("x-prefer").is_none() && !FILE_ONLY.contains(&name.as_str())
        })
        .map(|(name, field)| self::field(name, field, preset, schema))
        .collect();
    ProviderType {
        name: preset.name,
        api_format: preset.api_format,
        base_url: preset.base_url,
        note: Some(preset.note).filter(|note| !note.is_empty()),
        fields,
    }
}

fn field(name: &str, field: &Json, preset: &Preset, schema: &Json) -> ProviderField {
    let forms = forms(schema, field);
    let has = |kind: &str| forms.iter().any(|form| is(form, kind));
    let kind = match () {
        () if forms.iter().any(|form| form["format"] == "prism-duration") => "duration",
        () if has("array") => "array",
        () if has("object") => "object",
        () if has("boolean") => "boolean",
        () if has("integer") && !has("string") => "integer",
        () => "string",
    };
    let secret = forms.iter().any(|form| form["writeOnly"] == true)
        || forms.iter().any(|form| {
            let below = form.get("additionalProperties").or_else(|| form.get("items"));
            below.is_some_and(|below| self::forms(schema, below).iter().any(|form| form["writeOnly"] == true))
        });
    let words = forms.iter().flat_map(|form| form["enum"].as_array().into_iter().flatten().chain(form.get("const")));
    ProviderField {
        name: name.to_owned(),
        kind,
        secret,
        required: is_required(name, preset),
        description: field["description"].as_str().unwrap_or_default().to_owned(),
        values: words.filter_map(Json::as_str).map(str::to_owned).collect(),
    }
}

fn is_required(name: &str, preset: &Preset) -> bool {
    match (name, preset.cloud) {
        ("base_url", Cloud::None | Cloud::Azure) => preset.base_url.is_none(),
        ("api_key", Cloud::None) => preset.needs_key,
        // or what fetches tokens
        ("api_key", Cloud::Azure) => true,
        ("region" | "access_key_id" | "secret_access_key", Cloud::Aws) => true,
        ("project" | "service_account", Cloud::Google) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_knows_what_each_type_needs_and_what_is_secret() {
        let types = provider_types();
        let of = |name: &str| types.iter().find(|one| one.name == name).unwrap();
        let required = |name: &str| {
            let fields = of(name).fields.iter().filter(|field| field.required);
            fields.map(|field| field.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(required("openai"), ["api_key"]);
        assert_eq!(required("openai-compatible"), ["base_url"]);
        assert_eq!(required("bedrock"), ["region", "access_key_id", "secret_access_key"]);
        assert_eq!(required("azure"), ["base_url", "api_key"]);
        assert_eq!(required("ollama"), [""; 0]);
        let secret = |name: &str| {
            let fields = of(name).fields.iter().filter(|field| field.secret);
            fields.map(|field| field.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(secret("openai"), ["api_key", "api_keys", "headers", "proxy"]);
        assert!(secret("azure").contains(&"client_secret") && !secret("openai").contains(&"client_secret"));
        let auth = of("openai").fields.iter().find(|field| field.name == "auth").unwrap();
        assert_eq!(auth.values, ["bearer", "api-key", "none"]);
        assert!(of("openai").fields.iter().all(|field| !field.description.is_empty()));
    }
}
