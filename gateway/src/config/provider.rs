//! From a provider as written to one that can be called.

use std::time::Duration;

use indexmap::IndexMap;

use super::{
    BreakerRules, PRESETS, Preset, Provider, Settings, Timeouts, address,
    check::{nearest, suggestion},
    file_provider as written,
    preset::{COMPATIBLE, Cloud, formats, home, preset},
    resolve::Context,
    settings::own_headers,
    tree::Trail,
};
use crate::secret::Secret;

/// The enabled ones, in the order of the file.
pub(super) fn providers(
    written: &IndexMap<String, written::Provider>,
    max_in_flight: usize,
    context: &mut Context<'_>,
) -> Vec<Provider> {
    written
        .iter()
        .filter(|(_, provider)| provider.enabled != Some(false))
        .filter_map(|(name, provider)| self::provider(name, provider, max_in_flight, context))
        .collect()
}

/// One provider with its preset applied; `None` when it cannot be.
pub(super) fn provider(
    name: &str,
    written: &written::Provider,
    max_in_flight: usize,
    context: &mut Context<'_>,
) -> Option<Provider> {
    let mut draft = Draft { name, at: Trail::of(["providers", name]), written, context };
    draft.check_name();
    let preset = draft.preset()?;
    let api_format = draft.format(preset)?;
    // In another format than its own a provider is found elsewhere and behaves otherwise.
    let preset = &if api_format == preset.api_format {
        preset.clone()
    } else {
        let on_cloud = written.project.is_some() || written.location.is_some() || preset.cloud != Cloud::None;
        let home = home(api_format, on_cloud);
        let note = if home.cloud == Cloud::None { COMPATIBLE.note } else { home.note };
        let (key_env, needs_key) = (preset.key_env, preset.needs_key);
        Preset { name: preset.name, key_env, needs_key, base_url: None, note, ..home.clone() }
    };
    let simulated = preset.name == "simulator";
    let settings = draft.settings(preset);
    let base_url = draft.base_url(preset, &settings);
    let key = draft.key(preset);
    let keys = draft.keys(key.as_ref());
    let auth = draft.auth(preset, key.is_some());
    let credentials = if key.is_some() { None } else { draft.credentials(preset, &settings, &base_url) };
    let models = draft.models(simulated);
    let failover_regions = draft.failover_regions(preset, &settings);
    Some(Provider {
        name: name.to_owned(),
        kind: preset.name.to_owned(),
        api_format: api_format.to_owned(),
        simulated,
        discover: draft.discover(preset, &base_url),
        base_url,
        headers: draft.headers(auth, credentials.is_some(), own_headers(preset)),
        key,
        auth,
        credentials,
        models,
        models_path: preset.models_path,
        opportunistic: false,
        weight: written.weight.unwrap_or(1),
        priority: written.priority.unwrap_or(0),
        keys,
        failover_regions,
        breaker: BreakerRules::default(),
        max_concurrent: written.max_concurrent.unwrap_or(max_in_flight),
        conn_pool_size: written.conn_pool_size.unwrap_or(256),
        timeouts: draft.timeouts(),
        shared: written.shared.unwrap_or(false),
        guarded: written.allow_private == Some(false),
        organisation: None,
        skip_tls: written.skip_tls.unwrap_or(false),
        ca_file: written.ca_file.as_ref().map(|path| draft.context.folder.join(path)),
        proxy: draft.proxy(),
        quirks: preset.quirks,
        settings,
    })
}

/// A provider on its way, and where its mistakes go.
pub(super) struct Draft<'a, 'b> {
    pub name: &'a str,
    pub at: Trail,
    pub written: &'a written::Provider,
    pub context: &'a mut Context<'b>,
}

impl Draft<'_, '_> {
    pub(super) fn mistake(&mut self, key: &str, message: impl Into<String>) {
        self.context.mistake(&self.at.key(key), message);
    }

