//! What a provider has several of: keys, and regions in which it is found.

use std::collections::HashMap;

use super::{Preset, Settings, address, file_provider as written, preset::Cloud, provider::Draft, settings::is_place};
use crate::secret::Secret;

const UNSENDABLE: &str = "holds a character that cannot be sent in a header (a space or line break?)";

impl written::ApiKey {
    fn parts(&self) -> (&Secret, u32) {
        match self {
            Self::Key(key) => (key, 1),
            Self::Weighted(weighted) => (&weighted.key, weighted.weight.unwrap_or(1)),
        }
    }
}

impl Draft<'_, '_> {
    /// The first of `api_keys`, which stands for the provider's key where there is no other.
    pub(super) fn first_key(&self) -> Option<Secret> {
        let keys = self.written.api_keys.iter().flatten();
        keys.map(|key| key.parts().0).find(|key| !key.expose().is_empty()).cloned()
    }

    /// All keys when there are several, the provider's own first.
    pub(super) fn keys(&mut self, key: Option<&Secret>) -> Vec<(Secret, u32)> {
        let Some(written) = self.written.api_keys.as_deref() else { return Vec::new() };
        let at = self.at.key("api_keys");
        if written.is_empty() {
            self.mistake("api_keys", "names no key");
        }
        let own = self.written.api_key.as_ref().filter(|own| !own.expose().is_empty()).cloned();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (index, key) in written.iter().enumerate() {
            let here = match key {
                written::ApiKey::Key(_) => at.index(index),
                written::ApiKey::Weighted(_) => at.index(index).key("key"),
            };
            let text = key.parts().0.expose();
            if text.is_empty() {
                self.context.mistake(&here, "needed and missing");
            } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                self.context.mistake(&here, UNSENDABLE);
            } else if own.as_ref().is_some_and(|own| own.expose() == text) {
                self.context.mistake(&here, "the same key as `api_key`");
            } else if let Some(first) = seen.insert(text, index) {
                self.context.mistake(&here, format!("the same key as `{}`", at.index(first)));
            }
        }
        let listed = written.iter().map(|key| (key.parts().0.clone(), key.parts().1));
        let keys: Vec<_> = own.map(|own| (own, 1)).into_iter().chain(listed).collect();
        if !keys.is_empty() && keys.iter().all(|(_, weight)| *weight == 0) {
            self.mistake("api_keys", "every weight is 0: no key would be used");
        }
        if key.is_some() && keys.len() > 1 { keys } else { Vec::new() }
    }

    /// (region, base URL) of each, in the order in which they are tried.
    pub(super) fn failover_regions(&mut self, preset: &Preset, settings: &Settings) -> Vec<(String, String)> {
        let at = self.at.key("failover_regions");
        let mut regions: Vec<(String, String)> = Vec::new();
        for (index, region) in self.written.failover_regions.iter().flatten().enumerate() {
            let here = at.index(index);
            let (name, url) = match region {
                written::Region::Name(name) => (name.trim(), None),
                written::Region::At(address) => (address.region.trim(), address.base_url.as_deref()),
            };
            if name.is_empty() || !is_place(name) {
                self.context.mistake(&here, "expected a region such as `us-east-1`");
            } else if settings.region.as_deref() == Some(name) {
                self.context.mistake(&here, "is the provider's own region");
            } else if let Some(first) = regions.iter().position(|(earlier, _)| earlier == name) {
                self.context.mistake(&here, format!("the same region as `{}`", at.index(first)));
            }
            let url = match url.map(|url| address::base_url(url, preset)) {
                None if preset.cloud != Cloud::Aws => {
                    self.context.mistake(&here, "only Bedrock's regions are known: needs `{region, base_url}`");
                    String::new()
                }
                None => address::of_region(name),
                Some(Ok(url)) => url,
                Some(Err(message)) => {
                    self.context.mistake(&here.key("base_url"), message);
                    String::new()
                }
            };
            regions.push((name.to_owned(), url));
        }
        regions
    }
}
