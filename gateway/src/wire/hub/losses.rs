//! What does not reach a provider as the client sent it, each field once.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    api::ChatCompletionRequest,
    wire::{Fate, Loss, errors::is_plain},
};

/// More members that are nobody's than this are not named one by one.
const MAX_FOREIGN: usize = 32;

/// Collected while a request is translated.
#[derive(Debug, Default)]
pub struct Losses(Vec<Loss>);

impl Losses {
    pub fn dropped(&mut self, field: impl Into<Cow<'static, str>>) {
        self.add(field.into(), Fate::Dropped);
    }

    pub fn approximated(&mut self, field: impl Into<Cow<'static, str>>) {
        self.add(field.into(), Fate::Approximated);
    }

    /// Reports a field as dropped when it is there.
    pub fn drop_if(&mut self, field: &'static str, present: bool) {
        if present {
            self.dropped(field);
        }
    }

    /// Reports the fields that OpenAI alone has.
    pub fn drop_openais(&mut self, request: &ChatCompletionRequest) {
        self.drop_if("logit_bias", request.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty()));
        self.drop_if("moderation", request.moderation.is_some());
        self.drop_if("prediction", request.prediction.is_some());
        self.drop_if("prompt_cache_key", request.prompt_cache_key.is_some());
        self.drop_if("prompt_cache_options", request.prompt_cache_options.is_some());
        self.drop_if("prompt_cache_retention", request.prompt_cache_retention.is_some());
        self.drop_if("store", request.store == Some(true));
    }

    /// Reports the members that are neither OpenAI's nor `known`.
    pub fn drop_foreign(&mut self, extra: &Map<String, Value>, known: impl Fn(&str) -> bool) {
        let foreign = extra.iter().filter(|(name, value)| !known(name) && !value.is_null());
        for (at, (name, _)) in foreign.take(MAX_FOREIGN + 1).enumerate() {
            self.dropped(if at < MAX_FOREIGN && is_plain(name) { Cow::Owned(name.clone()) } else { "*".into() });
        }
    }

    pub fn into_vec(self) -> Vec<Loss> {
        self.0
    }

    fn add(&mut self, field: Cow<'static, str>, fate: Fate) {
        if !self.0.iter().any(|loss| loss.field == field) {
            self.0.push(Loss { field, fate });
        }
    }
}
