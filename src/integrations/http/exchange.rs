//! A request and its response, from the call to the last byte: how it goes, its span says.

use std::task::Poll;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::context::slot::{Base, Frame, Overlay, SavedScopes};
use crate::context::Context;
use crate::integrations::http::look_up::{length, look_up};
use crate::integrations::http::words::{self, TagMode};
use crate::trace::{panicked, Span, Stretch};

/// The header or trailer with the outcome of a gRPC call.
pub(super) static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// gRPC's status for a method that nobody knows.
pub(super) const UNIMPLEMENTED: &str = "12";

/// A request and its response, from the call to the last byte.
///
/// Its span, on top of what the span is current on, is what service, future and body run in. When this
/// is dropped and nobody has said that the exchange is complete, the span is `cancelled`.
pub struct Exchange<S: Side> {
    span: Span,
    below: Context,
    /// Both as one, where somebody has asked for the Context as a whole.
    whole: Option<Context>,
    side: S,
    bodies: Bodies,
    over: bool,
}

/// The Context of an exchange, which is put together where somebody needs it.
pub struct Parts<'a> {
    pub(super) span: &'a Span,
    pub(super) below: &'a Context,
    whole: &'a mut Option<Context>,
}

impl Parts<'_> {
    pub(super) fn whole(&mut self) -> &Context {
        let make = || self.below.with_key(Span::key(), self.span.clone());
        self.whole.get_or_insert_with(make)
    }
}

/// Which responses to a method have a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bodies {
    All,
    /// After a `CONNECT` that is granted, the connection is no longer HTTP's.
    Refusals,
    None,
}

impl Bodies {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::HEAD => Bodies::None,
            Method::CONNECT => Bodies::Refusals,
            _ => Bodies::All,
        }
    }
}

/// Which side of an exchange this is: what is done besides what the span says. Implemented by
/// [`ServerSide`](crate::http::ServerSide) and [`ClientSide`](crate::http::ClientSide).
pub trait Side {
    /// What is said of a span when there is no response.
    const FAILED: &'static str;

    /// Whether a response's body that is dropped before its end has the span `cancelled`.
    const NEEDS_WHOLE_BODY: bool;

    /// How the status is said of the span.
    fn status_mode(&self) -> TagMode;

    /// Whether a call with this gRPC status has failed, seen from here. Not asked about zero.
    fn is_failure(&self, grpc_status: &str) -> bool;

    /// The response to a gRPC call says that nobody knows the method.
    fn unimplemented(&self, span: &Span) {
        let _ = span;
    }

    /// The response is there. Its headers may be changed.
    fn responded(&mut self, parts: Parts<'_>, status: StatusCode, headers: &mut HeaderMap) {
        let _ = (parts, status, headers);
    }

    /// There is no telling how the exchange would have ended.
    fn broken_off(&mut self, span: &Span) {
        let _ = span;
    }

    /// The exchange is over, after so many bytes of the response's body if it has one and all
    /// went well.
    fn over(&mut self, sent: Option<u64>) {
        let _ = sent;
    }
}

impl<S: Side> Exchange<S> {
    /// Begins an exchange, whose span is current on top of this Context.
    pub(super) fn new(span: Span, below: Context, bodies: Bodies, side: S) -> Self {
        Exchange {
            span,
            below,
            whole: None,
            side,
            bodies,
            over: false,
        }
    }

    /// Its Context as a whole.
    pub(super) fn context(&mut self) -> &Context {
        self.parts().1.whole();
        self.whole.as_ref().unwrap_or(&self.below)
    }

    fn parts(&mut self) -> (&mut S, Parts<'_>) {
        let parts = Parts {
            span: &self.span,
            below: &self.below,
            whole: &mut self.whole,
        };
        (&mut self.side, parts)
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Calls `f` in the exchange's Context.
    #[inline(always)]
    pub(super) fn call<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.within(Frames::Whole, |span| {
            let _stretch = Stretch::enter(span);
            let panicking = FailOnUnwind(span);
            let result = f();
            std::mem::forget(panicking);
            result
        })
    }

    /// Polls something in the exchange's Context.
    #[inline(always)]
    pub(super) fn poll<T>(
        &mut self,
        saved: &mut SavedScopes,
        poll: impl FnOnce() -> Poll<T>,
    ) -> Poll<T> {
        self.within(Frames::Resumed(saved), |span| {
            let stretch = Stretch::enter_poll(span);
            let panicking = FailOnUnwind(span);
            let polled = poll();
            if polled.is_pending() {
                stretch.pending(span);
            }
            std::mem::forget(panicking);
            polled
        })
    }

