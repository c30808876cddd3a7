//! AWS's binary event stream (`application/vnd.amazon.eventstream`): frames out of bytes that are cut anywhere.
//!
//! A frame is a prelude (total length, headers' length, CRC-32 of both), headers, a payload and the CRC-32 of all before
//! it; numbers are big-endian. What fails a check ends the stream: nothing after it can be trusted to be a frame.

use bytes::BytesMut;
use smallvec::SmallVec;

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// AWS's own bounds, as its SDKs have them.
const MAX_HEADERS: usize = 128 << 10;
const MAX_PAYLOAD: usize = 24 << 20;

/// Reads frames.
#[derive(Debug, Default)]
pub struct Frames {
    carried: BytesMut,
}

/// One frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The headers that are strings, which all that matter are.
    headers: SmallVec<[(&'a str, &'a str); 4]>,
    pub payload: &'a [u8],
}

/// Why the bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A length that no frame has.
    Length,
    PreludeChecksum,
    Checksum,
    Header,
}

impl Frames {
    /// Calls `each` with every frame that these bytes complete.
    ///
    /// # Errors
    /// When the bytes are no frame.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&Frame<'_>)) -> Result<(), Damage> {
        let mut rest = bytes;
        while !self.carried.is_empty() {
            let missing = wanted(&self.carried)?.saturating_sub(self.carried.len());
            if missing == 0 {
                each(&Frame::read(&self.carried)?);
                self.carried.clear();
                break;
            }
            if rest.is_empty() {
                return Ok(());
            }
            let (taken, after) = rest.split_at(missing.min(rest.len()));
            self.carried.extend_from_slice(taken);
            rest = after;
        }
        while !rest.is_empty() {
            let length = wanted(rest)?;
            if rest.len() < length {
                break;
            }
            let (frame, after) = rest.split_at(length);
            each(&Frame::read(frame)?);
            rest = after;
        }
        self.carried.extend_from_slice(rest);
        Ok(())
    }
}

impl<'a> Frame<'a> {
    /// The value of a header that is a string.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// `bytes` are exactly one frame by the length in its prelude, which was checked.
    fn read(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Damage::Length)?;
        if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
            return Err(Damage::Checksum);
        }
        let headers_end = PRELUDE + number(bytes, 4).ok_or(Damage::Length)?;
        let mut frame = Self { payload: body.get(headers_end..).ok_or(Damage::Length)?, ..Self::default() };
        let mut rest = body.get(PRELUDE..headers_end).ok_or(Damage::Length)?;
        while !rest.is_empty() {
            rest = frame.header_of(rest).ok_or(Damage::Header)?;
        }
        Ok(frame)
    }

    /// Reads one header and gives what follows it.
    fn header_of(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (&length, rest) = bytes.split_first()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        let name = std::str::from_utf8(name).ok()?;
        let (&kind, rest) = rest.split_first()?;
        let size = match kind {
            0 | 1 => 0, // true, false
            2 => 1,     // byte
            3 => 2,     // short
            4 => 4,     // integer
            5 | 8 => 8, // long, time in milliseconds
            9 => 16,    // UUID
            6 | 7 => {
                // bytes, text
                let (length, rest) = rest.split_first_chunk::<2>()?;
                let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
                if kind == 7 {
                    self.headers.push((name, std::str::from_utf8(value).ok()?));
                }
                return Some(rest);
            }
            _ => return None,
        };
        rest.get(size..)
    }
}

/// How many bytes the frame that begins here has; until its prelude is complete, how many that has.
fn wanted(bytes: &[u8]) -> Result<usize, Damage> {
    let Some((prelude, checksum)) = bytes.get(..PRELUDE).and_then(<[u8]>::split_last_chunk::<CHECKSUM>) else {
        return Ok(PRELUDE);
    };
    if crc32fast::hash(prelude) != u32::from_be_bytes(*checksum) {
        return Err(Damage::PreludeChecksum);
    }
    let (total, headers) = number(bytes, 0).zip(number(bytes, 4)).ok_or(Damage::Length)?;
    let payload = total.checked_sub(PRELUDE + CHECKSUM).and_then(|rest| rest.checked_sub(headers));
    match payload {
        Some(payload) if payload <= MAX_PAYLOAD && headers <= MAX_HEADERS => Ok(total),
        _ => Err(Damage::Length),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?);
    usize::try_from(number).ok()
}

#[cfg(test)]
pub(in crate::wire) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame with string headers.
    pub(in crate::wire) fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        sealed(&head, payload)
    }

    fn sealed(head: &[u8], payload: &[u8]) -> Vec<u8> {
        let total = PRELUDE + head.len() + payload.len() + CHECKSUM;
        let mut frame = u32::try_from(total).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        frame.extend_from_slice(head);
        frame.extend_from_slice(payload);
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        frame
    }

    type Read = Vec<(Option<String>, Vec<u8>)>;

    fn read(pieces: &[&[u8]]) -> (Read, Result<(), Damage>) {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for piece in pieces {
            let each = |frame: &Frame<'_>| {
                found.push((frame.header(":event-type").map(str::to_owned), frame.payload.to_vec()));
            };
            if let Err(damage) = frames.feed(piece, each) {
                return (found, Err(damage));
            }
        }
        (found, Ok(()))
    }

    #[test]
    fn frames_are_the_same_wherever_they_are_cut() {
        let mut bytes = frame(&[(":event-type", "a"), (":content-type", "application/json")], b"{}");
        bytes.extend(frame(&[], b""));
        bytes.extend(frame(&[(":event-type", "b")], &[7; 300]));
        let whole = read(&[&bytes]);
        assert_eq!(whole.0.len(), 3);
        assert_eq!(whole.0[2], (Some("b".to_owned()), vec![7; 300]));
        for cut in 0..=bytes.len() {
            assert_eq!(read(&[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single), whole);
    }

    #[test]
    fn headers_of_every_type_are_read_over() {
        let mut head = Vec::new();
        for (kind, value) in [
            (0, &[][..]),
            (1, &[]),
            (2, &[1]),
            (3, &[1; 2]),
            (4, &[1; 4]),
            (5, &[1; 8]),
            (6, &[0, 3, 1, 2, 3]),
            (8, &[1; 8]),
            (9, &[1; 16]),
        ] {
            head.extend_from_slice(&[1, b'x', kind]);
            head.extend_from_slice(value);
        }
        head.extend_from_slice(b"\x0b:event-type\x07\x00\x01e");
        assert_eq!(read(&[&sealed(&head, b"p")]).0, [(Some("e".to_owned()), b"p".to_vec())]);
        assert_eq!(read(&[&sealed(&[1, b'x', 10], b"")]).1, Err(Damage::Header));
        assert_eq!(read(&[&sealed(&[9, b'x'], b"")]).1, Err(Damage::Header));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let good = frame(&[(":event-type", "a")], b"{\"x\":1}");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let (found, result) = read(&[&bad]);
            assert!(found.is_empty() && result.is_err(), "byte {at}: {result:?}");
        }
    }

    #[test]
    fn no_frame_is_larger_than_aws_makes_them() {
        let mut prelude = 0x7fff_ffff_u32.to_be_bytes().to_vec();
        prelude.extend_from_slice(&[0; 4]);
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        assert_eq!(read(&[&prelude]).1, Err(Damage::Length));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let cut = cut.min(bytes.len());
            let _ = read(&[&bytes[..cut], &bytes[cut..]]);
        }

        #[test]
        fn sealed_nonsense_never_panics(
            head in prop::collection::vec(any::<u8>(), 0..60),
            payload in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let _ = read(&[&sealed(&head, &payload)]);
        }
    }
}
