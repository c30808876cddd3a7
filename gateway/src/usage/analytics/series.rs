//! What is told apart within an hour.

use std::borrow::Cow;

use crate::api::UsageStatus;

/// Stands for the users, metadata and models that are too many to be told apart.
pub const OTHER: &str = "other";

/// One combination of everything that usage can be grouped by; what a request does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Series<'a> {
    pub org: Cow<'a, str>,
    pub key: Cow<'a, str>,
    pub user: Cow<'a, str>,
    /// As the provider knows it; as the client named it where no provider was asked.
    pub model: Cow<'a, str>,
    pub provider: Cow<'a, str>,
    pub endpoint: Cow<'a, str>,
    pub status: UsageStatus,
    /// A JSON object with sorted names, or [`OTHER`].
    pub metadata: Cow<'a, str>,
}

impl Series<'_> {
    pub fn into_owned(self) -> Series<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let Self { org, key, user, model, provider, endpoint, status, metadata } = self;
        Series {
            org: own(org),
            key: own(key),
            user: own(user),
            model: own(model),
            provider: own(provider),
            endpoint: own(endpoint),
            status,
            metadata: own(metadata),
        }
    }

    /// The series that stands for this one where there are too many; what clients can invent goes, first what differs most.
    pub fn folded(&self, models_too: bool) -> Self {
        let other = |text: &Cow<'_, str>| Cow::Borrowed(if text.is_empty() { "" } else { OTHER });
        let mut folded = Self { user: other(&self.user), metadata: other(&self.metadata), ..self.clone() };
        if models_too {
            folded.model = other(&self.model);
        }
        folded
    }
}
