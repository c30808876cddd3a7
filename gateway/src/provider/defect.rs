//! A panic in what is done for one provider is that provider's failure: the call fails as if the provider had, another one is
//! asked, and the provider's actor is started anew.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

use super::{ProviderCore, ProviderMessage};
use crate::refusal::{Cause, Refusal};

/// Does something for a provider.
///
/// # Errors
/// When it panics; otherwise its own.
pub(super) fn contained<T>(core: &ProviderCore, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(found(core)))
}

/// The same for what takes its time. What the future was working on is dropped with it.
///
/// # Errors
/// When it panics; otherwise its own.
pub(super) fn contained_in<T>(
    core: &ProviderCore,
    work: impl Future<Output = Result<T, Refusal>>,
) -> impl Future<Output = Result<T, Refusal>> {
    // no `async fn`, whose future would have room for `work` twice
    AssertUnwindSafe(work).catch_unwind().map(|done| done.unwrap_or_else(|_| Err(found(core))))
}

/// What becomes of a panic that was caught elsewhere. The panic's own words are in the log already, and go no further.
pub(super) fn found(core: &ProviderCore) -> Refusal {
    core.cast(ProviderMessage::Defect);
    Refusal::new(Cause::Upstream, "the gateway has a defect in what it does for this provider").code("provider_defect")
}
