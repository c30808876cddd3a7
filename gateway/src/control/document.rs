//! An organisation's configuration in its three forms: as it is kept (every secret sealed), as it is shown (every secret a
//! marker), and as it is used (every secret itself, for as long as that takes).

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::{
    master_key::MasterKeys,
    reference,
    seal::{self, Belongs, SealError},
};
use crate::{
    config::{Place, each_secret},
    ids,
    refusal::Refusal,
    secret::{Wiped, wipe},
};

/// What is sent in a secret's place: `{"set": true}`, as it was read.
const MARKER: &str = "set";

/// Who writes, and when.
pub struct Writing<'a> {
    pub organisation: &'a str,
    /// References lead to what is the operator's: nobody else may write them.
    pub is_operator: bool,
    /// RFC 3339.
    pub at: &'a str,
}

/// A configuration as it was sent becomes one as it is kept. A marker keeps the secret that it stands for, which `kept`,
/// the configuration before, still has.
///
/// # Errors
/// When a marker stands for nothing, or a reference is not the author's to write.
pub fn keep(sent: &mut Json, kept: Option<&Json>, keys: &MasterKeys, writing: &Writing<'_>) -> Result<(), Refusal> {
    let known = kept.map(known).unwrap_or_default();
    let mut refused = None;
    each_secret(sent, &mut |place, value| match keep_one(place, value, &known, keys, writing) {
        Ok(sealed) => {
            wipe(value);
            *value = sealed;
        }
        Err(refusal) => refused = Some(refused.take().unwrap_or(refusal)),
    });
    match refused {
        Some(refusal) => {
            wipe(sent);
            Err(refusal)
        }
        None => operators_part_stays(sent, kept, writing),
    }
}

fn keep_one(
    place: Place<'_>,
    value: &Json,
    known: &HashMap<String, Json>,
    keys: &MasterKeys,
    writing: &Writing<'_>,
) -> Result<Json, Refusal> {
    let refuse = |what: &str| Refusal::invalid(dotted(place), format!("`{}` {what}", dotted(place)));
    let Some(text) = value.as_str() else {
        if value[MARKER] != true {
            return Err(refuse("is a secret: send a text, or the marker that was read"));
        }
        let id = value["id"].as_str().map_or_else(|| dotted(place), str::to_owned);
        let mut kept = known.get(&id).cloned().ok_or_else(|| refuse("is not set: send the secret itself"))?;
        if kept["place"] != bound(place) {
            return Err(refuse("was set elsewhere, and a secret stays where it is: send it again"));
        }
        kept.as_object_mut().map(|kept| kept.shift_remove("place"));
        return Ok(kept);
    };
    if text.is_empty() {
        return Err(refuse("is empty; leave it out to have none"));
    }
    if reference::is_reference(text) {
        if !writing.is_operator {
            return Err(refuse("refers to what the operator keeps, which only the operator can do"));
        }
        reference::check(text).map_err(|what| refuse(&what))?;
        return Ok(json!({ "reference": text, "updated_at": writing.at }));
    }
    let (provider, field) = parts(place);
    let belongs = Belongs { organisation: writing.organisation, provider, field: &field };
    let sealed = seal::seal(keys, belongs, text.as_bytes());
    Ok(json!({ "sealed": sealed, "id": ids::unique("sec_"), "updated_at": writing.at }))
}

/// The secrets of a configuration as it is kept: by their ids, and by their paths for markers that have lost theirs.
fn known(kept: &Json) -> HashMap<String, Json> {
    let mut found = HashMap::new();
    each_secret(&mut kept.clone(), &mut |place, value| {
        let mut value = value.clone();
        value["place"] = json!(bound(place));
        if let Some(id) = value["id"].as_str() {
            found.insert(id.to_owned(), value.clone());
        }
        found.insert(dotted(place), value);
    });
    found
}

