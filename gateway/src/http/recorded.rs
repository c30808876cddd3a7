//! Before anything is sent upstream, the beginning of the request's usage event is where no crash can lose it.

use super::{Gateway, asked::Asked, call::overloaded};
use crate::{
    admission::{DEFAULT_ORG, input_tokens},
    api::{ClientRequest, Opening, Word},
    refusal::{Cause, Refusal},
    spool::NoTicket,
    telemetry::Exchange,
};

/// A request that is refused for want of room is worth another try so much later.
const LATER: std::time::Duration = std::time::Duration::from_secs(5);

/// From here on the request leaves one event, whatever becomes of it.
///
/// # Errors
/// When there is no room for it.
pub(super) fn admit(
    gateway: &Gateway,
    exchange: &mut Exchange,
    request: &ClientRequest,
    asked: &Asked<'_>,
) -> Result<(), Refusal> {
    let Some(spool) = &gateway.spool else { return Ok(()) };
    exchange.likely_input = input_tokens(&request.body);
    let user = asked.user(request);
    let metadata = asked.metadata.as_ref().and_then(|metadata| serde_json::to_string(metadata).ok());
    let opening = Opening {
        request_id: &exchange.request_id,
        mirror_of: None,
        started_at: exchange.started_at.into(),
        gateway: &gateway.name,
        org: exchange.organisation.as_deref().unwrap_or(DEFAULT_ORG),
        key_id: exchange.key.as_deref(),
        endpoint: Word(exchange.endpoint.name()),
        stream: exchange.stream,
        model: &request.envelope.model,
        user_id: user.as_deref(),
        session_id: asked.session_id,
        session_name: asked.session_name,
        session_path: asked.session_path,
        client_request_id: asked.client_request_id,
        trace_id: exchange.trace_id.as_deref(),
        metadata: metadata.as_deref(),
        properties: &asked.properties,
    };
    let ticket = spool.admit(|out| opening.write(out)).map_err(no_room)?;
    exchange.admitted(ticket);
    Ok(())
}

fn no_room(why: NoTicket) -> Refusal {
    match why {
        NoTicket::Busy => overloaded(),
        NoTicket::Full => {
            let message =
                "usage events cannot be kept at the moment, and without them nothing is served (`usage.when_full`)";
            Refusal::new(Cause::Overloaded, message).code("usage_spool_full").retry_after(Some(LATER))
        }
        NoTicket::TooLong => {
            let message = "the model's name and the headers that go into the usage event (`x-prism-metadata`, \
                           `x-prism-property-*`, ids) are longer than 5 KiB together";
            Refusal::invalid("x-prism-metadata", message).code("metadata_too_long")
        }
    }
}
