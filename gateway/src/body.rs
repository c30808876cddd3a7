//! The whole of a body, from a client or a provider, within a bound and within the memory that all bodies share.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

use crate::memory::{BodyMemory, Full, Share};

/// Memory set aside on the word of a `Content-Length` alone: a long prompt is copied once.
const TRUSTED: u64 = 256 << 10;

/// Why a body did not arrive as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Partial<E> {
    #[error("more bytes than the bound allows")]
    TooLarge,
    #[error(transparent)]
    NoRoom(#[from] Full),
    #[error("the body broke off")]
    Broken(#[source] E),
}

/// All bytes of a body and the memory that they take; one that comes in one frame is not copied.
///
/// Memory is taken as the bytes come, not as they are announced: who sends slowly holds little more than was sent. What is
/// announced and would find no room is refused before it is read.
///
/// # Errors
/// When there are more than `limit` bytes, no memory is left for them, or the body breaks off.
pub async fn collect<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    limit: u64,
    memory: &Arc<BodyMemory>,
) -> Result<(Bytes, Share), Partial<B::Error>> {
    let announced = body.size_hint().lower();
    if !memory.has_room(announced) {
        return Err(Full.into());
    }
    let mut share = Share::default();
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Partial::Broken)?.into_data() else { continue };
        length += data.len() as u64;
        if length > limit {
            return Err(Partial::TooLarge);
        }
        if first.is_empty() {
            share.grow(memory, length)?;
            first = data;
            continue;
        }
        if length > more.capacity() as u64 {
            let room = room(more.capacity() as u64, length, announced);
            share.grow(memory, room)?;
            // not `reserve`, which may set aside more than was taken
            let mut wider = BytesMut::with_capacity(room as usize);
            wider.extend_from_slice(if more.is_empty() { &first } else { &more });
            more = wider;
        }
        more.extend_from_slice(&data);
    }
    Ok((if more.is_empty() { first } else { more.freeze() }, share))
}

/// The bytes to set aside next: twice as many each time, and never more than were announced.
fn room(has: u64, length: u64, announced: u64) -> u64 {
    let twice = if has == 0 { TRUSTED } else { 2 * has };
    if announced > 0 { twice.min(announced).max(length) } else { twice.max(length).min(2 * length) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    async fn collected(frames: &[&'static str], limit: u64) -> Result<Bytes, Partial<Infallible>> {
        let frames = frames.iter().map(|frame| Ok(Frame::data(Bytes::from_static(frame.as_bytes()))));
        let body = StreamBody::new(stream::iter(frames.collect::<Vec<_>>()));
        Ok(collect(body, limit, &BodyMemory::unbounded()).await?.0)
    }

    #[tokio::test]
    async fn frames_are_joined_up_to_the_bound() {
        for (frames, whole) in [(&[][..], ""), (&["ab"], "ab"), (&["", "a", "", "bc"], "abc")] {
            assert_eq!(collected(frames, 3).await.unwrap(), whole);
        }
        assert!(matches!(collected(&["ab", "cd"], 3).await, Err(Partial::TooLarge)));
    }

    #[tokio::test]
    async fn one_frame_is_not_copied() {
        let frame = Bytes::from(vec![7; 64]);
        let body = StreamBody::new(stream::iter([Ok::<_, Infallible>(Frame::data(frame.clone()))]));
        let (whole, _) = collect(body, 64, &BodyMemory::unbounded()).await.unwrap();
        assert_eq!(whole.as_ptr(), frame.as_ptr());
    }

    const FRAME: usize = 64 << 10;

    fn large(frames: usize) -> impl Iterator<Item = Result<Frame<Bytes>, Infallible>> {
        (0..frames).map(|_| Ok(Frame::data(Bytes::from(vec![7; FRAME]))))
    }

    #[tokio::test]
    async fn what_all_bodies_may_take_is_a_bound_for_each() {
        let memory = BodyMemory::new(40 * FRAME as u64);
        let body = || StreamBody::new(stream::iter(large(30)));
        let (whole, share) = collect(body(), u64::MAX, &memory).await.unwrap();
        assert_eq!(whole.len(), 30 * FRAME);
        assert!(memory.taken() >= whole.len() as u64, "{}", memory.taken());
        assert!(matches!(collect(body(), u64::MAX, &memory).await, Err(Partial::NoRoom(_))));
        drop((whole, share));
        assert_eq!(memory.taken(), 0, "what was refused and what was dropped has been given back");
        assert!(collect(body(), u64::MAX, &memory).await.is_ok());
    }

    #[tokio::test]
    async fn who_sends_slowly_holds_what_was_sent_and_a_client_that_leaves_gives_it_back() {
        let memory = BodyMemory::new(u64::MAX);
        let frames = stream::iter(large(3)).chain(stream::pending());
        let mut slow = Box::pin(collect(StreamBody::new(frames), u64::MAX, &memory));
        assert!((&mut slow).now_or_never().is_none());
        assert!((3 * FRAME as u64..=TRUSTED).contains(&memory.taken()), "{}", memory.taken());
        drop(slow);
        assert_eq!(memory.taken(), 0);
    }

    #[test]
    fn room_grows_by_doubling_up_to_what_was_announced() {
        let steps = |announced: u64| {
            let mut steps = vec![room(0, 100_000, announced)];
            while steps[steps.len() - 1] < announced {
                let has = steps[steps.len() - 1];
                steps.push(room(has, has + 1, announced));
            }
            steps
        };
        assert_eq!(steps(1 << 20), [256 << 10, 512 << 10, 1 << 20]);
        assert_eq!(steps(700_000), [256 << 10, 512 << 10, 700_000]);
        assert_eq!(room(0, 100, 150), 150);
        assert_eq!(room(0, 100_000, 0), 200_000);
    }
}
