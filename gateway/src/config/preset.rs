//! The table of known providers. Adding an OpenAI-compatible one is one entry here.

use std::time::Duration;

use super::{AuthScheme, Quirks, deviations};

/// Formats that are built; the same names as in `wire::FORMATS`, which a test there compares.
pub const BUILT_FORMATS: &[&str] = &["openai", "anthropic", "cohere", "azure", "gemini", "bedrock", "replicate"];

/// Models of the built-in simulator.
pub const SIMULATOR_MODELS: &[&str] = &["echo", "lorem", "tool", "json", "embedding", "rerank"];

/// What is known of a provider before anything is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    pub name: &'static str,
    pub api_format: &'static str,
    /// Without a trailing slash, version segment included if the format's paths have none; `None` when it has to be
    /// configured or is made from other fields.
    pub base_url: Option<&'static str>,
    /// How the key is sent.
    pub auth: AuthScheme,
    /// Whose credentials and addresses it has.
    pub cloud: Cloud,
    /// Fields that only some providers have, and this one does.
    pub fields: &'static [&'static str],
    /// Environment variables that hold its key, the preferred one first.
    pub key_env: &'static [&'static str],
    /// Environment variable that holds its base URL, where there is no default.
    pub base_url_env: Option<&'static str>,
    /// Tried on its port when there is no configuration.
    pub local: bool,
    /// Path of the model list under the base URL.
    pub models_path: &'static str,
    /// How often its model list is read; `None` where there is none.
    pub discover: Option<Duration>,
    pub needs_key: bool,
    /// What to say when something that it needs is missing.
    pub note: &'static str,
    pub quirks: &'static Quirks,
}

/// Whose credentials a provider takes besides a fixed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    None,
    /// Signed requests; the base URL comes from the region.
    Aws,
    /// OAuth tokens; the base URL comes from the location.
    Google,
    /// Entra tokens.
    Azure,
}

const HOURLY: Option<Duration> = Some(Duration::from_secs(3600));
const OFTEN: Option<Duration> = Some(Duration::from_secs(30));

/// Any provider that is not in the table.
pub(super) const COMPATIBLE: Preset = Preset {
    name: "openai-compatible",
    api_format: "openai",
    base_url: None,
    auth: AuthScheme::Bearer,
    cloud: Cloud::None,
    fields: &[],
    key_env: &[],
    base_url_env: None,
    local: false,
    models_path: "/models",
    discover: HOURLY,
    needs_key: false,
    note: "the root of its OpenAI-compatible API, such as `https://llm.example.com/v1`",
    quirks: &deviations::RERANKING,
};

const fn cloud(name: &'static str, base_url: &'static str, key_env: &'static [&'static str]) -> Preset {
    Preset { name, base_url: Some(base_url), key_env, needs_key: true, note: "", quirks: &Quirks::NONE, ..COMPATIBLE }
}

const fn local(name: &'static str, base_url: &'static str) -> Preset {
    Preset {
        name,
        base_url: Some(base_url),
        local: true,
        discover: OFTEN,
        note: "",
        quirks: &Quirks::NONE,
        ..COMPATIBLE
    }
}

