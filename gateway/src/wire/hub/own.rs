//! Members of a provider's own that clients send beside OpenAI's, and that reach it as they came.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Those that are there, in the provider's order.
#[derive(Debug, Default)]
pub struct Own<'a>(Vec<(&'static str, &'a Value)>);

impl<'a> Own<'a> {
    pub fn of(extra: &'a Map<String, Value>, names: &'static [&'static str]) -> Self {
        Self(names.iter().filter_map(|name| Some((*name, member(extra, name)?))).collect())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| *own == name)
    }
}

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// A member that says something: `null` is as good as absent.
pub fn member<'a>(extra: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    extra.get(name).filter(|value| !value.is_null())
}
