//! The cost of a stream, written into its usage chunk for a client that asked for it. No other byte changes.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    glance::Glance,
    sse::{Boundary, Event},
};
use crate::money::Usd;

/// The piece with `"x_prism":{"cost":…}` as the last member of its usage chunk; `None` when it has no such chunk. Pieces
/// hold whole events.
pub fn with_cost(piece: &[u8], cost: Usd) -> Option<Bytes> {
    let mut boundary = Boundary::default();
    let mut at = 0;
    while let Some(length) = boundary.find(&piece[at..]) {
        let event = Event::read(&piece[at..at + length]);
        at += length;
        let Some(Cow::Borrowed(data)) = event.data else { continue };
        let json = data.trim_ascii();
        if !Glance::at(json).is_some_and(|glance| glance.is_usage_chunk()) {
            continue;
        }
        // `data` is a slice of the piece, and its JSON ends with a brace
        let end = json.as_ptr().addr() - piece.as_ptr().addr() + json.len() - 1;
        let member = format!(",\"x_prism\":{{\"cost\":{cost}}}");
        return Some([&piece[..end], member.as_bytes(), &piece[end..]].concat().into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Rate;

    #[test]
    fn only_the_usage_chunk_gets_the_cost() {
        let cost = Rate::per_million("2.5").unwrap().of(7);
        let usage = "data: {\"id\":\"a\",\"choices\":[],\"usage\":{\"prompt_tokens\":7} }\r\n\r\n";
        let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{}\"}}],\"usage\":null}\n\n";
        let piece = format!("{chunk}{usage}data: [DONE]\n\n");
        let expected = piece.replace(" }\r", " ,\"x_prism\":{\"cost\":0.0000175}}\r");
        assert_eq!(with_cost(piece.as_bytes(), cost).unwrap(), expected);
        assert_eq!(with_cost(chunk.as_bytes(), cost), None);
        assert_eq!(with_cost(b"data: [DONE]\n\n", cost), None);
        assert_eq!(with_cost(b": comment\n\n", cost), None);
    }
}
