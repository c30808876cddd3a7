//! What a request names by address is fetched before it is translated, where its format needs the bytes.

use super::{Bounds, Lease};
use crate::{api::ClientRequest, refusal::Refusal};

/// Within the attempt's deadline, and only once for all attempts of a request.
///
/// # Errors
/// 400 naming what cannot be fetched: the provider was not asked.
pub(super) async fn gather(lease: &Lease, request: &ClientRequest, bounds: Bounds<'_>) -> Result<(), Refusal> {
    let Some(fetcher) = bounds.media else { return Ok(()) };
    let wanted = lease.core.format.media(request)?;
    if wanted.is_empty() {
        return Ok(());
    }
    Box::pin(fetcher.fetch(wanted, &request.fetched, bounds.deadline)).await
}
