//! Where events end and what they carry: the same however the bytes were cut.

use prism::wire::{Boundary, sse::Events};

pub fn check(data: &[u8]) {
    let Some((size, text)) = data.split_first() else { return };
    let pieces = || text.chunks(usize::from(*size).max(1));
    assert_eq!(carried([text]), carried(pieces()));
    // An LF that arrives after its CR is an empty line of its own: one more end, at which nothing ends.
    let whole = ends([text]);
    let cut = ends(pieces());
    if text.contains(&b'\r') {
        assert!(cut.len() >= whole.len());
    } else {
        assert_eq!(whole, cut);
    }
}

fn ends<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<usize> {
    let (mut boundary, mut at, mut found) = (Boundary::default(), 0, Vec::new());
    for piece in pieces {
        let mut rest = piece;
        while let Some(end) = boundary.find(rest) {
            assert!(end > 0 && end <= rest.len());
            at += end;
            found.push(at);
            rest = &rest[end..];
        }
        at += rest.len();
    }
    found
}

/// (`event:`, `data:`) of every event with data, the last one included if it has no end.
fn carried<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut events, mut found) = (Events::default(), Vec::new());
    for piece in pieces {
        let read = events.feed(piece, |event| {
            found.extend(event.data.as_ref().map(|data| (event.kind.to_vec(), data.to_vec())));
        });
        if read.is_err() {
            return found;
        }
    }
    events.end(|event| found.extend(event.data.as_ref().map(|data| (event.kind.to_vec(), data.to_vec()))));
    found
}