    /// Drops something in the exchange's Context.
    pub(super) fn discard(&mut self, saved: &mut SavedScopes, discard: impl FnOnce()) {
        self.within(Frames::Resumed(saved), |_| discard());
    }

    /// Runs `f` where the span is current on top of what it lies on, whatever is around.
    #[inline(always)]
    fn within<R>(&mut self, frames: Frames<'_>, f: impl FnOnce(&Span) -> R) -> R {
        if let Some(whole) = &self.whole {
            return frames.enter(whole, || f(&self.span));
        }
        let (result, made) = {
            let around = Overlay::on(&self.below, Span::key(), &self.span);
            let result = frames.enter(&around, || f(&self.span));
            (result, around.made())
        };
        if let Some((_, whole)) = made {
            self.whole = Some(whole);
        }
        result
    }

    /// The response is there, but for its body, whose size is returned if it is announced.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &mut HeaderMap) -> Option<u64> {
        // Before there are more of them.
        let names = [&GRPC_STATUS, &CONTENT_LENGTH];
        let [grpc_status, announced] = look_up(headers, names);
        let announced = announced.and_then(length);
        let (code, mode) = (status.as_u16(), self.side.status_mode());
        if mode != TagMode::Off {
            self.span.say(|saying| match mode {
                TagMode::Metric => saying.tag_metric("http.status_code", words::status(status)),
                _ => saying.tag("http.status_code", code),
            });
        }
        if code >= 500 {
            self.span
                .fail(format!("Request failed with HTTP Status Code {code}"));
        }
        self.conclude_grpc(grpc_status);
        if grpc_status.is_some_and(|status| status == UNIMPLEMENTED) {
            self.side.unimplemented(&self.span);
        }
        let is_granted = self.bodies == Bodies::Refusals && status.is_success();
        if is_granted
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        {
            self.bodies = Bodies::None;
        }
        let (side, parts) = self.parts();
        side.responded(parts, status, headers);
        announced
    }

    /// Looks at the outcome of a gRPC call: in the trailers, or in the headers if there is nothing
    /// else.
    pub(super) fn conclude_grpc(&self, status: Option<&HeaderValue>) {
        let Some(status) = status.and_then(|status| status.to_str().ok()) else {
            return;
        };
        self.span().tag("rpc.grpc.status_code", status.to_owned());
        if status != "0" && self.side.is_failure(status) {
            let message = format!("Request failed with gRPC Status Code {status}");
            self.span().fail(message);
        }
    }

    /// It goes wrong for a reason that nobody could put in words.
    pub(super) fn fail(&mut self, message: &'static str) {
        self.side.broken_off(&self.span);
        self.span.fail(message);
        self.finish(None);
    }

    /// Whether there is no body to be sent, whatever is there.
    pub(super) fn has_no_body(&self) -> bool {
        self.bodies == Bodies::None
    }

    /// The exchange is complete.
    pub(super) fn finish(&mut self, sent: Option<u64>) {
        if !std::mem::replace(&mut self.over, true) {
            self.span.finish_if_open();
            self.side.over(sent);
        }
    }
}

impl<S: Side> Drop for Exchange<S> {
    fn drop(&mut self) {
        if !self.over {
            self.side.broken_off(&self.span);
            self.span.cancel();
            self.side.over(None);
        }
    }
}

/// Which Scopes are open in a frame.
enum Frames<'a> {
    /// None, and none stays.
    Whole,
    /// Those that were when the last one ended.
    Resumed(&'a mut SavedScopes),
}

impl<'a> Frames<'a> {
    #[inline(always)]
    fn enter<R>(self, base: impl Into<Base<'a>>, f: impl FnOnce() -> R) -> R {
        match self {
            Frames::Whole => {
                let _frame = Frame::enter(base);
                f()
            }
            Frames::Resumed(saved) => {
                let _frame = Frame::resume_within(base, saved);
                f()
            }
        }
    }
}

/// Fails the span for the panic that is going through. What is left is dropped with it.
struct FailOnUnwind<'a>(&'a Span);

impl Drop for FailOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        panicked(self.0);
    }
}
