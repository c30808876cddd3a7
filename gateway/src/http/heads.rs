//! A look at request heads before hyper reads them, and at what it says of those that it cannot read (`unreadable`).
//!
//! hyper takes a request that has both `Transfer-Encoding` and `Content-Length` for a chunked one and hides the length
//! (RFC 9112 §6.3 allows it). The two contradict each other, and a proxy in front may have believed the other one: such a
//! request is refused, and so this notes it on its way in.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use memchr::memmem::{self, Finder};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::unreadable;

/// Heads are short; a body is not searched beyond this.
const SEARCHED: usize = 16 << 10;

/// What has been seen on a connection.
#[derive(Default)]
pub(super) struct Seen {
    contradiction: AtomicBool,
    anything: AtomicBool,
    begun: AtomicBool,
}

impl Seen {
    /// A head with two lengths.
    pub fn contradiction(&self) -> bool {
        self.contradiction.load(Relaxed)
    }

    /// Anything at all.
    pub fn anything(&self) -> bool {
        self.anything.load(Relaxed)
    }

    /// Something of the head that is waited for.
    pub fn begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    /// A head is waited for.
    pub fn wait(&self) {
        self.begun.store(false, Relaxed);
    }

    /// Something has come.
    pub fn come(&self) {
        self.anything.store(true, Relaxed);
        self.begun.store(true, Relaxed);
    }
}

/// A connection whose heads are looked at.
pub(super) struct Watched<S> {
    inner: S,
    seen: Arc<Seen>,
    /// What is left to be written in place of hyper's own refusal.
    instead: Option<Bytes>,
}

impl<S> Watched<S> {
    pub fn new(inner: S) -> (Self, Arc<Seen>) {
        let seen = Arc::<Seen>::default();
        (Self { inner, seen: seen.clone(), instead: None }, seen)
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes our page where hyper would write its own; `None` when that is not what is written.
    fn poll_instead(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() {
            self.instead = Some(unreadable::page(bytes)?);
        }
        while let Some(left) = self.instead.as_mut().filter(|left| !left.is_empty()) {
            match Pin::new(&mut self.inner).poll_write(cx, left) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(written)) => left.advance(written),
                other => return Some(other),
            }
        }
        self.instead = None;
        Some(Poll::Ready(Ok(bytes.len())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buffer);
        let read = &buffer.filled()[before..];
        if !read.is_empty() {
            this.seen.come();
        }
        if contradicts(read) {
            this.seen.contradiction.store(true, Relaxed);
        }
        polled
    }
}

/// The spellings that clients send of `chunked`; whatever else ends this way is looked at thoroughly.
static CHUNKED: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| [Finder::new("hunked"), Finder::new("HUNKED")]);

/// Whether one head in these bytes has both fields. Chunked requests are rare: the others cost one search.
fn contradicts(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(SEARCHED)];
    let chunked = CHUNKED.iter().any(|word| word.find(bytes).is_some());
    chunked && heads(bytes).any(|head| has(head, b"transfer-encoding") && has(head, b"content-length"))
}

fn heads(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let all = rest?;
        let end = memmem::find(all, b"\r\n\r\n");
        rest = end.map(|end| &all[end + 4..]);
        Some(&all[..end.unwrap_or(all.len())])
    })
}

fn has(head: &[u8], name: &[u8]) -> bool {
    head.split(|&byte| byte == b'\n').any(|line| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && line[name.len()..].trim_ascii_start().first() == Some(&b':')
    })
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let instead = this.poll_instead(cx, bytes);
        instead.unwrap_or_else(|| Pin::new(&mut this.inner).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let instead = slices.first().and_then(|first| this.poll_instead(cx, first));
        instead.unwrap_or_else(|| Pin::new(&mut this.inner).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::contradicts;

    #[test]
    fn only_both_lengths_in_one_head_contradict() {
        for (text, expected) in [
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", true),
            ("POST / HTTP/1.1\r\ncontent-length : 3\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nTransfer-Encoding: chunked\n", false),
            ("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false),
        ] {
            assert_eq!(contradicts(text.as_bytes()), expected, "{text}");
        }
    }
}