    /// The name stands before models (`name/model`), in headers and in metrics.
    fn check_name(&mut self) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(allowed) {
            let message = "a provider's name has up to 64 letters, digits, `-`, `_` and `.`";
            self.context.mistake(&self.at, message);
        }
    }

    fn preset(&mut self) -> Option<&'static Preset> {
        let Some(kind) = self.written.kind.as_deref() else {
            return Some(preset(self.name).unwrap_or(&COMPATIBLE));
        };
        if kind == COMPATIBLE.name {
            return Some(&COMPATIBLE);
        }
        let found = preset(kind);
        if found.is_none() {
            let known = PRESETS.iter().map(|preset| preset.name).chain([COMPATIBLE.name]);
            self.mistake("type", format!("unknown type{}", suggestion(kind, known)));
        }
        found
    }

    fn format(&mut self, preset: &Preset) -> Option<&'static str> {
        let has_url = self.written.base_url.as_deref().is_some_and(|url| !url.trim().is_empty());
        let format = match self.written.api_format.as_deref() {
            Some(written) => formats().into_iter().find(|known| *known == written),
            // Where Replicate was given an address, it was an OpenAI-compatible one: its own needs none.
            None if preset.api_format == "replicate" && has_url => Some("openai"),
            None => Some(preset.api_format),
        };
        match (format, self.written.api_format.as_deref()) {
            (Some(format), _) if self.context.around.formats.contains(&format) => return Some(format),
            (Some(format), _) => {
                self.mistake("api_format", format!("not built yet: the `{format}` format"));
            }
            (None, written) => {
                let message = format!("unknown format{}", suggestion(written.unwrap_or_default(), formats()));
                self.mistake("api_format", message);
            }
        }
        None
    }

    fn base_url(&mut self, preset: &Preset, settings: &Settings) -> String {
        let written = self.written.base_url.as_deref().filter(|url| !url.trim().is_empty());
        match (written, preset.base_url) {
            (Some(_), Some(own)) if preset.name == "simulator" => {
                self.mistake("base_url", "the simulator opens no connection");
                own.to_owned()
            }
            (None, Some(own)) => own.to_owned(),
            (Some(written), _) => match address::base_url(written, preset) {
                Ok(url) => url,
                Err(message) => {
                    self.mistake("base_url", message);
                    String::new()
                }
            },
            (None, None) if preset.cloud == Cloud::Aws => {
                settings.region.as_deref().map(address::of_region).unwrap_or_default()
            }
            (None, None) if preset.cloud == Cloud::Google => {
                settings.location.as_deref().map(address::of_location).unwrap_or_default()
            }
            (None, None) => {
                let meant = match nearest(self.name, PRESETS.iter().map(|preset| preset.name)) {
                    Some(meant) if preset.name == COMPATIBLE.name => format!(" (or did you mean `type: {meant}`?)"),
                    _ => String::new(),
                };
                self.mistake("base_url", format!("needed and missing: {}{meant}", preset.note));
                String::new()
            }
        }
    }

    fn timeouts(&mut self) -> Timeouts {
        let none = written::Timeouts::default();
        let written = self.written.timeouts.as_ref().unwrap_or(&none);
        let at = |key: &str| self.at.key("timeouts").key(key);
        let whole = if written.request.is_none() { self.at.key("default_timeout") } else { at("request") };
        let seconds = Duration::from_secs;
        Timeouts {
            connect: self.context.positive(&at("connect"), written.connect, seconds(5)),
            first_byte: self.context.positive(&at("first_byte"), written.first_byte, seconds(60)),
            idle: self.context.positive(&at("idle"), written.idle, seconds(60)),
            request: self.context.positive(&whole, written.request.or(self.written.default_timeout), seconds(600)),
        }
    }

    fn proxy(&mut self) -> Option<String> {
        let written = self.written.proxy.as_ref().map(Secret::expose).filter(|url| !url.trim().is_empty())?;
        match address::absolute(written) {
            Err(message) => self.mistake("proxy", message),
            Ok(uri) if uri.scheme_str() != Some("http") => {
                self.mistake("proxy", "not built yet: proxies other than `http://host:port`");
            }
            Ok(_) => {}
        }
        Some(written.trim().to_owned())
    }
}
