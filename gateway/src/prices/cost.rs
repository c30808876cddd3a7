//! What one answer costs: its tokens split into parts that do not overlap, and its searches, each at its own rate.

use super::price::{Price, What};
use crate::{api::TokenUsage, money::Usd};

impl Price {
    /// US dollars for an answer's tokens and searches; `None` when a rate that it needs is not known.
    ///
    /// A prompt above a bound is priced above it as a whole, output included, as every provider that has bounds does.
    pub fn cost(&self, usage: &TokenUsage) -> Option<Usd> {
        let above = self.bound(usage.input, usage.tier);
        parts(usage).into_iter().filter(|(_, count)| *count > 0).try_fold(Usd::default(), |sum, (what, count)| {
            let rate = match what {
                // a search costs the same in every tier, and behind every prompt
                What::Query => self.rate(what),
                _ => self.at(self.priced_as(what)?, above, usage.tier),
            };
            Some(sum + rate?.of(count))
        })
    }

    /// Under which name something is priced. What has no rate of its own in any tier costs what it is part of; what has
    /// one, but not in this tier, is unknown there.
    fn priced_as(&self, what: What) -> Option<What> {
        let whole = match what {
            _ if self.names(what) => return Some(what),
            // an hour costs more than five minutes wherever either has a price
            What::Write1h if self.names(What::Write) => return None,
            What::Cached | What::Write | What::Write1h | What::AudioInput | What::ImageInput => What::Input,
            What::CachedAudio => What::Cached,
            What::Reasoning | What::AudioOutput | What::ImageOutput => What::Output,
            What::Input | What::Output | What::Query => return None,
        };
        self.priced_as(whole)
    }
}

/// Every token that is charged for in exactly one part. Counts that contradict each other are cut to what their total leaves.
pub(super) fn parts(usage: &TokenUsage) -> [(What, u64); 12] {
    let mut input = usage.input;
    let mut output = usage.output;
    let _ = take(&mut input, usage.free_input);
    let cached = take(&mut input, usage.cached_read);
    let cached_audio = usage.audio_cached.min(cached).min(usage.audio_input);
    let write = take(&mut input, usage.cached_write);
    let write_1h = usage.cached_write_1h.min(write);
    let audio_input = take(&mut input, usage.audio_input - cached_audio);
    let image_input = take(&mut input, usage.image_input);
    let audio_output = take(&mut output, usage.audio_output);
    let image_output = take(&mut output, usage.image_output);
    let reasoning = take(&mut output, usage.reasoning);
    [
        (What::Input, input),
        (What::Output, output),
        (What::Cached, cached - cached_audio),
        (What::CachedAudio, cached_audio),
        (What::Write, write - write_1h),
        (What::Write1h, write_1h),
        (What::Reasoning, reasoning),
        (What::AudioInput, audio_input),
        (What::AudioOutput, audio_output),
        (What::ImageInput, image_input),
        (What::ImageOutput, image_output),
        (What::Query, usage.searches),
    ]
}

/// Takes up to `count` out of what is left.
fn take(left: &mut u64, count: u64) -> u64 {
    let taken = count.min(*left);
    *left -= taken;
    taken
}
