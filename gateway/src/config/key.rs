//! A provider's fixed key, and the header that carries it.

use super::{AuthScheme, Preset, file_provider as written, preset::Cloud, provider::Draft, settings::filled};
use crate::secret::Secret;

impl Draft<'_, '_> {
    pub(super) fn key(&mut self, preset: &Preset) -> Option<Secret> {
        let keyless = self.keyless(preset);
        let Some((field, key)) = self.given_key(preset) else {
            let elsewhere = matches!(preset.cloud, Cloud::Google | Cloud::Aws) || self.has_entra(preset);
            if preset.needs_key && !keyless && !elsewhere {
                let name = preset.key_env.first().copied().unwrap_or("KEY");
                let message =
                    format!("needed and missing: write `api_key: \"${{{name}}}\"`, or `auth: none` if it takes no key");
                self.mistake("api_key", message);
            } else if matches!(self.auth_word(preset), Some(written::Auth::Bearer | written::Auth::ApiKey))
                && !keyless
                && preset.cloud != Cloud::Google
                && !self.has_entra(preset)
            {
                self.mistake("api_key", "needed and missing: `auth` says how to send it");
            }
            return None;
        };
        if keyless {
            self.mistake(field, "would never be sent: this provider is configured to take no key");
        }
        let beside = match preset.cloud {
            Cloud::Aws => self.has_aws_keys().then_some("an AWS key or profile"),
            Cloud::Azure => self.has_entra(preset).then_some("an Entra application"),
            Cloud::Google if self.written.service_account.is_some() => Some("`service_account`"),
            Cloud::Google => self.written.credentials_file.as_ref().map(|_| "`credentials_file`"),
            Cloud::None => None,
        };
        if let Some(other) = beside {
            self.mistake(field, format!("given beside {other}: one of them is the credential"));
        }
        // the keys of a list are checked one by one
        if field != "api_keys" && !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            self.mistake(field, "holds a character that cannot be sent in a header (a space or line break?)");
        }
        Some(key)
    }

    /// The key and the field that it stands in.
    fn given_key(&mut self, preset: &Preset) -> Option<(&'static str, Secret)> {
        let some = |key: &Option<Secret>| key.clone().filter(|key| !key.expose().is_empty());
        let (own, token) = (some(&self.written.api_key), some(&self.written.access_token));
        let (field, key) = if own.is_some() { ("api_key", own) } else { ("api_keys", self.first_key()) };
        match (key, token, preset.cloud) {
            (Some(_), Some(_), Cloud::Google) => {
                self.mistake(field, "given twice: `access_token` is the credential");
                None
            }
            (None, Some(token), Cloud::Google) => Some(("access_token", token)),
            (None, _, Cloud::Aws) if !self.has_aws_keys() && !self.keyless(preset) => {
                self.env("AWS_BEARER_TOKEN_BEDROCK").map(|key| ("api_key", Secret::new(key)))
            }
            (key, ..) => key.map(|key| (field, key)),
        }
    }

    pub(super) fn auth(&mut self, preset: &Preset, has_key: bool) -> AuthScheme {
        let local = self.written.local == Some(true);
        let at = self.at.key("headers").key("auth-type");
        if self.auth_header(preset).is_some() && self.auth_word(preset).is_none() {
            self.context.mistake(&at, "unknown word (known: bearer, api-key, none)");
        } else if self.auth_header(preset).is_some() && self.written.auth.is_some() {
            self.context.mistake(&at, "given twice: this is another spelling of `auth`");
        }
        match self.auth_word(preset) {
            Some(written::Auth::Bearer | written::Auth::ApiKey) if local => {
                self.mistake("auth", "contradicts `local: true`, which means `auth: none`");
                AuthScheme::None
            }
            Some(written::Auth::ApiKey) if matches!(preset.cloud, Cloud::Aws | Cloud::Google) => {
                self.mistake("auth", "this provider takes its key as `bearer`");
                AuthScheme::None
            }
            Some(written::Auth::Bearer) if has_key => AuthScheme::Bearer,
            // the header in which this format has its keys
            Some(written::Auth::ApiKey) if has_key => match preset.auth {
                AuthScheme::Bearer | AuthScheme::None => AuthScheme::ApiKey,
                scheme => scheme,
            },
            None if has_key && !local => match preset.auth {
                // Somebody gave a key to a server that usually takes none: it stands behind something that does.
                AuthScheme::None => AuthScheme::Bearer,
                scheme => scheme,
            },
            _ => AuthScheme::None,
        }
    }

    /// `auth`, or the header `auth-type` that stands for it in older files.
    fn auth_word(&self, preset: &Preset) -> Option<written::Auth> {
        match self.auth_header(preset) {
            None => self.written.auth,
            Some("bearer" | "Bearer") => Some(written::Auth::Bearer),
            Some("api-key" | "api_key") => Some(written::Auth::ApiKey),
            Some("none") => Some(written::Auth::None),
            Some(_) => None,
        }
    }

    fn auth_header(&self, preset: &Preset) -> Option<&str> {
        filled(self.header("auth-type")).filter(|_| preset.cloud == Cloud::Azure)
    }

    /// Nothing is sent that proves who asks.
    pub(super) fn keyless(&self, preset: &Preset) -> bool {
        self.written.local == Some(true) || matches!(self.auth_word(preset), Some(written::Auth::None))
    }
}
