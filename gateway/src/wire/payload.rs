//! An upstream request body: the client's bytes with a few spans replaced, never copied as a whole.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use smallvec::SmallVec;

/// Slices sent one after the other; its length is exact, so that it goes out with `Content-Length`.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    slices: SmallVec<[Bytes; 4]>,
    next: usize,
    left: u64,
}

impl Payload {
    pub fn push(&mut self, slice: Bytes) {
        if !slice.is_empty() {
            self.left += slice.len() as u64;
            self.slices.push(slice);
        }
    }

    pub fn len(&self) -> u64 {
        self.left
    }

    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Bytes that do not lie in the client's body: what has been made for the provider.
    pub fn made_beside(&self, body: &Bytes) -> u64 {
        let within = body.as_ptr_range();
        self.slices.iter().filter(|slice| !within.contains(&slice.as_ptr())).map(|slice| slice.len() as u64).sum()
    }

    /// All of it in one piece (for tests, and for those who sign what they send).
    pub fn to_bytes(&self) -> Bytes {
        match &self.slices[self.next..] {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => many.concat().into(),
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        let mut payload = Self::default();
        payload.push(bytes);
        payload
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.next;
        let Some(slice) = self.slices.get_mut(next).map(std::mem::take) else { return Poll::Ready(None) };
        self.next += 1;
        self.left -= slice.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(slice))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
