//! Which models a provider has, and how its list is learned.

use std::time::Duration;

use super::{
    Model, Preset, SIMULATOR_MODELS, address, check::suggestion, file_provider as written, preset::COMPATIBLE,
    provider::Draft,
};

impl Draft<'_, '_> {
    pub(super) fn models(&mut self, simulated: bool) -> Vec<Model> {
        let listed = self.written.models.as_deref().unwrap_or_default();
        if simulated && listed.is_empty() {
            let own = |name: &&str| Model { id: (*name).to_owned(), upstream: (*name).to_owned(), base_model: None };
            return SIMULATOR_MODELS.iter().map(own).collect();
        }
        let mut models: Vec<Model> = Vec::new();
        for (index, model) in listed.iter().enumerate() {
            let at = self.at.key("models").index(index);
            let (id, upstream, base_model) = match model {
                written::Model::Name(name) => (name, name, None),
                written::Model::Pair(pair) => {
                    (&pair.id, pair.upstream.as_ref().unwrap_or(&pair.id), pair.base_model.clone())
                }
            };
            let unusable = |name: &str| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control());
            if unusable(id) || unusable(upstream) {
                self.context.mistake(&at, "a model's name is not empty and has no spaces");
            } else if let Some(first) = models.iter().position(|model| model.id == *id) {
                let first = self.at.key("models").index(first);
                self.context.mistake(&at, format!("the same model as `{first}`"));
            } else if simulated && !SIMULATOR_MODELS.contains(&upstream.as_str()) {
                let message =
                    format!("the simulator has no such model{}", suggestion(upstream, SIMULATOR_MODELS.to_vec()));
                self.context.mistake(&at, message);
            }
            models.push(Model { id: id.clone(), upstream: upstream.clone(), base_model });
        }
        models
    }

    pub(super) fn discover(&mut self, preset: &Preset, base_url: &str) -> Option<Duration> {
        let local = self.written.local == Some(true) || (preset.name == COMPATIBLE.name && address::is_local(base_url));
        let period = if local { Some(Duration::from_secs(30)) } else { preset.discover };
        match self.written.discover.or(self.written.auto_discover) {
            None if self.written.models.as_ref().is_some_and(|models| !models.is_empty()) => None,
            None => period,
            Some(written::Discover::Switch(false)) => None,
            Some(_) if preset.name == "simulator" => {
                self.mistake("discover", "the simulator's models are known");
                None
            }
            Some(written::Discover::Switch(true)) => period.or(COMPATIBLE.discover),
            Some(written::Discover::Every(span)) => {
                if span.0 < Duration::from_secs(1) {
                    self.mistake("discover", "expected at least `1s`, or false for never");
                }
                Some(span.0)
            }
        }
    }
}
