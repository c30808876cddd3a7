//! What only some providers are told: regions, projects, versions, and the headers that older files use for them.

use super::{
    Preset, Settings, address,
    file_provider::EmbeddingInput,
    preset::{Cloud, PRESETS},
    provider::Draft,
};

/// Names in a provider's own `headers` that stand for its fields.
pub(super) fn own_headers(preset: &Preset) -> &'static [&'static str] {
    match preset.cloud {
        Cloud::None => &[],
        Cloud::Aws => &["x-aws-region"],
        Cloud::Google => &["x-gcp-project", "x-gcp-location"],
        Cloud::Azure => &["api-version", "auth-type"],
    }
}

impl<'a> Draft<'a, '_> {
    /// The settings, every field checked to be one that this provider has.
    pub(super) fn settings(&mut self, preset: &Preset) -> Settings {
        self.belongs(preset);
        let mut settings = Settings {
            api_version: self.api_version(preset),
            embedding_input_type: self.written.embedding_input_type.map(|kind| input_type(kind).to_owned()),
            ..Settings::default()
        };
        match preset.cloud {
            Cloud::Aws => settings.region = self.region(),
            Cloud::Google => {
                settings.project = self.project();
                settings.location = Some(self.location());
            }
            Cloud::None | Cloud::Azure => {}
        }
        settings
    }

    fn belongs(&mut self, preset: &Preset) {
        let written = self.written;
        let given = [
            ("api_version", written.api_version.is_some()),
            ("tenant_id", written.tenant_id.is_some()),
            ("client_id", written.client_id.is_some()),
            ("client_secret", written.client_secret.is_some()),
            ("region", written.region.is_some()),
            ("aws_region", written.aws_region.is_some()),
            ("access_key_id", written.access_key_id.is_some()),
            ("aws_access_key_id", written.aws_access_key_id.is_some()),
            ("secret_access_key", written.secret_access_key.is_some()),
            ("aws_secret_access_key", written.aws_secret_access_key.is_some()),
            ("session_token", written.session_token.is_some()),
            ("aws_session_token", written.aws_session_token.is_some()),
            ("profile", written.profile.is_some()),
            ("project", written.project.is_some()),
            ("location", written.location.is_some()),
            ("credentials_file", written.credentials_file.is_some()),
            ("service_account", written.service_account.is_some()),
            ("access_token", written.access_token.is_some()),
            ("embedding_input_type", written.embedding_input_type.is_some()),
        ];
        for (key, _) in given.iter().filter(|(key, given)| *given && !preset.fields.contains(key)) {
            let owners = PRESETS.iter().filter(|preset| preset.fields.contains(key));
            let owners: Vec<_> = owners.map(|preset| format!("`{}`", preset.name)).collect();
            self.mistake(key, format!("means nothing here: only {} has it", owners.join(" and ")));
        }
    }

    fn api_version(&mut self, preset: &Preset) -> Option<String> {
        let header = self.spelled("api-version", "api_version", self.written.api_version.is_some(), preset);
        let key = if header.is_some() { "headers" } else { "api_version" };
        let version = filled(header.or(self.written.api_version.as_deref()));
        match (preset.api_format, version) {
            ("anthropic", None) => Some("2023-06-01".to_owned()),
            ("anthropic", Some(version)) if !matches!(version, "2023-06-01" | "2026-10-21") => {
                self.mistake(key, "unknown version (known: 2023-06-01, 2026-10-21)");
                None
            }
            (_, Some(version)) if preset.cloud == Cloud::Azure && !is_azure_version(version) => {
                self.mistake(key, "expected `v1`, `preview`, or a date such as `2024-10-21` or `2025-04-01-preview`");
                None
            }
            ("gemini", Some(version)) if !is_google_version(version) => {
                self.mistake(key, "expected a version such as `v1` or `v1beta`");
                None
            }
            (_, version) => version.map(str::to_owned),
        }
    }

    fn region(&mut self) -> Option<String> {
        let field = self.written.region.as_deref().or(self.written.aws_region.as_deref());
        let header = self.header("x-aws-region");
        self.once("x-aws-region", header, "region", field);
        let environment = || self.env("AWS_REGION").or_else(|| self.env("AWS_DEFAULT_REGION"));
        let in_url = || self.written.base_url.as_deref().and_then(address::region_of);
        let found = filled(field).or(filled(header)).map(str::to_owned).or_else(in_url).or_else(environment);
        match &found {
            None => self.mistake(
                "region",
                "needed and missing: an AWS region such as `us-east-1` (or the environment variable `AWS_REGION`)",
            ),
            Some(region) if !is_place(region) => self.mistake("region", "expected a region such as `us-east-1`"),
            Some(_) => {}
        }
        found.filter(|region| is_place(region))
    }

    fn project(&mut self) -> Option<String> {
        let (field, header) = (self.written.project.as_deref(), self.header("x-gcp-project"));
        self.once("x-gcp-project", header, "project", field);
        let environment = || self.env("GOOGLE_CLOUD_PROJECT").or_else(|| self.env("GCLOUD_PROJECT"));
        let found = filled(field).or(filled(header)).map(str::to_owned);
        let found = found.or_else(|| self.project_of_file()).or_else(environment);
        let usable = |project: &str| project.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
        match &found {
            None => self.mistake(
                "project",
                "needed and missing: a Google Cloud project (or the environment variable `GOOGLE_CLOUD_PROJECT`)",
            ),
            Some(project) if !usable(project) => self.mistake("project", "expected the id of a Google Cloud project"),
            Some(_) => {}
        }
        found.filter(|project| usable(project))
    }

    /// A service account's key names its project.
    fn project_of_file(&self) -> Option<String> {
        let file: serde_json::Value = if let Some(key) = &self.written.service_account {
            serde_json::from_str(key.expose()).ok()?
        } else {
            let named = self.written.credentials_file.as_ref().map(|path| self.context.folder.join(path));
            let path = named.or_else(|| self.env("GOOGLE_APPLICATION_CREDENTIALS").map(Into::into))?;
            serde_json::from_slice(&std::fs::read(path).ok()?).ok()?
        };
        file.get("project_id")?.as_str().map(str::to_owned)
    }

    /// By default `global`, as Google's own SDK has it: the newest models are only there.
    fn location(&mut self) -> String {
        let (field, header) = (self.written.location.as_deref(), self.header("x-gcp-location"));
        self.once("x-gcp-location", header, "location", field);
        let found = filled(field).or(filled(header)).map(str::to_owned).or_else(|| self.env("GOOGLE_CLOUD_LOCATION"));
        let location = found.unwrap_or_else(|| "global".to_owned());
        if is_place(&location) {
            return location;
        }
        self.mistake("location", "expected a location such as `global`, `eu` or `us-central1`");
        "global".to_owned()
    }

    /// The value of one of the provider's own headers, if that is a spelling of a field here.
    pub(super) fn spelled(&mut self, header: &str, key: &str, given: bool, preset: &Preset) -> Option<&'a str> {
        if !own_headers(preset).contains(&header) {
            return None;
        }
        let found = self.header(header).is_some_and(|value| !value.is_empty());
        if found && given {
            let message = format!("given twice: this is another spelling of `{key}`");
            self.context.mistake(&self.at.key("headers").key(header), message);
        }
        self.header(header)
    }

    /// A value in the provider's own `headers`.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let written: &'a _ = self.written;
        let mut headers = written.headers.iter().flatten();
        headers.find(|(written, _)| written.eq_ignore_ascii_case(name)).map(|(_, value)| value.expose())
    }

    fn once(&mut self, name: &str, header: Option<&str>, key: &str, field: Option<&str>) {
        if filled(header).is_some() && filled(field).is_some() {
            let message = format!("given twice: this is another spelling of `{key}`");
            self.context.mistake(&self.at.key("headers").key(name), message);
        }
    }

    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.context.around.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A region or a location: it becomes part of a host.
pub(super) fn is_place(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') && text.len() < 40
}

fn is_azure_version(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    matches!(version, "v1" | "preview" | "latest") || (date.len() == 10 && date.parse::<chrono::NaiveDate>().is_ok())
}

fn is_google_version(version: &str) -> bool {
    version.starts_with("v1") && version.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn input_type(kind: EmbeddingInput) -> &'static str {
    match kind {
        EmbeddingInput::SearchDocument => "search_document",
        EmbeddingInput::SearchQuery => "search_query",
        EmbeddingInput::Classification => "classification",
        EmbeddingInput::Clustering => "clustering",
    }
}