/// Every known provider; the order is that of a gateway without a configuration.
pub const PRESETS: &[Preset] = &[
    Preset { quirks: &deviations::OPENAI, ..cloud("openai", "https://api.openai.com/v1", &["OPENAI_API_KEY"]) },
    Preset {
        api_format: "anthropic",
        auth: AuthScheme::XApiKey,
        fields: &["api_version"],
        models_path: "/v1/models",
        ..cloud("anthropic", "https://api.anthropic.com", &["ANTHROPIC_API_KEY"])
    },
    Preset {
        api_format: "gemini",
        auth: AuthScheme::XGoogApiKey,
        fields: &["api_version"],
        models_path: "/v1beta/models",
        ..cloud("gemini", "https://generativelanguage.googleapis.com", &["GEMINI_API_KEY", "GOOGLE_API_KEY"])
    },
    Preset {
        name: "vertexai",
        api_format: "gemini",
        cloud: Cloud::Google,
        fields: &["api_version", "project", "location", "credentials_file", "service_account", "access_token"],
        key_env: &["GOOGLE_APPLICATION_CREDENTIALS"],
        discover: None,
        note: "made from its `location`",
        quirks: &Quirks::NONE,
        ..COMPATIBLE
    },
    Preset {
        name: "bedrock",
        api_format: "bedrock",
        cloud: Cloud::Aws,
        fields: &[
            "region",
            "aws_region",
            "access_key_id",
            "aws_access_key_id",
            "secret_access_key",
            "aws_secret_access_key",
            "session_token",
            "aws_session_token",
            "profile",
            "failover_regions",
            "embedding_input_type",
        ],
        key_env: &["AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK"],
        discover: None,
        note: "made from its `region`",
        ..COMPATIBLE
    },
    Preset {
        name: "azure",
        api_format: "azure",
        auth: AuthScheme::ApiKey,
        cloud: Cloud::Azure,
        fields: &["api_version", "tenant_id", "client_id", "client_secret"],
        models_path: "/openai/v1/models",
        key_env: &["AZURE_OPENAI_API_KEY"],
        base_url_env: Some("AZURE_OPENAI_ENDPOINT"),
        discover: None,
        needs_key: true,
        note: "the endpoint of your Azure OpenAI resource, such as `https://NAME.openai.azure.com`",
        quirks: &deviations::AZURE,
        ..COMPATIBLE
    },
    Preset {
        api_format: "cohere",
        fields: &["embedding_input_type"],
        models_path: "/v1/models",
        quirks: &deviations::RERANKING,
        ..cloud("cohere", "https://api.cohere.com", &["COHERE_API_KEY", "CO_API_KEY"])
    },
    Preset { quirks: &deviations::GROQ, ..cloud("groq", "https://api.groq.com/openai/v1", &["GROQ_API_KEY"]) },
    Preset { quirks: &deviations::MISTRAL, ..cloud("mistral", "https://api.mistral.ai/v1", &["MISTRAL_API_KEY"]) },
    // The old host was api.together.xyz.
    Preset { quirks: &deviations::TOGETHER, ..cloud("together", "https://api.together.ai/v1", &["TOGETHER_API_KEY"]) },
    Preset {
        quirks: &deviations::FIREWORKS,
        ..cloud("fireworks", "https://api.fireworks.ai/inference/v1", &["FIREWORKS_API_KEY"])
    },
    Preset {
        quirks: &deviations::DEEPINFRA,
        ..cloud("deepinfra", "https://api.deepinfra.com/v1/openai", &["DEEPINFRA_API_KEY"])
    },
    // No version segment and no model list; see WIRE §0 on the end of Sonar's chat completions.
    Preset { discover: None, ..cloud("perplexity", "https://api.perplexity.ai", &["PERPLEXITY_API_KEY"]) },
    cloud("cerebras", "https://api.cerebras.ai/v1", &["CEREBRAS_API_KEY"]),
    Preset { quirks: &deviations::XAI, ..cloud("xai", "https://api.x.ai/v1", &["XAI_API_KEY"]) },
    Preset {
        quirks: &deviations::OPENROUTER,
        ..cloud("openrouter", "https://openrouter.ai/api/v1", &["OPENROUTER_API_KEY"])
    },
    cloud("huggingface", "https://router.huggingface.co/v1", &["HF_TOKEN"]),
    Preset {
        name: "anyscale",
        key_env: &["ANYSCALE_API_KEY"],
        base_url_env: Some("ANYSCALE_BASE_URL"),
        needs_key: true,
        note: "the URL of your own Anyscale service: the shared endpoint (api.endpoints.anyscale.com) closed on 2024-08-01",
        quirks: &Quirks::NONE,
        ..COMPATIBLE
    },
    // Its list holds every public model of every kind: tens of thousands, few of which speak.
    Preset {
        api_format: "replicate",
        models_path: "/v1/models",
        discover: None,
        ..cloud("replicate", "https://api.replicate.com", &["REPLICATE_API_TOKEN"])
    },
    Preset { auth: AuthScheme::None, ..local("ollama", "http://localhost:11434/v1") },
    Preset { quirks: &deviations::RERANKING, ..local("vllm", "http://localhost:8000/v1") },
    Preset { auth: AuthScheme::None, ..local("lmstudio", "http://localhost:1234/v1") },
    Preset {
        name: "tgi",
        discover: OFTEN,
        note: "its address, such as `http://localhost:8080/v1`",
        quirks: &Quirks::NONE,
        ..COMPATIBLE
    },
    Preset { name: "localai", discover: OFTEN, note: "its address, such as `http://localhost:8080/v1`", ..COMPATIBLE },
    Preset {
        name: "simulator",
        base_url: Some("http://simulator"),
        auth: AuthScheme::None,
        discover: None,
        note: "",
        ..COMPATIBLE
    },
];

/// The preset of that name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset whose ways a provider has that speaks this format under another name.
pub(super) fn home(api_format: &str, cloud: bool) -> &'static Preset {
    let speaks = |preset: &&Preset| preset.api_format == api_format;
    let own = PRESETS.iter().filter(speaks).find(|preset| cloud == (preset.cloud != Cloud::None));
    match api_format {
        "openai" => &COMPATIBLE,
        _ => own.or_else(|| PRESETS.iter().find(speaks)).unwrap_or(&COMPATIBLE),
    }
}

