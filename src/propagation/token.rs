//! The trace token: a text that names a request in the logs of all who had to do with it.

use std::borrow::Cow;

use crate::context::{Context, Key};
use crate::propagation::header::BLANKS;
use crate::propagation::line::Line;
use crate::propagation::{Codec, CodecError, HeaderReader, HeaderWriter};
use crate::trace::Span;

/// The header that Kamon has had for it since its first version.
pub(super) const HEADER: &str = "X-Trace-Token";

/// A token stands in every line of the log and in every request: longer ones are as if absent.
const LONGEST: usize = 256;

static TOKEN: Key<Option<String>> = Key::broadcast_string("trace-token");

/// Returns the key under which a trace token that came in lies in the Context.
///
/// # Examples
///
/// ```
/// use kamon::propagation::{trace_token, trace_token_key, Codecs};
///
/// let codecs = Codecs::builder().http_headers("span", ["trace-token"]).build();
/// let context = codecs.decode_headers(&[("X-Trace-Token", "cart-7")]);
/// assert_eq!(context.get(trace_token_key()).as_deref(), Some("cart-7"));
/// assert_eq!(trace_token(&context).as_deref(), Some("cart-7"));
/// ```
pub fn trace_token_key() -> &'static Key<Option<String>> {
    &TOKEN
}

/// Returns the request's trace token: the one that came in, else the id of the trace.
///
/// # Examples
///
/// ```
/// let span = kamon::build_span("handle-request").start();
/// kamon::with_span(&span, || {
///     let token = kamon::propagation::trace_token(&kamon::current_context()).map(String::from);
///     assert_eq!(token, Some(span.trace_id().to_string()));
/// });
/// span.finish();
/// ```
pub fn trace_token(context: &Context) -> Option<Cow<'_, str>> {
    if let Some(token) = context.get(&TOKEN) {
        return Some(Cow::Borrowed(token));
    }
    let span = context.get(Span::key());
    let mut line = Line::new();
    (!span.is_empty()).then(|| Cow::Owned(line.trace_id(span.trace_id()).as_str().to_owned()))
}

/// The token as a header.
pub(super) struct TraceToken {
    pub(super) header: String,
}

impl TraceToken {
    /// The key of which this is the codec, whichever list it stands in.
    pub(super) const KEY: &'static str = "trace-token";
}

impl Codec for TraceToken {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        if let Some(token) = context.get(&TOKEN) {
            return headers.set(&self.header, token);
        }
        let span = context.get(Span::key());
        match span.is_empty() {
            true => Ok(()),
            false => headers.set(&self.header, Line::new().trace_id(span.trace_id()).as_str()),
        }
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        let Some(token) = headers.first(&self.header) else {
            return Ok(context.clone());
        };
        let token = token.trim_matches(BLANKS);
        // It goes into logs: nothing in it may look like the end of a line.
        let fits = (1..=LONGEST).contains(&token.len());
        if !fits || !token.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err("malformed trace token".into());
        }
        Ok(context.with_key(&TOKEN, Some(token.to_owned())))
    }

    fn encode_response(
        &self,
        context: &Context,
        headers: &mut dyn HeaderWriter,
    ) -> Result<(), CodecError> {
        self.encode(context, headers)
    }
}
