//! `web_search_options`, where a provider searches the web itself: what of them it has no word for.

use crate::{
    api::{SearchContextSize, WebSearchOptions},
    wire::{errors::is_plain, hub::Losses},
};

/// Reports the members that do not arrive: all that say something, but for those in `known`.
pub fn drop_members(options: &WebSearchOptions, known: &[&str], losses: &mut Losses) {
    // `medium` is the default everywhere.
    let sized = options.search_context_size.as_ref().is_some_and(|size| *size != SearchContextSize::Medium);
    let own = [("search_context_size", sized), ("user_location", options.user_location.is_some())];
    let further = options.extra.iter().map(|(name, value)| (name.as_str(), !value.is_null()));
    for (name, _) in own.into_iter().chain(further).filter(|(name, says)| *says && !known.contains(name)) {
        let name = if is_plain(name) { name } else { "*" };
        losses.dropped(format!("web_search_options.{name}"));
    }
}