/// Every format that a preset speaks, built or not.
pub(super) fn formats() -> Vec<&'static str> {
    let mut formats = Vec::new();
    for preset in PRESETS {
        if !formats.contains(&preset.api_format) {
            formats.push(preset.api_format);
        }
    }
    formats
}

/// (beginning of a model's name, the preset that its family comes from), for names that no list holds.
pub const FAMILIES: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("codex", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("o5", "openai"),
    ("text-embedding-3", "openai"),
    ("text-embedding-ada", "openai"),
    ("davinci", "openai"),
    ("babbage", "openai"),
    ("text-moderation-", "openai"),
    ("omni-moderation-", "openai"),
    ("computer-use-", "openai"),
    ("dall-e-", "openai"),
    ("whisper-1", "openai"),
    ("tts-1", "openai"),
    ("sora-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "gemini"),
    ("text-embedding-00", "gemini"),
    ("imagen-", "gemini"),
    ("veo-", "gemini"),
    ("mistral-", "mistral"),
    ("ministral-", "mistral"),
    ("open-mistral-", "mistral"),
    ("open-mixtral-", "mistral"),
    ("codestral", "mistral"),
    ("pixtral", "mistral"),
    ("magistral", "mistral"),
    ("devstral", "mistral"),
    ("voxtral", "mistral"),
    ("grok-", "xai"),
    ("command-", "cohere"),
    ("c4ai-", "cohere"),
    ("embed-", "cohere"),
    ("rerank-", "cohere"),
    ("sonar", "perplexity"),
    ("accounts/fireworks/", "fireworks"),
    ("amazon.", "bedrock"),
    ("anthropic.", "bedrock"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two columns of SPEC §1, and its default base URL.
    const SPEC: &[(&str, &str, Option<&str>)] = &[
        ("openai", "openai", Some("https://api.openai.com/v1")),
        ("anthropic", "anthropic", Some("https://api.anthropic.com")),
        ("gemini", "gemini", Some("https://generativelanguage.googleapis.com")),
        ("vertexai", "gemini", None),
        ("bedrock", "bedrock", None),
        ("azure", "azure", None),
        ("cohere", "cohere", Some("https://api.cohere.com")),
        ("groq", "openai", Some("https://api.groq.com/openai/v1")),
        ("mistral", "openai", Some("https://api.mistral.ai/v1")),
        ("together", "openai", Some("https://api.together.ai/v1")),
        ("fireworks", "openai", Some("https://api.fireworks.ai/inference/v1")),
        ("deepinfra", "openai", Some("https://api.deepinfra.com/v1/openai")),
        ("perplexity", "openai", Some("https://api.perplexity.ai")),
        ("cerebras", "openai", Some("https://api.cerebras.ai/v1")),
        ("xai", "openai", Some("https://api.x.ai/v1")),
        ("openrouter", "openai", Some("https://openrouter.ai/api/v1")),
        ("huggingface", "openai", Some("https://router.huggingface.co/v1")),
        ("anyscale", "openai", None),
        ("replicate", "replicate", Some("https://api.replicate.com")),
        ("ollama", "openai", Some("http://localhost:11434/v1")),
        ("vllm", "openai", Some("http://localhost:8000/v1")),
        ("lmstudio", "openai", Some("http://localhost:1234/v1")),
        ("tgi", "openai", None),
        ("localai", "openai", None),
        ("simulator", "openai", Some("http://simulator")),
    ];

    #[test]
    fn every_row_of_the_specification_has_its_preset() {
        let rows: Vec<_> = PRESETS.iter().map(|preset| (preset.name, preset.api_format, preset.base_url)).collect();
        assert_eq!(rows, SPEC);
    }

    #[test]
    fn a_preset_without_a_base_url_says_what_it_would_be() {
        for preset in PRESETS {
            assert!(!preset.needs_key || !preset.key_env.is_empty(), "{}", preset.name);
            assert!(preset.base_url.is_some() || !preset.note.is_empty(), "{}", preset.name);
        }
    }

    #[test]
    fn families_lead_to_presets() {
        for (prefix, name) in FAMILIES {
            assert!(preset(name).is_some(), "{prefix} leads to {name}");
        }
        let family = |model: &str| FAMILIES.iter().find(|(prefix, _)| model.starts_with(prefix)).map(|(_, name)| *name);
        for (model, name) in [
            ("gpt-4o", "openai"),
            ("o3-mini", "openai"),
            ("text-embedding-3-small", "openai"),
            ("claude-sonnet-4-6", "anthropic"),
            ("gemini-2.5-pro", "gemini"),
            ("codestral-latest", "mistral"),
            ("grok-4", "xai"),
            ("command-r-plus", "cohere"),
            ("sonar-pro", "perplexity"),
        ] {
            assert_eq!(family(model), Some(name), "{model}");
        }
        assert_eq!(family("llama-3.3-70b"), None, "served by many");
    }
}
