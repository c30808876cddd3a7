//! Credentials that are more than a fixed key: what has to be known to compute or fetch them.

use std::path::PathBuf;

use super::{Preset, Settings, preset::Cloud, provider::Draft, settings::filled};
use crate::secret::Secret;

/// How requests to a provider are authorised beyond a fixed header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Every request is signed (SigV4).
    Aws {
        /// The name of the service in the signature's scope.
        service: &'static str,
        region: String,
        source: AwsSource,
    },
    /// An OAuth token of Google Cloud.
    Google(GoogleSource),
    /// A token of an Entra application.
    Entra(Entra),
}

impl Credentials {
    /// The same, for requests to another region.
    pub(super) fn in_region(&self, elsewhere: &str) -> Self {
        let mut all = self.clone();
        if let Self::Aws { region, .. } = &mut all {
            elsewhere.clone_into(region);
        }
        all
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsSource {
    Keys {
        access_key_id: Secret,
        secret_access_key: Secret,
        session_token: Option<Secret>,
    },
    Profile(String),
    /// Environment, profile files, web identity, container, instance metadata.
    Chain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleSource {
    File(PathBuf),
    /// A service account's, as JSON.
    Key(Secret),
    /// Application-default credentials.
    Default,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entra {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// Where tokens are given out, without a trailing slash.
    pub authority: String,
    pub scope: String,
}

/// (end of a resource's host, where tokens are given out, for what).
const SOVEREIGN: &[(&str, &str, &str)] = &[
    (".azure.us", "https://login.microsoftonline.us", "https://cognitiveservices.azure.us/.default"),
    (".azure.cn", "https://login.partner.microsoftonline.cn", "https://cognitiveservices.azure.cn/.default"),
];
const PUBLIC: (&str, &str) = ("https://login.microsoftonline.com", "https://cognitiveservices.azure.com/.default");

impl Draft<'_, '_> {
    /// For a provider without a key.
    pub(super) fn credentials(&mut self, preset: &Preset, settings: &Settings, url: &str) -> Option<Credentials> {
        if self.keyless(preset) {
            return None;
        }
        match preset.cloud {
            Cloud::None => None,
            Cloud::Aws => {
                let source = self.aws_source()?;
                let region = settings.region.clone().unwrap_or_default();
                Some(Credentials::Aws { service: "bedrock", region, source })
            }
            Cloud::Google => self.google_source().map(Credentials::Google),
            Cloud::Azure => self.entra(url).map(Credentials::Entra),
        }
    }

    fn google_source(&mut self) -> Option<GoogleSource> {
        let key = given(&self.written.service_account);
        match (&self.written.credentials_file, key) {
            (Some(_), Some(_)) => {
                self.mistake("service_account", "given beside `credentials_file`: one of them is the credential");
                None
            }
            (Some(path), None) => Some(GoogleSource::File(self.context.folder.join(path))),
            (None, Some(key)) => {
                if let Some(wrong) = wrong_account(&key) {
                    self.mistake("service_account", wrong);
                }
                Some(GoogleSource::Key(key))
            }
            (None, None) => Some(GoogleSource::Default),
        }
    }

    pub(super) fn has_aws_keys(&self) -> bool {
        let written = self.written;
        let [id, secret] = [
            (&written.access_key_id, &written.aws_access_key_id),
            (&written.secret_access_key, &written.aws_secret_access_key),
        ]
        .map(|(one, other)| given(one).or(given(other)).is_some());
        id || secret || filled(written.profile.as_deref()).is_some()
    }

    fn aws_source(&mut self) -> Option<AwsSource> {
        let written = self.written;
        let id = given(&written.access_key_id).or(given(&written.aws_access_key_id));
        let secret = given(&written.secret_access_key).or(given(&written.aws_secret_access_key));
        let session_token = given(&written.session_token).or(given(&written.aws_session_token));
        let profile = filled(written.profile.as_deref());
        if profile.is_some() && id.is_some() {
            self.mistake("profile", "given beside `access_key_id`: one of them is the credential");
        }
        match (id, secret) {
            (Some(access_key_id), Some(secret_access_key)) => {
                if !access_key_id.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    self.mistake("access_key_id", "expected letters and digits only");
                }
                if session_token
                    .as_ref()
                    .is_some_and(|token| !token.expose().bytes().all(|byte| byte.is_ascii_graphic()))
                {
                    self.mistake("session_token", "holds a character that cannot be sent in a header");
                }
                Some(AwsSource::Keys { access_key_id, secret_access_key, session_token })
            }
            (Some(_), None) => {
                self.mistake("secret_access_key", "needed and missing beside `access_key_id`");
                None
            }
            (None, Some(_)) => {
                self.mistake("access_key_id", "needed and missing beside `secret_access_key`");
                None
            }
            (None, None) => {
                if session_token.is_some() {
                    self.mistake("access_key_id", "needed and missing beside `session_token`");
                }
                Some(profile.map_or(AwsSource::Chain, |profile| AwsSource::Profile(profile.to_owned())))
            }
        }
    }

    /// Some of an Entra application's fields are given.
    pub(super) fn has_entra(&self, preset: &Preset) -> bool {
        let written = self.written;
        preset.cloud == Cloud::Azure
            && (filled(written.tenant_id.as_deref()).is_some()
                || filled(written.client_id.as_deref()).is_some()
                || given(&written.client_secret).is_some())
    }

    fn entra(&mut self, url: &str) -> Option<Entra> {
        let written = self.written;
        let (tenant_id, client_id) = (filled(written.tenant_id.as_deref()), filled(written.client_id.as_deref()));
        let client_secret = given(&written.client_secret);
        let parts = [
            ("tenant_id", tenant_id.is_some()),
            ("client_id", client_id.is_some()),
            ("client_secret", client_secret.is_some()),
        ];
        if parts.iter().all(|(_, given)| !given) {
            return None;
        }
        for (key, _) in parts.iter().filter(|(_, given)| !given) {
            self.mistake(
                key,
                "needed and missing: an Entra application has `tenant_id`, `client_id` and `client_secret`",
            );
        }
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if tenant_id.is_some_and(|tenant| !plain(tenant)) {
            self.mistake("tenant_id", "expected the id of a directory, or one of its domains");
        }
        let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        let (authority, scope) = SOVEREIGN
            .iter()
            .find(|(end, ..)| host.ends_with(end))
            .map_or(PUBLIC, |(_, authority, scope)| (*authority, *scope));
        let authority = self.env("AZURE_AUTHORITY_HOST").unwrap_or_else(|| authority.to_owned());
        Some(Entra {
            tenant_id: tenant_id?.to_owned(),
            client_id: client_id?.to_owned(),
            client_secret: client_secret?,
            authority: if authority.contains("://") { authority } else { format!("https://{authority}") }
                .trim_end_matches('/')
                .to_owned(),
            scope: scope.to_owned(),
        })
    }
}

/// Where Google exchanges the statements of service accounts.
const TOKEN_HOST: &str = "https://oauth2.googleapis.com/";

impl GoogleSource {
    /// Whether tokens come from Google and from nowhere else.
    pub(super) fn asks_google(&self) -> bool {
        let Self::Key(key) = self else { return true };
        let key: Account = serde_json::from_str(key.expose()).unwrap_or_default();
        key.token_uri.is_none_or(|uri| uri.starts_with(TOKEN_HOST))
    }
}

#[derive(Default, serde::Deserialize)]
struct Account {
    #[serde(default, rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<Secret>,
    token_uri: Option<String>,
}

/// What is wrong with a service account's key; nothing of it is quoted.
fn wrong_account(key: &Secret) -> Option<&'static str> {
    let Ok(account) = serde_json::from_str::<Account>(key.expose()) else {
        return Some("expected the key of a service account: the text of the JSON that Google Cloud gave out");
    };
    if account.kind != "service_account" {
        return Some("this is no key of a service account: its `type` says something else");
    }
    let is_whole = account.client_email.is_some() && account.private_key.is_some();
    (!is_whole).then_some("lacks `client_email` or `private_key`: it is not the whole key")
}

fn given(secret: &Option<Secret>) -> Option<Secret> {
    secret.clone().filter(|secret| !secret.expose().is_empty())
}
