//! A whole answer: it must be one, its usage is read, and it goes on as it is.

use bytes::Bytes;

use super::{errors, glance::Glance, mending::Mender};
use crate::{
    refusal::{Cause, Refusal},
    wire::{Answer, Reading},
};

pub(super) fn answer(reading: &Reading, body: Bytes) -> Result<Answer, Refusal> {
    let json = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    let Some(glance) = Glance::at(json) else {
        return Err(Refusal::new(Cause::Upstream, "the provider's answer could not be read"));
    };
    if glance.is_error() {
        return Err(errors::disguised(json));
    }
    let usage = glance.usage();
    let mended = Mender::of(reading).and_then(|mender| mender.mend(&body));
    Ok(Answer { body: mended.unwrap_or(body), usage })
}