/// What only the operator may write of a provider: a reference to a credential, and leave to be at a private address. A
/// provider that has either is the operator's as a whole, since another `base_url` would carry it elsewhere: others leave it
/// as it is, or remove it. `next` is a configuration as it is to be kept.
///
/// # Errors
/// When somebody else changes such a provider, or brings one.
pub fn operators_part_stays(next: &Json, kept: Option<&Json>, writing: &Writing<'_>) -> Result<(), Refusal> {
    if writing.is_operator {
        return Ok(());
    }
    let before = kept.map_or(&Json::Null, |kept| &kept["providers"]);
    for (name, provider) in next["providers"].as_object().into_iter().flatten() {
        let was = &before[name];
        let is_operators = |provider: &Json| has_reference(provider) || provider["allow_private"] == true;
        if (is_operators(provider) || is_operators(was)) && provider != was {
            let message = format!(
                "`providers.{name}` has a credential or an address that only the operator of the gateway can give it: \
                 leave it as it is, or remove it"
            );
            return Err(Refusal::invalid(format!("providers.{name}"), message).code("operators_provider"));
        }
    }
    Ok(())
}

fn has_reference(value: &Json) -> bool {
    match value {
        Json::Object(object) => object.contains_key("reference") || object.values().any(has_reference),
        Json::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// As it is shown: no secret, only that there is one.
pub fn show(kept: &Json) -> Json {
    let mut shown = kept.clone();
    each_secret(&mut shown, &mut |_, value| {
        let mut marker = json!({ MARKER: true });
        for key in ["id", "reference", "updated_at"] {
            if let Some(known) = value.get(key) {
                marker[key] = known.clone();
            }
        }
        *value = marker;
    });
    shown
}

/// As it is used. Its memory is wiped on drop.
///
/// # Errors
/// When a secret does not open, with its path.
pub fn open(kept: &Json, organisation: &str, keys: &MasterKeys) -> Result<Wiped, (String, SealError)> {
    let mut opened = Wiped(kept.clone());
    let mut failed = None;
    each_secret(&mut opened.0, &mut |place, value| {
        if let Some(reference) = value["reference"].as_str() {
            // what is not there now may be there later: a provider without its key says so when it is called
            *value = reference::read(reference).map_or_else(|_| json!("unavailable"), |secret| json!(secret.expose()));
            return;
        }
        let (provider, field) = parts(place);
        let belongs = Belongs { organisation, provider, field: &field };
        match seal::open(keys, belongs, value["sealed"].as_str().unwrap_or_default()) {
            Ok(secret) => *value = json!(secret.expose()),
            Err(error) => failed = Some((dotted(place), error)),
        }
    });
    match failed {
        Some(failed) => Err(failed),
        None => Ok(opened),
    }
}

/// The same under the present master key; `false` when nothing had to be done.
///
/// # Errors
/// When a secret does not open, with its path.
pub fn rewrap(kept: &mut Json, organisation: &str, keys: &MasterKeys) -> Result<bool, (String, SealError)> {
    let (mut changed, mut failed) = (false, None);
    each_secret(kept, &mut |place, value| {
        let (provider, field) = parts(place);
        let belongs = Belongs { organisation, provider, field: &field };
        let Some(sealed) = value["sealed"].as_str() else { return };
        match seal::rewrap(keys, belongs, sealed) {
            Ok(Some(again)) => {
                value["sealed"] = json!(again);
                changed = true;
            }
            Ok(None) => {}
            Err(error) => failed = Some((dotted(place), error)),
        }
    });
    failed.map_or(Ok(changed), Err)
}

/// The provider and the field that a secret is bound to.
fn parts(place: Place<'_>) -> (&str, String) {
    let provider = place.get(1).map_or("", String::as_str);
    let field = place.iter().skip(2).filter(|step| !step.bytes().all(|byte| byte.is_ascii_digit()));
    (provider, field.map(String::as_str).collect::<Vec<_>>().join("."))
}

fn bound(place: Place<'_>) -> String {
    let (provider, field) = parts(place);
    format!("{provider}.{field}")
}

fn dotted(place: Place<'_>) -> String {
    place.join(".")
}
