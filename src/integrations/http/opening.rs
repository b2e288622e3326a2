//! A connection's stream, whose first bytes must come in time.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::time::{sleep, Sleep};

/// What an HTTP/2 client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream on which it must become clear in time which HTTP the client speaks.
///
/// hyper limits how long a head may take once it knows that the client speaks HTTP/1. Before
/// that, and with HTTP/2 before the first request, a client who says nothing could stay for ever.
pub(super) struct Opening<T, H> {
    stream: T,
    /// Gone when the client speaks HTTP/1, or has asked something.
    deadline: Option<Pin<Box<Sleep>>>,
    /// How much of the preface has come.
    matched: usize,
    /// How many requests there were.
    requests: Arc<AtomicU64>,
    /// Dropped with the stream.
    _held: H,
}

impl<T, H> Opening<T, H> {
    pub(super) fn new(stream: T, timeout: Duration, requests: Arc<AtomicU64>, held: H) -> Self {
        Opening {
            stream,
            deadline: Some(Box::pin(sleep(timeout))),
            matched: 0,
            requests,
            _held: held,
        }
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let rest = &PREFACE[self.matched..];
        let length = bytes.len().min(rest.len());
        if bytes[..length] != rest[..length] || self.has_asked() {
            self.deadline = None;
        }
        self.matched += length;
    }

    fn has_asked(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }
}

impl<T: AsyncRead + Unpin, H: Unpin> AsyncRead for Opening<T, H> {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if this.deadline.is_none() {
            return polled;
        }
        match polled {
            Poll::Ready(Ok(())) => this.look_at(&buffer.filled()[before..]),
            Poll::Ready(Err(_)) => {}
            Poll::Pending if this.has_asked() => this.deadline = None,
            Poll::Pending => {
                let deadline = this.deadline.as_mut();
                if deadline.is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin, H: Unpin> AsyncWrite for Opening<T, H> {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_clear_after(pieces: &[&[u8]], requests: u64) -> bool {
        let requests = Arc::new(AtomicU64::new(requests));
        let mut opening = Opening::new((), Duration::from_secs(1), requests, ());
        for piece in pieces {
            if opening.deadline.is_some() {
                opening.look_at(piece);
            }
        }
        opening.deadline.is_none()
    }

    #[test]
    fn it_is_clear_where_the_preface_is_left_or_a_request_came() {
        assert!(is_clear_after(&[b"G"], 0));
        assert!(is_clear_after(&[b"P", b"O"], 0));
        assert!(is_clear_after(&[PREFACE], 1));
        assert!(is_clear_after(&[&PREFACE[..3], &PREFACE[3..], b"more"], 1));
        assert!(!is_clear_after(&[PREFACE], 0));
        assert!(!is_clear_after(&[&PREFACE[..3], &PREFACE[3..], b"more"], 0));
        assert!(!is_clear_after(&[b"P"], 0));
        assert!(!is_clear_after(&[b"PRI", b"", b" *"], 0));
        assert!(!is_clear_after(&[&PREFACE[..23]], 0));
    }
}
