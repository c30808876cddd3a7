//! `rate_limiting`: how many requests and tokens a minute are let in, and of whom.

use std::num::NonZeroU64;

use indexmap::IndexMap;

use super::{resolve::Context, tree::Trail};

/// So many requests and tokens a minute; `None` for any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    pub requests: Option<NonZeroU64>,
    pub tokens: Option<NonZeroU64>,
}

impl Rates {
    /// As written: 0 is no limit.
    pub(super) fn written(requests: Option<u64>, tokens: Option<u64>) -> Self {
        Self { requests: requests.and_then(NonZeroU64::new), tokens: tokens.and_then(NonZeroU64::new) }
    }

    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// These, and where they say nothing, those.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { requests: self.requests.or(others.requests), tokens: self.tokens.or(others.tokens) }
    }
}

/// What keys may take that say nothing of it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRates {
    /// So much each.
    Each(Rates),
    /// Any number, whatever a key says.
    Unlimited,
}

impl Default for KeyRates {
    fn default() -> Self {
        Self::Each(Rates::default())
    }
}

impl KeyRates {
    /// What a key may take that says this itself.
    pub fn of(self, own: Rates) -> Rates {
        match self {
            Self::Each(usual) => own.or(usual),
            Self::Unlimited => Rates::default(),
        }
    }

    /// Whether a key is limited that says nothing itself.
    pub fn limits_all(self) -> bool {
        !self.of(Rates::default()).is_unlimited()
    }
}

/// The limits of one organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Of all its requests together.
    pub global: Rates,
    /// Of each key.
    pub per_key: KeyRates,
    /// Of each user that a request names.
    pub per_user: Rates,
    /// Pattern with `*` → limits of all models together that it fits.
    pub per_model: IndexMap<String, Rates>,
}

/// What may be written.
pub(super) mod written {
    use indexmap::IndexMap;
    use schemars::JsonSchema;
    use serde::Deserialize;

    /// Limits a minute, with bursts of at most as much; 0, the default of each, is no limit. Tokens are input and output,
    /// cached ones included: what a request may use is reserved when it comes and settled when it ends. Beyond a limit 429
    /// with `Retry-After`.
    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct RateLimiting {
        /// `false` switches all of these off, and those of keys too; by default true.
        pub enabled: Option<bool>,
        /// Requests of all clients together.
        pub global_rpm: Option<u64>,
        /// Tokens of all clients together.
        pub global_tpm: Option<u64>,
        /// Requests of each key that has no `rate_limit_rpm` of its own.
        pub per_key_rpm: Option<u64>,
        /// Tokens of each key that has no `rate_limit_tpm` of its own.
        pub per_key_tpm: Option<u64>,
        /// Requests of each user: the header `x-prism-user-id`, or the request's `user`.
        pub per_user_rpm: Option<u64>,
        /// Tokens of each user.
        pub per_user_tpm: Option<u64>,
        /// Model, with `*` as wildcard → requests to all that it fits together, under whatever name they are asked for.
        pub per_model_rpm: Option<IndexMap<String, u64>>,
        /// Model, with `*` as wildcard → tokens of all that it fits together.
        pub per_model_tpm: Option<IndexMap<String, u64>>,
    }
}

/// `has_keys`: there are keys, or may be some later.
pub(super) fn rates(written: written::RateLimiting, has_keys: bool, context: &mut Context<'_>) -> RateLimits {
    let at = |key: &str| Trail::of(["rate_limiting", key]);
    for (key, value) in [("per_key_rpm", written.per_key_rpm), ("per_key_tpm", written.per_key_tpm)] {
        if value.is_some_and(|value| value > 0) && !has_keys {
            context.mistake(&at(key), "limits nobody: `auth.keys` names no key");
        }
    }
    let mut per_model: IndexMap<String, Rates> = IndexMap::new();
    for (key, limits) in [("per_model_rpm", written.per_model_rpm), ("per_model_tpm", written.per_model_tpm)] {
        for (pattern, limit) in limits.into_iter().flatten() {
            if pattern.trim().is_empty() {
                context.mistake(&at(key), "an empty pattern");
            }
            let rates = per_model.entry(pattern).or_default();
            let own = match key {
                "per_model_rpm" => Rates::written(Some(limit), None),
                _ => Rates::written(None, Some(limit)),
            };
            *rates = rates.or(own);
        }
    }
    if written.enabled == Some(false) {
        return RateLimits { per_key: KeyRates::Unlimited, ..RateLimits::default() };
    }
    per_model.retain(|_, rates| !rates.is_unlimited());
    RateLimits {
        global: Rates::written(written.global_rpm, written.global_tpm),
        per_key: KeyRates::Each(Rates::written(written.per_key_rpm, written.per_key_tpm)),
        per_user: Rates::written(written.per_user_rpm, written.per_user_tpm),
        per_model,
    }
}
