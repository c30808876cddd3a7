//! Where events end: the same places however the bytes were cut, but for a line end that is cut in two.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prism::wire::Boundary;

fn ends(pieces: &[&[u8]]) -> Vec<usize> {
    let (mut boundary, mut at, mut found) = (Boundary::default(), 0, Vec::new());
    for piece in pieces {
        let mut rest = *piece;
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

fuzz_target!(|data: &[u8]| {
    let Some((size, text)) = data.split_first() else { return };
    if text.contains(&b'\r') {
        ends(&[text]);
        return;
    }
    let pieces: Vec<&[u8]> = text.chunks(usize::from(*size).max(1)).collect();
    assert_eq!(ends(&[text]), ends(&pieces));
});
