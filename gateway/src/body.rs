//! The whole of a body, from a client or a provider, within a bound.

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Memory set aside on the word of a `Content-Length` alone.
const TRUSTED: u64 = 1 << 20;

/// Why a body did not arrive as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Partial<E> {
    #[error("more bytes than the bound allows")]
    TooLarge,
    #[error("the body broke off")]
    Broken(#[source] E),
}

/// All bytes of a body; one that comes in one frame is not copied.
///
/// # Errors
/// When there are more than `limit` bytes, or the body breaks off.
pub async fn collect<B: Body<Data = Bytes> + Unpin>(mut body: B, limit: u64) -> Result<Bytes, Partial<B::Error>> {
    let announced = body.size_hint().lower().min(TRUSTED) as usize;
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
            first = data;
            continue;
        }
        if more.is_empty() {
            more.reserve(announced.max(first.len() + data.len()));
            more.extend_from_slice(&first);
        }
        more.extend_from_slice(&data);
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    async fn collected(frames: &[&'static str], limit: u64) -> Result<Bytes, Partial<Infallible>> {
        let frames = frames.iter().map(|frame| Ok(Frame::data(Bytes::from_static(frame.as_bytes()))));
        collect(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())), limit).await
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
        assert_eq!(collect(body, 64).await.unwrap().as_ptr(), frame.as_ptr());
    }
}
