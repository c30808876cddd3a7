//! Who may use the gateway.

use std::{collections::HashMap, net::IpAddr};

use super::{
    Auth, ClientKey, Rates, Role, ToolRules,
    budgets::{budget, written::Terms},
    file,
    resolve::Context,
    tree::Trail,
};

/// Whether a gateway may listen on that address with these keys. Where there is a control plane there is at least the
/// owner's key.
///
/// # Errors
/// When it would be open to everybody without having been told so.
pub fn exposure(host: IpAddr, auth: &Auth, control_plane: bool) -> Result<(), String> {
    if host.to_canonical().is_loopback() || !auth.enabled || !auth.keys.is_empty() || control_plane {
        return Ok(());
    }
    Err(format!(
        "listening on `{host}` without keys would open the gateway to everybody: \
         add `auth.keys`, or write `auth.enabled: false` if that is meant"
    ))
}

/// What is wrong with names of keys. Those of organisations are named ORGANISATION/KEY: what is kept for one of them must be
/// for no key of the file.
pub fn names(auth: &Auth, control_plane: bool) -> impl Iterator<Item = String> {
    auth.keys.iter().filter(move |key| control_plane && key.name.contains('/')).map(|key| {
        let name = &key.name;
        format!(
            "the key `{name}` needs a name without `/`: that is how the keys of organisations are named, ORGANISATION/KEY"
        )
    })
}

/// `common`: what budgets of keys have that they do not say themselves.
pub(super) fn auth(auth: file::Auth, common: &Terms, context: &mut Context<'_>) -> Auth {
    let keys = auth.keys.unwrap_or_default();
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut values: HashMap<&str, usize> = HashMap::new();
    let at = Trail::of(["auth", "keys"]);
    for (index, key) in keys.iter().enumerate() {
        let here = at.index(index);
        if key.name.trim().is_empty() {
            context.mistake(&here.key("name"), "needs a name");
        } else if let Some(first) = names.insert(&key.name, index) {
            context.mistake(&here.key("name"), format!("the same name as `{}`", at.index(first)));
        }
        let value = key.key.expose();
        if value.is_empty() {
            context.mistake(&here.key("key"), "needed and missing");
        } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            context.mistake(
                &here.key("key"),
                "holds a character that cannot be sent in a header (a space or line break?)",
            );
        } else if let Some(first) = values.insert(value, index) {
            context.mistake(&here.key("key"), format!("the same key as `{}`", at.index(first)));
        }
        for (position, name) in key.providers.iter().flatten().enumerate() {
            context.check_provider(&here.key("providers").index(position), name);
        }
        let patterns =
            [("models", &key.models), ("allowed_tools", &key.allowed_tools), ("denied_tools", &key.denied_tools)];
        for (list, patterns) in patterns {
            if let Some(position) = patterns.iter().flatten().position(|pattern| pattern.trim().is_empty()) {
                context.mistake(&here.key(list).index(position), "an empty pattern");
            }
        }
        if let Some(name) = key.metadata.iter().flatten().map(|(name, _)| name).find(|name| name.trim().is_empty()) {
            context.mistake(&here.key("metadata").key(name), "needs a name");
        }
    }
    if auth.enabled == Some(true) && keys.is_empty() {
        context.mistake(&at, "`auth.enabled: true` with no keys would let nobody in: add some, or leave `enabled` out");
    }
    Auth { enabled: auth.enabled.unwrap_or(true), keys: keys.into_iter().map(|key| client_key(key, common)).collect() }
}

pub(super) fn client_key(key: file::ClientKey, common: &Terms) -> ClientKey {
    ClientKey {
        name: key.name,
        key: key.key,
        role: match key.role {
            Some(file::Role::Viewer) => Role::Viewer,
            None | Some(file::Role::Member) => Role::Member,
            Some(file::Role::Admin) => Role::Admin,
            Some(file::Role::Owner) => Role::Owner,
        },
        models: key.models.unwrap_or_default(),
        providers: key.providers.unwrap_or_default(),
        allowed_ips: key.allowed_ips.unwrap_or_default().iter().map(|network| network.0).collect(),
        rates: Rates::written(key.rate_limit_rpm, key.rate_limit_tpm),
        budget: key.budget.and_then(|own| budget(&own, common)),
        tools: ToolRules {
            allowed: key.allowed_tools.unwrap_or_default(),
            denied: key.denied_tools.unwrap_or_default(),
        },
        metadata: key.metadata.into_iter().flatten().map(|(name, value)| (name, value.into())).collect(),
        max_concurrent: key.max_concurrent.filter(|&most| most > 0),
        expires_at: key.expires_at.map(|moment| moment.0),
    }
}
