//! The first bytes of a connection, which must come in time.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::time::{sleep, Sleep};

/// What an HTTP/2 client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream on which it must become clear in time which HTTP the client speaks.
///
/// hyper limits how long a head may take once it knows that the client speaks HTTP/1. Before
/// that, a client who says nothing could stay for ever.
pub(super) struct Opening<T> {
    stream: T,
    /// Gone when it is clear.
    deadline: Option<Pin<Box<Sleep>>>,
    /// How much of the preface has come.
    matched: usize,
}

impl<T> Opening<T> {
    pub(super) fn new(stream: T, timeout: Duration) -> Self {
        Opening {
            stream,
            deadline: Some(Box::pin(sleep(timeout))),
            matched: 0,
        }
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let rest = &PREFACE[self.matched..];
        let length = bytes.len().min(rest.len());
        if bytes[..length] != rest[..length] || length == rest.len() {
            self.deadline = None;
        }
        self.matched += length;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Opening<T> {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(deadline) = &mut this.deadline else {
            return polled;
        };
        match polled {
            Poll::Ready(Ok(())) => this.look_at(&buffer.filled()[before..]),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if deadline.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Opening<T> {
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

    fn is_clear_after(pieces: &[&[u8]]) -> bool {
        let mut opening = Opening::new((), Duration::from_secs(1));
        for piece in pieces {
            if opening.deadline.is_some() {
                opening.look_at(piece);
            }
        }
        opening.deadline.is_none()
    }

    #[test]
    fn it_is_clear_where_the_preface_ends_or_is_left() {
        assert!(is_clear_after(&[b"G"]));
        assert!(is_clear_after(&[b"P", b"O"]));
        assert!(is_clear_after(&[PREFACE]));
        assert!(is_clear_after(&[&PREFACE[..3], &PREFACE[3..], b"more"]));
        assert!(!is_clear_after(&[b"P"]));
        assert!(!is_clear_after(&[b"PRI", b"", b" *"]));
        assert!(!is_clear_after(&[&PREFACE[..23]]));
    }
}
